import { after, elapsedMs, type Instant, type SidetoneError } from "../../environment/index.ts";
import type { AiEvent, WireDirection } from "../ai-session.ts";
import { CallerAudioQueue } from "../provider/caller-audio-queue.ts";
import { type JsonObject, objectField, parseObject, textField } from "../provider/json-fields.ts";
import type { ProtocolOutput, ProviderProtocol } from "../provider/provider-protocol.ts";
import { Redactor } from "../provider/redaction.ts";
import {
  closedByServer,
  connectFailure,
  connectTimeout,
  isAboutCredentials,
  providerFailed,
  settingsRejected,
  stalled,
  unauthorized,
} from "../provider/session-errors.ts";
import {
  functionCallOutput,
  responseCancel,
  responseCreate,
  truncateItem,
} from "./client-events.ts";
import { Conversation } from "./conversation.ts";
import type { OpenAiSettings } from "./openai-options.ts";
import { type ServerEventKind, serverEventKind } from "./server-events.ts";
import { effectiveSession } from "./session-state.ts";
import { sessionUpdate } from "./session-update.ts";

/** What the engine saw and threw away. */
export type ProtocolCounts = {
  readonly malformedEvents: number;
  readonly unknownEvents: number;
  readonly stragglerDeltas: number;
  readonly halfSamples: number;
  readonly refusedRequests: number;
  readonly droppedInputSamples: number;
};

type State = "connecting" | "updating" | "ready" | "closed";

/** Malformed events reported as faults; all are counted. */
const MALFORMED_REPORTS_MAX = 5;

/**
 * The OpenAI Realtime protocol in its dialects (`DIALECTS`), client side.
 *
 * It does no I/O and reads no clock: server messages go in, client messages and neutral events
 * come out of `takeOutput`. Nothing that a server sends makes it throw. It knows nothing of the
 * call, and does not know what was played.
 *
 * connecting ─ session.created ► updating ─ session.updated ► ready; any of them ► closed.
 */
export class OpenAiProtocol implements ProviderProtocol {
  /** Whether messages are also put out as `wire`, for ai.jsonl. */
  isTraced = false;
  readonly #settings: OpenAiSettings;
  readonly #host: string;
  readonly #redactor: Redactor;
  readonly #conversation: Conversation;
  readonly #input: CallerAudioQueue;
  readonly #outputs: ProtocolOutput[] = [];
  #state: State = "connecting";
  #since: Instant;
  #lastNewsAt: Instant;
  #lastEvent = "none";
  #socketError: Error | undefined;
  #eventCount = 0;
  #requestEventId: string | undefined;
  #malformedEvents = 0;
  #unknownEvents = 0;
  #refusedRequests = 0;

  constructor(settings: OpenAiSettings, startedAt: Instant) {
    this.#settings = settings;
    this.#host = new URL(settings.url).host;
    this.#redactor = new Redactor(settings.credentials.known, audioFieldsOf);
    this.#conversation = new Conversation(this.#redactor, settings.output, (event, now) =>
      this.#emit(event, now),
    );
    this.#input = new CallerAudioQueue(settings);
    this.#since = startedAt;
    this.#lastNewsAt = startedAt;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Audio handed to the socket so far. */
  get sentAudioMs(): number {
    return this.#input.sentMs;
  }

  get counts(): ProtocolCounts {
    return {
      malformedEvents: this.#malformedEvents,
      unknownEvents: this.#unknownEvents,
      stragglerDeltas: this.#conversation.audio.stragglerDeltas,
      halfSamples: this.#conversation.audio.halfSamples,
      refusedRequests: this.#refusedRequests,
      droppedInputSamples: this.#input.droppedSamples,
    };
  }

