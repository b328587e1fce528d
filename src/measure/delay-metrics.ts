import type { Instant } from "../environment/index.ts";
import type { Party } from "../timeline/index.ts";

/** One window of 1 s in which the delay was measured. */
export interface DelayPointMetrics {
  /** The middle of the window, at the sender. */
  readonly at: Instant;
  readonly delayMs: number;
  /** 95 %; where the delay changed within the window, the size of the change. */
  readonly uncertaintyMs: number;
  /** How far the correlation's peak stands out; 8 is the least that counts. */
  readonly confidence: number;
}

/** A stretch in which the delay held, but for what a clock drifts. */
export interface DelayRunMetrics {
  /** Middle of its first window and of its last: the change lies up to 1 s further out. */
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly delayMs: number;
  readonly windows: number;
}

/** How much later one end heard what the other had sent: mouth-to-ear, both ends being ours. */
export interface DelayMetrics {
  /** Who hears. */
  readonly heardBy: Party;
  /** Over all windows that do not straddle a change. */
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Of a window that is typical; 95 %. */
  readonly uncertaintyMs: number;
  readonly runs: readonly DelayRunMetrics[];
  /** The slope within the runs: the clocks' rates against each other. */
  readonly drift?: { readonly ppm: number; readonly uncertaintyPpm: number };
  readonly points: readonly DelayPointMetrics[];
  /** Windows with sound in which no delay was sure. */
  readonly unsureWindows: number;
}

/** Somebody's own voice, come back to it. */
export interface EchoMetrics {
  /** Whose voice, and who hears it. */
  readonly party: Party;
  readonly delayMs: number;
  readonly uncertaintyMs: number;
  /** How much quieter it comes back. */
  readonly lossDb: number;
  /** Windows of 1 s in which it was found, of those with sound. */
  readonly windows: number;
  readonly windowsWithSound: number;
}
