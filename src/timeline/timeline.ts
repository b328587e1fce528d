import { type Clock, elapsedMs, type Instant, type Timer } from "../environment/index.ts";
import type { Fact, FactKind, FactOf } from "./facts.ts";

interface Waiter {
  readonly matches: (fact: Fact) => boolean;
  readonly settle: (fact: Fact | undefined) => void;
}

/**
 * All facts of one call, each once, in the order of their instants.
 *
 * It measures nothing and decides nothing: measurements are pure functions over `facts`.
 */
export class Timeline {
  readonly #facts: Fact[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<(fact: Fact) => void>();
  #closed = false;

  /** All facts so far, ordered by instant. */
  get facts(): readonly Fact[] {
    return this.#facts;
  }

  /** Adds a fact. Facts of several agents may arrive slightly out of order. */
  add(fact: Fact): void {
    let index = this.#facts.length;
    while (index > 0 && elapsedMs(fact.at, (this.#facts[index - 1] as Fact).at) > 0) index -= 1;
    this.#facts.splice(index, 0, fact);
    for (const listener of this.#listeners) listener(fact);
    for (const waiter of this.#waiters) {
      if (waiter.matches(fact)) waiter.settle(fact);
    }
  }

  /** Facts of one kind. */
  of<Kind extends FactKind>(kind: Kind): readonly FactOf<Kind>[] {
    return this.#facts.filter((fact): fact is FactOf<Kind> => fact.kind === kind);
  }

  /** Calls `listener` for each further fact; the result ends that. */
  subscribe(listener: (fact: Fact) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The first fact, past or to come, for which `matches` holds; `undefined` when `deadline` has
   * passed or the timeline was closed before it came.
   */
  waitFor(
    matches: (fact: Fact) => boolean,
    clock: Clock,
    deadline: Instant,
  ): Promise<Fact | undefined> {
    const known = this.#facts.find(matches);
    if (known !== undefined || this.#closed) return Promise.resolve(known);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const waiter: Waiter = {
        matches,
        settle: (fact) => {
          this.#waiters.delete(waiter);
          timer?.cancel();
          resolve(fact);
        },
      };
      this.#waiters.add(waiter);
      timer = clock.setTimer(deadline, () => waiter.settle(undefined));
    });
  }

  /** Facts will come (again): waits last until their deadline. */
  open(): void {
    this.#closed = false;
  }

  /** No further facts will come: ends every wait. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.settle(undefined);
  }
}
