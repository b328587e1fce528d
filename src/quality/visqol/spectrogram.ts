import type { GammatoneBank } from "./gammatone.ts";

/** Levels of bands over time. */
export interface Spectrogram {
  readonly bands: number;
  readonly frames: number;
  /** `[frame][band]` in dB. */
  readonly levels: Float64Array;
}

/** Frames of 80 ms, one every 20 ms. */
const FRAME_MS = 80;
export const HOP_MS = 20;
/** Below this absolutely, and below this under the loudest band of a frame, nothing is compared. */
const FLOOR_DB = -45;
const RANGE_DB = 45;

/** The band levels of Hann-windowed frames; `undefined` where the sound is shorter than one. */
export function spectrogramOf(
  sound: Float64Array,
  sampleRateHz: number,
  bank: GammatoneBank,
): Spectrogram | undefined {
  const size = Math.round((sampleRateHz * FRAME_MS) / 1000);
  const hop = Math.floor((sampleRateHz * HOP_MS) / 1000);
  if (sound.length <= size) return undefined;
  const frames = 1 + Math.floor((sound.length - size) / hop);
  const window = Float64Array.from(
    { length: size },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (size - 1)),
  );
  const windowed = new Float64Array(size);
  const levels = new Float64Array(frames * bank.bands);
  for (let frame = 0; frame < frames; frame += 1) {
    for (let index = 0; index < size; index += 1) {
      windowed[index] = (sound[frame * hop + index] as number) * (window[index] as number);
    }
    bank.levels(windowed, levels.subarray(frame * bank.bands, (frame + 1) * bank.bands));
  }
  for (let index = 0; index < levels.length; index += 1) {
    // The unit is that of the original: 10 log10 of an amplitude.
    levels[index] = 10 * Math.log10((levels[index] as number) || Number.EPSILON);
  }
  return { bands: bank.bands, frames, levels };
}

/** Raises both to common floors, per frame too, and sets the lowest level of both to 0 dB. */
export function levelFloors(one: Spectrogram, other: Spectrogram): void {
  const both = [one, other];
  for (const { levels } of both) {
    for (let index = 0; index < levels.length; index += 1) {
      levels[index] = Math.max(FLOOR_DB, levels[index] as number);
    }
  }
  const { bands } = one;
  for (let frame = 0; frame < Math.min(one.frames, other.frames); frame += 1) {
    const rows = both.map(({ levels }) => levels.subarray(frame * bands, (frame + 1) * bands));
    const floor = Math.max(...rows.map((row) => highest(row))) - RANGE_DB;
    for (const row of rows) {
      for (let band = 0; band < bands; band += 1) row[band] = Math.max(floor, row[band] as number);
    }
  }
  const lowestOfBoth = Math.min(...both.map(({ levels }) => lowest(levels)));
  for (const { levels } of both) {
    for (let index = 0; index < levels.length; index += 1) {
      levels[index] = (levels[index] as number) - lowestOfBoth;
    }
  }
}

function highest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function lowest(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}
