import type { Instant } from "../../environment/index.ts";
import type { AiEvent, AiToolCallEvent } from "../ai-session.ts";
import {
  type JsonObject,
  numberField,
  objectField,
  objectsField,
  textField,
} from "../provider/json-fields.ts";
import type { Redactor } from "../provider/redaction.ts";
import { FunctionCalls } from "./function-calls.ts";
import { ResponseAudio } from "./response-audio.ts";
import { ResponseGate } from "./response-gate.ts";
import type { ServerEventKind } from "./server-events.ts";
import { usageEvent } from "./usage.ts";
import type { WireFormat } from "./wire-format.ts";

/** Where neutral events go. */
export type EmitEvent = (event: AiEvent, now: Instant) => void;

type ConversationKind = Exclude<ServerEventKind, "sessionCreated" | "sessionUpdated" | "error">;

/** Returns false for an event that lacks what it must have. */
type Handler = (event: JsonObject, now: Instant) => boolean;

/**
 * Turns, responses and tool calls within a session: server events in, neutral events out. What is
 * sent is left to the protocol engine, when is decided by the gate.
 */
export class Conversation {
  readonly gate: ResponseGate = new ResponseGate();
  readonly audio: ResponseAudio;
  /** Whether the caller's speech makes the server cut its own off; per the session's settings. */
  interruptsResponse = true;
  /** Audio sent over earlier connections: the server counts anew with each. */
  audioBaseMs = 0;
  readonly #calls = new FunctionCalls();
  readonly #redactor: Redactor;
  readonly #emit: EmitEvent;

