import type {
  IncomingResponseMessage,
  OutgoingRequest,
  OutgoingRequestMessage,
} from "sip.js/lib/core/index.js";
import {
  after,
  type Instant,
  type SidetoneError,
  type Timer,
  UsageError,
} from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";

/** What became of a request: `silent` no final response came in time. */
export type OutsideReply =
  | {
      readonly kind: "answered";
      readonly message: IncomingResponseMessage;
      readonly statusCode: number;
      readonly sentAt: Instant;
      /** Why its challenge could not be answered. */
      readonly error?: SidetoneError;
    }
  | { readonly kind: "failed"; readonly error: SidetoneError }
  | { readonly kind: "silent" };

/** One request outside of a dialog that makes none: OPTIONS or MESSAGE. */
export class OutsideRequest {
  readonly #context: CallContext;
  readonly #message: OutgoingRequestMessage;
  #request: OutgoingRequest | undefined;
  #timer: Timer | undefined;
  #settle: (reply: OutsideReply) => void = () => {};

  constructor(context: CallContext, message: OutgoingRequestMessage) {
    this.#context = context;
    this.#message = message;
  }

  /** Sends the request and waits for its final response. May be called once. */
  run(timeoutMs: number): Promise<OutsideReply> {
    const { core, clock } = this.#context;
    return new Promise((resolve) => {
      this.#settle = (reply) => {
        this.#timer?.cancel();
        this.#context.onEnded();
        resolve(reply);
      };
      let sentAt = clock.now();
      const answered = ({ message }: { message: IncomingResponseMessage }): void =>
        this.#settle(this.#replyIn(message, sentAt));
      this.#timer = clock.setTimer(after(clock.now(), timeoutMs), () =>
        this.#giveUp({ kind: "silent" }),
      );
      sentAt = this.#context.sentAt(() => {
        this.#request = core.request(this.#message, {
          onAccept: answered,
          onRedirect: answered,
          onReject: answered,
        });
      });
    });
  }

  /** Stops waiting because the endpoint is being closed. */
  abandon(): void {
    const error = new UsageError(
      "ERR_ENDPOINT_CLOSED",
      "The SIP endpoint was closed while it waited for an answer.",
    );
    this.#giveUp({ kind: "failed", error });
  }

  #giveUp(reply: OutsideReply): void {
    if (this.#request !== undefined) this.#context.forgetRequest(this.#request);
    this.#settle(reply);
  }

  /** sip.js makes up responses, without text, where none came. */
  #replyIn(message: IncomingResponseMessage, sentAt: Instant): OutsideReply {
    const error = this.#context.takeSendFailure(this.#message.callId);
    if ((message as { data?: string }).data !== undefined) {
      const why = error === undefined ? {} : { error };
      return { kind: "answered", message, statusCode: message.statusCode ?? 0, sentAt, ...why };
    }
    return error === undefined ? { kind: "silent" } : { kind: "failed", error };
  }
}
