/** What did not hold of a client's conversation with the server. Its message names the check. */
class CheckFailed extends Error {}

/** @throws CheckFailed where it does not hold. */
export function check(name: string, holds: boolean, seen?: unknown): void {
  if (holds) return;
  throw new CheckFailed(`${name}${seen === undefined ? "" : `: ${JSON.stringify(seen)}`}`);
}

/** What a client told, in order, and a way to wait for more. */
export class Watch<Event> {
  readonly events: Event[] = [];
  readonly #limitMs: number;
  readonly #waiting: (() => void)[] = [];
  #failure: Error | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  readonly note = (event: Event): void => {
    this.events.push(event);
    this.#wake();
  };

  /** Ends every wait, now and later. */
  readonly fail = (error: Error): void => {
    this.#failure ??= error;
    this.#wake();
  };

  /**
   * The first event from number `from` on that is meant.
   * @throws CheckFailed naming the check where none comes in time.
   */
  async until(
    name: string,
    isMeant: (event: Event) => boolean,
    from = 0,
    limitMs = this.#limitMs,
  ): Promise<Event> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, limitMs);
    try {
      for (;;) {
        const found = this.events.slice(from).find(isMeant);
        if (found !== undefined) return found;
        if (this.#failure !== undefined) throw this.#failure;
        check(name, !isLate, "it did not come");
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
