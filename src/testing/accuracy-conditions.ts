import type { Clip, DialogueCondition } from "./dialogue.ts";
import { type EdgeAccuracy, type EdgeMeasurement, measureEdges } from "./edge-accuracy.ts";

/** What must hold of the edges under a condition; missing: nothing is promised, only shown. */
export interface EdgeBounds {
  readonly onsetMeanMs?: number | undefined;
  readonly offsetMeanMs?: number | undefined;
  readonly onsetP95Ms?: number | undefined;
  readonly offsetP95Ms?: number | undefined;
  /** Of onsets and of offsets, beyond what the noise hides (`heardOnsetErrorsMs`). */
  readonly heardP95Ms?: number | undefined;
  readonly coveredRatio?: number | undefined;
  /** Sentences missed and invented. */
  readonly wrong?: number | undefined;
}

/** What issue 6 wants of onset and offset. */
export interface EdgeGoal {
  readonly meanMs?: number;
  readonly p95Ms: number;
  readonly coveredRatio?: number;
}

/** One row of the table of `npm run bench:accuracy`. */
export interface AccuracyRow {
  readonly name: string;
  /** Measured one after the other, and taken together. */
  readonly conditions: readonly DialogueCondition[];
  readonly goal?: EdgeGoal;
  /** What must hold with the voices of the fixtures, by which the detector was set. */
  readonly bounds: EdgeBounds;
  /** What must hold with voices and phrases that it was not set by. */
  readonly heldOutBounds: EdgeBounds;
  /** What must hold with either, where the sentence is known and located instead of detected. */
  readonly locatedBounds: EdgeBounds;
}

const ANY_LEVEL = [-40, -12] as const;
const USUAL_LEVEL = [-26, -14] as const;
const EXACT: EdgeBounds = {
  onsetMeanMs: 3,
  offsetMeanMs: 3,
  onsetP95Ms: 8,
  offsetP95Ms: 8,
  coveredRatio: 0.95,
  wrong: 0,
};
/** Located: the goals of all conditions, by far. */
const LOCATED: EdgeBounds = {
  onsetMeanMs: 0.1,
  offsetMeanMs: 0.1,
  onsetP95Ms: 0.2,
  offsetP95Ms: 0.2,
  coveredRatio: 0.95,
  wrong: 0,
};
const COVERED: EdgeBounds = { coveredRatio: 0.95, wrong: 0 };
const NOISY: EdgeBounds = { ...COVERED, heardP95Ms: 40 };

type Noise = NonNullable<DialogueCondition["noise"]>;

function noisy(
  noise: Noise,
  sampleRateHz: DialogueCondition["sampleRateHz"] = 8000,
  codec?: DialogueCondition["codec"],
): DialogueCondition {
  return { sampleRateHz, codec, levelDbov: USUAL_LEVEL, isEvenLevel: true, noise };
}

const FAINT_NOISE: Noise = { kind: "white", snrDb: [30, 60] };

const EXACT_GOAL: EdgeGoal = { meanMs: 3, p95Ms: 8 };
const NOISE_GOAL: EdgeGoal = { p95Ms: 40, coveredRatio: 0.95 };
const NOTHING: EdgeBounds = {};

