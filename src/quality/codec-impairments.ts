/** Which E-model rates a codec: the scales cannot be compared with each other. */
export type RatingScale = "narrowband" | "wideband" | "fullband";

/** What the E-model must know of a codec. */
export interface CodecImpairment {
  readonly scale: RatingScale;
  /** Ie, Ie,WB or Ie,FB. */
  readonly equipmentImpairment: number;
  /** Bpl with our concealment. */
  readonly lossRobustness: number;
  /** Delay of the algorithm itself, beyond the packet time. */
  readonly codecDelayMs: number;
  /**
   * `published`: both values are in G.113. `assumed`: one of them is not, and `source` says what
   * stands in for it, so the estimate is to be taken as a hint.
   */
  readonly basis: "published" | "assumed";
  /** Where the values are from. */
  readonly source: string;
}

// Waveform repetition with pitch, as G.711 Appendix I: G.113 (11/2007) Table I.4, "G.711 with PLC".
const ROBUSTNESS_WITH_CONCEALMENT = 25.1;
// The least robust wideband codec of G.113 (09/2024) Table IV.4 (G.722.2 at 12.65 kbit/s).
const ROBUSTNESS_WIDEBAND = 4.3;

/** By the codec's id, as `mediaStarted` names it. */
const IMPAIRMENTS: Readonly<Record<string, CodecImpairment>> = {
  PCMU: {
    scale: "narrowband",
    equipmentImpairment: 0, // G.113 (09/2024) Table I.1: G.711, 64 kbit/s
    lossRobustness: ROBUSTNESS_WITH_CONCEALMENT,
    codecDelayMs: 0,
    basis: "published",
    source: "G.113 (11/2007) Tables I.1 and I.4: G.711 with PLC",
  },
  PCMA: {
    scale: "narrowband",
    equipmentImpairment: 0, // the same rows: they do not tell the laws apart
    lossRobustness: ROBUSTNESS_WITH_CONCEALMENT,
    codecDelayMs: 0,
    basis: "published",
    source: "G.113 (11/2007) Tables I.1 and I.4: G.711 with PLC",
  },
  "L16/8000": {
    scale: "narrowband",
    equipmentImpairment: 0, // linear PCM is what Ie is measured against
    lossRobustness: ROBUSTNESS_WITH_CONCEALMENT,
    codecDelayMs: 0,
    basis: "assumed",
    source: "not in G.113: taken as G.711 with PLC, whose concealment it shares",
  },
  "L16/16000": {
    scale: "wideband",
    equipmentImpairment: 0, // G.113 Table IV.1: the direct wideband channel
    lossRobustness: ROBUSTNESS_WIDEBAND,
    codecDelayMs: 0,
    basis: "assumed",
    source: "Ie,WB of the direct channel (G.113 Table IV.1); Bpl of G.722.2 at 12.65 kbit/s",
  },
  G722: {
    scale: "wideband",
    equipmentImpairment: 13, // G.113 (11/2007) Table IV.1: G.722 at 64 kbit/s
    lossRobustness: ROBUSTNESS_WIDEBAND,
    codecDelayMs: 1.4, // 22 samples of its filter bank, measured
    basis: "assumed",
    source: "Ie,WB of G.113 Table IV.1; it has no Bpl of G.722, that of G.722.2 at 12.65 is taken",
  },
  opus: {
    scale: "fullband",
    equipmentImpairment: 7.2, // G.113 (09/2024) Table V.1: EVS-SWB at 24.4 kbit/s
    lossRobustness: 11.4, // the same row of Table V.3
    codecDelayMs: 6.5, // libopus' look-ahead
    basis: "assumed",
    source: "no ITU values of Opus: EVS-SWB at 24.4 kbit/s (G.113 (09/2024) Appendix V) taken",
  },
};

/** The table's row of a codec; `undefined` for one that it does not have. */
export function codecImpairmentOf(codec: string): CodecImpairment | undefined {
  return Object.hasOwn(IMPAIRMENTS, codec) ? IMPAIRMENTS[codec] : undefined;
}
