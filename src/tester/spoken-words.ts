import { after, type Instant } from "../environment/index.ts";
import type { FactDraft, UtteranceFact } from "../timeline/index.ts";

/** RMS of a window from which on it is speech: −46 dBov. */
const SPEECH_RMS = 164;
const WINDOW_MS = 5;

interface OpenWords {
  readonly utteranceId: string;
  readonly purpose: UtteranceFact["purpose"];
  onsetAt: Instant | undefined;
  offsetAt: Instant | undefined;
}

/**
 * Finds where the speech in each response of a tester's AI begins and ends, in the audio that
 * leaves: what a fixture's annotation is to scripted speech. An engine.
 */
export class SpokenWords {
  #sampleRateHz = 8000;
  #frameMs = 20;
  #open: OpenWords | undefined;
  #count = 0;
  readonly #output: FactDraft[] = [];

  takeOutput(): FactDraft | undefined {
    return this.#output.shift();
  }

  handleFormat(format: { readonly sampleRateHz: number; readonly frameMs: number }): void {
    this.#sampleRateHz = format.sampleRateHz;
    this.#frameMs = format.frameMs;
  }

  /** A response begins with the next frame. */
  begin(purpose: UtteranceFact["purpose"], now: Instant): void {
    this.end(now);
    this.#count += 1;
    this.#open = {
      utteranceId: `tester-${this.#count}`,
      purpose,
      onsetAt: undefined,
      offsetAt: undefined,
    };
  }

  /** A frame left at `deadline`; it holds what was spoken in the frame time before that. */
  handleFrame(frame: Int16Array, deadline: Instant): void {
    const open = this.#open;
    if (open === undefined) return;
    const size = Math.max(1, Math.round((this.#sampleRateHz * WINDOW_MS) / 1000));
    const startsAt = after(deadline, -this.#frameMs);
    for (let from = 0; from + size <= frame.length; from += size) {
      if (rmsOf(frame, from, from + size) < SPEECH_RMS) continue;
      const at = after(startsAt, (from * 1000) / this.#sampleRateHz);
      open.offsetAt = after(at, WINDOW_MS);
      if (open.onsetAt !== undefined) continue;
      open.onsetAt = at;
      this.#tell(open, "started", deadline);
    }
  }

  /** The response has left, or was cut off. One without speech was no utterance. */
  end(now: Instant): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#tell(open, "ended", now);
  }

  #tell(
    { utteranceId, purpose, onsetAt, offsetAt }: OpenWords,
    event: "started" | "ended",
    at: Instant,
  ): void {
    if (onsetAt === undefined || offsetAt === undefined) return;
    const fixture = "ai";
    this.#output.push({
      kind: "utterance",
      event,
      utteranceId,
      fixture,
      purpose,
      onsetAt,
      offsetAt,
      at,
    });
  }
}

function rmsOf(samples: Int16Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += (samples[at] as number) ** 2;
  return Math.sqrt(sum / (to - from));
}
