import { HIGH_GROUP_HZ, LOW_GROUP_HZ } from "./dtmf-frequencies.ts";

/** The rate at which DTMF is analysed; higher ones are decimated to it. */
export const DTMF_RATE_HZ = 8000;

/** Samples of a block; at 200 blocks a second, phases of whole Hz repeat after 200 blocks. */
const BLOCK_SAMPLES = 40;

/** A block in ms. */
export const BLOCK_MS = 5;

/** Blocks that are remembered. */
const HISTORY_BLOCKS = 16;

/** Low group first, then the high group. */
const TONES_HZ: readonly number[] = [...LOW_GROUP_HZ, ...HIGH_GROUP_HZ];
const TONES = TONES_HZ.length;
const BLOCKS_PER_SECOND = DTMF_RATE_HZ / BLOCK_SAMPLES;
/** The North American dial tone; the European 425 Hz lies between and is weakened as well. */
const DIAL_TONE_HZ = [350, 440];
/** The notches' width: narrow enough for 697 Hz, wide enough to follow a tone's edges. */
const NOTCH_POLE_RADIUS = 0.92;
/** Far below one step of a 16-bit sample. */
const TRACE_MAX = 1e-6;

/**
 * The eight DTMF frequencies in blocks of 5 ms, as complex amplitudes against running oscillators
 * of exactly these frequencies: a tone that is off by δ Hz turns by δ/200 of a circle per block.
 *
 * Dial tone is filtered out before. A sine of amplitude A in the middle of a band has |value| A.
 */
export class DtmfSpectrum {
  /** Of the newest window, see `window`: one complex amplitude per tone. */
  readonly windowRe: Float64Array = new Float64Array(TONES);
  readonly windowIm: Float64Array = new Float64Array(TONES);
  /** Squared magnitude of the same. */
  readonly windowPower: Float64Array = new Float64Array(TONES);
  /** What the filters left of each tone's power, as which it is part of the mean square. */
  readonly filterPower: Float64Array;
  /** Whether the last `take` completed a block. */
  isBlockComplete = false;
  readonly #block = new Float64Array(BLOCK_SAMPLES);
  readonly #re = new Float64Array(TONES * HISTORY_BLOCKS);
  readonly #im = new Float64Array(TONES * HISTORY_BLOCKS);
  readonly #energy = new Float64Array(HISTORY_BLOCKS);
  /** Of the two notches. */
  readonly #notch = { a: 0, b: 0, c: 0, d: 0 };
  readonly #gains: Float64Array;
  readonly #leastFilterPower: number;
  #filled = 0;
  #blockEnergy = 0;
  #blocks = 0;

  /** @param decimationGain what the decimation before left of each tone's amplitude. */
  constructor(decimationGain: (frequencyHz: number) => number) {
    const filterGains = Float64Array.from(TONES_HZ, (hz) => notchGain(hz) * decimationGain(hz));
    this.filterPower = filterGains.map((gain) => gain * gain);
    this.#leastFilterPower = Math.min(...this.filterPower);
    this.#gains = filterGains.map((gain) => 2 / (BLOCK_SAMPLES * gain));
  }

  /** Blocks analysed so far. */
  get blocks(): number {
    return this.#blocks;
  }

