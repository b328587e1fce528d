import type { Instant, SidetoneError } from "../../environment/index.ts";
import type { AiEvent, WireDirection } from "../ai-session.ts";
import type { JsonObject } from "./json-fields.ts";
import type { ProtocolOutput } from "./provider-protocol.ts";
import type { AudioPlace, Redactor } from "./redaction.ts";

/** How a session's last connection ended: code and reason of the WebSocket. */
export interface SessionEnd {
  readonly code: number;
  readonly reason: string;
}

/** Malformed messages reported as faults; all are counted. */
const MALFORMED_REPORTS_MAX = 5;

/** What a protocol engine puts out, in order: messages, events, and their written form. */
export class ProtocolOutbox {
  /** Whether messages are also put out as `wire`, for ai.jsonl. */
  isTraced = false;
  readonly #redactor: Redactor;
  readonly #outputs: ProtocolOutput[] = [];
  #malformedEvents = 0;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  get malformedEvents(): number {
    return this.#malformedEvents;
  }

  /** Removes and returns the oldest output not yet taken. */
  take(): ProtocolOutput | undefined {
    return this.#outputs.length === 0 ? undefined : this.#outputs.shift();
  }

  emit(event: AiEvent, arrivedAt: Instant): void {
    this.#outputs.push({ kind: "event", event, arrivedAt });
  }

  send(message: JsonObject, now: Instant): void {
    this.#outputs.push({ kind: "send", text: JSON.stringify(message) });
    this.trace(message, "sent", now);
  }

  /** As `send`, for the one message that there are fifty of in a second; `written` has no audio. */
  sendAudio(text: string, written: () => string, at: Instant): void {
    this.#outputs.push({ kind: "send", text });
    if (!this.isTraced) return;
    this.#outputs.push({ kind: "wire", json: written(), direction: "sent", at });
  }

  trace(message: JsonObject, direction: WireDirection, at: Instant, place?: AudioPlace): void {
    if (!this.isTraced) return;
    const json = this.#redactor.message(message, place);
    this.#outputs.push({ kind: "wire", json, direction, at });
  }

  /** A message that is no JSON object, or not of the protocol's shape. */
  traceMalformed(text: string, at: Instant): void {
    this.trace({ malformed: true, chars: text.length }, "received", at);
  }

  /** @param what "an incomplete response.done event" */
  noteMalformed(what: string, now: Instant): void {
    this.#malformedEvents += 1;
    if (this.#malformedEvents > MALFORMED_REPORTS_MAX) return;
    const message = `The AI server sent ${what}; it was ignored. See ai.jsonl.`;
    this.emit({ type: "error", code: "ERR_AI_EVENT_MALFORMED", message, fatal: false }, now);
  }

  /** Asks for another connection. */
  connect(): void {
    this.#outputs.push({ kind: "connect" });
  }

  /** The last of all: the session is over, because of `error` where there is one. */
  close(end: SessionEnd, error: SidetoneError | undefined, now: Instant): void {
    if (error !== undefined) {
      const { code, message } = error;
      this.emit({ type: "error", code, message, fatal: true, error }, now);
    }
    this.emit({ type: "closed", ...end }, now);
    this.#outputs.push({ kind: "close" });
  }
}
