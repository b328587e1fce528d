import type { Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { PayloadSlot } from "./payload-slot.ts";

/** One packet that waits for its playout. */
export class PlayoutSlot {
  readonly payload: PayloadSlot = new PayloadSlot();
  payloadType = 0;
  timestamp = 0;
  /** Its first tick on the playout axis. */
  position = 0;
  durationTicks = 0;
  /** Extended sequence number, of the source with this epoch. */
  sequence = 0;
  epoch = 0;
  arrivedAt: Instant = 0 as Instant;

  /** Copies a packet in. */
  set(packet: RtpPacket): void {
    this.payload.store(packet.payload);
    this.payloadType = packet.payloadType;
    this.timestamp = packet.timestamp;
  }
}

/**
 * The packets of a jitter buffer in the order of their playout. Memory grows with what is buffered
 * at once and is used again; nothing is allocated for a packet in steady state.
 */
export class PlayoutStore {
  readonly #slots: PlayoutSlot[] = [];
  readonly #free: PlayoutSlot[] = [];
  #bufferedTicks = 0;

  /** Packets held. */
  get size(): number {
    return this.#slots.length;
  }

  /** Sum of the packets' durations. */
  get bufferedTicks(): number {
    return this.#bufferedTicks;
  }

  /** The packet to be played first. */
  get head(): PlayoutSlot | undefined {
    return this.#slots[0];
  }

  /** Where the last packet ends on the axis; `undefined` when nothing is held. */
  get endPosition(): number | undefined {
    const last = this.#slots.at(-1);
    return last === undefined ? undefined : last.position + last.durationTicks;
  }

  /** An empty slot, to be filled and inserted. */
  reserve(): PlayoutSlot {
    return this.#free.pop() ?? new PlayoutSlot();
  }

  /** Puts a reserved slot to its place. */
  insert(slot: PlayoutSlot): void {
    let index = this.#slots.length;
    while (index > 0 && isBefore(slot, this.#slots[index - 1] as PlayoutSlot)) index -= 1;
    if (index === this.#slots.length) this.#slots.push(slot);
    else this.#slots.splice(index, 0, slot);
    this.#bufferedTicks += slot.durationTicks;
  }

  /** Removes the first packet; its slot stays as it is until the next `reserve`. */
  removeHead(): void {
    const slot = this.#slots.shift();
    if (slot === undefined) return;
    this.#bufferedTicks -= slot.durationTicks;
    this.#free.push(slot);
  }
}

function isBefore(left: PlayoutSlot, right: PlayoutSlot): boolean {
  if (left.position !== right.position) return left.position < right.position;
  return left.epoch === right.epoch && left.sequence < right.sequence;
}