  /**
   * Takes samples up to the end of the present block, or as many as there are.
   * @returns how many; `isBlockComplete` tells whether a block was analysed.
   */
  take(samples: Float64Array, from: number, to: number): number {
    const count = Math.min(to - from, BLOCK_SAMPLES - this.#filled);
    if (!this.#skipsSilence(samples, from, count)) this.#filter(samples, from, count);
    this.#filled += count;
    this.isBlockComplete = this.#filled === BLOCK_SAMPLES;
    if (this.isBlockComplete) this.#analyse();
    return count;
  }

  /** The amplitude of a tone in an earlier block (0 is the newest). */
  amplitude(tone: number, blocksAgo: number): number {
    const slot = ((this.#blocks - 1 - blocksAgo) & (HISTORY_BLOCKS - 1)) * TONES + tone;
    return Math.hypot(this.#re[slot] as number, this.#im[slot] as number);
  }

  /** The mean square of the last three blocks' samples, with the weights of `window`. */
  get meanSquare(): number {
    return weighted(
      this.#energy[this.#slot(0)] as number,
      this.#energy[this.#slot(1)] as number,
      this.#energy[this.#slot(2)] as number,
    );
  }

  /**
   * What no tone's `windowPower` can exceed: |Σ x e^(−jωn)|² ≤ N Σ x² (Cauchy and Schwarz) in each
   * block, and the square of a weighted mean is at most the mean of the squares.
   */
  get powerBound(): number {
    return (4 * this.meanSquare) / this.#leastFilterPower;
  }

  /**
   * Combines the last three blocks with weights ¼, ½, ¼, which lets little of one tone through to
   * another.
   */
  window(): void {
    const newest = this.#slot(0);
    const middle = this.#slot(1);
    const oldest = this.#slot(2);
    for (let tone = 0; tone < TONES; tone += 1) {
      const a = newest * TONES + tone;
      const b = middle * TONES + tone;
      const c = oldest * TONES + tone;
      const re = weighted(this.#re[a] as number, this.#re[b] as number, this.#re[c] as number);
      const im = weighted(this.#im[a] as number, this.#im[b] as number, this.#im[c] as number);
      this.windowRe[tone] = re;
      this.windowIm[tone] = im;
      this.windowPower[tone] = re * re + im * im;
    }
  }

  #slot(blocksAgo: number): number {
    return (this.#blocks - 1 - blocksAgo) & (HISTORY_BLOCKS - 1);
  }

  /** Digital silence through notches at rest is digital silence; most of many calls is that. */
  #skipsSilence(samples: Float64Array, from: number, count: number): boolean {
    const { a, b, c, d } = this.#notch;
    if (a !== 0 || b !== 0 || c !== 0 || d !== 0) return false;
    for (let index = from; index < from + count; index += 1) {
      if (samples[index] !== 0) return false;
    }
    this.#block.fill(0, this.#filled, this.#filled + count);
    return true;
  }

  /** Appends samples to the block without dial tone: two notches, direct form II transposed. */
  #filter(samples: Float64Array, from: number, count: number): void {
    const state = this.#notch;
    let { a, b, c, d } = state;
    let energy = this.#blockEnergy;
    for (let index = 0; index < count; index += 1) {
      const input = samples[from + index] as number;
      const between = input + a;
      a = ZERO_0 * input - POLE_0 * between + b;
      b = input - POLE_SQUARED * between;
      const output = between + c;
      c = ZERO_1 * between - POLE_1 * output + d;
      d = between - POLE_SQUARED * output;
      energy += output * output;
      this.#block[this.#filled + index] = output;
    }
    state.a = a;
    state.b = b;
    state.c = c;
    state.d = d;
    this.#blockEnergy = energy;
  }

  #analyse(): void {
    const slot = this.#blocks & (HISTORY_BLOCKS - 1);
    this.#energy[slot] = this.#blockEnergy / BLOCK_SAMPLES;
    if (this.#isSilent()) this.#storeSilence(slot);
    else {
      // Four at a time: one recurrence alone would wait for its own results.
      for (let tone = 0; tone < TONES; tone += 4) this.#goertzelGroup(tone, slot * TONES + tone);
    }
    this.#blocks += 1;
    this.#blockEnergy = 0;
    this.#filled = 0;
  }

  /** Whether neither the block nor the notches hold more than traces. */
  #isSilent(): boolean {
    const { a, b, c, d } = this.#notch;
    const trace = Math.max(Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d));
    return trace <= TRACE_MAX && this.#blockEnergy <= TRACE_MAX;
  }

  /**
   * Forgets the traces: they would decay into denormal numbers, with which a processor calculates
   * many times as slowly (measured: 8 times for the whole detector).
   */
  #storeSilence(slot: number): void {
    this.#notch.a = 0;
    this.#notch.b = 0;
    this.#notch.c = 0;
    this.#notch.d = 0;
    this.#energy[slot] = 0;
    this.#re.fill(0, slot * TONES, (slot + 1) * TONES);
    this.#im.fill(0, slot * TONES, (slot + 1) * TONES);
  }

  /** The Goertzel recurrence for the four tones of a group at once. */
  #goertzelGroup(tone: number, slot: number): void {
    const block = this.#block;
    const coefficientA = COEFFICIENT[tone] as number;
    const coefficientB = COEFFICIENT[tone + 1] as number;
    const coefficientC = COEFFICIENT[tone + 2] as number;
    const coefficientD = COEFFICIENT[tone + 3] as number;
    // One by one: taken out of an array, each of their values would be an object in V8.
    let a1 = 0;
    let a2 = 0;
    let b1 = 0;
    let b2 = 0;
    let c1 = 0;
    let c2 = 0;
    let d1 = 0;
    let d2 = 0;
    // Two samples a turn, so that no value has to be moved.
    for (let index = 0; index < BLOCK_SAMPLES; index += 2) {
      const even = block[index] as number;
      const odd = block[index + 1] as number;
      a2 = even - a2 + coefficientA * a1;
      b2 = even - b2 + coefficientB * b1;
      c2 = even - c2 + coefficientC * c1;
      d2 = even - d2 + coefficientD * d1;
      a1 = odd - a1 + coefficientA * a2;
      b1 = odd - b1 + coefficientB * b2;
      c1 = odd - c1 + coefficientC * c2;
      d1 = odd - d1 + coefficientD * d2;
    }
    this.#store(tone, slot, a1, a2);
    this.#store(tone + 1, slot + 1, b1, b2);
    this.#store(tone + 2, slot + 2, c1, c2);
    this.#store(tone + 3, slot + 3, d1, d2);
  }

  /**
   * The recurrence's end state as a complex amplitude against the running oscillator:
   * Σ x(n) e^(−jωn) = e^(−jω(N−1)) s(N−1) − e^(−jωN) s(N−2), turned by the phase of the block.
   */
  // oxlint-disable-next-line max-params
  #store(tone: number, slot: number, last: number, before: number): void {
    const gain = this.#gains[tone] as number;
    const re = gain * (last * (LAST_RE[tone] as number) - before * (BEFORE_RE[tone] as number));
    const im = gain * (last * (LAST_IM[tone] as number) - before * (BEFORE_IM[tone] as number));
    const hz = TONES_HZ[tone] as number;
    const turn = (hz * (this.#blocks % BLOCKS_PER_SECOND)) % BLOCKS_PER_SECOND;
    const cos = TURN_COSINE[turn] as number;
    const sin = TURN_SINE[turn] as number;
    this.#re[slot] = re * cos + im * sin;
    this.#im[slot] = im * cos - re * sin;
  }
}

function weighted(newest: number, middle: number, oldest: number): number {
  return 0.25 * newest + 0.5 * middle + 0.25 * oldest;
}

function omegaOf(hz: number): number {
  return (2 * Math.PI * hz) / DTMF_RATE_HZ;
}

/** Of e^(−jωn), for each tone. */
function rotationsRe(n: number): Float64Array {
  return Float64Array.from(TONES_HZ, (hz) => Math.cos(omegaOf(hz) * n));
}

function rotationsIm(n: number): Float64Array {
  return Float64Array.from(TONES_HZ, (hz) => -Math.sin(omegaOf(hz) * n));
}

const COEFFICIENT: Float64Array = rotationsRe(1).map((cosine) => 2 * cosine);
const LAST_RE: Float64Array = rotationsRe(BLOCK_SAMPLES - 1);
const LAST_IM: Float64Array = rotationsIm(BLOCK_SAMPLES - 1);
const BEFORE_RE: Float64Array = rotationsRe(BLOCK_SAMPLES);
const BEFORE_IM: Float64Array = rotationsIm(BLOCK_SAMPLES);
const TURN_COSINE: Float64Array = Float64Array.from({ length: BLOCKS_PER_SECOND }, (_, turn) =>
  Math.cos((2 * Math.PI * turn) / BLOCKS_PER_SECOND),
);
const TURN_SINE: Float64Array = Float64Array.from({ length: BLOCKS_PER_SECOND }, (_, turn) =>
  Math.sin((2 * Math.PI * turn) / BLOCKS_PER_SECOND),
);
const [ZERO_0, ZERO_1] = DIAL_TONE_HZ.map((hz) => -2 * Math.cos(omegaOf(hz))) as [number, number];
const POLE_0: number = NOTCH_POLE_RADIUS * ZERO_0;
const POLE_1: number = NOTCH_POLE_RADIUS * ZERO_1;
const POLE_SQUARED: number = NOTCH_POLE_RADIUS ** 2;

/** What the notches leave of a tone's amplitude. */
function notchGain(hz: number): number {
  const omega = omegaOf(hz);
  return (
    (magnitude(omega, ZERO_0, 1) * magnitude(omega, ZERO_1, 1)) /
    (magnitude(omega, POLE_0, POLE_SQUARED) * magnitude(omega, POLE_1, POLE_SQUARED))
  );
}

/** |1 + a e^(−jω) + b e^(−2jω)| */
function magnitude(omega: number, a: number, b: number): number {
  const re = 1 + a * Math.cos(omega) + b * Math.cos(2 * omega);
  const im = a * Math.sin(omega) + b * Math.sin(2 * omega);
  return Math.hypot(re, im);
}