/** Every row; bounds are the goals of issue 6 where they are reached, else what is reached. */
export const ACCURACY_ROWS: readonly AccuracyRow[] = [
  {
    name: "G.711 µ and A, G.722, Opus; noise 30 to 60 dB below",
    conditions: [
      noisy(FAINT_NOISE, 8000, "PCMU"),
      noisy(FAINT_NOISE, 8000, "PCMA"),
      noisy(FAINT_NOISE, 16_000, "G722"),
      noisy(FAINT_NOISE, 16_000, "opus"),
    ],
    goal: EXACT_GOAL,
    bounds: EXACT,
    // Missed at offsets: Opus weakens the faint ends of three of the twelve sentences.
    heldOutBounds: { ...EXACT, offsetP95Ms: 12, heardP95Ms: 8 },
    locatedBounds: LOCATED,
  },
  {
    name: "of these, Opus alone",
    conditions: [noisy(FAINT_NOISE, 16_000, "opus")],
    goal: EXACT_GOAL,
    // Only shown: the row above holds it to its bounds together with the others.
    bounds: NOTHING,
    heldOutBounds: NOTHING,
    locatedBounds: LOCATED,
  },
  {
    name: "no codec, no noise, −40 to −12 dBov; 8, 16, 24, 48 kHz",
    conditions: ([8000, 16_000, 24_000, 48_000] as const).map((sampleRateHz) => ({
      sampleRateHz,
      levelDbov: ANY_LEVEL,
    })),
    goal: EXACT_GOAL,
    bounds: EXACT,
    heldOutBounds: EXACT,
    locatedBounds: LOCATED,
  },
  {
    name: "white noise 20 dB below; 8 and 16 kHz",
    conditions: [noisy({ kind: "white", snrDb: 20 }), noisy({ kind: "white", snrDb: 20 }, 16_000)],
    goal: NOISE_GOAL,
    bounds: NOISY,
    heldOutBounds: NOISY,
    locatedBounds: LOCATED,
  },
  {
    name: "pink noise 20 dB below; 8 and 16 kHz",
    conditions: [noisy({ kind: "pink", snrDb: 20 }), noisy({ kind: "pink", snrDb: 20 }, 16_000)],
    goal: NOISE_GOAL,
    bounds: NOISY,
    heldOutBounds: NOISY,
    locatedBounds: LOCATED,
  },
  {
    name: "pink noise 30 dB below; 8 kHz",
    conditions: [noisy({ kind: "pink", snrDb: 30 })],
    bounds: COVERED,
    heldOutBounds: COVERED,
    locatedBounds: LOCATED,
  },
  {
    name: "white noise 10 dB below; 8 kHz",
    conditions: [noisy({ kind: "white", snrDb: 10 })],
    bounds: COVERED,
    heldOutBounds: { coveredRatio: 0.9, wrong: 0 },
    // One short sentence in thirty is not sure, and said to be so.
    locatedBounds: { ...LOCATED, wrong: 2 },
  },
  {
    name: "−50 dBov through µ-law",
    conditions: [{ sampleRateHz: 8000, codec: "PCMU", levelDbov: [-50, -50] }],
    bounds: COVERED,
    heldOutBounds: COVERED,
    locatedBounds: LOCATED,
  },
  {
    name: "−3 dBov, clipped, through µ-law",
    conditions: [{ sampleRateHz: 8000, codec: "PCMU", levelDbov: [-3, -3] }],
    bounds: COVERED,
    heldOutBounds: COVERED,
    locatedBounds: LOCATED,
  },
  {
    name: "comfort noise 45 dB below",
    conditions: [noisy({ kind: "comfort", snrDb: 45 })],
    bounds: COVERED,
    heldOutBounds: COVERED,
    locatedBounds: LOCATED,
  },
  {
    name: "echo of the other side, 40 dB weaker, 80 ms",
    conditions: [
      {
        sampleRateHz: 8000,
        levelDbov: USUAL_LEVEL,
        isEvenLevel: true,
        echo: { delayMs: 80, lossDb: 40 },
      },
    ],
    bounds: { ...COVERED, onsetP95Ms: 60, offsetP95Ms: 60 },
    heldOutBounds: { ...COVERED, onsetP95Ms: 60, offsetP95Ms: 60 },
    locatedBounds: LOCATED,
  },
  {
    name: "babble of eight, 30 dB below",
    conditions: [noisy({ kind: "babble", snrDb: 30 })],
    bounds: NOTHING,
    heldOutBounds: NOTHING,
    locatedBounds: LOCATED,
  },
  {
    name: "babble of eight, 20 dB below",
    conditions: [noisy({ kind: "babble", snrDb: 20 })],
    bounds: NOTHING,
    heldOutBounds: NOTHING,
    locatedBounds: LOCATED,
  },
  {
    name: "music on hold, 20 dB below",
    conditions: [noisy({ kind: "music", snrDb: 20 })],
    bounds: NOTHING,
    heldOutBounds: NOTHING,
    locatedBounds: LOCATED,
  },
];

/** Measures one row; the seed decides about all of its dialogues. */
export function measureRow(
  row: AccuracyRow,
  clips: readonly Clip[],
  options: EdgeMeasurement,
): EdgeAccuracy {
  const measured = row.conditions.map((condition, index) =>
    measureEdges(clips, condition, { ...options, seed: `${options.seed} ${row.name} ${index}` }),
  );
  const sum = (of: (each: EdgeAccuracy) => number): number =>
    measured.reduce((total, each) => total + of(each), 0);
  const edges = sum((each) => each.onsetErrorsMs.length);
  return {
    spans: sum(({ spans }) => spans),
    missed: sum(({ missed }) => missed),
    invented: sum(({ invented }) => invented),
    onsetErrorsMs: measured.flatMap(({ onsetErrorsMs }) => onsetErrorsMs),
    offsetErrorsMs: measured.flatMap(({ offsetErrorsMs }) => offsetErrorsMs),
    heardOnsetErrorsMs: measured.flatMap(({ heardOnsetErrorsMs }) => heardOnsetErrorsMs),
    heardOffsetErrorsMs: measured.flatMap(({ heardOffsetErrorsMs }) => heardOffsetErrorsMs),
    coveredRatio: sum((each) => each.coveredRatio * each.onsetErrorsMs.length) / Math.max(1, edges),
  };
}

/** The mean and the 95th percentile of absolute errors, and the mean of signed ones. */
export function errorSummary(errorsMs: readonly number[]): {
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly biasMs: number;
} {
  const sorted = errorsMs.map((error) => Math.abs(error)).toSorted((a, b) => a - b);
  return {
    meanMs: mean(sorted),
    p95Ms: sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? Number.NaN,
    biasMs: mean(errorsMs),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What of the bounds does not hold, in words; empty where all do. */
export function brokenBounds(accuracy: EdgeAccuracy, bounds: EdgeBounds): string[] {
  const [onset, offset] = [
    errorSummary(accuracy.onsetErrorsMs),
    errorSummary(accuracy.offsetErrorsMs),
  ];
  const [heardOnset, heardOffset] = [
    errorSummary(accuracy.heardOnsetErrorsMs),
    errorSummary(accuracy.heardOffsetErrorsMs),
  ];
  return [
    ...most("onset mean", onset.meanMs, bounds.onsetMeanMs),
    ...most("offset mean", offset.meanMs, bounds.offsetMeanMs),
    ...most("onset p95", onset.p95Ms, bounds.onsetP95Ms),
    ...most("offset p95", offset.p95Ms, bounds.offsetP95Ms),
    ...most("heard onset p95", heardOnset.p95Ms, bounds.heardP95Ms),
    ...most("heard offset p95", heardOffset.p95Ms, bounds.heardP95Ms),
    ...most("missed and invented", accuracy.missed + accuracy.invented, bounds.wrong),
    ...most("not covered", 1 - accuracy.coveredRatio, 1 - (bounds.coveredRatio ?? 0)),
  ];
}

function most(what: string, value: number, limit: number | undefined): string[] {
  return limit === undefined || value <= limit ? [] : [`${what} ${value.toFixed(2)} > ${limit}`];
}
