import type { MessageSocket } from "../../environment/index.ts";
import type { EphemeralToken } from "./ephemeral-token.ts";
import type { TokenCache } from "./token-cache.ts";
import { type OpenWith, TokenSocket } from "./token-socket.ts";

/** What a session proves itself with: a key, or tokens, a fresh one whenever needed. */
export class SessionCredentials {
  /** All that have been used, for whoever keeps them out of what is written down. */
  readonly known: string[];
  readonly #cache: TokenCache | undefined;
  #token: EphemeralToken | undefined;

  /** @param apiKey used where there are no tokens. */
  constructor(apiKey: string | undefined, cache: TokenCache | undefined) {
    this.known = apiKey === undefined || apiKey === "" ? [] : [apiKey];
    this.#cache = cache;
  }

  /** Opens a connection; further ones belong to the same session. */
  connect(openWith: OpenWith): MessageSocket {
    if (this.#cache === undefined) return openWith(this.known[0] ?? "");
    return new TokenSocket({
      cache: this.#cache,
      openWith,
      own: this.#token,
      onToken: (token) => {
        this.#token = token;
        if (!this.known.includes(token.value)) this.known.push(token.value);
      },
    });
  }
}