  readonly #handlers: Readonly<Record<ConversationKind, Handler>> = {
    speechStarted: (event, now) => this.#onSpeechStarted(event, now),
    speechStopped: (event, now) => this.#onSpeechStopped(event, now),
    callerTranscript: (event, now) => this.#onCallerTranscript(event, now),
    itemAdded: (event) => this.#onItemAdded(event),
    responseCreated: (event, now) => this.#onResponseCreated(event, now),
    audioDelta: (event, now) => this.#onAudioDelta(event, now),
    audioDone: (event, now) => this.#onAudioDone(event, now),
    botTranscript: (event, now) => this.#onBotTranscript(event, now),
    argumentsDone: (event) => this.#onArgumentsDone(event),
    outputItemDone: (event, now) => this.#onOutputItemDone(event, now),
    responseDone: (event, now) => this.#onResponseDone(event, now),
    ignored: () => true,
  };

  /** @param output the format of the bot's audio. */
  constructor(redactor: Redactor, output: WireFormat, emit: EmitEvent) {
    this.audio = new ResponseAudio(output);
    this.#redactor = redactor;
    this.#emit = emit;
  }

  /** The connection is lost in the middle of whatever was going on. */
  breakOff(now: Instant): void {
    for (const id of this.gate.outstandingCalls) this.#emit({ type: "toolCancelled", id }, now);
    for (const responseId of this.audio.live) {
      const detail = "The connection was lost.";
      this.#emit({ type: "audioDone", responseId }, now);
      this.#emit({ type: "turnDone", responseId, status: "incomplete", detail }, now);
    }
  }

  /** @returns false for an event that lacks what it must have. */
  handle(kind: ConversationKind, event: JsonObject, now: Instant): boolean {
    return this.#handlers[kind](event, now);
  }

  #onSpeechStarted(event: JsonObject, now: Instant): boolean {
    const audioMs = numberField(event, "audio_start_ms");
    if (audioMs === undefined) return false;
    this.#emit({ type: "callerSpeechStarted", audioMs: this.audioBaseMs + audioMs }, now);
    if (this.interruptsResponse) {
      this.audio.cancelAll();
      this.#emit({ type: "interrupted" }, now);
    }
    return true;
  }

  #onSpeechStopped(event: JsonObject, now: Instant): boolean {
    const audioMs = numberField(event, "audio_end_ms");
    if (audioMs === undefined) return false;
    this.#emit({ type: "callerSpeechStopped", audioMs: this.audioBaseMs + audioMs }, now);
    return true;
  }

  #onCallerTranscript(event: JsonObject, now: Instant): boolean {
    const text = textField(event, "transcript");
    if (text === undefined) return false;
    // Some clones send several of these, each longer; only the last is final.
    if (textField(event, "status") === "in_progress") return true;
    this.#emit({ type: "callerTranscript", text }, now);
    return true;
  }

  #onItemAdded(event: JsonObject): boolean {
    const item = objectField(event, "item");
    const callId = textField(item, "call_id");
    if (textField(item, "type") === "function_call_output" && callId !== undefined) {
      this.gate.handleOutputAdded(callId);
    }
    return item !== undefined;
  }

  #onResponseCreated(event: JsonObject, now: Instant): boolean {
    const responseId = textField(objectField(event, "response"), "id");
    if (responseId === undefined) return false;
    this.gate.handleResponseCreated(responseId);
    this.audio.handleCreated(responseId);
    this.#emit({ type: "responseCreated", responseId }, now);
    return true;
  }

  #onAudioDelta(event: JsonObject, now: Instant): boolean {
    const responseId = textField(event, "response_id");
    const itemId = textField(event, "item_id");
    const base64 = textField(event, "delta");
    if (responseId === undefined || itemId === undefined || base64 === undefined) return false;
    const contentIndex = numberField(event, "content_index") ?? 0;
    const samples = this.audio.handleDelta({ responseId, itemId, contentIndex, base64 });
    if (samples !== undefined && samples.length > 0) {
      this.#emit({ type: "audio", responseId, itemId, samples }, now);
    }
    return true;
  }

  #onAudioDone(event: JsonObject, now: Instant): boolean {
    const responseId = textField(event, "response_id");
    if (responseId === undefined) return false;
    this.#emit({ type: "audioDone", responseId }, now);
    return true;
  }

  #onBotTranscript(event: JsonObject, now: Instant): boolean {
    const responseId = textField(event, "response_id");
    const text = textField(event, "transcript");
    if (responseId === undefined || text === undefined) return false;
    this.#emit({ type: "botTranscript", responseId, text }, now);
    return true;
  }

  #onArgumentsDone(event: JsonObject): boolean {
    const responseId = textField(event, "response_id");
    if (responseId !== undefined) this.#calls.handleArguments(responseId, event);
    return responseId !== undefined;
  }

  #onOutputItemDone(event: JsonObject, now: Instant): boolean {
    const responseId = textField(event, "response_id");
    const item = objectField(event, "item");
    if (responseId === undefined || item === undefined) return false;
    this.#emitCall(this.#calls.handleItem(responseId, item), now);
    return true;
  }

  #onResponseDone(event: JsonObject, now: Instant): boolean {
    const response = objectField(event, "response");
    const responseId = textField(response, "id");
    const status = textField(response, "status");
    if (responseId === undefined || status === undefined) return false;
    for (const item of objectsField(response, "output")) {
      this.#emitCall(this.#calls.handleItem(responseId, item), now);
    }
    for (const call of this.#calls.handleResponseDone(responseId, status === "completed")) {
      this.#emitCall(call, now);
    }
    this.gate.handleResponseDone(responseId);
    this.audio.handleDone(responseId);
    const usage = objectField(response, "usage") ?? objectField(event, "usage");
    if (usage !== undefined) this.#emit(usageEvent(responseId, usage), now);
    const detail = this.#statusDetail(objectField(response, "status_details"));
    const base = { type: "turnDone", responseId, status } as const;
    this.#emit(detail === undefined ? base : { ...base, detail }, now);
    return true;
  }

  #emitCall(call: AiToolCallEvent | undefined, now: Instant): void {
    if (call === undefined) return;
    this.gate.handleToolCall(call.id);
    this.#emit(call, now);
  }

  /** "turn_detected", "max_output_tokens", or "rate_limit_exceeded: …". */
  #statusDetail(details: JsonObject | undefined): string | undefined {
    const error = objectField(details, "error");
    if (error === undefined) return textField(details, "reason");
    const code = textField(error, "code") ?? textField(error, "type") ?? "unknown";
    return this.#redactor.detail(`${code}: ${textField(error, "message") ?? ""}`);
  }
}
