import { HIGH_GROUP_HZ, LOW_GROUP_HZ } from "./dtmf-frequencies.ts";
import { BLOCK_MS, type DtmfSpectrum } from "./dtmf-spectrum.ts";

/** What is known of a burst when it is over. */
export interface BurstMeasures {
  /** In ms since the first sample. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Windows that had the digit. */
  readonly windows: number;
  /** Relative to nominal: 0.01 is 1 % too high. */
  readonly lowDeviation: number;
  readonly highDeviation: number;
  /** The high tone's level relative to the low one's. */
  readonly twistDb: number;
  /** The part of the energy that the two tones are, about 1 for a clean digit. */
  readonly purity: number;
  /** How steady frequency and level of the less steady tone were; 1 is a pure tone. */
  readonly coherence: number;
}

/** Blocks around a begin or an end among which the edge lies. */
const EDGE_BLOCKS = 4;
/** Less of a block than this is leakage from other frequencies or noise, not an edge. */
const COVERAGE_MIN = 0.15;
/** Farther off, a tone is refused anyway, and the correction would become absurd. */
const CORRECTED_HZ_MAX = 60;

/**
 * Two tones while they last: sums over the windows that have them, from which in the end follows
 * whether a telephone key or a voice made them.
 */
export class DtmfBurst {
  readonly row: number;
  readonly column: number;
  readonly #low: ToneSums;
  readonly #high: ToneSums;
  /** Blocks analysed when the first and the newest window ended. */
  readonly #firstBlock: number;
  #lastBlock: number;
  /** Amplitudes of the blocks around the begin. */
  readonly #startAmplitudes: readonly number[];
  #windows = 0;
  #power = 0;
  /** Windows in a row, up to the newest. */
  #run = 0;
  /** Mean square of the newest window, which counts once another one follows. */
  #lastMeanSquare = 0;
  /** Over the windows within, which are those of `ToneSums`. */
  #meanSquares = 0;
  #amplitudes = 0;

  /** Begins a burst with the newest window, which is still to be added. */
  constructor(row: number, column: number, spectrum: DtmfSpectrum) {
    this.row = row;
    this.column = column;
    this.#low = new ToneSums(row);
    this.#high = new ToneSums(LOW_GROUP_HZ.length + column);
    this.#firstBlock = spectrum.blocks;
    this.#lastBlock = spectrum.blocks - 1;
    this.#startAmplitudes = this.#recentAmplitudes(spectrum, 0);
  }

  /** Mean power (squared amplitudes) of its windows so far. */
  get meanPower(): number {
    return this.#power / this.#windows;
  }

  isOf(row: number, column: number): boolean {
    return row === this.row && column === this.column;
  }

  /** Windows since the last one that had the digit. */
  silentWindows(spectrum: DtmfSpectrum): number {
    return spectrum.blocks - this.#lastBlock;
  }

  /**
   * Takes the newest window, which has the digit. The first and the last in a row are left out of
   * the sums: there lie the edges.
   */
  add(spectrum: DtmfSpectrum, meanSquare: number): void {
    const isConsecutive = spectrum.blocks === this.#lastBlock + 1;
    this.#run = isConsecutive ? this.#run + 1 : 1;
    this.#lastBlock = spectrum.blocks;
    this.#windows += 1;
    this.#power += spectrum.windowPower[this.#low.tone] as number;
    this.#power += spectrum.windowPower[this.#high.tone] as number;
    if (this.#run > 2) {
      this.#meanSquares += this.#lastMeanSquare;
      // The middle block of the window before.
      this.#amplitudes += this.#amplitude(spectrum, 2);
    }
    this.#lastMeanSquare = meanSquare;
    this.#low.add(spectrum, this.#run);
    this.#high.add(spectrum, this.#run);
  }

  /** To be asked within ten blocks after the last window. */
  measure(spectrum: DtmfSpectrum): BurstMeasures {
    const { startMs, endMs } = this.#edges(spectrum);
    const low = this.#low;
    const high = this.#high;
    const tonal = low.meanSquares(spectrum) + high.meanSquares(spectrum);
    return {
      startMs,
      durationMs: endMs - startMs,
      windows: this.#windows,
      lowDeviation: low.offsetHz / (LOW_GROUP_HZ[this.row] as number),
      highDeviation: high.offsetHz / (HIGH_GROUP_HZ[this.column] as number),
      twistDb: 10 * Math.log10(high.power / low.power),
      purity: tonal / this.#meanSquares,
      coherence: Math.min(low.coherence, high.coherence),
    };
  }

