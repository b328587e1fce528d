import type { Body, IncomingInviteRequest, IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { RemoteError, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { type CallEnd, CallLifecycle } from "./call-lifecycle.ts";
import { DialogCall, type DialogCallParts } from "./dialog-call.ts";
import type { ReplaceableState } from "./dialog-replacement.ts";
import { type DialogSettings, settingsRefusal, supportedHeader } from "./dialog-settings.ts";
import { EarlySession } from "./early-session.ts";
import { ackMissing, confirmedState, EstablishedDialog } from "./established-dialog.ts";
import { localTagOf, stopWaitingForAck } from "./fixes.ts";
import { InboundNegotiation } from "./inbound-negotiation.ts";
import { contactHeaders } from "./redirect-contacts.ts";
import { checkedHeaders } from "./request-headers.ts";
import { answerTimer, type TimerAnswer } from "./session-expires.ts";
import { preferredByCalled } from "./session-timer.ts";
import type {
  CallEndReason,
  InboundCall,
  Negotiator,
  RedirectContact,
  SipCall,
} from "./sip-call.ts";

/** Said where nobody wants the call, or we hang up before it was answered. */
const TEMPORARILY_UNAVAILABLE = 480;
const NOT_ACCEPTABLE_HERE = 488;
const REQUEST_TERMINATED = 487;
const SERVER_TIMEOUT = 504;

/** A call that we got: the server side of an INVITE (RFC 3261 §13.3). */
export class IncomingCall extends DialogCall implements InboundCall {
  readonly callId: string;
  readonly remote: string;
  readonly target: string;
  readonly from: string;
  readonly #context: CallContext;
  readonly #lifecycle: CallLifecycle;
  readonly #request: IncomingInviteRequest;
  readonly #replaced: SipCall | undefined;
  readonly #negotiation: InboundNegotiation;
  readonly #early: EarlySession;
  #settings: DialogSettings = {};
  #timing: TimerAnswer;
  #dialog: EstablishedDialog | undefined;
  /** From our 200 until its ACK. */
  #isUnacknowledged = false;
  /** BYE was asked for before the ACK came. */
  #byeReason: CallEndReason | undefined;
  /** Of every response to the INVITE from now on. */
  #responseHeaders: string[] = [];

  /** @param replaced the call that has to give way to this one. */
  constructor(context: CallContext, request: IncomingInviteRequest, replaced?: SipCall) {
    super();
    this.#context = context;
    this.#replaced = replaced;
    this.#lifecycle = new CallLifecycle(context);
    this.#request = request;
    const { message } = request;
    this.callId = message.callId;
    this.from = message.from.uri.toString();
    this.remote = this.from;
    // The message's own field may have been changed to suit sip.js.
    this.target = message.data.split(/\s+/, 2)[1] ?? "";
    request.delegate = { onCancel: () => this.#handleCancel() };
    this.#negotiation = new InboundNegotiation(message);
    this.#timing = answerTimer(message, {}, "uac");
    this.#early = new EarlySession({
      context,
      lifecycle: this.#lifecycle,
      negotiation: this.#negotiation,
      request,
      settings: () => this.#settings,
      headers: () => this.#responseHeaders,
      onUnusable: ({ reason, error }) => this.#refuse(NOT_ACCEPTABLE_HERE, { reason, error }),
      onUnacknowledged: () => this.#handlePrackTimeout(),
    });
  }

  protected get parts(): DialogCallParts {
    return { lifecycle: this.#lifecycle, dialog: this.#dialog, early: this.#early };
  }

  get replacedCallId(): string | undefined {
    return this.#replaced?.callId;
  }

  /** See `ReplaceableCall`. */
  dialogState(localTag: string, remoteTag: string): ReplaceableState | undefined {
    if (this.#dialog !== undefined) return confirmedState(this.#dialog, { localTag, remoteTag });
    const { message } = this.#request;
    const isOurs = message.fromTag === remoteTag && localTagOf(this.#request) === localTag;
    return isOurs && this.state === "early" ? "earlyTheirs" : undefined;
  }

  header(name: string): string | undefined {
    return this.#request.message.getHeader(name);
  }

  respondWith(headers: readonly string[]): void {
    this.#responseHeaders = checkedHeaders(headers);
  }

  configure(settings: DialogSettings): void {
    this.#settings = settings;
    const { message } = this.#request;
    const timing = answerTimer(message, settings, preferredByCalled(settings));
    this.#timing = timing;
    const refusal =
      settingsRefusal(message, settings) ??
      (timing.kind === "refused" ? timing.refusal : undefined);
    if (refusal !== undefined && this.state === "early") {
      const { statusCode, extraHeaders = [] } = refusal;
      this.#refuse(statusCode, { extraHeaders });
    }
  }

  ring(statusCode: 180 | 183 = 180): void {
    if (!this.#isOpen("ring")) return;
    this.#early.send(statusCode);
  }

  openEarlyMedia(negotiator: Negotiator, statusCode: 180 | 183 = 183): void {
    if (!this.#isOpen("ring")) return;
    // RFC 3262 §5: an offer may only go into a reliable response.
    if (!this.#early.isReliable(true) && !this.#negotiation.isOffered) {
      this.ring(statusCode);
      return;
    }
    const body = this.#describe(negotiator);
    if (body !== undefined) this.#early.send(statusCode, body);
  }

  answer(negotiator: Negotiator): void {
    if (this.#isOpen("answer")) this.#early.whenSettled(() => this.#accept(negotiator));
  }

  #accept(negotiator: Negotiator): void {
    const isSettled = this.#negotiation.isSettled;
    const body = isSettled ? undefined : this.#describe(negotiator);
    if (this.state !== "early") return;
    this.#early.stop();
    this.#isUnacknowledged = true;
    const at = this.#context.sentAt(() => {
      const { session } = this.#request.accept({
        statusCode: 200,
        extraHeaders: [
          ...this.#responseHeaders,
          ...supportedHeader(this.#settings),
          ...this.#timerHeaders(),
        ],
        ...(body === undefined ? {} : { body }),
      });
      this.#negotiation.handleAnswered();
      this.#dialog = new EstablishedDialog(session, {
        context: this.#context,
        lifecycle: this.#lifecycle,
        negotiator,
        ownsCallId: false,
        settings: this.#settings,
        peerMessage: this.#request.message,
        offers: this.#negotiation.offers,
        onAck: (message) => this.#handleAck(message),
        onAckTimeout: () => this.#handleAckTimeout(),
        onPrack: (request) => this.#early.handlePrack(request),
      });
    });
    this.#lifecycle.progress("answered", at, 200);
    // RFC 3891 §3: BYE, or CANCEL, once the new dialog is confirmed, and not before.
    void this.#replaced?.hangUp();
    this.#dialog?.timer.handleAnswered(this.#timing);
  }

  reject(statusCode: number, reasonPhrase?: string): void {
    requireStatus(statusCode, 300, 699);
    if (!this.#isOpen("reject")) return;
    this.#refuse(statusCode, reasonPhrase === undefined ? {} : { reasonPhrase });
  }

  redirect(contacts: readonly RedirectContact[], statusCode = 302): void {
    const extraHeaders = contactHeaders(contacts);
    requireStatus(statusCode, 300, 399);
    if (this.#isOpen("redirect")) this.#refuse(statusCode, { extraHeaders });
  }

  hangUp(headers: readonly string[] = []): Promise<void> {
    this.#lifecycle.endHeaders = checkedHeaders(headers);
    return this.#hangUp("rejected", "bye");
  }

  /** Hangs up because the endpoint is being closed. */
  shutDown(): Promise<void> {
    return this.#hangUp("shutdown", "shutdown");
  }

  /** The endpoint closes now: BYE even without the ACK, because there is no more time for it. */
  abandon(): void {
    this.#early.stop();
    if (this.#isUnacknowledged && this.#dialog !== undefined) {
      stopWaitingForAck(this.#dialog.session);
      this.#bye("shutdown");
    }
    this.#lifecycle.end({ at: this.#context.clock.now(), endedBy: "local", reason: "shutdown" });
  }

  #hangUp(rejectReason: CallEndReason, byeReason: CallEndReason): Promise<void> {
    if (this.state === "early") {
      this.#refuse(TEMPORARILY_UNAVAILABLE, { reason: rejectReason });
    } else if (!this.#isUnacknowledged) {
      this.#bye(byeReason);
    } else {
      // RFC 3261 §15: the callee must not send BYE before the ACK came, or timed out.
      this.#byeReason ??= byeReason;
    }
    return this.#lifecycle.whenEnded();
  }

  /** False where the call has ended, which the peer may do at any time. */
  #isOpen(verb: string): boolean {
    if (this.state === "established") {
      throw new UsageError(
        "ERR_CALL_STATE",
        `The call was answered already, so it is too late to ${verb} it. Use hangUp().`,
      );
    }
    return this.state === "early";
  }

  #refuse(
    statusCode: number,
    details: { reason?: CallEndReason; extraHeaders?: string[] } & Pick<
      CallEnd,
      "reasonPhrase" | "error"
    >,
  ): void {
    const { reason = "rejected", reasonPhrase, error, extraHeaders = [] } = details;
    this.#early.stop();
    const phrase = reasonPhrase === undefined ? {} : { reasonPhrase };
    const at = this.#context.sentAt(() => {
      const response = {
        statusCode,
        ...phrase,
        extraHeaders: [...extraHeaders, ...this.#responseHeaders, ...this.#lifecycle.endHeaders],
      };
      if (statusCode < 400) this.#request.redirect([], response);
      else this.#request.reject(response);
    });
    this.#lifecycle.end({
      at,
      endedBy: "local",
      reason,
      statusCode,
      ...phrase,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** What the next response is to carry; the call is refused where there is none. */
  #describe(negotiator: Negotiator): Body | undefined {
    const result = this.#negotiation.describe(negotiator);
    const { body } = this.#negotiation;
    if (result.isAgreed && body !== undefined) return body;
    const failure = result.isAgreed ? {} : { reason: result.reason, error: result.error };
    this.#refuse(NOT_ACCEPTABLE_HERE, failure);
    return undefined;
  }

  #timerHeaders(): readonly string[] {
    return this.#timing.kind === "agreed" ? this.#timing.headers : [];
  }

  /** RFC 3262 §3: the INVITE should be rejected with a 5xx response. */
  #handlePrackTimeout(): void {
    if (this.state !== "early") return;
    const error = new RemoteError(
      "ERR_SIP_PRACK_MISSING",
      "The peer did not acknowledge our reliable provisional response with PRACK within 32 s. Look for both in the trace.",
    );
    this.#refuse(SERVER_TIMEOUT, { reason: "error", error });
  }

  #handleCancel(): void {
    if (this.state !== "early") return;
    const at = this.#context.messageInstant();
    this.#early.stop();
    this.#request.reject({ statusCode: REQUEST_TERMINATED });
    this.#lifecycle.end({
      at,
      endedBy: "remote",
      reason: "cancel",
      statusCode: REQUEST_TERMINATED,
      reasonPhrase: "Request Terminated",
    });
  }

  #handleAck(message: IncomingRequestMessage): void {
    if (!this.#isUnacknowledged) return;
    this.#isUnacknowledged = false;
    const at = this.#context.messageInstant();
    const result = this.#negotiation.acceptAnswer(message, "ACK to our offer");
    if (result?.isAgreed === false) {
      this.#dialog?.bye({ endedBy: "local", reason: result.reason, error: result.error });
      return;
    }
    this.#lifecycle.progress("confirmed", at);
    if (this.#byeReason !== undefined) this.#bye(this.#byeReason);
  }

  /** RFC 3261 §13.3.1.4: the session is ended with BYE, whether the peer still hears it or not. */
  #handleAckTimeout(): void {
    this.#isUnacknowledged = false;
    const error = ackMissing();
    this.#dialog?.bye({ endedBy: "network", reason: "error", error });
    this.#lifecycle.end({
      at: this.#context.clock.now(),
      endedBy: "network",
      reason: "error",
      error,
    });
  }

  #bye(reason: CallEndReason): void {
    this.#dialog?.bye({ endedBy: "local", reason });
  }
}

function requireStatus(statusCode: number, least: number, most: number): void {
  if (Number.isInteger(statusCode) && statusCode >= least && statusCode <= most) return;
  throw new UsageError(
    "ERR_STATUS_CODE",
    `A call can be refused so with a status code of ${least} to ${most}, not ${statusCode}.`,
  );
}
