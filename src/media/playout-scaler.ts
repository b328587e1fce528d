import { TimeScaler } from "../audio/index.ts";
import { SampleScratch } from "./sample-scratch.ts";

/** Audio up to this level is quiet: a change of length is not heard there. */
const QUIET_DBOV = -45;
const QUIET_MEAN_SQUARE = (32_768 * 10 ** (QUIET_DBOV / 20)) ** 2;
/** A wish so large is followed in speech too, where pitch periods can be left out or repeated. */
const FORCED_MS = 40;
/** And one that has found no quiet audio for so long. */
const PATIENCE_MS = 2000;
/** At most so much of a packet at a time, so that speech does not stumble. */
const SHARE_MAX = 0.5;

const LENGTHENED = new SampleScratch();

/** Makes decoded audio shorter or longer as the jitter buffer wishes, preferably where it is quiet. */
export class PlayoutScaler {
  readonly #scaler: TimeScaler;
  readonly #samplesPerMs: number;
  #waitedSamples = 0;

  constructor(sampleRateHz: number) {
    this.#scaler = new TimeScaler({ sampleRateHz, quietDbov: QUIET_DBOV });
    this.#samplesPerMs = sampleRateHz / 1000;
  }

  /**
   * The samples with up to `wanted` more (+) or fewer (−) of them, or `wantedWhereQuiet`; valid
   * until the next call. `samples` may be changed.
   */
  scale(samples: Int16Array, wanted: number, wantedWhereQuiet: number): Int16Array {
    if (wantedWhereQuiet === 0 || samples.length === 0) {
      this.#waitedSamples = 0;
      return samples;
    }
    this.#waitedSamples = wanted === 0 ? 0 : this.#waitedSamples + samples.length;
    const isForced =
      Math.abs(wanted) > FORCED_MS * this.#samplesPerMs ||
      this.#waitedSamples > PATIENCE_MS * this.#samplesPerMs;
    if (isForced) return this.#scaled(samples, wanted);
    return isQuiet(samples) ? this.#scaled(samples, wantedWhereQuiet) : samples;
  }

  #scaled(samples: Int16Array, wanted: number): Int16Array {
    const most = Math.floor(samples.length * SHARE_MAX);
    if (wanted < 0) {
      const length = this.#scaler.shorten(samples, Math.min(-wanted, most));
      return length === samples.length ? samples : samples.subarray(0, length);
    }
    const more = Math.min(wanted, most);
    const output = LENGTHENED.view(samples.length + more);
    const length = this.#scaler.lengthen(samples, output, more);
    return LENGTHENED.view(length);
  }
}

function isQuiet(samples: Int16Array): boolean {
  let sum = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number;
    sum += sample * sample;
  }
  return sum <= QUIET_MEAN_SQUARE * samples.length;
}
