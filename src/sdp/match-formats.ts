import type { PayloadFormat } from "./audio-media.ts";

/** A codec as this side numbers and describes it. */
export interface LocalFormat {
  readonly name: string;
  readonly payloadType: number;
  readonly clockRateHz: number;
  readonly channels?: number;
  /** Our own format parameters, announced as they stand. */
  readonly fmtp?: string;
}

/** The formats that both sides know, most preferred first. */
export interface MatchedFormats {
  /** The peer's numbering. */
  readonly formats: readonly PayloadFormat[];
  /** The same formats in our own; the indexes correspond. */
  readonly ownFormats: readonly LocalFormat[];
  /** The peer's telephone-event of the first format's clock rate. */
  readonly telephoneEvent?: PayloadFormat;
}

/** How to match. */
export interface MatchOptions {
  readonly telephoneEvents: boolean;
  /** Whose order counts: the description's ("offer") or our own. */
  readonly order: "offer" | "own";
}

/** Joins our formats with a peer's by name, clock rate and channels, not by number. */
export function matchFormats(
  own: readonly LocalFormat[],
  remote: readonly PayloadFormat[],
  options: MatchOptions,
): MatchedFormats {
  const pairs: [PayloadFormat, LocalFormat][] = [];
  for (const format of remote) {
    const match = own.find((local) => isSame(local, format));
    const isTaken = pairs.some(([, local]) => local === match);
    if (match !== undefined && !isTaken) pairs.push([format, match]);
  }
  if (options.order === "own") {
    pairs.sort(([, left], [, right]) => own.indexOf(left) - own.indexOf(right));
  }
  const clockRateHz = pairs[0]?.[0].clockRateHz;
  const telephoneEvent = options.telephoneEvents
    ? remote.find((format) => isTelephoneEvent(format) && format.clockRateHz === clockRateHz)
    : undefined;
  return {
    formats: pairs.map(([format]) => format),
    ownFormats: pairs.map(([, local]) => local),
    ...(telephoneEvent === undefined ? {} : { telephoneEvent }),
  };
}

function isSame(local: LocalFormat, remote: PayloadFormat): boolean {
  return (
    local.name.toLowerCase() === remote.name.toLowerCase() &&
    local.clockRateHz === remote.clockRateHz &&
    (local.channels ?? 1) === remote.channels
  );
}

function isTelephoneEvent(format: PayloadFormat): boolean {
  return format.name.toLowerCase() === "telephone-event";
}
