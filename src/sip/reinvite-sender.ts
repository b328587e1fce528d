import type {
  AckableIncomingResponseWithSession,
  IncomingResponseMessage,
  OutgoingInviteRequest,
  Session,
} from "sip.js/lib/core/index.js";
import { after, type Instant, RemoteError, type Timer, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import type { DialogTurns } from "./dialog-turns.ts";
import { refreshRemoteTarget, sendInDialog } from "./fixes.ts";
import type { OfferState } from "./offer-state.ts";
import type { Renegotiation } from "./renegotiation.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import { missingDescription, negotiate, sdpBody, sdpOf } from "./session-description.ts";
import type { SessionTimer } from "./session-timer.ts";
import type { Negotiator } from "./sip-call.ts";

/** Whose dialog it is. */
export interface ReinviteOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
  readonly negotiator: Negotiator;
  /** We generated the Call-ID: in a collision we wait longer (RFC 3261 §14.1). */
  readonly ownsCallId: boolean;
  readonly offers: OfferState;
  /** Supported, as a header line. */
  readonly supported: readonly string[];
  /** Only in a confirmed dialog. */
  readonly timer?: SessionTimer;
}

interface OpenReinvite extends Required<Renegotiation> {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  collisions: number;
}

const SESSION_INTERVAL_TOO_SMALL = 422;
const REQUEST_PENDING = 491;
const SERVER_INTERNAL_ERROR = 500;
/** RFC 3261 §14.2: longer than that it does not mean a collision. */
const BUSY_SECONDS_MAX = 10;
/** The dialog is gone for the peer, or the peer is gone (RFC 3261 §12.2.1.2). */
const DIALOG_LOST: ReadonlySet<number> = new Set([408, 481]);
/** After so many collisions in a row the peer is at fault. */
const COLLISIONS_MAX = 5;
/** A peer that is still in a transaction of its own is tried again after so long. */
const BUSY_RETRY_MS = 100;

/**
 * Changes the media of a call, or refreshes its session, by re-INVITE (RFC 3261 §14.1) or UPDATE
 * (RFC 3311 §5.1). One at a time; collisions with the peer's own are tried again after the time
 * that the RFC names.
 */
export class ReinviteSender {
  readonly #session: Session;
  readonly #owner: ReinviteOwner;
  readonly #turns: DialogTurns;
  /** Ends the call where the dialog proves to be gone. */
  readonly #loseDialog: () => void;
  #open: OpenReinvite | undefined;
  /** Sent, and without a final response. */
  #unanswered: OutgoingInviteRequest | undefined;
  #timer: Timer | undefined;

  constructor(
    session: Session,
    owner: ReinviteOwner,
    { turns, loseDialog }: { readonly turns: DialogTurns; readonly loseDialog: () => void },
  ) {
    this.#session = session;
    this.#owner = owner;
    this.#turns = turns;
    this.#loseDialog = loseDialog;
  }

