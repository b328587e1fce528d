import { auxiliaryFormats } from "./match-formats.ts";
import type { MediaCapabilities } from "./media-capabilities.ts";
import { COMFORT_NOISE, isNamed, meaningKey, type PayloadFormat } from "./payload-format.ts";

/** What is compared of a format. */
type Meaning = Pick<PayloadFormat, "name" | "clockRateHz"> & { readonly channels?: number };

/** Dynamic numbers as most peers use them; RFC 3551 §6 makes 13 the comfort noise of 8 kHz. */
const PREFERRED_EVENTS: ReadonlyMap<number, number> = new Map([
  [8000, 101],
  [16_000, 102],
  [48_000, 103],
]);
const PREFERRED_NOISES: ReadonlyMap<number, number> = new Map([
  [8000, 13],
  [16_000, 104],
]);

/** All numbers of a session at one time. */
export interface SavedNumbers {
  readonly numbers: ReadonlyMap<string, number>;
  readonly meanings: ReadonlyMap<number, string>;
}

/**
 * Our payload type numbers in one session: one per format that may ever be spoken, offered now or
 * not. A number that has once stood for a format never stands for another one in an offer of ours
 * (RFC 3264 §8.3.2).
 */
export class PayloadNumbers {
  /** Meaning → our number. */
  readonly #numbers = new Map<string, number>();
  /** All numbers that were announced by either side, with their first meaning. */
  readonly #meanings = new Map<number, string>();

  constructor(capabilities: MediaCapabilities) {
    for (const codec of capabilities.codecs) this.#assign(codec, codec.payloadType);
    for (const format of auxiliaryFormats(capabilities.codecs, capabilities)) {
      const preferred = isNamed(format, COMFORT_NOISE) ? PREFERRED_NOISES : PREFERRED_EVENTS;
      this.#assign(format, preferred.get(format.clockRateHz));
    }
  }

  /** The numbers now, to come back to. */
  save(): SavedNumbers {
    return { numbers: new Map(this.#numbers), meanings: new Map(this.#meanings) };
  }

  /** Has the numbers that `save` gave, and no others. */
  restore({ numbers, meanings }: SavedNumbers): void {
    replaceAll(this.#numbers, numbers);
    replaceAll(this.#meanings, meanings);
  }

  /** Our number of a format that is among the capabilities. */
  numberOf(format: Meaning): number | undefined {
    return this.#numbers.get(meaningKey(format));
  }

  /** Whether one of our formats has this number. */
  isOurs(payloadType: number): boolean {
    return [...this.#numbers.values()].includes(payloadType);
  }

  /** Remembers what was announced, by either side. */
  note(formats: readonly PayloadFormat[]): void {
    for (const { payloadType, ...meaning } of formats) {
      if (!this.#meanings.has(payloadType)) this.#meanings.set(payloadType, meaningKey(meaning));
    }
  }

  /**
   * Takes over the numbers of an offer for what is answered (RFC 3264 §6.1 asks for it); other
   * formats of ours make way for whatever the offer has under their numbers.
   */
  adopt(offered: readonly PayloadFormat[], answered: readonly PayloadFormat[]): void {
    this.note(offered);
    const fixed = new Set(answered.map(meaningKey));
    for (const format of answered) this.#numbers.set(meaningKey(format), format.payloadType);
    const taken = new Set(offered.map((format) => format.payloadType));
    for (const [key, payloadType] of this.#numbers) {
      if (!fixed.has(key) && taken.has(payloadType)) this.#numbers.set(key, this.#freeNumber(key));
    }
  }

  #assign(format: Meaning, preferred: number | undefined): void {
    const key = meaningKey(format);
    const isFree = preferred !== undefined && !this.isOurs(preferred);
    this.#numbers.set(key, isFree ? preferred : this.#freeNumber(key));
  }

  /**
   * A dynamic number (RFC 3551 §6) that never meant anything else. 64 to 95 would look like RTCP
   * where ports are multiplexed (RFC 5761 §4).
   */
  #freeNumber(key: string): number {
    const candidates = [...numbersFrom(96, 127), ...numbersFrom(35, 63)];
    const fits = (payloadType: number): boolean =>
      !this.isOurs(payloadType) && (this.#meanings.get(payloadType) ?? key) === key;
    return candidates.find(fits) ?? candidates.find((each) => !this.isOurs(each)) ?? 127;
  }
}

function numbersFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function replaceAll<Key, Value>(map: Map<Key, Value>, entries: ReadonlyMap<Key, Value>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}
