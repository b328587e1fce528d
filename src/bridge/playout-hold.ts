import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { adaptiveBounds, type PreBuffer } from "./playout-settings.ts";

/** What an adaptive hold keeps above what was needed: the clocks of delivery and playout differ by a frame. */
const MARGIN_MS = 20;
/** How much of what is no longer needed it gives up with each response. */
const FORGETTING = 0.2;

/** How the audio of one response came in, up to a pause that the AI made itself. */
export interface SpeechFlow {
  readonly startedAt: Instant;
  receivedMs: number;
  /** The hold that would have left no gap so far. */
  neededMs: number;
}

/**
 * Decides how long a response is held back before it is played.
 *
 * Speech that comes in at t, after a ms of it since t₀, is in time only where playout began
 * t − t₀ − a after t₀ or later. The greatest of these is the hold that the response needed. The
 * adaptive hold rises to it at once, and gives up a fifth of the difference with each response that
 * needed less.
 */
export class PlayoutHold {
  readonly #buffer: PreBuffer;
  #targetMs: number;

  constructor(buffer: PreBuffer = { kind: "fixed", delayMs: 0 }) {
    this.#buffer = buffer;
    this.#targetMs = buffer.kind === "fixed" ? buffer.delayMs : adaptiveBounds(buffer).minMs;
  }

  /** How long a response that begins now is held back. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /** When a response is played whose first audio comes now. */
  releaseAt(now: Instant): Instant {
    return after(now, this.#targetMs);
  }

  /** Audio comes in; `undefined` for the first of a flow. */
  handleAudio(known: SpeechFlow | undefined, audioMs: number, now: Instant): SpeechFlow {
    const flow = known ?? { startedAt: now, receivedMs: 0, neededMs: 0 };
    const lateMs = elapsedMs(flow.startedAt, now) - flow.receivedMs;
    flow.receivedMs += audioMs;
    if (lateMs <= flow.neededMs) return flow;
    flow.neededMs = lateMs;
    this.#aim(Math.max(this.#targetMs, lateMs + MARGIN_MS));
    return flow;
  }

  /** All audio of a flow has come. */
  handleFlowEnd({ neededMs }: SpeechFlow): void {
    const wantedMs = neededMs === 0 ? 0 : neededMs + MARGIN_MS;
    if (wantedMs >= this.#targetMs) return;
    this.#aim(this.#targetMs - (this.#targetMs - wantedMs) * FORGETTING);
  }

  #aim(wantedMs: number): void {
    if (this.#buffer.kind === "fixed") return;
    const { minMs, maxMs } = adaptiveBounds(this.#buffer);
    this.#targetMs = Math.min(maxMs, Math.max(minMs, wantedMs));
  }
}