  /** See `SipCall.renegotiate`. */
  send({ method = "INVITE", withOffer = true }: Renegotiation = {}): Promise<void> {
    if (this.#owner.lifecycle.state === "ended") return Promise.reject(notInDialog());
    if (this.#open !== undefined) return Promise.reject(alreadyOpen());
    return new Promise((resolve, reject) => {
      const isOffered = withOffer || method === "INVITE";
      this.#open = { resolve, reject, collisions: 0, method, withOffer: isOffered };
      void this.#rejectAtEnd();
      this.#turns.take(() => this.#attempt());
    });
  }

  #attempt(): void {
    const { negotiator, offers } = this.#owner;
    const open = this.#open;
    if (open === undefined) {
      this.#turns.release();
      return;
    }
    if (open.withOffer && offers.open !== "none") {
      this.#turns.release();
      this.#retryAfter(BUSY_RETRY_MS);
      return;
    }
    const offered = open.withOffer ? negotiate(() => negotiator.createOffer()) : undefined;
    if (offered?.isAgreed === false) {
      this.#turns.release();
      this.#finish(offered.error);
      return;
    }
    try {
      this.#transmit(open, offered?.description);
      if (open.withOffer) offers.open = "ours";
    } catch {
      // sip.js: the peer's own re-INVITE is not acknowledged yet.
      this.#turns.release();
      this.#retryAfter(BUSY_RETRY_MS);
    }
  }

  #transmit({ method }: OpenReinvite, offer: string | undefined): void {
    const { context, supported, timer } = this.#owner;
    const { core } = context;
    const options = {
      ...(offer === undefined ? {} : { body: sdpBody(offer) }),
      extraHeaders: [
        core.contactHeader,
        core.allowHeader,
        ...supported,
        ...(timer?.headers() ?? []),
      ],
    };
    const refusals = {
      onRedirect: ({ message }: { message: IncomingResponseMessage }) =>
        this.#handleRefused(message),
      onReject: ({ message }: { message: IncomingResponseMessage }) => this.#handleRefused(message),
    };
    if (method === "UPDATE") {
      const onAccept = ({ message }: { message: IncomingResponseMessage }): void =>
        this.#handleAccepted(message);
      const delegate = { ...refusals, onAccept };
      sendInDialog(this.#session, core, { method, delegate, options });
      return;
    }
    const onAccept = (response: AckableIncomingResponseWithSession): void => {
      // The ACK goes to the Contact of the 2xx already.
      refreshRemoteTarget(this.#session, response.message);
      response.ack();
      this.#handleAccepted(response.message);
    };
    this.#unanswered = this.#session.invite({ ...refusals, onAccept }, options);
  }

  #handleAccepted(message: IncomingResponseMessage): void {
    const { negotiator, offers, timer } = this.#owner;
    const open = this.#open;
    this.#unanswered = undefined;
    this.#turns.release();
    refreshRemoteTarget(this.#session, message);
    timer?.handleResponse(message);
    if (open?.withOffer !== true) {
      this.#finish();
      return;
    }
    offers.open = "none";
    const answer = sdpOf(message);
    const result =
      answer === undefined
        ? missingDescription(`200 response to our ${nameOf(open.method)}`)
        : negotiate(() => negotiator.acceptAnswer(answer));
    if (result.isAgreed) {
      this.#finish();
      return;
    }
    negotiator.withdrawOffer();
    this.#finish(result.error);
  }

  #handleRefused(message: IncomingResponseMessage): void {
    const { negotiator, offers } = this.#owner;
    const { statusCode = 0 } = message;
    const open = this.#open;
    this.#unanswered = undefined;
    this.#turns.release();
    if (open === undefined) return;
    if (open.withOffer) offers.open = "none";
    const delayMs = open.collisions < COLLISIONS_MAX ? this.#delayMs(message) : undefined;
    if (delayMs !== undefined) {
      open.collisions += 1;
      this.#retryAfter(delayMs);
      return;
    }
    if (open.withOffer) negotiator.withdrawOffer();
    this.#finish(refused(nameOf(open.method), statusCode));
    if (DIALOG_LOST.has(statusCode)) this.#loseDialog();
  }

  /** After how long the same may be tried again; `undefined` where it may not. */
  #delayMs(message: IncomingResponseMessage): number | undefined {
    const { context, ownsCallId, timer } = this.#owner;
    const { statusCode } = message;
    if (statusCode === SESSION_INTERVAL_TOO_SMALL) {
      return timer?.raiseTo(message) === true ? 0 : undefined;
    }
    if (statusCode === REQUEST_PENDING) {
      // RFC 3261 §14.1: in units of 10 ms, 2.1 to 4 s for the owner of the Call-ID, else 0 to 2 s.
      const steps = Math.floor(context.random() * (ownsCallId ? 190 : 200));
      return (ownsCallId ? 2100 : 0) + steps * 10;
    }
    // §14.2: the peer is still busy with an INVITE, maybe because our ACK was lost.
    const seconds = /^\d{1,2}(?!\d)/.exec(message.getHeader("Retry-After") ?? "")?.[0];
    const isBusy = statusCode === SERVER_INTERNAL_ERROR && seconds !== undefined;
    return isBusy && Number(seconds) <= BUSY_SECONDS_MAX ? Number(seconds) * 1000 : undefined;
  }

  #retryAfter(delayMs: number): void {
    const { clock } = this.#owner.context;
    const at: Instant = after(clock.now(), delayMs);
    this.#timer = clock.setTimer(at, () => this.#turns.take(() => this.#attempt()));
  }

  #finish(error?: Error): void {
    const open = this.#open;
    this.#open = undefined;
    this.#timer?.cancel();
    if (error === undefined) open?.resolve();
    else open?.reject(error);
  }

  async #rejectAtEnd(): Promise<void> {
    const { lifecycle, context } = this.#owner;
    await lifecycle.whenEnded();
    this.#finish(endedBefore());
    const request = this.#unanswered;
    if (request === undefined) return;
    // After a 1xx, sip.js would wait for ever for the final response, which has to be acknowledged.
    const dueAt = after(context.clock.now(), TRANSACTION_TIMEOUT_MS);
    context.setTimer(dueAt, () => context.forgetRequest(request));
  }
}

/** There is no dialog, not yet or no more, whose media could be changed. */
export function notInDialog(): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "Only the media of an answered call can be changed. Wait until it is established.",
  );
}

function alreadyOpen(): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "The media of this call are being changed already. Wait until that is done.",
  );
}

function nameOf(method: "INVITE" | "UPDATE"): string {
  return method === "INVITE" ? "re-INVITE" : "UPDATE";
}

function refused(request: string, statusCode: number): RemoteError {
  return new RemoteError(
    "ERR_REINVITE_REFUSED",
    `The peer refused to change the media of the call, with status ${statusCode}; they stay as they were. The ${request} in the trace shows what was asked for.`,
    { context: { statusCode } },
  );
}

function endedBefore(): RemoteError {
  return new RemoteError(
    "ERR_REINVITE_REFUSED",
    "The call ended before the peer had answered our re-INVITE.",
  );
}
