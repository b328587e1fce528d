import type { RatingScale, SpeechBandwidth } from "../quality/index.ts";
import type { Party } from "../timeline/index.ts";
import type { TimeSpan } from "./time-spans.ts";

/** How good the call sounded. Estimates and measurements of the signal; never a judgement alone. */
export interface QualityMetrics {
  /** By the E-model, for what each end of ours received. */
  readonly ratings: readonly RatingMetrics[];
  /** Of each speaker, in the recording in which speech is heard; empty without one. */
  readonly signals: readonly SignalMetrics[];
  /** Where the bot's speech was heard faster or slower than it was sent; both ends recorded. */
  readonly tempo: readonly TempoMetrics[];
  /** By ViSQOL, where it was asked for and both ends were recorded. */
  readonly listening?: ListeningMetrics;
}

/** A stretch that was hurried or stretched, as it was sent. */
export interface TempoMetrics extends TimeSpan {
  /** Heard speed over spoken: above 1 is hurried. */
  readonly ratio: number;
  /** By how much later what follows is heard; negative where time was caught up. */
  readonly shiftMs: number;
  /** Hurried, so long after a stall or a gap had ended: it catches up. */
  readonly afterStallMs?: number;
}

/** How like what the bot sent is what the caller heard, by ViSQOL. It hardly sees loss and clipping. */
export interface ListeningMetrics {
  /** MOS-LQO, 1 to 5: the mean over what was compared. */
  readonly mosLqo: number;
  /** Of the worst stretch. */
  readonly lowestMosLqo: number;
  /** How much of the bot's speech was compared. */
  readonly comparedMs: number;
  readonly stretches: readonly ListeningStretch[];
}

/** One stretch of the bot's speech, as it left the bot. */
export interface ListeningStretch extends TimeSpan {
  readonly mosLqo: number;
  /** Pieces of 0.4 s. */
  readonly patches: number;
  /** Pieces that were nowhere to be found in what was heard. */
  readonly unmatchedPatches: number;
}

/** The E-model's estimate for one direction of the call, from what its receiver counted. */
export interface RatingMetrics {
  /** Who received. */
  readonly party: Party;
  readonly codec: string;
  /** Transmission rating R: to 100, 129 or 148, by `scale`. */
  readonly r: number;
  /** MOS-CQE on this scale, an estimate; those of two scales cannot be compared. */
  readonly mos: number;
  /** The same without loss and delay: the best that the codec can do. */
  readonly bestMos: number;
  readonly scale: RatingScale;
  /** `assumed`: G.113 lacks a value of this codec, and `source` says what stands in for it. */
  readonly basis: "published" | "assumed";
  readonly source: string;
  /** Lost, late or discarded, and not brought back by FEC, ÷ expected. */
  readonly lossRatio: number;
  /** Mean length of a run of losses over that of random loss; 1 is random. */
  readonly burstRatio: number;
  /** Mouth to ear. */
  readonly delayMs: number;
  /**
   * `measured`: from both recordings · `roundTrip`: packet, codec, half of RTCP's round trip, jitter
   * buffer · `incomplete`: the same without the network's part, so R is a bit high.
   */
  readonly delayFrom: "measured" | "roundTrip" | "incomplete";
}

/** One speaker's signal. Levels in dBov. */
export interface SignalMetrics {
  readonly speaker: Party;
  readonly sampleRateHz: number;
  /** Active speech level, P.56 method B; missing where nothing was heard. */
  readonly speechDbov?: number;
  readonly activityFactor: number;
  /** Below which the sound falls for a tenth of the time; −96 is digital silence. */
  readonly noiseFloorDbov: number;
  readonly snrDb?: number;
  readonly peakDbov: number;
  /** Share of full scale, signed. */
  readonly dcOffset: number;
  /** Runs of samples at full scale. */
  readonly clipping: SignalFault;
  /** Digital silence that was cut out of the sound. */
  readonly gaps: SignalFault;
  /** Digital silence of 4 ms and more, wherever it was. */
  readonly silentMs: number;
  readonly clicks: Omit<SignalFault, "ms">;
  readonly bandwidth?: SpeechBandwidth;
}

/** A fault that can be heard, how often, and where first. */
export interface SignalFault {
  readonly count: number;
  readonly ms: number;
  /** The first twenty. */
  readonly places: readonly TimeSpan[];
}
