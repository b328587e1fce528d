import { after, elapsedMs, type Instant, type SidetoneError } from "../../environment/index.ts";
import { CallerAudioQueue } from "../provider/caller-audio-queue.ts";
import { type JsonObject, objectField, parseObject, textField } from "../provider/json-fields.ts";
import { ProtocolOutbox, type SessionEnd } from "../provider/protocol-outbox.ts";
import type { ProtocolOutput, ProviderProtocol } from "../provider/provider-protocol.ts";
import { isWorthAnotherTry, Reconnection } from "../provider/reconnection.ts";
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
import { History } from "./history.ts";
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
  readonly reconnections: number;
};

type State = "connecting" | "updating" | "ready" | "waiting" | "closed";

/**
 * The OpenAI Realtime protocol in its dialects (`DIALECTS`), client side.
 *
 * It does no I/O and reads no clock: server messages go in, client messages and neutral events
 * come out of `takeOutput`. Nothing that a server sends makes it throw. It knows nothing of the
 * call, and does not know what was played.
 *
 * connecting ─ session.created ► updating ─ session.updated ► ready; any of them ► closed. Where it
 * may, a lost connection is followed by a new session that is told what was said: ready ► waiting ►
 * connecting.
 */
export class OpenAiProtocol implements ProviderProtocol {
  readonly #settings: OpenAiSettings;
  readonly #host: string;
  readonly #redactor: Redactor;
  #conversation: Conversation;
  readonly #input: CallerAudioQueue;
  readonly #outbox: ProtocolOutbox;
  readonly #history = new History();
  readonly #reconnection: Reconnection;
  #state: State = "connecting";
  #since: Instant;
  #lastNewsAt: Instant;
  #lastEvent = "none";
  #socketError: Error | undefined;
  #eventCount = 0;
  #requestEventId: string | undefined;
  #unknownEvents = 0;
  #refusedRequests = 0;
  /** Of conversations that were lost. */
  #lostCounts = { stragglerDeltas: 0, halfSamples: 0 };
  #wasReady = false;
  /** A response was owed when the connection was lost. */
  #isOwedResponse = false;

  constructor(settings: OpenAiSettings, startedAt: Instant) {
    this.#settings = settings;
    this.#host = new URL(settings.url).host;
    this.#redactor = new Redactor(settings.credentials.known, audioFieldsOf);
    this.#outbox = new ProtocolOutbox(this.#redactor);
    this.#reconnection = new Reconnection(settings.reconnectAttemptsMax);
    this.#conversation = this.#newConversation();
    this.#input = new CallerAudioQueue(settings);
    this.#since = startedAt;
    this.#lastNewsAt = startedAt;
  }

  /** Whether messages are also put out as `wire`, for ai.jsonl. */
  get isTraced(): boolean {
    return this.#outbox.isTraced;
  }

