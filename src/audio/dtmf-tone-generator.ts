import { present, UsageError } from "../environment/index.ts";
import { tonesOfDigit } from "./dtmf-frequencies.ts";
import { meanSquareOf } from "./level.ts";

/** How to make a `DtmfToneGenerator`. */
export interface DtmfToneGeneratorOptions {
  readonly sampleRateHz: number;
  /** RMS level of the low tone; default −10 (−3.8 dBm0). The two may add up to full scale. */
  readonly levelDbov?: number;
  /** How much stronger the high tone is than the low one; default 0. Telephones have 1 to 4. */
  readonly twistDb?: number;
  /** Of each tone, edges included; default 100. */
  readonly durationMs?: number;
  /** Silence after each tone, also after the last; default 100. */
  readonly gapMs?: number;
}

/** A tone that was generated: where it began, in samples of all frames filled so far. */
export interface DtmfTone {
  readonly digit: string;
  readonly startSample: number;
  readonly durationMs: number;
}

interface WaitingTone {
  readonly digit: string;
  readonly toneSamples: number;
  readonly lowHz: number;
  readonly highHz: number;
}

const DEFAULT_LEVEL_DBOV = -10;
const DEFAULT_DURATION_MS = 100;
const DEFAULT_GAP_MS = 100;
/** As `DigitSender`: what is shorter is not recognised reliably (ITU-T Q.24). */
const MIN_DURATION_MS = 40;
const MAX_DURATION_MS = 600_000;
/** Raised-cosine edges: short for a detector, long enough not to click. */
const EDGE_MS = 2;

/**
 * Generates digits as in-band tones: the sum of two sines (ITU-T Q.23) with smooth edges.
 *
 * It is asked once per frame, like `DigitSender`; while it has something to say, its frame is sent
 * instead of the audio. It knows no time but the samples that it is asked for.
 */
export class DtmfToneGenerator {
  readonly #sampleRateHz: number;
  readonly #durationMs: number;
  readonly #gapSamples: number;
  readonly #low: Sine;
  readonly #high: Sine;
  readonly #edge: Float64Array;
  readonly #waiting: WaitingTone[] = [];
  readonly #generated: DtmfTone[] = [];
  #tone: WaitingTone | undefined;
  /** Samples of the present tone and its gap that are written. */
  #written = 0;
  /** Samples asked for so far: the time axis of `takeGenerated`. */
  #position = 0;
  #current: string | undefined;

