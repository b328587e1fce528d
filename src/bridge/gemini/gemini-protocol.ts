import { after, elapsedMs, type Instant, type SidetoneError } from "../../environment/index.ts";
import { CallerAudioQueue } from "../provider/caller-audio-queue.ts";
import { type JsonObject, objectField, parseObject, textField } from "../provider/json-fields.ts";
import { ProtocolOutbox, type SessionEnd } from "../provider/protocol-outbox.ts";
import type { ProtocolOutput, ProviderProtocol } from "../provider/provider-protocol.ts";
import { isWorthAnotherTry } from "../provider/reconnection.ts";
import { Redactor } from "../provider/redaction.ts";
import {
  closedByServer,
  connectFailure,
  connectTimeout,
  formatMismatch,
  stalled,
} from "../provider/session-errors.ts";
import { setupMessage, textTurn, toolResponse } from "./client-messages.ts";
import { closeFailure } from "./close-codes.ts";
import type { GeminiSettings } from "./gemini-options.ts";
import { GeminiTurns } from "./gemini-turns.ts";
import { Resumption } from "./resumption.ts";
import { durationMs, textListField } from "./server-fields.ts";

/** What the engine saw and threw away. */
export type GeminiCounts = {
  readonly malformedEvents: number;
  readonly unknownEvents: number;
  readonly stragglerDeltas: number;
  readonly halfSamples: number;
  readonly droppedInputSamples: number;
  readonly reconnections: number;
};

type State = "connecting" | "settingUp" | "ready" | "waiting" | "closed";

/** RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;
const GREETING = "The caller is on the line. Greet the caller.";

/**
 * The Gemini Live protocol, client side; see `ProviderProtocol`.
 *
 * connecting ─ open ► settingUp ─ setupComplete ► ready. A connection that is lost, or announced to
 * end, is followed by another one where the server gave a handle for that: ready ► waiting ►
 * connecting. Caller audio waits meanwhile. It knows nothing of the call, and not what was played.
 */
export class GeminiProtocol implements ProviderProtocol {
  readonly #settings: GeminiSettings;
  readonly #host: string;
  readonly #redactor: Redactor;
  readonly #turns: GeminiTurns;
  readonly #input: CallerAudioQueue;
  readonly #resumption: Resumption;
  readonly #outbox: ProtocolOutbox;
  #state: State = "connecting";
  #since: Instant;
  #lastNewsAt: Instant;
  #lastEvent = "none";
  #socketError: Error | undefined;
  #isOwedResponse = false;
  #wasReady = false;
  /** Audio sent over earlier connections: the server counts anew with each. */
  #audioBaseMs = 0;
  #unknownEvents = 0;

