/**
 * Changes to sip.js 0.21.2 for what is sent again: requests with credentials, and 200s without ACK;
 * see `fixes.ts`, which applies them and asserts the version.
 */
import {
  type ClientTransaction,
  type Dialog,
  type IncomingResponseMessage,
  InviteClientTransaction,
  type InviteServerTransaction,
  type OutgoingRequestMessage,
  type Session,
  SessionDialog,
  TransactionState,
  UserAgentClient,
  type UserAgentCore,
} from "sip.js/lib/core/index.js";
import { assert } from "../environment/index.ts";

/** A response on its way to whoever sent the request. */
export interface GuardedExchange {
  readonly message: OutgoingRequestMessage;
  readonly response: IncomingResponseMessage;
  /** Only for re-INVITE; sip.js does not tell it for other requests. */
  readonly dialog: Dialog | undefined;
  /** Sends the request again, as it is now, in a transaction of its own. */
  readonly repeat: () => void;
}

/** Who sees responses first. */
interface ResponseGuard {
  /** @returns whether the response shall be handled; false: the request was repeated instead. */
  readonly handle: (exchange: GuardedExchange) => boolean;
  /** The transaction was replaced by the request's repetition. */
  readonly retire: (transaction: ClientTransaction) => void;
}

const responseGuards = new WeakMap<UserAgentCore, ResponseGuard>();

/** Members that TypeScript takes for private. */
interface ClientInternals {
  core: UserAgentCore;
  message: OutgoingRequestMessage;
  transaction: ClientTransaction;
  earlyDialogs?: Map<string, Dialog>;
  authenticationGuard: (response: IncomingResponseMessage, dialog?: Dialog) => boolean;
  init: () => void;
}

/** Lets `guard` see every response to a request of this core before its sender does. */
export function onResponse(core: UserAgentCore, guard: ResponseGuard): void {
  responseGuards.set(core, guard);
}

/**
 * sip.js's own digest is not enough (see `Authenticator`). Its hook stays: it is called for every
 * response, and repeating a request is making its client a new transaction.
 */
export function patchAuthentication(): void {
  const prototype = UserAgentClient.prototype as unknown as ClientInternals;
  assert(typeof prototype.authenticationGuard === "function", "0.21.2 has authenticationGuard");
  prototype.authenticationGuard = function (this: ClientInternals, response, dialog) {
    const guard = responseGuards.get(this.core);
    const isFromPeer = (response as { data?: string }).data !== undefined;
    if (guard === undefined || !isFromPeer) return true;
    const repeat = (): void => {
      // It lives on: its peer may repeat the challenge until our ACK arrives.
      guard.retire(this.transaction);
      // Forks that rang have been ended by the final response (RFC 3261 §13.2.2.3).
      for (const early of this.earlyDialogs?.values() ?? []) early.dispose();
      this.earlyDialogs?.clear();
      this.init();
    };
    return guard.handle({ message: this.message, response, dialog, repeat });
  };
}

interface InviteTransactionInternals {
  request: OutgoingRequestMessage;
  ack: (response: IncomingResponseMessage) => void;
  send: (message: string) => Promise<void>;
}

/**
 * sip.js writes the ACK of a rejection anew for each repetition of it, from a request that may have
 * been repeated meanwhile with another branch and CSeq; with the first of several Routes only, and
 * without credentials (RFC 3261 §17.1.1.3, §22.1).
 */
export function patchRejectionAck(): void {
  const prototype = InviteClientTransaction.prototype as unknown as InviteTransactionInternals;
  assert(typeof prototype.ack === "function", "0.21.2 has InviteClientTransaction.ack");
  const sent = new WeakMap<object, string>();
  prototype.ack = function (this: InviteTransactionInternals, response) {
    const text = sent.get(this) ?? rejectionAck(this.request, response);
    sent.set(this, text);
    // A rejection whose ACK cannot be sent is repeated, and the ACK with it.
    this.send(text).catch(() => {});
  };
}

function rejectionAck(request: OutgoingRequestMessage, response: IncomingResponseMessage): string {
  const copied = (name: string): string[] =>
    request.getHeaders(name).map((value) => `${name}: ${value}`);
  return [
    `ACK ${request.ruri.toRaw()} SIP/2.0`,
    ...copied("Via"),
    ...copied("Route"),
    `To: ${response.getHeader("to") ?? ""}`,
    ...copied("From"),
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.cseq} ACK`,
    "Max-Forwards: 70",
    ...copied("Authorization"),
    ...copied("Proxy-Authorization"),
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

interface ReinvitedInternals {
  /** The peer's re-INVITE, until our response to it is acknowledged or the dialog is over. */
  reinviteUserAgentServer: { readonly transaction: InviteServerTransaction } | undefined;
  startReInvite2xxRetransmissionTimer: () => void;
}

const missingAckHandlers = new WeakMap<object, () => void>();

/** Calls `handler` where the peer did not acknowledge our 200 to its re-INVITE within 64·T1. */
export function onReinviteAckMissing(session: Session, handler: () => void): void {
  missingAckHandlers.set(session, handler);
}

/**
 * When the time of a re-INVITE's 200 is over, sip.js stops repeating it and does nothing more.
 * RFC 3261 §14.2, §13.3.1.4: the session is to be ended, as after the first INVITE.
 */
export function patchReinviteAckTimeout(): void {
  const prototype = SessionDialog.prototype as unknown as ReinvitedInternals;
  const original = prototype.startReInvite2xxRetransmissionTimer;
  assert(typeof original === "function", "0.21.2 has startReInvite2xxRetransmissionTimer");
  prototype.startReInvite2xxRetransmissionTimer = function (this: ReinvitedInternals): void {
    original.call(this);
    const transaction = this.reinviteUserAgentServer?.transaction;
    if (transaction === undefined) return;
    const handleState = (): void => {
      if (transaction.state !== TransactionState.Terminated) return;
      transaction.removeStateChangeListener(handleState);
      // The ACK, the next re-INVITE and the end of the dialog each take it away.
      if (this.reinviteUserAgentServer?.transaction === transaction) {
        missingAckHandlers.get(this)?.();
      }
    };
    transaction.addStateChangeListener(handleState);
  };
}
