import type { Instant, SidetoneError } from "../environment/index.ts";
import type { DialogSettings } from "./dialog-settings.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import type { Renegotiation } from "./renegotiation.ts";
import type { DialogIdentity } from "./replaces.ts";
import type { MessageAnswer, MessageListener } from "./text-exchange.ts";
import type { ReferListener, ReferRequest, TransferOutcome } from "./transfer.ts";

/**
 * Offer/answer of one call (RFC 3264), synchronous, so that no SIP message can arrive in between.
 * Satisfied by `OfferAnswer` of `sdp/`. Each method may throw a `RemoteError`.
 */
export interface Negotiator {
  createOffer(): string;
  /** The answer to a remote offer. */
  acceptOffer(offer: string): string;
  acceptAnswer(answer: string): void;
  /** The peer refused the newest offer: all is as before it. */
  withdrawOffer(): void;
  /**
   * All that is open and agreed on, to come back to: where an INVITE forks, each dialog answers the
   * same offer. A negotiator without it serves one dialog.
   */
  save?(): unknown;
  /** Goes back to what `save` gave; what was agreed on then is in force again. */
  restore?(saved: unknown): void;
}

/**
 * Why a call ended: `bye` and `cancel` orderly; `rejected` by a final response of 300 or more;
 * `ringTimeout` it rang too long; `noAnswer` nothing at all came from the peer; `unreachable` the
 * request could not be sent; `noCommonCodec`; `sessionExpired` nobody refreshed it; `shutdown` our endpoint was closed; `error` the peer
 * broke the protocol.
 */
export type CallEndReason =
  | "bye"
  | "cancel"
  | "rejected"
  | "ringTimeout"
  | "noAnswer"
  | "unreachable"
  | "noCommonCodec"
  | "sessionExpired"
  | "shutdown"
  | "error";

/** A call came nearer to being up. `at` is when the message crossed the socket. */
export interface CallProgressEvent {
  /**
   * `trying` 100 · `ringing` any other 1xx, received or sent · `earlyMedia` media were agreed on in
   * one, each time anew · `redirected` a 3xx was followed · `answered` 2xx received or sent ·
   * `confirmed` ACK sent or received.
   */
  readonly type: "trying" | "ringing" | "earlyMedia" | "redirected" | "answered" | "confirmed";
  readonly at: Instant;
  readonly statusCode?: number;
}

/**
 * A call ended; the last event of a call. `at` is when the message that ended it crossed the
 * socket: our BYE (although the event itself waits for its answer), the peer's BYE, CANCEL or
 * final response. Where the peer vanished it is when we gave up.
 */
export interface CallEndedEvent {
  readonly type: "ended";
  readonly at: Instant;
  readonly endedBy: "local" | "remote" | "network";
  readonly reason: CallEndReason;
  readonly statusCode?: number;
  readonly reasonPhrase?: string;
  readonly error?: SidetoneError;
}

/** A session timer is in force (RFC 4028), from the answer on or by a refresh. */
export interface SessionTimerEvent {
  readonly type: "sessionTimer";
  readonly at: Instant;
  readonly intervalS: number;
  /** Who is to refresh the session. */
  readonly refresher: "local" | "remote";
  readonly statusCode?: undefined;
}

/** What happens to a call, in order; `ended` comes exactly once and last. */
export type SipCallEvent = CallProgressEvent | SessionTimerEvent | CallEndedEvent;

/** An INFO request of the peer. */
export interface ReceivedInfo {
  /** Without parameters, in small letters; empty where there is no body. */
  readonly contentType: string;
  readonly body: string;
  readonly at: Instant;
}

/** Answers an INFO request of the peer with the status code that it returns, 200 to 699. */
export type InfoListener = (info: ReceivedInfo) => number;

/** What became of an INFO request of ours. */
export interface InfoAnswer {
  readonly statusCode: number;
  /** When the request left the socket. */
  readonly sentAt: Instant;
}

