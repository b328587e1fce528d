import { after, type Instant } from "../environment/index.ts";
import { PACKET_MS, type SentPacket, type SpeechItem, TICKS_PER_MS } from "./audio-sender.ts";

interface Place {
  readonly item: SpeechItem;
  /** On the stream's RTP clock. */
  readonly from: number;
  end: number;
  lastSentAt: Instant;
}

/** Items of which it remembers where they lay; older ones are over. */
const PLACES_MAX = 64;
/** So long after its last packet left, speech of which nothing came at all counts as played. */
const GIVEN_UP_MS = 3000;

/** Knows which speech lies where in the stream from the AI, and what of it is not wanted any more. */
export class SpeechPlaces {
  readonly #places: Place[] = [];
  readonly #dropped = new Set<string>();

  /** A packet of it leaves. */
  note({ item, timestamp }: SentPacket, now: Instant): void {
    const end = timestamp + PACKET_MS * TICKS_PER_MS;
    const last = this.#places.at(-1);
    if (last?.item.itemId === item.itemId && last.item.responseId === item.responseId) {
      last.end = end;
      last.lastSentAt = now;
      return;
    }
    this.#places.push({ item, from: timestamp, end, lastSentAt: now });
    if (this.#places.length > PLACES_MAX) this.#places.shift();
  }

  /** Nothing of this response, or of any up to now, is wanted. */
  drop(responseId: string | undefined): void {
    const ids =
      responseId === undefined ? this.#places.map(({ item }) => item.responseId) : [responseId];
    for (const id of ids) this.#dropped.add(id);
  }

  /** Whose speech lies at this tick; `undefined` where it is nobody's, or is not wanted. */
  itemAt(timestamp: number): SpeechItem | undefined {
    const place = this.#places.findLast(({ from }) => from <= timestamp);
    if (place === undefined || timestamp >= place.end) return undefined;
    return this.#dropped.has(place.item.responseId) ? undefined : place.item;
  }

  /** Whether what was sent of a response has been played up to its end, or never will be. */
  isPlayed(responseId: string, cursor: number | undefined, now: Instant): boolean {
    if (this.#dropped.has(responseId)) return true;
    const place = this.#places.findLast(({ item }) => item.responseId === responseId);
    if (place === undefined) return true;
    if (cursor !== undefined && cursor >= place.end) return true;
    return now >= after(place.lastSentAt, GIVEN_UP_MS);
  }
}
