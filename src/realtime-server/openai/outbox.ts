import { messageWith } from "../engine/fault-effects.ts";
import type { Faults } from "../engine/faults.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { SessionOutput } from "../engine/session-output.ts";
import type { Ids, ProtocolError, ServerMessage } from "./wire.ts";

/** What waits to be sent. */
export class Outbox {
  readonly #ids: Ids;
  #outputs: SessionOutput[] = [];
  #next = 0;
  #isClosed = false;

  readonly #faults: () => Faults;

  constructor(ids: Ids, faults: () => Faults = () => ({})) {
    this.#ids = ids;
    this.#faults = faults;
  }

  /** Queues an event of the protocol. */
  readonly emit = (message: ServerMessage): void => {
    const { type, ...fields } = message;
    if (messageWith(message, this.#faults()) === undefined) {
      this.tellTruth({ type: "faultInjected", fault: "withheld" });
      return;
    }
    const text = JSON.stringify({ type, event_id: this.#ids.next("event"), ...fields });
    this.#outputs.push({ kind: "message", text });
  };

  /** Queues a truth; to be told before the message that it is about. */
  readonly tellTruth = (draft: ServerEventDraft): void => {
    this.#outputs.push({ kind: "truth", draft });
  };

  /** Queues an `error` event. `eventId`: the id that the client gave its event. */
  emitError(error: ProtocolError, eventId: unknown): void {
    const { code, message, param } = error;
    this.tellTruth({ type: "errorSent", code });
    this.emit({
      type: "error",
      error: {
        type: "invalid_request_error",
        code,
        message,
        param,
        event_id: typeof eventId === "string" ? eventId : null,
      },
    });
  }

  /** Whether the end of the connection was queued. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(code: number, reason: string): void {
    this.#isClosed = true;
    this.#outputs.push({ kind: "close", code, reason });
  }

  /** Removes and returns the oldest output. */
  take(): SessionOutput | undefined {
    const output = this.#outputs[this.#next];
    if (output === undefined) {
      this.#outputs = [];
      this.#next = 0;
      return undefined;
    }
    this.#next += 1;
    return output;
  }
}
