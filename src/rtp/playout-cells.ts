import type { RtpPacket } from "./packet.ts";
import { PayloadSlot } from "./payload-slot.ts";

/** What `takeFrame` hands out; kept per cell, so that no frame allocates. */
interface CellOutput {
  readonly kind: "packet";
  payload: Uint8Array;
  timestamp: number;
}

/** One packet in its frame. */
export interface PlayoutCell {
  readonly output: Readonly<CellOutput>;
  readonly sequence: number;
  readonly epoch: number;
}

/** What is stored beside the payload. */
export interface CellContent {
  readonly packet: RtpPacket;
  readonly sequence: number;
  readonly epoch: number;
}

class Cell implements PlayoutCell {
  readonly slot = new PayloadSlot();
  readonly output: CellOutput = { kind: "packet", payload: this.slot.payload, timestamp: 0 };
  /** The frame that it holds a packet for; negative while it is empty. */
  frame = -1;
  sequence = 0;
  epoch = 0;
}

/**
 * The places of a jitter buffer: one packet per frame, addressed by frame number modulo capacity,
 * so that a frame can never yield two packets. All memory is taken at the beginning.
 */
export class PlayoutCells {
  readonly #cells: readonly Cell[];
  #buffered = 0;
  #endFrame = 0;

  constructor(capacityFrames: number) {
    this.#cells = Array.from({ length: capacityFrames }, () => new Cell());
  }

  /** Frames that fit. */
  get capacity(): number {
    return this.#cells.length;
  }

  /** Packets held. */
  get buffered(): number {
    return this.#buffered;
  }

  /** One past the newest frame ever stored. */
  get endFrame(): number {
    return this.#endFrame;
  }

  /** Copies a packet into its frame; false where the place is taken. */
  store(frame: number, content: CellContent): boolean {
    const cell = this.#cellOf(frame);
    if (cell.frame >= 0) return false;
    cell.frame = frame;
    cell.sequence = content.sequence;
    cell.epoch = content.epoch;
    cell.output.payload = cell.slot.store(content.packet.payload);
    cell.output.timestamp = content.packet.timestamp;
    this.#buffered += 1;
    this.#endFrame = Math.max(this.#endFrame, frame + 1);
    return true;
  }

  /** Removes and returns the packet of a frame; valid until that place is stored to again. */
  take(frame: number): PlayoutCell | undefined {
    const cell = this.#cellOf(frame);
    if (cell.frame !== frame) return undefined;
    cell.frame = -1;
    this.#buffered -= 1;
    return cell;
  }

  /** Empties all frames before `frame`; returns how many packets that were. */
  discardBefore(frame: number): number {
    let discarded = 0;
    for (const cell of this.#cells) {
      if (cell.frame < 0 || cell.frame >= frame) continue;
      cell.frame = -1;
      discarded += 1;
    }
    this.#buffered -= discarded;
    return discarded;
  }

  /** The packet of the nearest frame after `frame`. */
  firstAfter(frame: number): PlayoutCell | undefined {
    if (this.#buffered === 0) return undefined;
    for (let next = frame + 1; next < frame + this.#cells.length; next += 1) {
      const cell = this.#cellOf(next);
      if (cell.frame === next) return cell;
    }
    return undefined;
  }

  #cellOf(frame: number): Cell {
    const index = frame % this.#cells.length;
    return this.#cells[index < 0 ? index + this.#cells.length : index] as Cell;
  }
}
