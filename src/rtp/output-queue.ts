import type { Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { PayloadLender, PayloadSlot } from "./payload-slot.ts";

/** A piece of the continuous output of an `IngressOrderer`. */
export type IngressOutput =
  | {
      readonly kind: "audio";
      /** Valid until the next call of the orderer. */
      readonly payload: Uint8Array;
      readonly payloadType: number;
      readonly timestamp: number;
      readonly durationTicks: number;
    }
  /** Audio was sent for this time, as far as one can know, and is not here: conceal. */
  | { readonly kind: "lost"; readonly ticks: number }
  | { readonly kind: "silence"; readonly ticks: number };

/** A packet's copy, from its arrival until its output was used. */
export class QueuedPacket {
  readonly payload: PayloadSlot = new PayloadSlot();
  payloadType = 0;
  timestamp = 0;
  durationTicks = 0;
  /** Extended sequence number. */
  sequence = 0;
  isAudio = true;
  arrivedAt: Instant = 0 as Instant;

  /** Copies a packet in; the rest is for the caller to set. */
  set(packet: RtpPacket): void {
    this.payload.store(packet.payload);
    this.payloadType = packet.payloadType;
    this.timestamp = packet.timestamp;
  }
}

type Filled = { kind: "lost" | "silence"; ticks: number };
type Entry = QueuedPacket | Filled;

const EMPTY: Uint8Array = new Uint8Array(0);

/** Beyond any burst between two drains; more would be a consumer that does not drain. */
const MAX_PACKETS = 512;

/** The output of an `IngressOrderer`, with the packets' memory, which is used again and again. */
export class OutputQueue {
  readonly #free: QueuedPacket[] = [];
  #made = 0;
  readonly #entries: Entry[] = [];
  #head = 0;
  readonly #lender = new PayloadLender();
  readonly #audio = {
    kind: "audio" as const,
    payload: EMPTY,
    payloadType: 0,
    timestamp: 0,
    durationTicks: 0,
  };

  /** A place for a packet; `undefined` when all are in use. */
  reserve(): QueuedPacket | undefined {
    const entry = this.#free.pop();
    if (entry !== undefined || this.#made === MAX_PACKETS) return entry;
    this.#made += 1;
    return new QueuedPacket();
  }

  /** Gives a reserved place back without output. */
  release(entry: QueuedPacket): void {
    this.#free.push(entry);
  }

  /** Appends a reserved packet. */
  put(entry: QueuedPacket): void {
    this.#entries.push(entry);
  }

  /** Appends time without a packet, joined to the like of it that is waiting already. */
  fill(kind: "lost" | "silence", ticks: number): void {
    const last = this.#head < this.#entries.length ? this.#entries.at(-1) : undefined;
    const isAlike = last !== undefined && !(last instanceof QueuedPacket) && last.kind === kind;
    if (isAlike) last.ticks += ticks;
    else this.#entries.push({ kind, ticks });
  }

  /** Removes and returns the oldest entry. */
  take(): IngressOutput | undefined {
    if (this.#head === this.#entries.length) return undefined;
    const entry = this.#entries[this.#head] as Entry;
    this.#head += 1;
    if (this.#head === this.#entries.length) {
      this.#entries.length = 0;
      this.#head = 0;
    }
    if (!(entry instanceof QueuedPacket)) return entry;
    this.#audio.payload = this.#lender.lend(entry.payload);
    this.#audio.payloadType = entry.payloadType;
    this.#audio.timestamp = entry.timestamp;
    this.#audio.durationTicks = entry.durationTicks;
    this.#free.push(entry);
    return this.#audio;
  }
}
