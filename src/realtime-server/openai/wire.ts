import { type Random, randomToken } from "../../environment/index.ts";

/** A message of the server before it gets its `event_id`. */
export interface ServerMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Where messages go. */
export type Emit = (message: ServerMessage) => void;

const ID_LENGTH = 21;
const CALL_ID_LENGTH = 16;

/** Ids as the provider makes them: a prefix and base62. */
export class Ids {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  next(prefix: "event" | "sess" | "conv" | "item" | "resp" | "call" | "ek"): string {
    const length = prefix === "call" ? CALL_ID_LENGTH : ID_LENGTH;
    return `${prefix}_${randomToken(this.#random, length)}`;
  }

  /** Text that hides how long a delta of text is. */
  obfuscation(text: string): string {
    return randomToken(this.#random, 16 - (text.length % 8));
  }
}

/** What the client did wrong, as its `error` event tells it. */
export interface ProtocolError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

/** A protocol error about one parameter. */
export function protocolError(
  code: string,
  message: string,
  param: string | null = null,
): ProtocolError {
  return { code, message, param };
}

/** Tells errors from what was asked for. */
export function isProtocolError(value: object): value is ProtocolError {
  return "code" in value && "param" in value && "message" in value;
}
