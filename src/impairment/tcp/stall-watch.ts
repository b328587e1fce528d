import { after, elapsedMs, type Instant } from "../../environment/index.ts";
import type { AiStall } from "../ai-path.ts";
import type { NetworkDirection } from "../profiles.ts";
import type { Readable } from "./connection.ts";

/** Shorter ones are none: a frame or two. */
const STALL_MIN_MS = 40;

/**
 * Tells what of one direction came late: later than the link's own delay, the least that a packet
 * took since the network was last changed, accounts for.
 */
export class StallWatch {
  readonly #direction: NetworkDirection;
  #leastMs: number | undefined;
  #lastAt: Instant | undefined;

  constructor(direction: NetworkDirection) {
    this.#direction = direction;
  }

  /** The network is another one. */
  reset(): void {
    this.#leastMs = undefined;
  }

  /** A packet took so long. */
  handlePacket(ms: number): void {
    this.#leastMs = Math.min(ms, this.#leastMs ?? ms);
  }

  /** What can be read now: a stall that ends, unless it belongs to the one before. */
  handleReadable({ writtenAt, cause }: Readable, now: Instant): AiStall | undefined {
    const dueAt = after(writtenAt, this.#leastMs ?? 0);
    const overdueMs = elapsedMs(dueAt, now);
    if (overdueMs < STALL_MIN_MS) return undefined;
    if (this.#lastAt !== undefined && dueAt < this.#lastAt) return undefined;
    this.#lastAt = now;
    return { direction: this.#direction, at: now, overdueMs, causes: [cause ?? "link"] };
  }
}