  /** When `handleTimeout` is due. */
  get nextTimeout(): Instant | undefined {
    const { connectTimeoutMs, sessionUpdateTimeoutMs, stallTimeoutMs } = this.#settings;
    if (this.#state === "connecting") return after(this.#since, connectTimeoutMs);
    if (this.#state === "updating") return after(this.#since, sessionUpdateTimeoutMs);
    const isAwaiting = this.#state === "ready" && this.#conversation.gate.isAwaitingServer;
    return isAwaiting ? after(this.#lastNewsAt, stallTimeoutMs) : undefined;
  }

  /** Removes and returns the oldest output not yet taken. */
  takeOutput(): ProtocolOutput | undefined {
    return this.#outputs.length === 0 ? undefined : this.#outputs.shift();
  }

  /** The server speaks first. */
  handleOpen(): void {}

  /** One message of the server. */
  handleMessage(text: string, now: Instant): void {
    if (this.#state === "closed") return;
    this.#lastNewsAt = now;
    const event = parseObject(text);
    const type = textField(event, "type");
    if (event === undefined || type === undefined) {
      this.#trace({ malformed: true, chars: text.length }, "received", now);
      this.#noteMalformed("a message that is no event", now);
      return;
    }
    this.#trace(event, "received", now);
    const kind = serverEventKind(type);
    if (kind === undefined) {
      this.#unknownEvents += 1;
      return;
    }
    this.#lastEvent = type;
    const isComplete = this.#handleEvent(kind, event, now);
    if (!isComplete) this.#noteMalformed(`an incomplete ${type} event`, now);
    this.#requestResponse(now);
  }

  /** Kept for `handleClose`, which says what it means. */
  handleSocketError(error: Error): void {
    this.#socketError = error;
  }

  /** The connection has ended. */
  handleClose(code: number, reason: string, now: Instant): void {
    if (this.#state === "closed") return;
    const detail = this.#redactor.detail(reason);
    const wasOpened = this.#state !== "connecting" || code !== 1006;
    const error = wasOpened
      ? closedByServer(code, detail)
      : connectFailure(this.#host, this.#socketError);
    this.#fail(error, now, { code, reason: detail });
  }

  handleTimeout(now: Instant): void {
    const dueAt = this.nextTimeout;
    if (dueAt === undefined || elapsedMs(dueAt, now) < 0) return;
    const { connectTimeoutMs, sessionUpdateTimeoutMs, stallTimeoutMs } = this.#settings;
    if (this.#state === "connecting") {
      this.fail(connectTimeout(this.#host, connectTimeoutMs), now);
    } else if (this.#state === "updating") {
      this.fail(stalled("session.updated", sessionUpdateTimeoutMs, this.#lastEvent), now);
    } else {
      this.fail(stalled("a response", stallTimeoutMs, this.#lastEvent), now);
    }
  }

  /** Caller audio; sent in blocks once the session is ready. */
  appendAudio(samples: Int16Array, now: Instant): void {
    if (this.#state === "closed") return;
    this.#input.write(samples, this.#state === "ready", (base64, bytes) => {
      this.#sendAppend(base64, bytes, now);
    });
  }

  /** Says how much of an item was heard: whole ms, never more than was received of it. */
  truncate(itemId: string, playedMs: number, now: Instant): void {
    const item = this.#conversation.audio.item(itemId);
    if (item === undefined || this.#state !== "ready") return;
    const receivedMs = Math.floor(item.receivedSamples / this.#input.samplesPerMs);
    const audioEndMs = Math.max(0, Math.min(Math.floor(playedMs), receivedMs));
    this.#send(truncateItem(this.#eventId(), itemId, item.contentIndex, audioEndMs), now);
  }

  /** Ends a response that is being made; does nothing where it is not. */
  cancelResponse(responseId: string, now: Instant): void {
    if (!this.#conversation.audio.isLive(responseId) || this.#state !== "ready") return;
    this.#conversation.audio.cancel(responseId);
    this.#send(responseCancel(this.#eventId(), responseId), now);
  }

  /** Answers a tool call; see `ResponseGate` for when a response is asked for. */
  sendToolResult(callId: string, result: string, respond: boolean, now: Instant): void {
    if (this.#state !== "ready") return;
    this.#send(functionCallOutput(this.#eventId(), callId, result), now);
    this.#conversation.gate.handleToolAnswer(callId, respond);
    this.#requestResponse(now);
  }

  /** Asks for a response, as soon as one may be asked for. */
  requestResponse(instructions: string | undefined, now: Instant): void {
    if (this.#state === "closed") return;
    this.#conversation.gate.want({
      isForTools: false,
      ...(instructions === undefined ? {} : { instructions }),
    });
    this.#requestResponse(now);
  }

  /** Ends the session from our side. */
  close(now: Instant): void {
    if (this.#state === "closed") return;
    this.#close({ code: 1000, reason: "" }, now);
  }

  /** Ends the session because of a fault that the pump or this engine found. */
  fail(error: SidetoneError, now: Instant): void {
    if (this.#state !== "closed") this.#fail(error, now, { code: 1006, reason: error.code });
  }

  #handleEvent(kind: ServerEventKind, event: JsonObject, now: Instant): boolean {
    if (kind === "sessionCreated") return this.#onSessionCreated(now);
    if (kind === "sessionUpdated") return this.#onSessionUpdated(event, now);
    if (kind === "error") return this.#onError(event, now);
    return this.#conversation.handle(kind, event, now);
  }

  #onSessionCreated(now: Instant): boolean {
    if (this.#state !== "connecting") return true;
    this.#state = "updating";
    this.#since = now;
    this.#send(sessionUpdate(this.#eventId(), this.#settings), now);
    return true;
  }

  #onSessionUpdated(event: JsonObject, now: Instant): boolean {
    const session = objectField(event, "session");
    if (session === undefined) return false;
    const effective = effectiveSession(session, this.#settings);
    this.#conversation.interruptsResponse = effective.interruptsResponse;
    if (effective.mismatch !== undefined) {
      this.fail(effective.mismatch, now);
    } else if (this.#state === "updating") {
      this.#state = "ready";
      this.#emit({ type: "ready" }, now);
      this.appendAudio(new Int16Array(0), now);
    }
    return true;
  }

  #onError(event: JsonObject, now: Instant): boolean {
    const error = objectField(event, "error");
    if (error === undefined) return false;
    const code = textField(error, "code") ?? textField(error, "type") ?? "unknown";
    const providerCode = this.#redactor.detail(code);
    if (providerCode === "response_cancel_not_active") return true;
    if (providerCode === "conversation_already_has_active_response") {
      this.#refusedRequests += 1;
      this.#conversation.gate.handleRefused();
    } else if (isAboutCredentials(providerCode)) {
      this.#fail(unauthorized(this.#host, providerCode), now, { code: 1008, reason: providerCode });
    } else if (this.#state === "ready") {
      this.#onSessionError(providerCode, error, now);
    } else {
      const detail = this.#redactor.detail(textField(error, "message") ?? "");
      const isOurs = textField(error, "type") === "invalid_request_error";
      const failure = isOurs ? settingsRejected : providerFailed;
      this.fail(failure(providerCode, detail), now);
    }
    return true;
  }

  /** The session goes on; what failed was one of our requests, or the server itself. */
  #onSessionError(providerCode: string, error: JsonObject, now: Instant): void {
    const eventId = textField(error, "event_id");
    if (eventId !== undefined && eventId === this.#requestEventId) {
      this.#conversation.gate.handleFailed();
    }
    const code = "ERR_AI_PROVIDER_ERROR";
    const detail = this.#redactor.detail(textField(error, "message") ?? "");
    const message = `The AI server reported ${providerCode}: ${detail}`;
    this.#emit({ type: "error", code, message, fatal: false, providerCode }, now);
    if (providerCode === "session_expired") this.#emit({ type: "goingAway", timeLeftMs: 0 }, now);
  }

  #requestResponse(now: Instant): void {
    if (this.#state !== "ready") return;
    const request = this.#conversation.gate.take();
    if (request === undefined) return;
    this.#requestEventId = this.#eventId();
    this.#lastNewsAt = now;
    this.#send(responseCreate(this.#requestEventId, request.instructions), now);
  }

  #noteMalformed(what: string, now: Instant): void {
    this.#malformedEvents += 1;
    if (this.#malformedEvents > MALFORMED_REPORTS_MAX) return;
    const message = `The AI server sent ${what}; it was ignored. See ai.jsonl.`;
    this.#emit({ type: "error", code: "ERR_AI_EVENT_MALFORMED", message, fatal: false }, now);
  }

  #fail(error: SidetoneError, now: Instant, end: { code: number; reason: string }): void {
    const { code, message } = error;
    this.#emit({ type: "error", code, message, fatal: true, error }, now);
    this.#close(end, now);
  }

  #close(end: { code: number; reason: string }, now: Instant): void {
    this.#state = "closed";
    this.#emit({ type: "closed", ...end }, now);
    this.#outputs.push({ kind: "close" });
  }

  #emit(event: AiEvent, arrivedAt: Instant): void {
    this.#outputs.push({ kind: "event", event, arrivedAt });
  }

  #send(event: JsonObject, now: Instant): void {
    this.#outputs.push({ kind: "send", text: JSON.stringify(event) });
    this.#trace(event, "sent", now);
  }

  /** As `#send`, for the one message that there are fifty of in a second. */
  #sendAppend(base64: string, bytes: number, at: Instant): void {
    const text = `{"type":"input_audio_buffer.append","audio":"${base64}"}`;
    this.#outputs.push({ kind: "send", text });
    if (!this.isTraced) return;
    const json = `{"type":"input_audio_buffer.append","audio":{"bytes":${bytes}}}`;
    this.#outputs.push({ kind: "wire", json, direction: "sent", at });
  }

  #trace(event: JsonObject, direction: WireDirection, at: Instant): void {
    if (!this.isTraced) return;
    this.#outputs.push({ kind: "wire", json: this.#redactor.message(event), direction, at });
  }

  #eventId(): string {
    this.#eventCount += 1;
    return `sidetone_${this.#eventCount}`;
  }
}

function audioFieldsOf(event: JsonObject): readonly string[] {
  const type = textField(event, "type") ?? "";
  return serverEventKind(type) === "audioDelta" ? ["audio", "delta"] : ["audio"];
}
