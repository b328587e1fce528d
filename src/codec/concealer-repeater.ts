import { PitchEstimator } from "./concealer-pitch.ts";
import { LinearPredictor } from "./linear-predictor.ts";

/** The most pitch periods that are repeated. */
const PERIODS_MAX = 3;
/** Order of the prediction that the last good samples ring on by. */
const RING_ORDER = 10;
/** What the prediction is fitted to. */
const RING_WINDOW_MS = 20;

/**
 * Goes on with a sound by repeating its last pitch periods.
 *
 * The end of each repetition is faded, over a quarter of a period, into what came before its
 * beginning, so that it joins up with the next (G.711 Appendix I, I.2.5).
 */
export class PeriodRepeater {
  /** What was played last, newest last. */
  readonly #history: Float64Array;
  /** The history at the beginning of the hole. */
  readonly #source: Float64Array;
  readonly #pitch: PitchEstimator;
  readonly #predictor: LinearPredictor;
  readonly #ringWindow: number;
  readonly #correlation: Float64Array = new Float64Array(RING_ORDER + 1);
  /** How the last good samples differ from the repetition, rung on and faded out. */
  readonly #ring: Float64Array;
  #ringAt = 0;
  #period: number;
  #overlap: number;
  #periods = 1;
  #position = 0;
  /** The narrower repetition that is being left: its place, and how far the change is. */
  #formerPosition = 0;
  #formerLeft = 0;

  constructor(sampleRateHz: number) {
    this.#pitch = new PitchEstimator(sampleRateHz);
    this.#period = this.#pitch.longest;
    this.#overlap = quarter(this.#period);
    this.#history = new Float64Array(PERIODS_MAX * this.#pitch.longest + this.#overlap);
    this.#source = new Float64Array(this.#history.length);
    this.#ringWindow = Math.round((RING_WINDOW_MS * sampleRateHz) / 1000);
    this.#predictor = new LinearPredictor(RING_ORDER, this.#ringWindow);
    this.#ring = new Float64Array(this.#overlap);
    this.#ringAt = this.#overlap;
  }

  /** Length of the fades, in samples: a quarter of the pitch period. */
  get overlap(): number {
    return this.#overlap;
  }

  /** Takes what was played, good or concealed. */
  remember(frame: Int16Array): void {
    const history = this.#history;
    const kept = Math.max(0, history.length - frame.length);
    const skipped = Math.max(0, frame.length - history.length);
    history.copyWithin(0, history.length - kept);
    for (let index = kept; index < history.length; index += 1) {
      history[index] = frame[skipped + index - kept] as number;
    }
  }

  /** Goes on from the end of what was remembered. */
  begin(): void {
    this.#source.set(this.#history);
    this.#period = this.#pitch.estimate(this.#source);
    this.#overlap = quarter(this.#period);
    this.#periods = 1;
    this.#position = 0;
    this.#formerLeft = 0;
    this.#fillRing();
  }

  /** Takes one more period into the repetition, at the same phase. */
  widen(): void {
    if (this.#periods === PERIODS_MAX) return;
    this.#formerPosition = this.#position;
    this.#formerLeft = this.#overlap;
    this.#periods += 1;
    this.#position %= this.#period;
  }

  /** The next sample. */
  next(): number {
    let sample = this.#read(this.#periods, this.#position);
    this.#position = this.#after(this.#periods, this.#position);
    if (this.#formerLeft > 0) {
      const former = this.#read(this.#periods - 1, this.#formerPosition);
      this.#formerPosition = this.#after(this.#periods - 1, this.#formerPosition);
      sample += (former - sample) * (this.#formerLeft / (this.#overlap + 1));
      this.#formerLeft -= 1;
    }
    if (this.#ringAt < this.#overlap) {
      sample += this.#ring[this.#ringAt] as number;
      this.#ringAt += 1;
    }
    return sample;
  }

  /** Forgets all. */
  reset(): void {
    this.#history.fill(0);
    this.begin();
  }

  #after(periods: number, position: number): number {
    return position + 1 === periods * this.#period ? 0 : position + 1;
  }

  /** A repetition of `periods`, its end faded into what came before its beginning. */
  #read(periods: number, position: number): number {
    const source = this.#source;
    const length = periods * this.#period;
    const at = source.length - length + position;
    const sample = source[at] as number;
    const into = position - length + this.#overlap;
    if (into < 0) return sample;
    const share = (into + 1) / (this.#overlap + 1);
    return sample + ((source[at - length] as number) - sample) * share;
  }

  /**
   * What remains of the last good samples where the repetition begins: their difference from one
   * period before, rung on by linear prediction. It makes the beginning continuous.
   */
  #fillRing(): void {
    const source = this.#source;
    const end = source.length;
    const predictor = this.#predictor;
    this.#correlation.fill(0);
    predictor.correlate(source, end - this.#ringWindow, this.#correlation);
    predictor.solve(this.#correlation);
    for (let index = 0; index < this.#overlap; index += 1) {
      let sum = 0;
      for (let lag = 1; lag <= RING_ORDER; lag += 1) {
        const at = index - lag;
        const past =
          at >= 0
            ? (this.#ring[at] as number)
            : (source[end + at] as number) - (source[end + at - this.#period] as number);
        sum -= (predictor.coefficients[lag] as number) * past;
      }
      this.#ring[index] = sum;
    }
    for (let index = 0; index < this.#overlap; index += 1) {
      this.#ring[index] = (this.#ring[index] as number) * (1 - (index + 1) / (this.#overlap + 1));
    }
    this.#ringAt = 0;
  }
}

function quarter(period: number): number {
  return Math.max(1, Math.round(period / 4));
}
