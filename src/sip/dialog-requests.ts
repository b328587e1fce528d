import type { Body, IncomingResponseMessage, Session } from "sip.js/lib/core/index.js";
import { type Instant, type SidetoneError, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import type { DialogTurns } from "./dialog-turns.ts";
import { sendInDialog } from "./fixes.ts";

/** A request that changes nothing about the dialog in which it is sent. */
export interface DialogRequest {
  readonly method: "INFO" | "MESSAGE" | "OPTIONS";
  readonly headers?: readonly string[];
  readonly body?: Body;
}

/**
 * What became of it: `silent` no final response within 32 s · `failed` it could not be sent · `ended`
 * the call was over first.
 */
export type DialogReply =
  | {
      readonly kind: "answered";
      readonly message: IncomingResponseMessage;
      readonly statusCode: number;
      readonly sentAt: Instant;
      /** Why its challenge could not be answered. */
      readonly error?: SidetoneError;
    }
  | { readonly kind: "failed"; readonly error: SidetoneError }
  | { readonly kind: "silent" }
  | { readonly kind: "ended" };

/** Whose dialog it is. */
interface RequestOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
}

/**
 * Sends such requests within one dialog, one after the other: a peer would refuse one that has
 * overtaken another (RFC 3261 §12.2.2), and the order of digits matters.
 */
export class DialogRequests {
  readonly #session: Session;
  readonly #owner: RequestOwner;
  readonly #turns: DialogTurns;
  readonly #pending = new Set<(reply: DialogReply) => void>();
  #isWatchingEnd = false;

  constructor(session: Session, owner: RequestOwner, turns: DialogTurns) {
    this.#session = session;
    this.#owner = owner;
    this.#turns = turns;
  }

  /** @throws (rejects) UsageError ERR_CALL_STATE. */
  send(request: DialogRequest): Promise<DialogReply> {
    if (this.#owner.lifecycle.state !== "established") {
      return Promise.reject(notEstablished(request.method));
    }
    void this.#settleAtEnd();
    return new Promise((resolve) => {
      this.#pending.add(resolve);
      this.#turns.take(() => this.#transmit(request, resolve));
    });
  }

  #transmit(request: DialogRequest, resolve: (reply: DialogReply) => void): void {
    if (!this.#pending.has(resolve)) {
      this.#turns.release();
      return;
    }
    const { context } = this.#owner;
    let sentAt: Instant = context.messageInstant();
    const settle = ({ message }: { message: IncomingResponseMessage }): void => {
      this.#turns.release();
      // The call may have ended meanwhile, and then nobody waits any more.
      if (this.#pending.delete(resolve)) resolve(this.#replyIn(message, sentAt));
    };
    const { method, headers = [], body } = request;
    sentAt = context.sentAt(() => {
      sendInDialog(this.#session, context.core, {
        method,
        delegate: { onAccept: settle, onRedirect: settle, onReject: settle },
        options: { extraHeaders: [...headers], ...(body === undefined ? {} : { body }) },
      });
    });
  }

  #replyIn(message: IncomingResponseMessage, sentAt: Instant): DialogReply {
    const error = this.#owner.context.takeSendFailure(this.#session.callId);
    // sip.js makes responses up, without text, where none came.
    const isFromPeer = (message as { data?: string }).data !== undefined;
    if (isFromPeer) {
      const why = error === undefined ? {} : { error };
      return { kind: "answered", message, statusCode: message.statusCode ?? 0, sentAt, ...why };
    }
    return error === undefined ? { kind: "silent" } : { kind: "failed", error };
  }

  /** No answer comes any more once the call is over, or none that matters. */
  async #settleAtEnd(): Promise<void> {
    if (this.#isWatchingEnd) return;
    this.#isWatchingEnd = true;
    await this.#owner.lifecycle.whenEnded();
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const resolve of pending) resolve({ kind: "ended" });
  }
}

/** There is no dialog, not yet or no more, in which such a request could be sent. */
export function notEstablished(method: DialogRequest["method"]): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    `A request with ${method} can only be sent within an answered call. Wait until it is established.`,
  );
}
