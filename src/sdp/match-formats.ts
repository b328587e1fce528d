import type { LocalFormat, MediaCapabilities } from "./media-capabilities.ts";
import {
  COMFORT_NOISE,
  isNamed,
  meaningKey,
  type PayloadFormat,
  TELEPHONE_EVENT,
} from "./payload-format.ts";

/** A codec that both sides know. */
export interface FormatPair {
  /** In the peer's numbering. */
  readonly remote: PayloadFormat;
  readonly local: LocalFormat;
}

/** What both sides know. */
export interface MatchedFormats {
  /** Most preferred first. */
  readonly codecs: readonly FormatPair[];
  /** The peer's telephone-event and comfort noise that go along, one per clock rate. */
  readonly auxiliaries: readonly PayloadFormat[];
}

/** How to match. */
export interface MatchOptions extends Pick<MediaCapabilities, "telephoneEvents" | "comfortNoise"> {
  /** Whose order counts: the description's ("offer") or our own. */
  readonly order: "offer" | "own";
}

/** Joins our formats with a peer's by name, clock rate and channels, not by number. */
export function matchFormats(
  own: readonly LocalFormat[],
  remote: readonly PayloadFormat[],
  options: MatchOptions,
): MatchedFormats {
  const codecs: FormatPair[] = [];
  for (const format of remote) {
    const local = own.find((each) => meaningKey(each) === meaningKey(format));
    const isTaken = codecs.some((pair) => pair.local === local);
    if (local !== undefined && !isTaken) codecs.push({ remote: format, local });
  }
  if (options.order === "own") {
    codecs.sort((left, right) => own.indexOf(left.local) - own.indexOf(right.local));
  }
  const wanted = new Set(
    auxiliaryFormats(
      codecs.map((pair) => pair.local),
      options,
    ).map(meaningKey),
  );
  return { codecs, auxiliaries: remote.filter((format) => wanted.delete(meaningKey(format))) };
}

/**
 * What goes along with these codecs. Digits are offered at each clock rate (RFC 4733 §2.1 wants
 * them at the audio's), and always at 8 kHz: many peers know no other one, whatever their codec.
 * Comfort noise exists for 8 and 16 kHz; Opus has its own.
 */
export function auxiliaryFormats(
  codecs: readonly LocalFormat[],
  options: Pick<MediaCapabilities, "telephoneEvents" | "comfortNoise">,
): { readonly name: string; readonly clockRateHz: number }[] {
  const rates = new Set(codecs.map((codec) => codec.clockRateHz));
  const noises = [8000, 16_000].filter((rate) => options.comfortNoise && rates.has(rate));
  const events = options.telephoneEvents ? [...rates.add(8000)] : [];
  return [
    ...noises.map((clockRateHz) => ({ name: COMFORT_NOISE, clockRateHz })),
    ...events.map((clockRateHz) => ({ name: TELEPHONE_EVENT, clockRateHz })),
  ];
}

/** The auxiliary format of this name for this clock rate. */
export function auxiliaryAt(
  matched: MatchedFormats,
  name: string,
  clockRateHz: number,
): PayloadFormat | undefined {
  return matched.auxiliaries.find(
    (format) => isNamed(format, name) && format.clockRateHz === clockRateHz,
  );
}