  set isTraced(isTraced: boolean) {
    this.#outbox.isTraced = isTraced;
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
      malformedEvents: this.#outbox.malformedEvents,
      unknownEvents: this.#unknownEvents,
      stragglerDeltas: this.#lostCounts.stragglerDeltas + this.#conversation.audio.stragglerDeltas,
      halfSamples: this.#lostCounts.halfSamples + this.#conversation.audio.halfSamples,
      refusedRequests: this.#refusedRequests,
      droppedInputSamples: this.#input.droppedSamples,
      reconnections: this.#reconnection.total,
    };
  }

  /** When `handleTimeout` is due. */
  get nextTimeout(): Instant | undefined {
    const { connectTimeoutMs, sessionUpdateTimeoutMs, stallTimeoutMs } = this.#settings;
    if (this.#state === "waiting") return this.#since;
    if (this.#state === "connecting") return after(this.#since, connectTimeoutMs);
    if (this.#state === "updating") return after(this.#since, sessionUpdateTimeoutMs);
    const isAwaiting = this.#state === "ready" && this.#conversation.gate.isAwaitingServer;
    return isAwaiting ? after(this.#lastNewsAt, stallTimeoutMs) : undefined;
  }

  /** Removes and returns the oldest output not yet taken. */
  takeOutput(): ProtocolOutput | undefined {
    return this.#outbox.take();
  }

  /** The server speaks first. */
  handleOpen(): void {}

  /** One message of the server. */
  handleMessage(text: string, now: Instant): void {
    if (this.#state === "closed" || this.#state === "waiting") return;
    this.#lastNewsAt = now;
    const event = parseObject(text);
    const type = textField(event, "type");
    if (event === undefined || type === undefined) {
      this.#outbox.traceMalformed(text, now);
      this.#outbox.noteMalformed("a message that is no event", now);
      return;
    }
    this.#outbox.trace(event, "received", now, (bytes) =>
      this.#conversation.audio.place(event, bytes),
    );
    const kind = serverEventKind(type);
    if (kind === undefined) {
      this.#unknownEvents += 1;
      return;
    }
    this.#lastEvent = type;
    const isComplete = this.#handleEvent(kind, event, now);
    if (!isComplete) this.#outbox.noteMalformed(`an incomplete ${type} event`, now);
    this.#requestResponse(now);
  }

  /** Kept for `handleClose`, which says what it means. */
  handleSocketError(error: Error): void {
    this.#socketError = error;
  }

  /** The connection has ended. */
  handleClose(code: number, reason: string, now: Instant): void {
    if (this.#state === "closed" || this.#state === "waiting") return;
    const detail = this.#redactor.detail(reason);
    if (isWorthAnotherTry(code, this.#socketError) && this.#tryAgain(code, now)) return;
    const wasOpened = this.#state !== "connecting" || code !== 1006;
    const error = wasOpened
      ? closedByServer(code, detail)
      : connectFailure(this.#host, this.#socketError);
    this.#end({ code, reason: detail }, error, now);
  }

  handleTimeout(now: Instant): void {
    const dueAt = this.nextTimeout;
    if (dueAt === undefined || elapsedMs(dueAt, now) < 0) return;
    const { connectTimeoutMs, sessionUpdateTimeoutMs, stallTimeoutMs } = this.#settings;
    if (this.#state === "waiting") this.#connect(now);
    else if (this.#state !== "ready" && this.#tryAgain(1006, now)) return;
    else if (this.#state === "connecting") {
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
    this.#outbox.send(truncateItem(this.#eventId(), itemId, item.contentIndex, audioEndMs), now);
  }

  /** Ends a response that is being made; does nothing where it is not. */
  cancelResponse(responseId: string, now: Instant): void {
    if (!this.#conversation.audio.isLive(responseId) || this.#state !== "ready") return;
    this.#conversation.audio.cancel(responseId);
    this.#outbox.send(responseCancel(this.#eventId(), responseId), now);
  }

  /** Answers a tool call; see `ResponseGate` for when a response is asked for. */
  sendToolResult(callId: string, result: string, respond: boolean, now: Instant): void {
    // A call of a session that was lost is not known to the present one.
    if (this.#state !== "ready" || !this.#conversation.gate.isOutstanding(callId)) return;
    this.#outbox.send(functionCallOutput(this.#eventId(), callId, result), now);
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
    if (this.#state !== "closed") this.#end({ code: 1000, reason: "" }, undefined, now);
  }

  /** Ends the session because of a fault that the pump or this engine found. */
  fail(error: SidetoneError, now: Instant): void {
    if (this.#state !== "closed") this.#end({ code: 1006, reason: error.code }, error, now);
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
    this.#outbox.send(sessionUpdate(this.#eventId(), this.#settings), now);
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
      this.#becomeReady(now);
    }
    return true;
  }

  #becomeReady(now: Instant): void {
    this.#state = "ready";
    this.#reconnection.handleReady();
    this.#conversation.audioBaseMs = this.#input.sentMs;
    if (this.#wasReady) {
      const { assistantText } = this.#settings.dialect;
      for (const line of this.#history.messages(() => this.#eventId(), assistantText)) {
        this.#outbox.send(line, now);
      }
      this.#outbox.emit({ type: "resumed", toldLines: this.#history.length }, now);
      if (this.#isOwedResponse) this.#conversation.gate.want({ isForTools: false });
    } else this.#outbox.emit({ type: "ready" }, now);
    this.#wasReady = true;
    this.#isOwedResponse = false;
    this.appendAudio(new Int16Array(0), now);
  }

  /** @returns false where the session cannot go on. One that never was ready does not. */
  #tryAgain(code: number, now: Instant): boolean {
    const attemptAt = this.#wasReady ? this.#reconnection.nextAttempt(now) : undefined;
    if (attemptAt === undefined) return false;
    this.#isOwedResponse ||= this.#conversation.gate.isOwing;
    this.#conversation.breakOff(now);
    const { attempts: attempt } = this.#reconnection;
    const inMs = elapsedMs(now, attemptAt);
    this.#outbox.emit({ type: "reconnecting", code, attempt, inMs }, now);
    const { stragglerDeltas, halfSamples } = this.counts;
    this.#lostCounts = { stragglerDeltas, halfSamples };
    this.#conversation = this.#newConversation();
    this.#state = "waiting";
    this.#since = attemptAt;
    if (attemptAt <= now) this.#connect(now);
    return true;
  }

  #connect(now: Instant): void {
    this.#state = "connecting";
    this.#since = now;
    this.#socketError = undefined;
    this.#outbox.connect();
  }

  #newConversation(): Conversation {
    return new Conversation(this.#redactor, this.#settings.output, (event, now) => {
      if (event.type === "callerTranscript") this.#history.add("user", event.text);
      if (event.type === "botTranscript") this.#history.add("assistant", event.text);
      this.#outbox.emit(event, now);
    });
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
      const failure = unauthorized(this.#host, providerCode);
      this.#end({ code: 1008, reason: providerCode }, failure, now);
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
    this.#outbox.emit({ type: "error", code, message, fatal: false, providerCode }, now);
    if (providerCode === "session_expired")
      this.#outbox.emit({ type: "goingAway", timeLeftMs: 0 }, now);
  }

  #requestResponse(now: Instant): void {
    if (this.#state !== "ready") return;
    const request = this.#conversation.gate.take();
    if (request === undefined) return;
    this.#requestEventId = this.#eventId();
    this.#lastNewsAt = now;
    this.#outbox.send(responseCreate(this.#requestEventId, request.instructions), now);
  }

  #end(end: SessionEnd, error: SidetoneError | undefined, now: Instant): void {
    this.#state = "closed";
    this.#outbox.close(end, error, now);
  }

  #sendAppend(base64: string, bytes: number, at: Instant): void {
    this.#outbox.sendAudio(
      `{"type":"input_audio_buffer.append","audio":"${base64}"}`,
      () => {
        const audio = JSON.stringify({ bytes, ...this.#input.lastBlock });
        return `{"type":"input_audio_buffer.append","audio":${audio}}`;
      },
      at,
    );
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
