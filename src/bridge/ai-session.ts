import type { Instant, SidetoneError } from "../environment/index.ts";
import type { TokenDetails } from "./usage.ts";

/**
 * What any provider tells, in one set of words.
 *
 * A full-duplex provider (no turns, no interruption events) fits too: it names one response for
 * the whole session in its `audio` events and sends neither `responseCreated` nor `turnDone`.
 */
export type AiEvent =
  | { readonly type: "ready" }
  /**
   * The connection is lost, and another one is opened after `inMs`: speech that was queued is played,
   * the caller's audio waits.
   */
  | {
      readonly type: "reconnecting";
      /** Of the WebSocket that was lost. */
      readonly code: number;
      readonly attempt: number;
      readonly inMs: number;
    }
  /**
   * It goes on over another connection: as if nothing had happened, or, with `toldLines`, in a new
   * session that was told so many lines of the conversation and knows nothing else of it.
   */
  | { readonly type: "resumed"; readonly toldLines?: number }
  /** The provider's claim; `audioMs` counts the audio appended since the session began. */
  | { readonly type: "callerSpeechStarted"; readonly audioMs: number }
  | { readonly type: "callerSpeechStopped"; readonly audioMs: number }
  | { readonly type: "callerTranscript"; readonly text: string }
  | { readonly type: "responseCreated"; readonly responseId: string }
  | AiAudioEvent
  | { readonly type: "botTranscript"; readonly responseId: string; readonly text: string }
  /** No more audio of this response's present item; another item may still follow. */
  | { readonly type: "audioDone"; readonly responseId: string }
  /** The provider cut its own speech off; without `responseId`: all of it. */
  | { readonly type: "interrupted"; readonly responseId?: string }
  | AiTurnDoneEvent
  | AiToolCallEvent
  | { readonly type: "toolCancelled"; readonly id: string }
  | AiUsageEvent
  | { readonly type: "goingAway"; readonly timeLeftMs?: number }
  | AiErrorEvent
  /** Always the last event, and always sent: `code` is that of the WebSocket (RFC 6455 §7.4.1). */
  | { readonly type: "closed"; readonly code: number; readonly reason: string };

/** A piece of the bot's speech, of any length. */
export interface AiAudioEvent {
  readonly type: "audio";
  readonly responseId: string;
  readonly itemId: string;
  /** Mono, at the session's `outputSampleRateHz`; the receiver may keep it. */
  readonly samples: Int16Array;
}

/** A response has ended, for whatever reason. */
export interface AiTurnDoneEvent {
  readonly type: "turnDone";
  readonly responseId: string;
  /** completed, cancelled, incomplete or failed. */
  readonly status: string;
  readonly detail?: string;
}

/** The model wants a function to be called; answer with `sendToolResult`. */
export interface AiToolCallEvent {
  readonly type: "toolCall";
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Set where the arguments were not a JSON object; `args` is then empty. */
  readonly argsError?: string;
  readonly responseId: string;
}

/** What a response used, in the provider's tokens. */
export interface AiUsageEvent {
  readonly type: "usage";
  readonly responseId: string;
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** By kind, where the provider says so. */
  readonly details?: TokenDetails;
}

/** Something went wrong. A fatal error is followed by `closed`. */
export interface AiErrorEvent {
  readonly type: "error";
  /** A stable code of ours (docs/errors.md). */
  readonly code: string;
  readonly message: string;
  readonly fatal: boolean;
  /** The provider's own code, where the provider reported the error. */
  readonly providerCode?: string;
  /** Always there on fatal errors: says who is at fault, for whoever wants to throw it. */
  readonly error?: SidetoneError;
}

/** Which way a message crossed the AI socket, as seen from us. */
export type WireDirection = "sent" | "received";

/** A tap for `ai.jsonl`: each message as JSON without audio and without keys. */
export type WireTap = (json: string, direction: WireDirection, at: Instant) => void;

/**
 * One realtime session with an AI, whoever provides it. Nothing here throws for what the network
 * or the provider does: that arrives as `error` and `closed`. After `closed`, all methods do
 * nothing.
 */
export interface AiSession {
  readonly inputSampleRateHz: number;
  readonly outputSampleRateHz: number;
  readonly provider: string;
  readonly model?: string;
  /** False where the provider shortens its own history; absent means true. */
  readonly supportsTruncation?: boolean;
  /** Audio that has left for the AI since the session began; silence included. */
  readonly sentAudioMs?: number;
  /** What the session saw and threw away: malformed and unknown events, stragglers. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Set it before the present turn of the event loop ends, and no event is missed. */
  onEvent: ((event: AiEvent, arrivedAt: Instant) => void) | undefined;
  /** Optional tap; unset costs nothing. */
  onWireMessage?: WireTap | undefined;
  /** Caller audio at `inputSampleRateHz`, any length; copied, so it may be reused at once. */
  appendAudio(samples: Int16Array): void;
  /** Tells the AI how much of an item was really played; clamped to what was received. */
  truncate(itemId: string, playedMs: number): void;
  cancelResponse(responseId: string): void;
  /** `respond`: ask for a further response once all outstanding tool calls are answered. */
  sendToolResult(id: string, result: string, options: { readonly respond: boolean }): void;
  requestResponse(instructions?: string): void;
  close(): void;
}
