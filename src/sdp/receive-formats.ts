import type { FormatPair, MatchedFormats } from "./match-formats.ts";
import type { ReceivedPayload } from "./negotiated-media.ts";
import { COMFORT_NOISE, isNamed, type PayloadFormat } from "./payload-format.ts";
import type { PayloadNumbers } from "./payload-numbers.ts";

/**
 * What may arrive, by number. Our own numbers are what the peer must send with. Where its numbers
 * differ, some peers send with those instead, so that they are understood as well unless they mean
 * something else here. `earlier` is what could arrive before.
 */
export function receiveFormats(
  matched: MatchedFormats,
  numbers: PayloadNumbers,
  earlier: ReadonlyMap<number, ReceivedPayload> | undefined,
): ReadonlyMap<number, ReceivedPayload> {
  const types = new Map<number, ReceivedPayload>();
  for (const [format, payload] of payloads(matched)) {
    const own = numbers.numberOf(format);
    if (own !== undefined) types.set(own, payload);
    if (!numbers.isOurs(format.payloadType)) types.set(format.payloadType, payload);
  }
  for (const [payloadType, payload] of earlier ?? []) {
    if (!types.has(payloadType)) types.set(payloadType, payload);
  }
  return types;
}

function payloads(matched: MatchedFormats): [PayloadFormat, ReceivedPayload][] {
  return [...matched.codecs.map(audioPayload), ...matched.auxiliaries.map(auxiliaryPayload)];
}

function audioPayload({ remote, local }: FormatPair): [PayloadFormat, ReceivedPayload] {
  return [remote, { kind: "audio", codecId: local.id }];
}

function auxiliaryPayload(format: PayloadFormat): [PayloadFormat, ReceivedPayload] {
  const kind = isNamed(format, COMFORT_NOISE) ? "comfortNoise" : "telephoneEvent";
  return [format, { kind, clockRateHz: format.clockRateHz }];
}
