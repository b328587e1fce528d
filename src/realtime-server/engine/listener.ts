import { InputBuffer } from "./input-buffer.ts";
import { SPEECH_MARGIN_MS, speechSpan, TurnDetector, type TurnEdge } from "./turn-detector.ts";

/** How turns are found; `undefined` in its place: the client says where they end. */
export interface TurnDetection {
  readonly threshold: number;
  readonly prefixPaddingMs: number;
  readonly silenceMs: number;
  readonly minSpeechMs: number;
}

/** One turn of the caller, cut out of the stream. */
export interface HeardTurn {
  readonly sampleRateHz: number;
  /** All of it, padding and closing silence included. */
  readonly samples: Int16Array;
  /** Only the speech in it; empty where there is none. */
  readonly speech: Int16Array;
}

/** What the listener noticed; times are audio time since the connection began. */
export type ListenerEvent =
  | { readonly kind: "started"; readonly audioMs: number }
  | {
      /** `paused`: the turn may end here; said while there is time left to listen closely. */
      readonly kind: "paused" | "stopped";
      readonly audioMs: number;
      readonly speechEndMs: number;
      readonly turn: HeardTurn;
    };

const NO_EVENTS: readonly ListenerEvent[] = [];

/** The ear of one connection: keeps what the caller says and cuts it into turns. */
export class Listener {
  #sampleRateHz: number;
  #detection: TurnDetection | undefined;
  #buffer: InputBuffer;
  #detector: TurnDetector | undefined;
  /** Audio time before the present buffer and the present detector began. */
  #bufferStartMs = 0;
  #detectorStartSample = 0;
  #echo: { readonly limitDbov: number; readonly endMs: number } | undefined;

  constructor(sampleRateHz: number, detection: TurnDetection | undefined) {
    this.#sampleRateHz = sampleRateHz;
    this.#detection = detection;
    this.#buffer = new InputBuffer(sampleRateHz);
    this.#detector = this.#newDetector();
  }

  /** Audio that waits to be committed. */
  get pendingMs(): number {
    const { startSample, endSample } = this.#buffer;
    return ((endSample - startSample) * 1000) / this.#sampleRateHz;
  }

  /** Audio heard since the connection began. */
  get heardMs(): number {
    return this.#audioMs(this.#buffer.endSample);
  }

  /** Whether a turn is under way. */
  get isSpeaking(): boolean {
    return this.#detector?.isSpeaking ?? false;
  }

  /** Listens differently from now on. A new sample rate drops what was not committed. */
  configure(sampleRateHz: number, detection: TurnDetection | undefined): void {
    if (sampleRateHz !== this.#sampleRateHz) {
      this.#bufferStartMs = this.#audioMs(this.#buffer.endSample);
      this.#sampleRateHz = sampleRateHz;
      this.#buffer = new InputBuffer(sampleRateHz);
    }
    this.#detection = detection;
    this.#detector = this.#newDetector();
  }

  /**
   * The bot speaks for so long from now on: what is not louder than the limit may be its echo.
   * Without a limit, there is none.
   */
  expectEcho(limitDbov: number | undefined, durationMs: number): void {
    const endMs = this.#audioMs(this.#buffer.endSample) + durationMs;
    this.#echo = limitDbov === undefined ? undefined : { limitDbov, endMs };
  }

  /** Takes audio in; events come in order, and there are rarely any. */
  append(samples: Int16Array): readonly ListenerEvent[] {
    const beginMs = this.#audioMs(this.#buffer.endSample);
    this.#buffer.append(samples);
    if (this.#echo !== undefined && this.#echo.endMs <= beginMs) this.#echo = undefined;
    if (this.#detector !== undefined) this.#detector.echoLimitDbov = this.#echo?.limitDbov;
    if (this.#detector === undefined || this.#detection === undefined) return NO_EVENTS;
    const edges = this.#detector.handleSamples(samples);
    const events = edges.length === 0 ? NO_EVENTS : edges.map((edge) => this.#eventOf(edge));
    const needed = this.#detectorStartSample + this.#detector.neededFromSample;
    this.#buffer.discardBefore(needed - this.#paddingSamples());
    return events;
  }

  /** Cuts off everything that waits, as one turn. */
  commit(): HeardTurn {
    const samples = this.#buffer.slice(this.#buffer.startSample, this.#buffer.endSample);
    this.clear();
    return heardTurn(samples, this.#sampleRateHz);
  }

  /** Forgets everything that waits, and a turn under way. */
  clear(): void {
    this.#buffer.discardBefore(this.#buffer.endSample);
    this.#detector?.reset();
  }

  #newDetector(): TurnDetector | undefined {
    if (this.#detection === undefined) return undefined;
    this.#detectorStartSample = this.#buffer.endSample;
    return new TurnDetector({ ...this.#detection, sampleRateHz: this.#sampleRateHz });
  }

  #eventOf(edge: TurnEdge): ListenerEvent {
    const onset = this.#detectorStartSample + edge.onsetSample;
    const from = Math.max(this.#buffer.startSample, onset - this.#paddingSamples());
    if (edge.kind === "started") return { kind: "started", audioMs: this.#audioMs(from) };
    const end = this.#detectorStartSample + edge.atSample;
    const speechEnd = this.#detectorStartSample + edge.speechEndSample;
    const margin = (SPEECH_MARGIN_MS * this.#sampleRateHz) / 1000;
    const turn: HeardTurn = {
      sampleRateHz: this.#sampleRateHz,
      samples: this.#buffer.slice(from, end),
      speech: this.#buffer.slice(onset - margin, speechEnd + margin),
    };
    if (edge.kind === "stopped") this.#buffer.discardBefore(end);
    const speechEndMs = this.#audioMs(speechEnd);
    return { kind: edge.kind, audioMs: this.#audioMs(end), speechEndMs, turn };
  }

  #paddingSamples(): number {
    const paddingMs = this.#detection?.prefixPaddingMs ?? 0;
    return (Math.max(paddingMs, SPEECH_MARGIN_MS) * this.#sampleRateHz) / 1000;
  }

  #audioMs(sample: number): number {
    return Math.round(this.#bufferStartMs + (sample * 1000) / this.#sampleRateHz);
  }
}

/** A turn of samples whose speech has yet to be found. */
export function heardTurn(samples: Int16Array, sampleRateHz: number): HeardTurn {
  const span = speechSpan(samples, sampleRateHz) ?? { from: 0, to: 0 };
  return { sampleRateHz, samples, speech: samples.subarray(span.from, span.to) };
}
