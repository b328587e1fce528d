import type { Instant, MessageSocket, MessageSocketState } from "../../environment/index.ts";
import type { EphemeralToken } from "./ephemeral-token.ts";
import type { TokenCache } from "./token-cache.ts";

/** Opens a connection with a credential. */
export type OpenWith = (credential: string) => MessageSocket;

/** Refused: the HTTP status of an upgrade, or policy (RFC 6455 §7.4.1) as Gemini says it. */
const REFUSED_STATUSES: ReadonlySet<unknown> = new Set([401, 403]);
const REFUSED_CLOSE = 1008;

/**
 * A connection that needs a token first. It looks like any other that takes its time to open; a
 * token that is refused before the server has said anything is replaced by another one, once.
 */
export class TokenSocket implements MessageSocket {
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly #cache: TokenCache;
  readonly #openWith: OpenWith;
  readonly #onToken: (token: EphemeralToken) => void;
  /** Sent before the server's first message: to be said again with another token. */
  readonly #preamble: string[] = [];
  #socket: MessageSocket | undefined;
  #hasSpoken = false;
  #isEnded = false;
  #mayRetry = true;

  constructor(options: {
    readonly cache: TokenCache;
    readonly openWith: OpenWith;
    /** The token of the session so far, where it goes on. */
    readonly own: EphemeralToken | undefined;
    readonly onToken: (token: EphemeralToken) => void;
  }) {
    this.#cache = options.cache;
    this.#openWith = options.openWith;
    this.#onToken = options.onToken;
    void this.#open(options.own);
  }

  get state(): MessageSocketState {
    if (this.#isEnded) return "closed";
    return this.#socket?.state ?? "connecting";
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  send(text: string): void {
    if (!this.#hasSpoken) this.#preamble.push(text);
    this.#socket?.send(text);
  }

  close(code?: number, reason?: string): void {
    if (this.#socket === undefined) this.#end(1006, "");
    else this.#socket.close(code, reason);
  }

  terminate(): void {
    if (this.#socket === undefined) this.#end(1006, "");
    else this.#socket.terminate();
  }

  async #open(own: EphemeralToken | undefined): Promise<void> {
    let token: EphemeralToken;
    try {
      token = await this.#cache.take(own);
    } catch (error) {
      if (this.#isEnded) return;
      this.onError?.(error as Error);
      this.#end(1006, "");
      return;
    }
    if (this.#isEnded) return;
    this.#onToken(token);
    this.#listenTo(this.#openWith(token.value), token);
  }

  #listenTo(socket: MessageSocket, token: EphemeralToken): void {
    this.#socket = socket;
    let refused: unknown;
    socket.onOpen = () => {
      if (this.#preamble.length === 0) this.onOpen?.();
      else for (const text of this.#preamble) socket.send(text);
    };
    socket.onMessage = (text, arrivedAt) => {
      this.#hasSpoken = true;
      this.#preamble.length = 0;
      this.onMessage?.(text, arrivedAt);
    };
    socket.onError = (error) => {
      refused = (error as { readonly statusCode?: unknown }).statusCode;
      if (!this.#wouldRetry(refused, undefined)) this.onError?.(error);
    };
    socket.onClose = (code, reason) => {
      if (this.#wouldRetry(refused, code)) this.#retry(token);
      else this.#end(code, reason);
    };
  }

  #wouldRetry(status: unknown, closeCode: number | undefined): boolean {
    const isRefused = REFUSED_STATUSES.has(status) || closeCode === REFUSED_CLOSE;
    return isRefused && this.#mayRetry && !this.#hasSpoken && !this.#isEnded;
  }

  #retry(token: EphemeralToken): void {
    this.#mayRetry = false;
    this.#socket = undefined;
    this.#cache.handleRefused(token);
    void this.#open(undefined);
  }

  #end(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.onClose?.(code, reason);
  }
}
