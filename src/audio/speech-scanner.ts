import { COARSE_FRAME_MS } from "./coarse-speech.ts";
import { type DetectSpeechOptions, detectSpeech, type SpeechSegment } from "./speech-detection.ts";

/** How much is decided at a time, and how much of what lies around is looked at meanwhile. */
export interface ScannerOptions extends DetectSpeechOptions {
  /** Default 120,000. */
  readonly stretchMs?: number;
}

const STRETCH_MS = 120_000;
/** Farther than the detector looks for the background (5 s) or for words to join. */
const CONTEXT_MS = 10_000;
/** The detector looks at frames, and at the background every ten: stretches begin on its grid. */
const GRID_FRAMES = 10;

/**
 * `detectSpeech` for recordings of any length: samples come in blocks, memory is bounded by what
 * is looked at at a time, and the work grows with the length alone.
 *
 * Recordings up to `stretchMs` and the context behind it are detected in one go, so they give what
 * `detectSpeech` gives. Longer ones are cut in pauses, each stretch with the context on either side
 * in view: the detector looks no farther, so that the cuts leave no trace. Only sound without any
 * pause for a whole stretch is cut anywhere, and joined again.
 */
export class SpeechScanner {
  readonly #sampleRateHz: number;
  readonly #options: DetectSpeechOptions;
  readonly #context: number;
  readonly #stretch: number;
  readonly #found: SpeechSegment[] = [];
  #buffer: Int16Array;
  #filled = 0;
  /** Where in the recording the buffer begins. */
  #bufferStart = 0;
  /** Up to where in the recording everything is decided. */
  #decided = 0;

  constructor(sampleRateHz: number, { stretchMs = STRETCH_MS, ...options }: ScannerOptions = {}) {
    this.#sampleRateHz = sampleRateHz;
    this.#options = options;
    this.#context = Math.round((CONTEXT_MS * sampleRateHz) / 1000);
    this.#stretch = Math.round((stretchMs * sampleRateHz) / 1000);
    this.#buffer = new Int16Array(Math.min(this.#capacity, sampleRateHz));
  }

  /** Takes the next samples. */
  push(samples: Int16Array): void {
    let taken = 0;
    while (taken < samples.length) {
      // Only once there is more: the last stretch is looked at as a whole.
      if (this.#filled === this.#capacity) this.#decideStretch();
      const count = Math.min(samples.length - taken, this.#capacity - this.#filled);
      this.#makeRoom(this.#filled + count);
      this.#buffer.set(samples.subarray(taken, taken + count), this.#filled);
      this.#filled += count;
      taken += count;
    }
  }

  /** All speech, once all samples were pushed. */
  finish(): SpeechSegment[] {
    this.#take(this.#detect(), this.#bufferStart + this.#filled);
    return this.#found;
  }

  get #capacity(): number {
    return 2 * this.#context + this.#stretch;
  }

  #makeRoom(length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = new Int16Array(Math.min(this.#capacity, Math.max(length, 2 * length)));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = larger;
  }

  #decideStretch(): void {
    const segments = this.#detect();
    const latest = this.#bufferStart + this.#filled - this.#context;
    const cut = lastPause(segments, this.#decided, latest) ?? latest;
    this.#take(segments, cut);
    const grid = GRID_FRAMES * Math.round((this.#sampleRateHz * COARSE_FRAME_MS) / 1000);
    const earliest = Math.max(0, cut - this.#context - this.#bufferStart);
    const keepFrom = Math.floor(earliest / grid) * grid;
    this.#buffer.copyWithin(0, keepFrom, this.#filled);
    this.#bufferStart += keepFrom;
    this.#filled -= keepFrom;
  }

  /** The speech in the buffer, by its place in the recording. */
  #detect(): SpeechSegment[] {
    const samples = this.#buffer.subarray(0, this.#filled);
    return detectSpeech(samples, this.#sampleRateHz, this.#options).map((segment) => ({
      ...segment,
      startSample: segment.startSample + this.#bufferStart,
      endSample: segment.endSample + this.#bufferStart,
    }));
  }

  /** Takes what lies between what is decided and `until`. */
  #take(segments: readonly SpeechSegment[], until: number): void {
    for (const segment of segments) {
      const startSample = Math.max(segment.startSample, this.#decided);
      const endSample = Math.min(segment.endSample, until);
      if (startSample >= endSample) continue;
      const last = this.#found.at(-1);
      if (last !== undefined && last.endSample === startSample) {
        this.#found[this.#found.length - 1] = {
          ...segment,
          startSample: last.startSample,
          endSample,
        };
      } else {
        this.#found.push({ ...segment, startSample, endSample });
      }
    }
    this.#decided = until;
  }
}

/** The middle of the last pause that ends before `latest`, or lies around it. */
function lastPause(
  segments: readonly SpeechSegment[],
  decided: number,
  latest: number,
): number | undefined {
  const next = segments.findIndex(({ endSample }) => endSample > latest);
  const after = next < 0 ? undefined : segments[next];
  const before = next < 0 ? segments.at(-1) : segments[next - 1];
  // Silence all along, or from the last words on.
  if (after === undefined || after.startSample > latest) return latest;
  const from = Math.max(decided, before?.endSample ?? decided);
  const cut = Math.floor((from + after.startSample) / 2);
  return cut > decided ? cut : undefined;
}