/** One call, either direction. */
export interface SipCall {
  readonly callId: string;
  /** The peer's SIP URI. */
  readonly remote: string;
  readonly state: "early" | "established" | "ended";
  /** The dialog of the answered call, also after its end; `undefined` before. */
  readonly dialog: DialogIdentity | undefined;
  /** Where the peer of an answered call is to be found: its Contact. */
  readonly remoteTarget: string | undefined;
  onEvent: ((event: SipCallEvent) => void) | undefined;
  /**
   * Answers INFO requests of the peer (RFC 6086), which may come before the call is answered.
   * Unset: 200 where there is no body, else 415. What it throws is logged and answered with 500.
   */
  onInfo: InfoListener | undefined;
  /**
   * Sends an INFO request within the answered call. Resolves when the peer accepted it. Several are
   * sent one after the other, each when the one before was answered.
   *
   * @throws (rejects) RemoteError ERR_INFO_REJECTED, with `statusCode` in its context, where the
   *   peer refuses it, does not answer within 32 s (408) or the call ends first (no `statusCode`);
   *   EnvironmentError or RemoteError where it could not be sent; UsageError ERR_CALL_STATE,
   *   ERR_INFO_MALFORMED.
   */
  info(contentType: string, body: string): Promise<InfoAnswer>;
  /**
   * Offers media anew by re-INVITE or UPDATE, whatever the negotiator says now, or only refreshes
   * the session; resolves when the peer has agreed. A collision with one of the peer is tried again
   * (RFC 3261 §14.1). UPDATE also before the answer, once the first exchange is over reliably.
   *
   * @throws (rejects) RemoteError ERR_REINVITE_REFUSED where the peer refuses or the call ends
   *   first, and whatever the negotiator throws; UsageError ERR_CALL_STATE.
   */
  renegotiate(): Promise<void>;
  /** Is told the texts that the peer sends with MESSAGE; unset: they are answered all the same. */
  onMessage: MessageListener | undefined;
  /**
   * Sends a text with MESSAGE within the answered call (RFC 3428); resolves when the peer took it.
   *
   * @throws (rejects) RemoteError ERR_MESSAGE_REJECTED, with `statusCode` in its context, as `info`;
   *   UsageError ERR_CALL_STATE, ERR_MESSAGE_MALFORMED.
   */
  message(text: string): Promise<MessageAnswer>;
  /**
   * Asks the peer within the answered call what it can do (RFC 3261 §11); any final response is an
   * answer.
   *
   * @throws (rejects) RemoteError ERR_SIP_NO_RESPONSE where it does not answer within 32 s, or the
   *   call ends first; UsageError ERR_CALL_STATE.
   */
  queryOptions(): Promise<OptionsAnswer>;
  /** Decides on the peer's REFERs within the answered call (RFC 3515). Unset: 603. */
  onRefer: ReferListener | undefined;
  /**
   * Asks the peer by REFER to call somebody else, and resolves when it is known what came of that.
   * The call itself stays as it is.
   *
   * @throws (rejects) UsageError ERR_CALL_STATE, ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED.
   */
  refer(request: ReferRequest): Promise<TransferOutcome>;
  renegotiate(how?: Renegotiation): Promise<void>;
  /**
   * Ends the call with BYE, CANCEL or a rejection, as fits. Resolves when it has ended, 64·T1
   * (32 s) later at most. May be called any number of times.
   *
   * @param headers lines for that request or response, e.g. a Reason (RFC 3326).
   * @throws UsageError ERR_HEADER_MALFORMED, ERR_HEADER_RESERVED.
   */
  hangUp(headers?: readonly string[]): Promise<void>;
}

/** A call that we placed. */
export interface OutboundCall extends SipCall {}

/** A call that we got. */
export interface InboundCall extends SipCall {
  /** The Request-URI. */
  readonly target: string;
  /** The From header's URI. */
  readonly from: string;
  /** The Call-ID of a call of ours that ends when this one is answered (RFC 3891). */
  readonly replacedCallId: string | undefined;
  /** The first value of a header of the INVITE. */
  header(name: string): string | undefined;
  /**
   * Adds header lines to every response to the INVITE from now on.
   * @throws UsageError ERR_HEADER_MALFORMED, ERR_HEADER_RESERVED.
   */
  respondWith(headers: readonly string[]): void;
  /**
   * How this call is to be handled; before anything else. A caller that does not fit is refused
   * with 420 or 421.
   */
  configure(settings: DialogSettings): void;
  /**
   * Tells the caller that it rings. Does nothing where the call has ended meanwhile.
   * @throws UsageError ERR_CALL_STATE when it was answered already.
   */
  ring(statusCode?: 180 | 183): void;
  /**
   * Tells the caller that it rings and lets media flow at once, where that is possible: with an
   * answer, or, reliably, with an offer (RFC 3262 §5). `answer` must get the same negotiator.
   * @throws UsageError ERR_CALL_STATE when it was answered already.
   */
  openEarlyMedia(negotiator: Negotiator, statusCode?: 180 | 183): void;
  /**
   * Answers with 200 and an answer, or an offer where the INVITE had none. Does nothing where the
   * call has ended meanwhile.
   * @throws UsageError ERR_CALL_STATE when it was answered already.
   */
  answer(negotiator: Negotiator): void;
  /**
   * Refuses with a final response of 300 to 699. Does nothing where the call has ended meanwhile.
   * @throws UsageError ERR_CALL_STATE when it was answered already, ERR_STATUS_CODE.
   */
  reject(statusCode: number, reasonPhrase?: string): void;
  /**
   * Sends the caller elsewhere (RFC 3261 §13.3.1.2), with 302 where nothing else is said. Does
   * nothing where the call has ended meanwhile.
   * @throws UsageError as `reject`, ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED,
   *   ERR_REDIRECT_CONTACT.
   */
  redirect(contacts: readonly RedirectContact[], statusCode?: number): void;
}

/** Where a caller is to go instead. */
export interface RedirectContact {
  readonly uri: string;
  /** The q-value, 0 to 1: the highest is tried first. */
  readonly preference?: number;
}
