import { G722Predictor, saturate } from "./g722-predictor.ts";

/** Decision levels of the 60-level quantiser of the lower band (Q6). */
const LOWER_DECISIONS: readonly number[] = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
  1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, 3200,
];
/** Levels of its inverse (QQ6). */
const LOWER_LEVELS: readonly number[] = [
  0, 17, 54, 91, 130, 170, 211, 254, 300, 347, 396, 447, 501, 558, 618, 682, 750, 822, 899, 982,
  1072, 1170, 1279, 1399, 1535, 1689, 1873, 2088, 2376, 2738, 3101,
];
const LARGEST_INTERVAL = 30;
/** The interval of each magnitude in units of the decision levels, rounded up. */
const LOWER_INTERVALS: Uint8Array = Uint8Array.from({ length: 2920 }, (_, magnitude) =>
  LOWER_DECISIONS.findIndex((level, interval) => interval > 0 && level >= magnitude),
);
/** Levels of the 15-level inverse quantiser that drives the lower band's adaptation (QQ4). */
const COARSE_LEVELS: readonly number[] = [0, 150, 323, 530, 786, 1121, 1612, 2557];
/** How the logarithm of the lower band's step follows its coarse levels (WL). */
const LOWER_LOGARITHMS: readonly number[] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const LOWER_LOGARITHM_MAX = 18_432;

/** Decision level of the 4-level quantiser of the higher band (Q2). */
const HIGHER_DECISION = 564 << 3;
/** Its inverse (QQ2) by code, scaled by 8. */
const HIGHER_INVERSE: Int32Array = Int32Array.of(-926 << 3, -202 << 3, 926 << 3, 202 << 3);
/** WH by code. */
const HIGHER_LOGARITHMS: Int32Array = Int32Array.of(798, -214, 798, -214);
const HIGHER_LOGARITHM_MAX = 22_528;

/** The inverse of the 60-level quantiser by 6-bit code, scaled by 8. */
const LOWER_INVERSE: Int32Array = Int32Array.from({ length: 64 }, (_, code) => {
  const isPositive = code >= 32 && code < 62;
  const level = LOWER_LEVELS[intervalOf(code)] as number;
  return (isPositive ? level : -level) << 3;
});
/** The inverse of the 15-level quantiser by the upper 4 bits of the code, scaled by 8. */
const COARSE_INVERSE: Int32Array = Int32Array.from({ length: 16 }, (_, code) => {
  const level = COARSE_LEVELS[coarseIntervalOf(code)] as number;
  return (code < 8 ? -level : level) << 3;
});
const COARSE_LOGARITHMS: Int32Array = Int32Array.from(
  { length: 16 },
  (_, code) => LOWER_LOGARITHMS[coarseIntervalOf(code)] as number,
);

/** 2^(11 + i/32), the mantissas of the quantiser's step (ILB). */
const STEP_MANTISSAS: readonly number[] = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
  2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
/** The step of the quantiser (DETH; DETL from the 64th) by the upper bits of its logarithm. */
const STEPS: Int32Array = Int32Array.from({ length: 353 }, (_, index) => {
  const mantissa = STEP_MANTISSAS[index & 31] as number;
  return ((mantissa << 1) >> (11 - (index >> 5))) << 2;
});
const LOWER_STEP_OFFSET = 64;

/** The lower sub-band of G.722, 0 to 4 kHz at 8000 samples a second: 6 bits each (§6.2.1). */
export class LowerBand {
  readonly #predictor: G722Predictor = new G722Predictor();
  #logarithm = 0;
  #step: number = STEPS[LOWER_STEP_OFFSET] as number;

  /** The code of a sample of 15 bits. */
  encode(sample: number): number {
    const difference = saturate(sample - this.#predictor.prediction);
    const interval = this.#interval(difference < 0 ? ~difference : difference);
    const code = lowerCode(interval, difference < 0);
    this.#adapt(code);
    return code;
  }

  /** The sample of 15 bits of a code, at 64 kbit/s (mode 1). */
  decode(code: number): number {
    const difference = Math.imul(this.#step, LOWER_INVERSE[code] as number) >> 15;
    const sample = limit(this.#predictor.prediction + difference);
    this.#adapt(code);
    return sample;
  }

  /**
   * The first interval whose upper end, level * step / 4096 rounded down, is above `magnitude`
   * (QUANTL): the level must reach (magnitude + 1) * 4096 / step, rounded up.
   */
  #interval(magnitude: number): number {
    const step = this.#step;
    const level = ((((magnitude + 1) << 12) + step - 1) / step) | 0;
    return level < LOWER_INTERVALS.length ? (LOWER_INTERVALS[level] as number) : LARGEST_INTERVAL;
  }

  /** Follows the code, of which only the upper 4 bits count: the others may have been stolen. */
  #adapt(code: number): void {
    const coarse = code >> 2;
    const difference = Math.imul(this.#step, COARSE_INVERSE[coarse] as number) >> 15;
    const moved =
      (Math.imul(this.#logarithm, 32_512) >> 15) + (COARSE_LOGARITHMS[coarse] as number);
    this.#logarithm = Math.max(0, Math.min(LOWER_LOGARITHM_MAX, moved));
    this.#step = STEPS[(this.#logarithm >> 6) + LOWER_STEP_OFFSET] as number;
    this.#predictor.update(difference);
  }
}

/** The higher sub-band of G.722, 4 to 8 kHz at 8000 samples a second: 2 bits each (§6.2.2). */
export class HigherBand {
  readonly #predictor: G722Predictor = new G722Predictor();
  #logarithm = 0;
  #step: number = STEPS[0] as number;

  /** The code of a sample of 15 bits. */
  encode(sample: number): number {
    const difference = saturate(sample - this.#predictor.prediction);
    const magnitude = difference < 0 ? ~difference : difference;
    const isOuter = magnitude >= Math.imul(HIGHER_DECISION, this.#step) >> 15;
    const code = (difference < 0 ? 1 : 3) - (isOuter ? 1 : 0);
    this.#adapt(code);
    return code;
  }

  /** The sample of 15 bits of a code. */
  decode(code: number): number {
    const prediction = this.#predictor.prediction;
    return limit(prediction + this.#adapt(code));
  }

  #adapt(code: number): number {
    const difference = Math.imul(this.#step, HIGHER_INVERSE[code] as number) >> 15;
    const moved = (Math.imul(this.#logarithm, 32_512) >> 15) + (HIGHER_LOGARITHMS[code] as number);
    this.#logarithm = Math.max(0, Math.min(HIGHER_LOGARITHM_MAX, moved));
    this.#step = STEPS[this.#logarithm >> 6] as number;
    this.#predictor.update(difference);
    return difference;
  }
}

/** `value` within 15 bits (LIMIT). */
export function limit(value: number): number {
  if (value > 16_383) return 16_383;
  return value < -16_384 ? -16_384 : value;
}

/** The 6-bit code of an interval (table 16/G.722). */
function lowerCode(interval: number, isNegative: boolean): number {
  if (!isNegative) return 62 - interval;
  return interval <= 2 ? 64 - interval : 34 - interval;
}

/** The interval of a 6-bit code; codes that no encoder sends mean the first one. */
function intervalOf(code: number): number {
  if (code < 4) return 1;
  if (code < 32) return 34 - code;
  return code < 62 ? 62 - code : 64 - code;
}

/** The coarse interval of the upper 4 bits of a code. */
function coarseIntervalOf(code: number): number {
  if (code === 0) return 0;
  return code < 8 ? 8 - code : 15 - code;
}
