import { BURST_GMIN, type PlayoutDelay, type VoipMetrics } from "../rtp/index.ts";
import type { PlayoutPath } from "./playout-path.ts";

/** A jitter buffer that adapts does so at talkspurts and in silence: in some 16 frames. */
const ADAPTATION_RATE = 8;
const ADAPTIVE_MAX_MS = 200;

/**
 * What we tell the peer of its stream as it is heard here (RFC 3611 §4.7).
 *
 * Ratings (R factor, MOS) are left "unavailable": they are the E-model's, computed after the call.
 */
export function voipMetricsOf(
  playout: PlayoutPath,
  known: { readonly roundTripMs: number | undefined; readonly delay: PlayoutDelay },
): VoipMetrics {
  const { counts, delay, bursts } = playout;
  const expected = Math.max(1, counts.expected);
  const maximumMs =
    known.delay.kind === "fixed" ? known.delay.delayMs : (known.delay.maxMs ?? ADAPTIVE_MAX_MS);
  return {
    lossRate: counts.lost / expected,
    discardRate: (counts.late + counts.discarded) / expected,
    burstDensity: bursts.burstDensity,
    gapDensity: bursts.gapDensity,
    burstDurationMs: bursts.burstDurationMs,
    gapDurationMs: bursts.gapDurationMs,
    roundTripDelayMs: known.roundTripMs ?? 0,
    endSystemDelayMs: delay.presentMs,
    signalLevelDbm0: undefined,
    noiseLevelDbm0: undefined,
    residualEchoReturnLossDb: undefined,
    gmin: BURST_GMIN,
    rFactor: undefined,
    externalRFactor: undefined,
    mosLq: undefined,
    mosCq: undefined,
    packetLossConcealment: "standard",
    jitterBuffer: known.delay.kind === "fixed" ? "nonAdaptive" : "adaptive",
    jitterBufferRate: ADAPTATION_RATE,
    jitterBufferNominalMs: delay.presentMs,
    jitterBufferMaximumMs: delay.maxMs,
    jitterBufferAbsoluteMaximumMs: maximumMs,
  };
}