  /** A block in which the tone begins or ends has the amplitude of the part that it covers. */
  #edges(spectrum: DtmfSpectrum): { readonly startMs: number; readonly endMs: number } {
    const full = this.#amplitudes / this.#low.windows;
    const blocksAgo = Math.max(0, spectrum.blocks - this.#lastBlock - 1);
    // The block after the last window may not be there yet.
    const missing = spectrum.blocks === this.#lastBlock ? 1 : 0;
    const atEnd = this.#recentAmplitudes(spectrum, blocksAgo).slice(missing);
    const startBlock = this.#firstBlock - coverage(this.#startAmplitudes, full);
    const endBlock = this.#lastBlock + 1 - EDGE_BLOCKS + coverage(atEnd, full);
    return { startMs: startBlock * BLOCK_MS, endMs: endBlock * BLOCK_MS };
  }

  /** Amplitudes of four blocks in a row, oldest first; the newest is `blocksAgo`. */
  #recentAmplitudes(spectrum: DtmfSpectrum, blocksAgo: number): number[] {
    return Array.from({ length: EDGE_BLOCKS }, (_, index) =>
      this.#amplitude(spectrum, blocksAgo + EDGE_BLOCKS - 1 - index),
    );
  }

  /** Of both tones together (geometric mean) in one block. */
  #amplitude(spectrum: DtmfSpectrum, blocksAgo: number): number {
    const low = spectrum.amplitude(this.#low.tone, blocksAgo);
    return Math.sqrt(low * spectrum.amplitude(this.#high.tone, blocksAgo));
  }
}

/**
 * One tone over the windows within a burst: its power, and the autocorrelation from window to
 * window, whose angle is the frequency and whose size tells how steady it was.
 */
class ToneSums {
  readonly tone: number;
  windows = 0;
  #windowPower = 0;
  #re = 0;
  #im = 0;
  #pairPower = 0;
  /** The newest window and the one before it. */
  #lastRe = 0;
  #lastIm = 0;
  #beforeRe = 0;
  #beforeIm = 0;

  constructor(tone: number) {
    this.tone = tone;
  }

  /** How far the tone is above its nominal frequency. */
  get offsetHz(): number {
    return (Math.atan2(this.#im, this.#re) * 1000) / (2 * Math.PI * BLOCK_MS);
  }

  get coherence(): number {
    return this.#pairPower === 0 ? 0 : Math.hypot(this.#re, this.#im) / this.#pairPower;
  }

  /** Sum of squared amplitudes, with what the window took away from a tone that is off. */
  get power(): number {
    return this.#windowPower / windowPowerGain(this.offsetHz);
  }

  /** @param run windows in a row so far; from the third on, the one before is known to be within. */
  add(spectrum: DtmfSpectrum, run: number): void {
    if (run > 2) this.#addLast(run > 3);
    this.#beforeRe = this.#lastRe;
    this.#beforeIm = this.#lastIm;
    this.#lastRe = spectrum.windowRe[this.tone] as number;
    this.#lastIm = spectrum.windowIm[this.tone] as number;
  }

  /** The tone's part of the windows' mean squares. */
  meanSquares(spectrum: DtmfSpectrum): number {
    return (this.power * (spectrum.filterPower[this.tone] as number)) / 2;
  }

  #addLast(isPair: boolean): void {
    const power = this.#lastRe ** 2 + this.#lastIm ** 2;
    this.#windowPower += power;
    this.windows += 1;
    if (!isPair) return;
    this.#re += this.#lastRe * this.#beforeRe + this.#lastIm * this.#beforeIm;
    this.#im += this.#lastIm * this.#beforeRe - this.#lastRe * this.#beforeIm;
    this.#pairPower += (power + this.#beforeRe ** 2 + this.#beforeIm ** 2) / 2;
  }
}

/** How many blocks' worth of tone there is in some blocks. */
function coverage(amplitudes: readonly number[], full: number): number {
  return amplitudes.reduce((total, amplitude) => {
    const part = amplitude / full;
    return part < COVERAGE_MIN ? total : total + Math.min(1, part);
  }, 0);
}

/** What the window of `DtmfSpectrum` leaves of the power of a tone that is off. */
function windowPowerGain(offsetHz: number): number {
  const limited = Math.min(Math.abs(offsetHz), CORRECTED_HZ_MAX);
  const turn = (Math.PI * limited * BLOCK_MS) / 1000;
  const block = turn === 0 ? 1 : Math.sin(turn) / turn;
  return (Math.cos(turn) ** 2 * block) ** 2;
}
