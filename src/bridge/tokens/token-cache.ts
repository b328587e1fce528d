import type { Clock } from "../../environment/index.ts";
import type { EphemeralToken } from "./ephemeral-token.ts";

/** A token that ends sooner than this is not begun with: the handshake takes time, too. */
const MARGIN_MS = 10_000;

/**
 * Has a token at hand for each connection of an agent. One that opens several sessions is used
 * until shortly before it expires, and asked for once where many calls want it at a time; others
 * are asked for anew.
 */
export class TokenCache {
  readonly #mint: () => Promise<EphemeralToken>;
  readonly #clock: Pick<Clock, "wallClockMs">;
  #token: EphemeralToken | undefined;
  #pending: Promise<EphemeralToken> | undefined;

  constructor(mint: () => Promise<EphemeralToken>, clock: Pick<Clock, "wallClockMs">) {
    this.#mint = mint;
    this.#clock = clock;
  }

  /**
   * @param own the token that the session was begun with, where it goes on over another connection.
   * @throws what minting throws.
   */
  take(own?: EphemeralToken): Promise<EphemeralToken> {
    const deadline = this.#clock.wallClockMs() + MARGIN_MS;
    if (own !== undefined && own.usableUntilMs > deadline) return Promise.resolve(own);
    const kept = this.#token;
    if (kept !== undefined && kept.startsUntilMs > deadline) return Promise.resolve(kept);
    this.#token = undefined;
    if (this.#pending !== undefined) return this.#sharePending(this.#pending);
    const pending = this.#mintOne();
    this.#pending = pending;
    return pending;
  }

  /** The server did not accept it, whatever its time: it is not used again. */
  handleRefused(token: EphemeralToken): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #mintOne(): Promise<EphemeralToken> {
    try {
      const token = await this.#mint();
      if (token.isReusable) this.#token = token;
      return token;
    } finally {
      this.#pending = undefined;
    }
  }

  /** Whoever waited for a token that only opens one session needs another one. */
  async #sharePending(pending: Promise<EphemeralToken>): Promise<EphemeralToken> {
    const token = await pending;
    return token.isReusable ? token : this.#mint();
  }
}
