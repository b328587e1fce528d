import { powerDbov, SILENCE_DBOV } from "../audio/index.ts";

/** Length of a frame whose level counts once. */
const FRAME_MS = 20;
/** The noise is what the sound does not fall below for more than this share of the time. */
const NOISE_SHARE = 0.1;
const BIN_DB = 0.25;

/**
 * How loud a channel was, 20 ms by 20 ms, as a histogram: the noise floor is its 10th percentile.
 * Silence before the first sound and behind the last does not count: nothing was sent there.
 */
export class LevelDistribution {
  readonly #frameSamples: number;
  readonly #bins = new Float64Array(Math.ceil(-SILENCE_DBOV / BIN_DB) + 1);
  #frames = 0;
  #silentFrames = 0;
  /** Silent frames since the last sound: counted once sound comes again. */
  #pendingSilent = 0;
  #sum = 0;
  #filled = 0;

  constructor(sampleRateHz: number) {
    this.#frameSamples = Math.round((sampleRateHz * FRAME_MS) / 1000);
  }

  process(samples: Int16Array): void {
    let sum = this.#sum;
    let filled = this.#filled;
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      sum += sample * sample;
      filled += 1;
      if (filled < this.#frameSamples) continue;
      this.#closeFrame(sum / filled);
      sum = 0;
      filled = 0;
    }
    this.#sum = sum;
    this.#filled = filled;
  }

  /** The noise floor; `SILENCE_DBOV` where the pauses are digital silence. */
  noiseFloorDbov(): number {
    let rest = NOISE_SHARE * (this.#frames + this.#silentFrames) - this.#silentFrames;
    if (this.#frames === 0 || rest <= 0) return SILENCE_DBOV;
    for (const [bin, count] of this.#bins.entries()) {
      if (rest <= count) return SILENCE_DBOV + BIN_DB * (bin + rest / count - 0.5);
      rest -= count;
    }
    return 0;
  }

  #closeFrame(meanSquare: number): void {
    if (meanSquare === 0) {
      if (this.#frames > 0) this.#pendingSilent += 1;
      return;
    }
    this.#silentFrames += this.#pendingSilent;
    this.#pendingSilent = 0;
    this.#frames += 1;
    const bin = Math.round((powerDbov(meanSquare) - SILENCE_DBOV) / BIN_DB);
    this.#bins[bin] = (this.#bins[bin] as number) + 1;
  }
}
