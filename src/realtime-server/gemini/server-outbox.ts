import { messageWith } from "../engine/fault-effects.ts";
import type { Faults } from "../engine/faults.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { SessionOutput } from "../engine/session-output.ts";

/** What waits to be sent: each message one JSON object, in a binary frame as the provider does. */
export class ServerOutbox {
  #outputs: SessionOutput[] = [];
  #next = 0;
  #isClosed = false;

  readonly #faults: () => Faults;

  constructor(faults: () => Faults = () => ({})) {
    this.#faults = faults;
  }

  /** Queues a message of the protocol. */
  readonly emit = (message: Readonly<Record<string, unknown>>): void => {
    const left = messageWith(message, this.#faults());
    if (left !== message) this.tellTruth({ type: "faultInjected", fault: "withheld" });
    if (left === undefined) return;
    this.#outputs.push({ kind: "message", text: JSON.stringify(left), frame: "binary" });
  };

  /** Queues a truth; to be told before the message that it is about. */
  readonly tellTruth = (draft: ServerEventDraft): void => {
    this.#outputs.push({ kind: "truth", draft });
  };

  /** Whether the end of the connection was queued. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
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
