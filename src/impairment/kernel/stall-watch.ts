import { elapsedMs, type Instant } from "../../environment/index.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { tcpSegmentOf } from "./tcp-segment.ts";

/** Bytes of one direction became readable later than the link's own delay accounts for. */
export interface FlowStall {
  readonly at: Instant;
  readonly overdueMs: number;
  /** When the first of them was sent for the first time. */
  readonly offeredAt: Instant;
  /** Whether a segment was sent again for them; if not, the link itself was late. */
  readonly wasSentAgain: boolean;
}

/** What a listener would not notice, and a jitter buffer takes. */
const STALL_MS = 40;
/** Connections that are followed at a time: a bridge has one, and one more while it reconnects. */
const FLOWS_MAX = 64;

/**
 * Watches the TCP connections of one direction of a network for stalls. Bytes that were sent before
 * a stall ended belong to it: one lost segment is one stall, however much waits behind it.
 */
export class StallWatch {
  readonly #flows = new Map<string, TcpFlow>();
  #stalledUntil: Instant | undefined;

  handleOffered(packet: Uint8Array, now: Instant): void {
    const segment = tcpSegmentOf(packet);
    if (segment === undefined) return;
    const key = `${segment.sourcePort}:${segment.destinationPort}`;
    if (!segment.isSyn) {
      if (segment.dataBytes > 0) this.#flows.get(key)?.handleOffered(segment, now);
      return;
    }
    if (this.#flows.get(key)?.isOf(segment) === true) return;
    this.#flows.delete(key);
    const [oldest] = this.#flows.keys();
    if (oldest !== undefined && this.#flows.size >= FLOWS_MAX) this.#flows.delete(oldest);
    this.#flows.set(key, new TcpFlow(segment));
  }

  /** @param linkMs is how long the link itself takes. */
  handleArrived(packet: Uint8Array, now: Instant, linkMs: number): FlowStall | undefined {
    const segment = tcpSegmentOf(packet);
    if (segment === undefined || segment.dataBytes === 0) return undefined;
    const key = `${segment.sourcePort}:${segment.destinationPort}`;
    const readable = this.#flows.get(key)?.handleArrived(segment);
    if (readable === undefined) return undefined;
    const overdueMs = elapsedMs(readable.offeredAt, now) - linkMs;
    if (overdueMs < STALL_MS) return undefined;
    const isSame = this.#stalledUntil !== undefined && readable.offeredAt < this.#stalledUntil;
    this.#stalledUntil = now;
    return isSame ? undefined : { at: now, overdueMs, ...readable };
  }
}
