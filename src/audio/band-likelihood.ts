import FFT from "fft.js";

/** Where to look for a change from background to speech, or (reversed) from speech to background. */
export interface BandSearch {
  readonly samples: Float64Array;
  readonly sampleRateHz: number;
  readonly from: number;
  readonly to: number;
  readonly background: Float64Array;
  /** Mean square below which a noise counts as silence: gives digital silence a spectrum. */
  readonly leastVariance: number;
}

/** What each frame of `BAND_HOP_MS` tells. */
export interface BandFrames {
  /** The log-likelihood ratio, speech against background. */
  readonly ratios: Float64Array;
  /** An estimate of the mean square of the speech alone, over some 6 ms. */
  readonly excess: Float64Array;
}

/** How far frames are apart. */
export const BAND_HOP_MS = 1;
const WINDOW_MS_MIN = 16;
/** About as wide as the ear's: a voiced tail lies in few of them, and there above the noise. */
const BAND_EDGES_HZ = [
  100, 200, 300, 400, 550, 700, 900, 1150, 1450, 1850, 2350, 2950, 3700, 4700, 6000, 7600,
];
/** Shares of frames of speech in which a band has so many times the power of its background. */
const ALTERNATIVES = [
  { ratio: 1.6, share: 0.1 },
  { ratio: 4, share: 0.1 },
  { ratio: 16, share: 0.1 },
];
const IDLE_SHARE: number = 1 - ALTERNATIVES.reduce((sum, { share }) => sum + share, 0);
/** Overlapping Hann windows tell the same thing again: what a frame is worth. */
const FRAME_WORTH = 0.1;
/** Bins of a Hann window that are independent of each other. */
const BIN_WORTH = 0.67;
/** A band counts as speech where it is above its background by so many standard deviations. */
const EXCESS_DEVIATIONS = 2;
/** Fewer frames of background give no spectrum. */
const BACKGROUND_FRAMES_MIN = 30;

/**
 * The log-likelihood ratio, speech against background, of each frame of `BAND_HOP_MS` in
 * [from, to); `undefined` where there is too little background to know its spectrum.
 *
 * Speech fills some bands and leaves others to the noise, so each band is a mixture of being idle
 * and of standing out by some ratio. A weak tail of a vowel is found in its own narrow bands, deep
 * below a noise that is spread over all of them; and a noise that is the same as the background
 * loses on average, whatever its colour.
 */
export function bandLikelihoods(search: BandSearch): BandFrames | undefined {
  const { samples, sampleRateHz, from, to, background, leastVariance } = search;
  const windowSamples = 2 ** Math.ceil(Math.log2((WINDOW_MS_MIN * sampleRateHz) / 1000));
  const hop = (BAND_HOP_MS * sampleRateHz) / 1000;
  const spectrum = new BandSpectrum(windowSamples, sampleRateHz);
  const backgroundFrames = Math.floor((background.length - windowSamples) / hop) + 1;
  if (backgroundFrames < BACKGROUND_FRAMES_MIN) return undefined;
  const noise = new Float64Array(spectrum.bandCount);
  for (let frame = 0; frame < backgroundFrames; frame += 1) {
    const powers = spectrum.of(background, Math.round(frame * hop));
    for (let band = 0; band < noise.length; band += 1) {
      noise[band] = (noise[band] as number) + (powers[band] as number) / backgroundFrames;
    }
  }
  const length = Math.max(1, Math.floor((to - from) / hop));
  const frames = { ratios: new Float64Array(length), excess: new Float64Array(length) };
  for (let frame = 0; frame < length; frame += 1) {
    const centre = from + (frame + 0.5) * hop;
    const powers = spectrum.of(samples, Math.round(centre - windowSamples / 2));
    for (let band = 0; band < noise.length; band += 1) {
      const floor = (noise[band] as number) + leastVariance;
      const power = (powers[band] as number) / floor;
      const freedom = spectrum.freedom(band);
      addTo(frames.ratios, frame, FRAME_WORTH * bandRatio(power, freedom));
      const isAbove = power > 1 + EXCESS_DEVIATIONS * Math.sqrt(2 / freedom);
      addTo(frames.excess, frame, isAbove ? spectrum.share(band) * (power - 1) * floor : 0);
    }
  }
  return frames;
}

function addTo(array: Float64Array, index: number, value: number): void {
  array[index] = (array[index] as number) + value;
}

/** Of one band: its power over that of its background, a mean of `freedom` / 2 exponentials. */
function bandRatio(power: number, freedom: number): number {
  // Above this, one frame is proof enough; more would only overflow.
  const bounded = Math.min(power, 100);
  let sum = IDLE_SHARE;
  for (const { ratio, share } of ALTERNATIVES) {
    sum += share * Math.exp((freedom / 2) * (bounded * (1 - 1 / ratio) - Math.log(ratio)));
  }
  return Math.min(20, Math.log(sum));
}

class BandSpectrum {
  readonly #fft: FFT;
  readonly #window: Float64Array;
  readonly #input: Float64Array;
  readonly #output: number[];
  readonly #edges: readonly number[];
  readonly #powers: Float64Array;

  constructor(size: number, sampleRateHz: number) {
    this.#fft = new FFT(size);
    this.#input = new Float64Array(size);
    this.#output = this.#fft.createComplexArray();
    this.#window = Float64Array.from(
      { length: size },
      (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / size),
    );
    const bins = BAND_EDGES_HZ.filter((hz) => hz < 0.48 * sampleRateHz).map((hz) =>
      Math.round((hz * size) / sampleRateHz),
    );
    this.#edges = [...new Set(bins)];
    this.#powers = new Float64Array(this.#edges.length - 1);
  }

  get bandCount(): number {
    return this.#powers.length;
  }

  /** Degrees of freedom of a band's power. */
  freedom(band: number): number {
    const bins = (this.#edges[band + 1] as number) - (this.#edges[band] as number);
    return 2 * Math.max(1, bins * BIN_WORTH);
  }

  /** The band's part of all bins. */
  share(band: number): number {
    const bins = (this.#edges[band + 1] as number) - (this.#edges[band] as number);
    return (2 * bins) / this.#input.length;
  }

  /** Mean square per sample of each band's bins, if all bins had it; samples outside count as 0. */
  of(samples: Float64Array, start: number): Float64Array {
    const size = this.#input.length;
    for (let index = 0; index < size; index += 1) {
      this.#input[index] = (samples[start + index] ?? 0) * (this.#window[index] as number);
    }
    this.#fft.realTransform(this.#output, this.#input);
    for (let band = 0; band < this.#powers.length; band += 1) {
      const [low, high] = [this.#edges[band] as number, this.#edges[band + 1] as number];
      let sum = 0;
      for (let bin = low; bin < high; bin += 1) {
        sum += (this.#output[2 * bin] as number) ** 2 + (this.#output[2 * bin + 1] as number) ** 2;
      }
      // 3/8 is the mean square of the window.
      this.#powers[band] = sum / (high - low) / (size * 0.375);
    }
    return this.#powers;
  }
}
