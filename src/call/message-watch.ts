import type { Clock } from "../environment/index.ts";
import type { ReceivedMessage } from "../sip/index.ts";
import { EventList } from "./event-list.ts";

/** The texts that came to an agent outside of calls (RFC 3428), as the run sees them. */
export class MessageWatch {
  readonly #events: EventList<ReceivedMessage>;

  constructor(clock: Clock) {
    this.#events = new EventList(clock);
  }

  /** All that came so far, in order. */
  get received(): readonly ReceivedMessage[] {
    return this.#events.all;
  }

  handle(message: ReceivedMessage): void {
    this.#events.add(message);
  }

  /** The first one that matches; `undefined` where it did not come within `limitMs` of now. */
  async whenReceived(
    matches: (message: ReceivedMessage) => boolean,
    limitMs: number,
  ): Promise<ReceivedMessage | undefined> {
    await this.#events.when((messages) => messages.some(matches), limitMs);
    return this.received.find(matches);
  }
}
