import type { IncomingResponseMessage, Session } from "sip.js/lib/core/index.js";
import { type Instant, RemoteError, type SidetoneError, UsageError } from "../environment/index.ts";
import type { DialogTurns } from "./dialog-turns.ts";
import type { InfoOwner } from "./info-request.ts";
import type { InfoAnswer } from "./sip-call.ts";

interface PendingInfo {
  readonly contentType: string;
  readonly body: string;
  readonly resolve: (answer: InfoAnswer) => void;
  readonly reject: (error: SidetoneError) => void;
}

/** type/subtype with parameters (RFC 3261 §25.1); no line end may slip into the header. */
const MEDIA_TYPE = /^[\w!%*+.`'~-]+\/[\w!%*+.`'~-]+(?:[ \t]*;[^\r\n\0]*)?$/;
const REQUEST_TIMEOUT = 408;

/**
 * Sends INFO requests within one dialog, one after the other: a peer would refuse one that has
 * overtaken another (RFC 3261 §12.2.2), and the order of digits matters.
 */
export class InfoSender {
  readonly #session: Session;
  readonly #owner: InfoOwner;
  readonly #turns: DialogTurns;
  readonly #pending: PendingInfo[] = [];
  #isWatchingEnd = false;

  constructor(session: Session, owner: InfoOwner, turns: DialogTurns) {
    this.#session = session;
    this.#owner = owner;
    this.#turns = turns;
  }

  /** Sends a body and resolves when the peer accepted it; see `SipCall.info`. */
  send(contentType: string, body: string): Promise<InfoAnswer> {
    if (!MEDIA_TYPE.test(contentType) || body === "") return Promise.reject(malformedInfo());
    if (this.#owner.lifecycle.state !== "established") return Promise.reject(notEstablished());
    void this.#rejectAtEnd();
    return new Promise((resolve, reject) => {
      this.#pending.push({ contentType, body, resolve, reject });
      if (this.#pending.length === 1) this.#turns.take(() => this.#sendFirst());
    });
  }

  #sendFirst(): void {
    const [first] = this.#pending;
    if (first === undefined) {
      this.#turns.release();
      return;
    }
    const { context } = this.#owner;
    const { contentType, body } = first;
    let sentAt: Instant = context.messageInstant();
    const settle = ({ message }: { message: IncomingResponseMessage }): void => {
      this.#turns.release();
      // The call may have ended meanwhile, and then nobody waits any more.
      if (this.#pending[0] !== first) return;
      this.#pending.shift();
      this.#settle(first, message, sentAt);
      if (this.#pending.length > 0) this.#turns.take(() => this.#sendFirst());
    };
    sentAt = context.sentAt(() => {
      this.#session.info(
        { onAccept: settle, onRedirect: settle, onReject: settle },
        { body: { contentDisposition: "", contentType, content: body } },
      );
    });
  }

  #settle(info: PendingInfo, message: IncomingResponseMessage, sentAt: Instant): void {
    const { statusCode = 0 } = message;
    if (statusCode >= 200 && statusCode < 300) {
      info.resolve({ statusCode, sentAt });
      return;
    }
    // sip.js makes responses up, without text, where none came.
    const isFromPeer = (message as { data?: string }).data !== undefined;
    const sendFailure = this.#owner.context.takeSendFailure(this.#session.callId);
    if (isFromPeer) info.reject(rejected(statusCode));
    else info.reject(sendFailure ?? unanswered());
  }

  /** No answer comes any more once the call is over, or none that matters. */
  async #rejectAtEnd(): Promise<void> {
    if (this.#isWatchingEnd) return;
    this.#isWatchingEnd = true;
    await this.#owner.lifecycle.whenEnded();
    for (const { reject } of this.#pending.splice(0)) reject(endedBefore());
  }
}

/** There is no dialog, not yet or no more, in which an INFO could be sent. */
export function notEstablished(): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "An INFO request can only be sent within an answered call. Wait until it is established.",
  );
}

function malformedInfo(): UsageError {
  return new UsageError(
    "ERR_INFO_MALFORMED",
    'An INFO request needs a media type like "application/dtmf-relay" and a body that is not empty.',
  );
}

function rejected(statusCode: number): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    `The peer refused our INFO request with status ${statusCode}. Look at it in the trace, and choose another way to send digits if it takes none this way.`,
    { context: { statusCode } },
  );
}

function unanswered(): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    "The peer did not answer our INFO request within 32 s. Look for it in the trace.",
    { context: { statusCode: REQUEST_TIMEOUT } },
  );
}

function endedBefore(): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    "The call ended before the peer had answered our INFO request.",
  );
}
