import type { Instant } from "../../environment/index.ts";

/** How a window grows and shrinks, in segments. */
export interface CongestionAvoidance {
  /** After a loss; the new slow-start threshold. */
  reduce(windowSegments: number): number;
  /** So many acknowledged segments make a window of this size one larger. */
  segmentsPerGrowth(windowSegments: number, acknowledged: number, now: Instant): number;
  handleRoundTrip(ms: number): void;
  /** The retransmission timeout ran off. */
  handleTimeout(): void;
  /** Data are sent after nothing was under way for so long. */
  handleIdle(idleMs: number, now: Instant): void;
}

export const WINDOW_MIN_SEGMENTS = 2;

/** RFC 5681. */
export class Reno implements CongestionAvoidance {
  reduce(windowSegments: number): number {
    return Math.max(Math.floor(windowSegments / 2), WINDOW_MIN_SEGMENTS);
  }

  segmentsPerGrowth(windowSegments: number): number {
    return windowSegments;
  }

  handleRoundTrip(): void {}

  handleTimeout(): void {}

  handleIdle(): void {}
}
