import type { Clock } from "../environment/index.ts";
import { EventList } from "./event-list.ts";

/** What an address of our small registrar was bound to, at a REGISTER. Plain data. */
export interface BindingsEvent {
  /** "sip:bot@127.0.0.1", in small letters. */
  readonly aor: string;
  /** The Contacts, newest last; none where it was taken back. */
  readonly contacts: readonly string[];
}

/** Who is registered at an agent that is a registrar, as the run sees it. */
export class BindingsWatch {
  readonly #events: EventList<BindingsEvent>;

  constructor(clock: Clock) {
    this.#events = new EventList(clock);
  }

  handle(event: BindingsEvent): void {
    this.#events.add(event);
  }

  /** Where this user can be reached by now: the newest Contact, if it has one. */
  contactOf(user: string): string | undefined {
    const named = `sip:${user.toLowerCase()}@`;
    return this.#events.all.findLast(({ aor }) => aor.startsWith(named))?.contacts.at(-1);
  }

  /** The same, once there is one; `undefined` where there is none within `limitMs` of now. */
  async whenBound(user: string, limitMs: number): Promise<string | undefined> {
    await this.#events.when(() => this.contactOf(user) !== undefined, limitMs);
    return this.contactOf(user);
  }
}
