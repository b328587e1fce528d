import { after, type Clock, RemoteError } from "../environment/index.ts";
import type { RegistrationEvent } from "../sip/index.ts";

/** What became of an agent's registration, as the run sees it. */
export class RegistrationWatch {
  readonly #clock: Clock;
  readonly #events: RegistrationEvent[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All that happened so far, in order. */
  get events(): readonly RegistrationEvent[] {
    return this.#events;
  }

  handle(event: RegistrationEvent): void {
    this.#events.push(event);
    for (const listener of this.#listeners) listener();
  }

  /** A new registration begins: what happened to the former no longer counts. */
  begin(): void {
    this.#events.length = 0;
  }

  /**
   * Waits until it is registered.
   * @throws RemoteError: the code of the last failure, else ERR_SIP_REGISTRATION_FAILED, where it is
   *   refused for good, or not registered in time.
   */
  async whenRegistered(limitMs: number): Promise<RegistrationEvent> {
    await this.#settled(limitMs);
    const last = this.#events.at(-1);
    if (last?.state === "registered") return last;
    const code = last?.error?.code ?? "ERR_SIP_REGISTRATION_FAILED";
    const reason = last?.error?.message ?? "The registrar has not answered yet.";
    throw new RemoteError(code, `Not registered within ${limitMs} ms. ${reason}`);
  }

  #settled(limitMs: number): Promise<void> {
    const isSettled = (): boolean =>
      ["registered", "refused"].includes(this.#events.at(-1)?.state ?? "");
    if (isSettled()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#listeners.delete(listener);
        resolve();
      };
      const listener = (): void => {
        if (isSettled()) finish();
      };
      const timer = this.#clock.setTimer(after(this.#clock.now(), limitMs), finish);
      this.#listeners.add(listener);
    });
  }
}
