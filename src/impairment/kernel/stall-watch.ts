import { after, elapsedMs, type Instant } from "../../environment/index.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { tcpSegmentOf } from "./tcp-segment.ts";

/** Bytes of one direction became readable later than the link's own delay accounts for. */
export interface FlowStall {
  readonly at: Instant;
  readonly overdueMs: number;
  /** When the first of them was written; where that is not known, when it was first sent. */
  readonly writtenAt: Instant;
  /** When the first of them was sent for the first time. */
  readonly offeredAt: Instant;
  /** Whether a segment was sent again for them; if not, the link itself was late. */
  readonly wasSentAgain: boolean;
}

/** A program wrote to a connection, so far that its stream is `end` bytes long. */
export interface StreamWrite {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly end: number;
  readonly at: Instant;
}

/** What a listener would not notice, and a jitter buffer takes. */
const STALL_MS = 40;
/** Connections that are followed at a time: a bridge has one, and one more while it reconnects. */
const FLOWS_MAX = 64;

/**
 * Watches the TCP connections of one direction of a network for stalls. Bytes that were
 * due before a stall ended belong to it: one lost segment is one stall, however much waits behind it.
 */
export class StallWatch {
  readonly #flows = new Map<string, TcpFlow>();
  #toldAt: Instant | undefined;

  handleWritten(write: StreamWrite): void {
    this.#flows.get(keyOf(write))?.handleWritten(write.end, write.at);
  }

  handleOffered(packet: Uint8Array, now: Instant): void {
    const segment = tcpSegmentOf(packet);
    if (segment === undefined) return;
    const key = keyOf(segment);
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
    const readable = this.#flows.get(keyOf(segment))?.handleArrived(segment);
    if (readable === undefined) return undefined;
    const { offeredAt, writtenAt = offeredAt } = readable;
    const overdueMs = elapsedMs(writtenAt, now) - linkMs;
    if (overdueMs < STALL_MS) return undefined;
    // What was due before the last stall ended is part of it, as in the modelled path.
    if (this.#toldAt !== undefined && after(writtenAt, linkMs) < this.#toldAt) return undefined;
    this.#toldAt = now;
    return { at: now, overdueMs, ...readable, writtenAt };
  }
}

function keyOf({
  sourcePort,
  destinationPort,
}: Pick<StreamWrite, "sourcePort" | "destinationPort">): string {
  return `${sourcePort}:${destinationPort}`;
}