  /** @throws UsageError ERR_DIGIT_DURATION_OUT_OF_RANGE, ERR_TONE_LEVEL_OUT_OF_RANGE. */
  constructor(options: DtmfToneGeneratorOptions) {
    const { sampleRateHz, levelDbov = DEFAULT_LEVEL_DBOV, twistDb = 0 } = options;
    const { durationMs = DEFAULT_DURATION_MS, gapMs = DEFAULT_GAP_MS } = options;
    this.#sampleRateHz = sampleRateHz;
    this.#durationMs = checkedDuration(durationMs);
    this.#gapSamples = Math.round((gapMs * sampleRateHz) / 1000);
    this.#low = new Sine(levelDbov);
    this.#high = new Sine(levelDbov + twistDb);
    checkPeak(this.#low.amplitude + this.#high.amplitude);
    this.#edge = raisedCosine(Math.round((EDGE_MS * sampleRateHz) / 1000));
  }

  /** Neither a tone nor the gap behind it is left to be written. */
  get isIdle(): boolean {
    return this.#tone === undefined && this.#waiting.length === 0;
  }

  /** The digit whose tone sounded in the last frame; in gaps, `undefined`. */
  get current(): string | undefined {
    return this.#current;
  }

  /**
   * Appends digits to what is to be sent.
   *
   * @param durationMs of each of these tones, 40 to 600,000.
   * @throws UsageError ERR_DIGIT_UNKNOWN, ERR_DIGIT_DURATION_OUT_OF_RANGE; then none is queued.
   */
  queue(digits: string, durationMs: number = this.#durationMs): void {
    const toneSamples = Math.round((checkedDuration(durationMs) * this.#sampleRateHz) / 1000);
    const tones = Array.from(digits).map((digit, index): WaitingTone => {
      const frequencies = tonesOfDigit(digit);
      if (frequencies === undefined) throw unknownDigit(index);
      return { digit: digit.toUpperCase(), toneSamples, ...frequencies };
    });
    this.#waiting.push(...tones);
  }

  /**
   * Fills a frame of any length, if there is tone or gap to write.
   * @returns true where `output` was filled wholly; false where it was left alone.
   */
  fill(output: Int16Array): boolean {
    this.#current = undefined;
    const position = this.#position;
    this.#position += output.length;
    if (this.isIdle) return false;
    let filled = 0;
    while (filled < output.length && this.#beginTone(position + filled)) {
      filled += this.#write(output, filled);
    }
    output.fill(0, filled);
    return true;
  }

  /** Removes and returns the oldest tone that has been written to its end. */
  takeGenerated(): DtmfTone | undefined {
    return this.#generated.shift();
  }

  /** Makes sure that there is a present tone. */
  #beginTone(position: number): boolean {
    if (this.#tone !== undefined) return true;
    this.#tone = this.#waiting.shift();
    if (this.#tone === undefined) return false;
    const { digit, toneSamples, lowHz, highHz } = this.#tone;
    this.#written = 0;
    this.#low.start(lowHz / this.#sampleRateHz);
    this.#high.start(highHz / this.#sampleRateHz);
    const durationMs = (toneSamples * 1000) / this.#sampleRateHz;
    this.#generated.push({ digit, startSample: position, durationMs });
    return true;
  }

  /** Writes on at the present tone or its gap; the number of samples written. */
  #write(output: Int16Array, from: number): number {
    const { digit, toneSamples } = present(this.#tone, "begun by beginTone");
    const room = output.length - from;
    let count: number;
    if (this.#written < toneSamples) {
      count = Math.min(room, toneSamples - this.#written);
      this.#writeTone(output.subarray(from, from + count), toneSamples);
      this.#current = digit;
    } else {
      count = Math.min(room, toneSamples + this.#gapSamples - this.#written);
      output.fill(0, from, from + count);
    }
    this.#written += count;
    if (this.#written === toneSamples + this.#gapSamples) this.#tone = undefined;
    return count;
  }

  #writeTone(output: Int16Array, toneSamples: number): void {
    const edgeSamples = this.#edge.length;
    for (let index = 0; index < output.length; index += 1) {
      const at = this.#written + index;
      const toEdge = Math.min(at, toneSamples - 1 - at);
      const gain = toEdge < edgeSamples ? (this.#edge[toEdge] as number) : 1;
      output[index] = Math.round(gain * (this.#low.next() + this.#high.next()));
    }
  }
}

/** A sine from the recurrence s(n + 1) = 2 cos ω s(n) − s(n − 1). */
class Sine {
  readonly amplitude: number;
  #coefficient = 0;
  #present = 0;
  #before = 0;

  constructor(levelDbov: number) {
    this.amplitude = Math.sqrt(2 * meanSquareOf(levelDbov));
  }

  /** Begins at phase 0. */
  start(cyclesPerSample: number): void {
    const omega = 2 * Math.PI * cyclesPerSample;
    this.#coefficient = 2 * Math.cos(omega);
    this.#present = 0;
    this.#before = -this.amplitude * Math.sin(omega);
  }

  next(): number {
    const value = this.#present;
    this.#present = this.#coefficient * value - this.#before;
    this.#before = value;
    return value;
  }
}

function raisedCosine(length: number): Float64Array {
  return Float64Array.from(
    { length },
    (_, index) => 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / length),
  );
}

function checkedDuration(durationMs: number): number {
  if (durationMs >= MIN_DURATION_MS && durationMs <= MAX_DURATION_MS) return durationMs;
  throw new UsageError(
    "ERR_DIGIT_DURATION_OUT_OF_RANGE",
    `A digit cannot last ${durationMs} ms. Choose ${MIN_DURATION_MS} to ${MAX_DURATION_MS} ms.`,
    { context: { durationMs, minDurationMs: MIN_DURATION_MS, maxDurationMs: MAX_DURATION_MS } },
  );
}

function checkPeak(peak: number): void {
  if (peak <= 32_767) return;
  throw new UsageError(
    "ERR_TONE_LEVEL_OUT_OF_RANGE",
    "The two tones of a digit would be clipped: together they exceed full scale. Choose a lower level or less twist.",
    { context: { peak: Math.round(peak), peakMax: 32_767 } },
  );
}

function unknownDigit(position: number): UsageError {
  return new UsageError(
    "ERR_DIGIT_UNKNOWN",
    `Character ${position + 1} of the digits to send is not a DTMF digit. Use 0-9, *, #, A-D.`,
    { context: { position } },
  );
}
