import { after, type Clock } from "../environment/index.ts";

/** Peers decide how much comes; the newest are kept. */
const ITEMS_MAX = 10_000;

/** What an agent told of one kind, in order, and a way to wait for more. */
export class EventList<Item> {
  readonly #clock: Clock;
  readonly #items: Item[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): readonly Item[] {
    return this.#items;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > ITEMS_MAX) this.#items.shift();
    for (const listener of this.#listeners) listener();
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Resolves once `isSettled`, or after `limitMs`. */
  when(isSettled: (items: readonly Item[]) => boolean, limitMs: number): Promise<void> {
    if (isSettled(this.#items)) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#listeners.delete(listener);
        resolve();
      };
      const listener = (): void => {
        if (isSettled(this.#items)) finish();
      };
      const timer = this.#clock.setTimer(after(this.#clock.now(), limitMs), finish);
      this.#listeners.add(listener);
    });
  }
}
