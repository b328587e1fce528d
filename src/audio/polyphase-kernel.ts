import type { PolyphaseTaps } from "./polyphase-taps.ts";

/** Outputs of one phase that a kernel computes at once. */
export const BLOCK_OUTPUTS = 4;

/**
 * What computes the dot products of a `PolyphaseFilter`, and the workspace that it does so in.
 *
 * A workspace keeps nothing from one `process` of a filter to the next, so that any number of
 * filters share it.
 */
export interface PolyphaseKernel {
  readonly taps: PolyphaseTaps;
  /** The most input samples at once. */
  readonly roomSamples: number;
  /** `taps.length − 1` samples of history, then up to `roomSamples` of input. */
  readonly window: Int16Array;
  /** The history part of `window`. */
  readonly history: Int16Array;
  /** The outputs. */
  readonly results: Int16Array;
  /**
   * Computes every `up`th of the `results` from `index` on, `count` of them: `phase` over the
   * windows that begin at `start`, each `down` samples on. What it writes after those means nothing.
   */
  row(phase: number, start: number, index: number, count: number): void;
}

/** How many samples a kernel's workspace must hold. */
export interface WorkspaceSize {
  readonly windowSamples: number;
  readonly resultSamples: number;
}

/** The size for `roomSamples` of input, with what a last, incomplete block reads and writes. */
export function workspaceSize(taps: PolyphaseTaps, roomSamples: number): WorkspaceSize {
  const { up, down, length } = taps;
  return {
    windowSamples: length - 1 + roomSamples + (BLOCK_OUTPUTS - 1) * down,
    resultSamples: Math.ceil((roomSamples * up) / down) + BLOCK_OUTPUTS * up,
  };
}
