import type { Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { PayloadSlot } from "./payload-slot.ts";

/** A piece of the continuous output of an `IngressOrderer`. */
export type IngressOutput =
  | { readonly kind: "audio"; readonly payload: Uint8Array; readonly timestamp: number }
  | { readonly kind: "silence"; readonly ticks: number };

/** What an orderer notes beside the packet's own fields. */
export interface PacketNote {
  readonly sequence: number;
  readonly isAudio: boolean;
  readonly arrivedAt: Instant;
}

const EMPTY = new Uint8Array(0);

/** A packet's copy, from its arrival until its output was used. */
export class QueuedPacket {
  readonly #slot = new PayloadSlot();
  readonly #output: { kind: "audio"; payload: Uint8Array; timestamp: number } = {
    kind: "audio",
    payload: EMPTY,
    timestamp: 0,
  };
  sequence = 0;
  isAudio = true;
  arrivedAt: Instant = 0 as Instant;

  /** Copies a packet in. */
  set(packet: RtpPacket, note: PacketNote): void {
    this.sequence = note.sequence;
    this.isAudio = note.isAudio;
    this.arrivedAt = note.arrivedAt;
    this.#output.payload = note.isAudio ? this.#slot.store(packet.payload) : EMPTY;
    this.#output.timestamp = packet.timestamp;
  }

  get payload(): Uint8Array {
    return this.#output.payload;
  }

  get timestamp(): number {
    return this.#output.timestamp;
  }

  get output(): IngressOutput {
    return this.#output;
  }
}

type Entry = QueuedPacket | { readonly kind: "silence"; ticks: number };

/** Beyond any burst between two drains; more would be a consumer that does not drain. */
const MAX_PACKETS = 512;

/** The output of an `IngressOrderer`, with the packets' memory, which is used again and again. */
export class OutputQueue {
  readonly #free: QueuedPacket[] = [];
  #made = 0;
  readonly #entries: Entry[] = [];
  #head = 0;
  /** Handed out by the newest `take`; free again at the next. */
  #lent: QueuedPacket | undefined;

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

  /** Appends silence, joined to silence that is waiting already. */
  putSilence(ticks: number): void {
    const last = this.#head < this.#entries.length ? this.#entries.at(-1) : undefined;
    if (last !== undefined && !(last instanceof QueuedPacket)) last.ticks += ticks;
    else this.#entries.push({ kind: "silence", ticks });
  }

  /** Removes and returns the oldest entry. */
  take(): IngressOutput | undefined {
    if (this.#lent !== undefined) this.#free.push(this.#lent);
    this.#lent = undefined;
    if (this.#head === this.#entries.length) return undefined;
    const entry = this.#entries[this.#head] as Entry;
    this.#head += 1;
    if (this.#head === this.#entries.length) {
      this.#entries.length = 0;
      this.#head = 0;
    }
    if (!(entry instanceof QueuedPacket)) return entry;
    this.#lent = entry;
    return entry.output;
  }
}
