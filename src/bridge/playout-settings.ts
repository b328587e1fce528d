import { UsageError } from "../environment/index.ts";

/**
 * How long the speech of a response is held back before its first frame leaves, so that what comes
 * late afterwards is still in time. `fixed`: always so long. `adaptive`: as long as would have kept
 * the responses before free of gaps, within these bounds; default 0 to 500.
 */
export type PreBuffer =
  | { readonly kind: "fixed"; readonly delayMs: number }
  | { readonly kind: "adaptive"; readonly minMs?: number; readonly maxMs?: number };

/**
 * What is heard where a response has run dry although more of it is to come.
 *
 * `silence`; `repeat`: its last pitch periods, fading within 60 ms, as a lost packet is concealed;
 * `stretch`: it is spoken up to a fifth slower while less than `belowMs` (default 120) of it is there,
 * and repeated where that did not help.
 */
export type StallConcealment =
  | { readonly kind: "silence" }
  | { readonly kind: "repeat" }
  | { readonly kind: "stretch"; readonly belowMs?: number };

/** How the AI's speech is played into the call. Plain data. */
export interface PlayoutSettings {
  /** Default: none. */
  readonly preBuffer?: PreBuffer;
  /** Default `silence`. */
  readonly concealment?: StallConcealment;
}

/** The longest that speech may be held back: no caller waits for more. */
const HOLD_MS_MAX = 10_000;

/** @throws UsageError ERR_PLAYOUT_SETTINGS naming the figure that cannot be. */
export function checkPlayout({ preBuffer, concealment }: PlayoutSettings): void {
  if (preBuffer?.kind === "fixed") requireHold("pre-buffer", preBuffer.delayMs);
  if (preBuffer?.kind === "adaptive") {
    const { minMs, maxMs } = adaptiveBounds(preBuffer);
    requireHold("least pre-buffer", minMs);
    requireHold("greatest pre-buffer", maxMs);
    if (minMs > maxMs) {
      throw new UsageError(
        "ERR_PLAYOUT_SETTINGS",
        `The pre-buffer adapts from ${minMs} to ${maxMs} ms. Name the smaller figure as the least.`,
      );
    }
  }
  if (concealment?.kind === "stretch")
    requireHold("limit of slower speech", stretchBelowMs(concealment));
}

/** The bounds of an adaptive pre-buffer, in ms. */
export function adaptiveBounds(buffer: Extract<PreBuffer, { kind: "adaptive" }>): {
  readonly minMs: number;
  readonly maxMs: number;
} {
  const { minMs = 0, maxMs = Math.max(500, buffer.minMs ?? 0) } = buffer;
  return { minMs, maxMs };
}

/** Below how much speech it is spoken slower, in ms. */
export function stretchBelowMs(how: Extract<StallConcealment, { kind: "stretch" }>): number {
  return how.belowMs ?? 120;
}

function requireHold(name: string, ms: number): void {
  if (Number.isFinite(ms) && ms >= 0 && ms <= HOLD_MS_MAX) return;
  throw new UsageError(
    "ERR_PLAYOUT_SETTINGS",
    `The ${name} is ${ms} ms. It must be 0 to ${HOLD_MS_MAX} ms.`,
  );
}