  readonly #handlers: Readonly<Record<string, (value: JsonObject, now: Instant) => boolean>> = {
    setupComplete: (_value, now) => this.#onSetupComplete(now),
    serverContent: (value, now) => this.#onContent(value, now),
    toolCall: (value, now) => this.#onToolCall(value, now),
    toolCallCancellation: (value, now) => this.#onCancellation(value, now),
    usageMetadata: (value, now) => this.#onUsage(value, now),
    voiceActivity: (value, now) => this.#onVoiceActivity(value, now),
    sessionResumptionUpdate: (value) => this.#onResumptionUpdate(value),
    goAway: (value, now) => this.#onGoAway(value, now),
  };

  constructor(settings: GeminiSettings, startedAt: Instant) {
    this.#settings = settings;
    this.#host = new URL(settings.url).host;
    this.#redactor = new Redactor(settings.credentials.known, () => ["data"]);
    this.#outbox = new ProtocolOutbox(this.#redactor);
    this.#turns = new GeminiTurns(settings.output, (event, now) => this.#outbox.emit(event, now));
    this.#input = new CallerAudioQueue(settings);
    this.#resumption = new Resumption(settings.resumeAttemptsMax);
    this.#since = startedAt;
    this.#lastNewsAt = startedAt;
  }

  get isTraced(): boolean {
    return this.#outbox.isTraced;
  }

  set isTraced(isTraced: boolean) {
    this.#outbox.isTraced = isTraced;
  }

  get sentAudioMs(): number {
    return this.#input.sentMs;
  }

  get counts(): GeminiCounts {
    return {
      malformedEvents: this.#outbox.malformedEvents,
      unknownEvents: this.#unknownEvents,
      stragglerDeltas: this.#turns.stragglers,
      halfSamples: this.#turns.halfSamples,
      droppedInputSamples: this.#input.droppedSamples,
      reconnections: this.#resumption.reconnections,
    };
  }

  get nextTimeout(): Instant | undefined {
    const { connectTimeoutMs, setupTimeoutMs } = this.#settings;
    if (this.#state === "connecting") return after(this.#since, connectTimeoutMs);
    if (this.#state === "settingUp") return after(this.#since, setupTimeoutMs);
    if (this.#state === "waiting") return this.#since;
    return this.#state === "ready" ? this.#readyTimeout : undefined;
  }

  takeOutput(): ProtocolOutput | undefined {
    return this.#outbox.take();
  }

  handleOpen(now: Instant): void {
    if (this.#state !== "connecting") return;
    this.#state = "settingUp";
    this.#since = now;
    this.#outbox.send(setupMessage(this.#settings, this.#resumption.handle), now);
  }

  handleMessage(text: string, now: Instant): void {
    if (this.#state === "closed" || this.#state === "waiting") return;
    this.#lastNewsAt = now;
    const message = parseObject(text);
    if (message === undefined) {
      this.#outbox.traceMalformed(text, now);
      this.#outbox.noteMalformed("a message that is no JSON object", now);
      return;
    }
    this.#outbox.trace(message, "received", now, this.#turns.places());
    for (const field of Object.keys(message)) this.#handleField(field, message, now);
    this.#leaveWhereIdle(now);
  }

  handleSocketError(error: Error): void {
    this.#socketError = error;
  }

  handleClose(code: number, reason: string, now: Instant): void {
    if (this.#state === "closed" || this.#state === "waiting") return;
    const detail = this.#redactor.detail(reason);
    const wasOpened = this.#state !== "connecting" || code !== 1006;
    if (isWorthAnotherTry(code, this.#socketError) && this.#tryAgain(code, now)) return;
    const failure = wasOpened
      ? closeFailure({ host: this.#host, code, detail, wasReady: this.#wasReady })
      : connectFailure(this.#host, this.#socketError);
    this.#end({ code, reason: detail }, failure, now);
  }

  handleTimeout(now: Instant): void {
    const dueAt = this.nextTimeout;
    if (dueAt === undefined || elapsedMs(dueAt, now) < 0) return;
    const { connectTimeoutMs, setupTimeoutMs, stallTimeoutMs } = this.#settings;
    if (this.#state === "waiting") this.#connect(now);
    else if (this.#state === "connecting") {
      if (!this.#tryAgain(1006, now)) this.fail(connectTimeout(this.#host, connectTimeoutMs), now);
    } else if (this.#state === "settingUp") {
      if (!this.#tryAgain(1006, now)) {
        this.fail(stalled("setupComplete", setupTimeoutMs, this.#lastEvent), now);
      }
    } else if (this.#resumption.leaveBy !== undefined && this.#resumption.leaveBy <= now) {
      this.#leave("The server ended the connection.", now);
    } else this.fail(stalled("a response", stallTimeoutMs, this.#lastEvent), now);
  }

  appendAudio(samples: Int16Array, now: Instant): void {
    if (this.#state === "closed") return;
    this.#input.write(samples, this.#state === "ready", (base64, bytes) => {
      this.#sendAudio(base64, bytes, now);
    });
  }

  /** Gemini cuts its own history, at its own estimate of what was heard. */
  truncate(): void {}

  /** Gemini takes no such request: what still comes of the response is thrown away. */
  cancelResponse(responseId: string, now: Instant): void {
    this.#turns.cancel(responseId, now);
  }

  sendToolResult(id: string, result: string, respond: boolean, now: Instant): void {
    const name = this.#turns.takeCall(id);
    if (name === undefined || this.#state !== "ready") return;
    this.#outbox.send(toolResponse(id, name, result), now);
    this.#isOwedResponse ||= respond;
    this.#lastNewsAt = now;
  }

  requestResponse(instructions: string | undefined, now: Instant): void {
    if (this.#state !== "ready") return;
    this.#outbox.send(textTurn(instructions ?? GREETING), now);
    this.#isOwedResponse = true;
    this.#lastNewsAt = now;
  }

  close(now: Instant): void {
    if (this.#state !== "closed") this.#end({ code: 1000, reason: "" }, undefined, now);
  }

  fail(error: SidetoneError, now: Instant): void {
    if (this.#state !== "closed") this.#end({ code: 1006, reason: error.code }, error, now);
  }

  get #readyTimeout(): Instant | undefined {
    const { leaveBy } = this.#resumption;
    if (!this.#isAwaiting) return leaveBy;
    const stallAt = after(this.#lastNewsAt, this.#settings.stallTimeoutMs);
    return leaveBy === undefined || stallAt < leaveBy ? stallAt : leaveBy;
  }

  get #isAwaiting(): boolean {
    return this.#isOwedResponse || this.#turns.isGenerating;
  }

  #handleField(field: string, message: JsonObject, now: Instant): void {
    // `message` may end the session half-way.
    if (this.#state === "closed") return;
    const handler = Object.hasOwn(this.#handlers, field) ? this.#handlers[field] : undefined;
    if (handler === undefined) {
      this.#unknownEvents += 1;
      return;
    }
    this.#lastEvent = field;
    const value = objectField(message, field);
    const isComplete = value !== undefined && handler(value, now);
    if (!isComplete) this.#outbox.noteMalformed(`an incomplete ${field}`, now);
  }

  #onSetupComplete(now: Instant): boolean {
    if (this.#state !== "settingUp") return true;
    this.#state = "ready";
    this.#resumption.handleReady();
    this.#outbox.emit({ type: this.#wasReady ? "resumed" : "ready" }, now);
    this.#wasReady = true;
    this.#audioBaseMs = this.#input.sentMs;
    this.appendAudio(new Int16Array(0), now);
    return true;
  }

  #onContent(content: JsonObject, now: Instant): boolean {
    const mismatch = this.#turns.handleContent(content, now);
    if (mismatch !== undefined) {
      const asked = { type: "audio/pcm", ...this.#settings.output };
      this.fail(formatMismatch("output", mismatch.mimeType, asked), now);
    }
    // Empty ones are common, and end no wait.
    const isNews = ["modelTurn", "interrupted", "turnComplete", "generationComplete"].some(
      (field) => content[field] !== undefined,
    );
    if (isNews) this.#isOwedResponse = false;
    return true;
  }

  #onToolCall(toolCall: JsonObject, now: Instant): boolean {
    this.#isOwedResponse = false;
    return this.#turns.handleToolCall(toolCall, now);
  }

  #onCancellation(cancellation: JsonObject, now: Instant): boolean {
    const ids = textListField(cancellation, "ids");
    for (const id of ids) {
      // An answer to it is not wanted any more.
      this.#turns.takeCall(id);
      this.#outbox.emit({ type: "toolCancelled", id }, now);
    }
    return ids.length > 0;
  }

  #onUsage(usage: JsonObject, now: Instant): boolean {
    this.#turns.handleUsage(usage, now);
    return true;
  }

  /** The SDK's types call the field `voiceActivityType`, the server `type`. */
  #onVoiceActivity(activity: JsonObject, now: Instant): boolean {
    const type = textField(activity, "type") ?? textField(activity, "voiceActivityType");
    const offsetMs = durationMs(textField(activity, "audioOffset"));
    const audioMs = this.#audioBaseMs + (offsetMs ?? this.#input.sentMs - this.#audioBaseMs);
    if (type === "ACTIVITY_START") this.#outbox.emit({ type: "callerSpeechStarted", audioMs }, now);
    else if (type === "ACTIVITY_END")
      this.#outbox.emit({ type: "callerSpeechStopped", audioMs }, now);
    else return false;
    return true;
  }

  #onResumptionUpdate(update: JsonObject): boolean {
    this.#resumption.handleUpdate(textField(update, "newHandle"), update["resumable"] === true);
    return true;
  }

  #onGoAway(goAway: JsonObject, now: Instant): boolean {
    const timeLeftMs = durationMs(textField(goAway, "timeLeft"));
    this.#outbox.emit(
      { type: "goingAway", ...(timeLeftMs === undefined ? {} : { timeLeftMs }) },
      now,
    );
    this.#resumption.handleGoAway(timeLeftMs ?? 0, now);
    return true;
  }

  /** Between turns, nothing is lost when the connection is changed. */
  #leaveWhereIdle(now: Instant): void {
    const isIdle = !this.#turns.isInTurn && !this.#isAwaiting;
    if (this.#state === "ready" && this.#resumption.leaveBy !== undefined && isIdle) {
      this.#leave("", now);
    }
  }

  #leave(detail: string, now: Instant): void {
    this.#turns.breakOff(detail, now);
    if (!this.#tryAgain(GOING_AWAY, now)) this.fail(closedByServer(1006, "goAway"), now);
  }

  /** @returns false where the session cannot go on. */
  #tryAgain(code: number, now: Instant): boolean {
    const attemptAt = this.#resumption.nextAttempt(now);
    if (attemptAt === undefined) return false;
    this.#turns.breakOff("The connection was lost.", now);
    const { attempts: attempt } = this.#resumption;
    const inMs = elapsedMs(now, attemptAt);
    this.#outbox.emit({ type: "reconnecting", code, attempt, inMs }, now);
    this.#isOwedResponse = false;
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

  #end(end: SessionEnd, error: SidetoneError | undefined, now: Instant): void {
    this.#state = "closed";
    this.#outbox.close(end, error, now);
  }

  #sendAudio(base64: string, bytes: number, at: Instant): void {
    const mimeType = `audio/pcm;rate=${this.#settings.input.sampleRateHz}`;
    this.#outbox.sendAudio(
      `{"realtimeInput":{"audio":{"data":"${base64}","mimeType":"${mimeType}"}}}`,
      () => {
        const data = JSON.stringify({ bytes, ...this.#input.lastBlock });
        return `{"realtimeInput":{"audio":{"data":${data},"mimeType":"${mimeType}"}}}`;
      },
      at,
    );
  }
}
