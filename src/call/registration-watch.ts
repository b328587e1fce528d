import { type Clock, RemoteError } from "../environment/index.ts";
import type { RegistrationEvent } from "../sip/index.ts";
import { EventList } from "./event-list.ts";

/** What became of an agent's registration, as the run sees it. */
export class RegistrationWatch {
  readonly #events: EventList<RegistrationEvent>;

  constructor(clock: Clock) {
    this.#events = new EventList(clock);
  }

  /** All that happened so far, in order. */
  get events(): readonly RegistrationEvent[] {
    return this.#events.all;
  }

  handle(event: RegistrationEvent): void {
    this.#events.add(event);
  }

  /** A new registration begins: what happened to the former no longer counts. */
  begin(): void {
    this.#events.clear();
  }

  /** Waits until one of these states is the present one, or `limitMs` are over. */
  whenIn(
    states: readonly RegistrationEvent["state"][],
    limitMs: number,
  ): Promise<RegistrationEvent | undefined> {
    const present = (): RegistrationEvent | undefined => this.events.at(-1);
    const isIn = (): boolean => states.some((state) => state === present()?.state);
    return this.#events.when(isIn, limitMs).then(present);
  }

  /**
   * Waits until it is registered.
   * @throws RemoteError: the code of the last failure, else ERR_SIP_REGISTRATION_FAILED, where it is
   *   refused for good, or not registered in time.
   */
  async whenRegistered(limitMs: number): Promise<RegistrationEvent> {
    const last = await this.whenIn(["registered", "refused"], limitMs);
    if (last?.state === "registered") return last;
    const code = last?.error?.code ?? "ERR_SIP_REGISTRATION_FAILED";
    const reason = last?.error?.message ?? "The registrar has not answered yet.";
    throw new RemoteError(code, `Not registered within ${limitMs} ms. ${reason}`);
  }
}
