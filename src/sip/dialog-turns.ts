/**
 * One request of ours at a time within a dialog, BYE apart. Over UDP, a request that is repeated
 * may be overtaken by the next one, and then the peer has to refuse it with 500 (RFC 3261 §12.2.2).
 */
export class DialogTurns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;
  #isClosed = false;

  /** Calls `start` when it is its turn, maybe at once. It has to `release` when it is answered. */
  take(start: () => void): void {
    if (this.#isClosed) return;
    if (this.#isTaken) {
      this.#waiting.push(start);
      return;
    }
    this.#isTaken = true;
    start();
  }

  /**
   * Nothing is started any more: our BYE is sent, and what follows might overtake it, so that the
   * peer would refuse the BYE and stay in the call.
   */
  close(): void {
    this.#isClosed = true;
  }

  /** The request that was started last has got its final response, or needs none. */
  release(): void {
    this.#isTaken = false;
    const next = this.#waiting.shift();
    if (next !== undefined) this.take(next);
  }
}
