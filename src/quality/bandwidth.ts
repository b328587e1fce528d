import FFT from "fft.js";
import { powerDbov, SILENCE_DBOV } from "../audio/index.ts";

/** Up to where the speech of a channel reaches. */
export interface SpeechBandwidth {
  /** Upper edge of the highest band that moves with the speech, to 250 Hz. */
  readonly upperHz: number;
  /** `narrowband` up to 4.25 kHz, `wideband` from 5 kHz on; between them it cannot be told. */
  readonly verdict: "narrowband" | "uncertain" | "wideband";
}

const WINDOW_MS_MIN = 32;
const BAND_HZ = 250;
/** The lowest bands hold hum and DC. */
const FIRST_BAND = 1;
const BIN_DB = 1;
/** Loud and soft moments of a band: these shares of the frames lie below. */
const LOUD_SHARE = 0.98;
const SOFT_SHARE = 0.1;
/** By how much the speech moves a band that it is in: noise does not move. */
const SWING_DB = 10;
/** Speech's weakest sounds lie so far below its loudest band; what is below is leakage or coding noise. */
const RANGE_DB = 42;
/** 16-bit quantisation in a band of 250 Hz, and a bit. */
const BAND_DBOV_MIN = -90;
/** Every second frame is looked at; with fewer in which anything was heard, about 2 s, nothing is said. */
const FRAMES_MIN = 30;
const NARROWBAND_HZ_MAX = 4250;
const WIDEBAND_HZ_MIN = 5000;

/**
 * The bandwidth that the speech of a channel really has, whatever its sample rate says: a band of
 * 250 Hz counts if it gets louder and softer as speech does, by 10 dB at least, and is not more than
 * 42 dB below the loudest. Steady noise in a band is no speech.
 */
export class BandwidthAnalyser {
  readonly #sampleRateHz: number;
  readonly #size: number;
  readonly #fft: FFT;
  readonly #spectrum: number[];
  readonly #window: Float64Array;
  readonly #frame: Float64Array;
  readonly #windowed: Float64Array;
  readonly #bands: number;
  /** `[band][level in dB above silence]`: frames. */
  readonly #histograms: Float64Array;
  #filled = 0;
  /** Samples still to be passed over, between frames. */
  #skip = 0;
  #frames = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#size = 2 ** Math.ceil(Math.log2((sampleRateHz * WINDOW_MS_MIN) / 1000));
    this.#fft = new FFT(this.#size);
    this.#spectrum = this.#fft.createComplexArray();
    this.#frame = new Float64Array(this.#size);
    this.#windowed = new Float64Array(this.#size);
    this.#window = Float64Array.from(
      this.#frame,
      (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / this.#size),
    );
    this.#bands = Math.floor(sampleRateHz / 2 / BAND_HZ);
    this.#histograms = new Float64Array(this.#bands * LEVELS);
  }

  process(samples: Int16Array): void {
    for (let at = 0; at < samples.length; ) {
      const passed = Math.min(this.#skip, samples.length - at);
      this.#skip -= passed;
      at += passed;
      const part = samples.subarray(at, at + this.#size - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#size) continue;
      this.#filled = 0;
      this.#skip = this.#size;
      this.#takeFrame();
    }
  }

  /** `undefined` where too little was heard to tell. */
  result(): SpeechBandwidth | undefined {
    if (this.#frames < FRAMES_MIN) return undefined;
    const bands = Array.from({ length: this.#bands }, (_, band) => ({
      loud: this.#level(band, LOUD_SHARE),
      soft: this.#level(band, SOFT_SHARE),
    }));
    const loudest = Math.max(...bands.slice(FIRST_BAND).map(({ loud }) => loud));
    const top = bands.findLastIndex(
      ({ loud, soft }) =>
        loud >= loudest - RANGE_DB && loud >= BAND_DBOV_MIN && loud - soft >= SWING_DB,
    );
    if (top < FIRST_BAND) return undefined;
    const upperHz = (top + 1) * BAND_HZ;
    const verdict =
      upperHz <= NARROWBAND_HZ_MAX
        ? "narrowband"
        : upperHz >= WIDEBAND_HZ_MIN
          ? "wideband"
          : "uncertain";
    return { upperHz, verdict };
  }

  #takeFrame(): void {
    if (this.#frame.every((sample) => sample === 0)) return;
    this.#frames += 1;
    for (let index = 0; index < this.#size; index += 1) {
      this.#windowed[index] = (this.#frame[index] as number) * (this.#window[index] as number);
    }
    this.#fft.realTransform(this.#spectrum, this.#windowed);
    for (let band = 0; band < this.#bands; band += 1) {
      const bin = Math.round((this.#bandDbov(band) - SILENCE_DBOV) / BIN_DB);
      const slot = band * LEVELS + Math.min(bin, LEVELS - 1);
      this.#histograms[slot] = (this.#histograms[slot] as number) + 1;
    }
  }

  /** The power in a band, one-sided, by Parseval with the window's own power (3/8). */
  #bandDbov(band: number): number {
    const perHz = this.#size / this.#sampleRateHz;
    const from = Math.round(band * BAND_HZ * perHz);
    const to = Math.round((band + 1) * BAND_HZ * perHz);
    let power = 0;
    for (let bin = from; bin < to; bin += 1) {
      power += (this.#spectrum[2 * bin] as number) ** 2;
      power += (this.#spectrum[2 * bin + 1] as number) ** 2;
    }
    return powerDbov((2 * power) / (0.375 * this.#size * this.#size));
  }

  #level(band: number, share: number): number {
    let rest = share * this.#frames;
    for (let bin = 0; bin < LEVELS; bin += 1) {
      rest -= this.#histograms[band * LEVELS + bin] as number;
      if (rest <= 0) return SILENCE_DBOV + bin * BIN_DB;
    }
    return 0;
  }
}

const LEVELS = Math.round(-SILENCE_DBOV / BIN_DB) + 1;
