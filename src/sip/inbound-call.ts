import type { IncomingInviteRequest, IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { RemoteError, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { type CallEnd, CallLifecycle } from "./call-lifecycle.ts";
import type { ReplaceableState } from "./dialog-replacement.ts";
import { confirmedState, EstablishedDialog } from "./established-dialog.ts";
import { localTagOf, stopWaitingForAck } from "./fixes.ts";
import { answerInfo } from "./info-request.ts";
import { notEstablished } from "./info-sender.ts";
import { notInCall } from "./refer-sender.ts";
import { notInDialog } from "./reinvite-sender.ts";
import type { DialogIdentity } from "./replaces.ts";
import { checkedHeaders } from "./request-headers.ts";
import { missingDescription, negotiate, sdpBody, sdpOf } from "./session-description.ts";
import type {
  CallEndReason,
  InboundCall,
  InfoAnswer,
  InfoListener,
  Negotiator,
  SipCall,
  SipCallEvent,
} from "./sip-call.ts";
import type { ReferListener, ReferRequest, TransferOutcome } from "./transfer.ts";

/** Said where nobody wants the call, or we hang up before it was answered. */
const TEMPORARILY_UNAVAILABLE = 480;
const NOT_ACCEPTABLE_HERE = 488;
const REQUEST_TERMINATED = 487;

/** A call that we got: the server side of an INVITE (RFC 3261 §13.3). */
export class IncomingCall implements InboundCall {
  readonly callId: string;
  readonly remote: string;
  readonly target: string;
  readonly from: string;
  readonly #context: CallContext;
  readonly #lifecycle: CallLifecycle;
  readonly #request: IncomingInviteRequest;
  readonly #replaced: SipCall | undefined;
  #dialog: EstablishedDialog | undefined;
  /** Set from our 200 until its ACK. */
  #unacknowledged: { readonly negotiator: Negotiator; readonly isOurOffer: boolean } | undefined;
  /** BYE was asked for before the ACK came. */
  #byeReason: CallEndReason | undefined;
  /** Of every response to the INVITE from now on. */
  #responseHeaders: string[] = [];

  /** @param replaced the call that has to give way to this one. */
  constructor(context: CallContext, request: IncomingInviteRequest, replaced?: SipCall) {
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
  }

  get state(): SipCall["state"] {
    return this.#lifecycle.state;
  }

  get replacedCallId(): string | undefined {
    return this.#replaced?.callId;
  }

  get onEvent(): ((event: SipCallEvent) => void) | undefined {
    return this.#lifecycle.onEvent;
  }

  set onEvent(listener: ((event: SipCallEvent) => void) | undefined) {
    this.#lifecycle.onEvent = listener;
  }

  get onInfo(): InfoListener | undefined {
    return this.#lifecycle.onInfo;
  }

  set onInfo(listener: InfoListener | undefined) {
    this.#lifecycle.onInfo = listener;
  }

  info(contentType: string, body: string): Promise<InfoAnswer> {
    return this.#dialog?.info(contentType, body) ?? Promise.reject(notEstablished());
  }

  renegotiate(): Promise<void> {
    return this.#dialog?.renegotiate() ?? Promise.reject(notInDialog());
  }

  get onRefer(): ReferListener | undefined {
    return this.#lifecycle.onRefer;
  }

  set onRefer(listener: ReferListener | undefined) {
    this.#lifecycle.onRefer = listener;
  }

  get dialog(): DialogIdentity | undefined {
    return this.#dialog?.identity;
  }

  get remoteTarget(): string | undefined {
    return this.#dialog?.session.remoteTarget.toString();
  }

  refer(request: ReferRequest): Promise<TransferOutcome> {
    return this.#dialog?.refer(request) ?? Promise.reject(notInCall());
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

  ring(statusCode: 180 | 183 = 180): void {
    if (!this.#isOpen("ring")) return;
    const at = this.#context.sentAt(() => {
      const { session } = this.#request.progress({
        statusCode,
        extraHeaders: this.#responseHeaders,
      });
      // A caller may press keys while it hears an announcement.
      session.delegate = {
        onInfo: (info) => answerInfo(info, { context: this.#context, lifecycle: this.#lifecycle }),
      };
    });
    this.#lifecycle.progress("ringing", at, statusCode);
  }

  answer(negotiator: Negotiator): void {
    if (!this.#isOpen("answer")) return;
    const offer = sdpOf(this.#request.message);
    const result = negotiate(() =>
      offer === undefined ? negotiator.createOffer() : negotiator.acceptOffer(offer),
    );
    if (!result.isAgreed || result.description === undefined) {
      const failure = result.isAgreed ? {} : { reason: result.reason, error: result.error };
      this.#refuse(NOT_ACCEPTABLE_HERE, failure);
      return;
    }
    this.#unacknowledged = { negotiator, isOurOffer: offer === undefined };
    const body = sdpBody(result.description);
    const at = this.#context.sentAt(() => {
      const { session } = this.#request.accept({
        statusCode: 200,
        body,
        extraHeaders: this.#responseHeaders,
      });
      this.#dialog = new EstablishedDialog(session, {
        context: this.#context,
        lifecycle: this.#lifecycle,
        negotiator,
        ownsCallId: false,
        onAck: (message) => this.#handleAck(message),
        onAckTimeout: () => this.#handleAckTimeout(),
      });
    });
    this.#lifecycle.progress("answered", at, 200);
    // RFC 3891 §3: BYE, or CANCEL, once the new dialog is confirmed, and not before.
    void this.#replaced?.hangUp();
  }

  reject(statusCode: number, reasonPhrase?: string): void {
    if (!Number.isInteger(statusCode) || statusCode < 300 || statusCode > 699) {
      throw new UsageError(
        "ERR_STATUS_CODE",
        `A call can be rejected with a status code of 300 to 699, not ${statusCode}.`,
      );
    }
    if (!this.#isOpen("reject")) return;
    this.#refuse(statusCode, reasonPhrase === undefined ? {} : { reasonPhrase });
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
    if (this.#unacknowledged !== undefined && this.#dialog !== undefined) {
      stopWaitingForAck(this.#dialog.session);
      this.#bye("shutdown");
    }
    this.#lifecycle.end({ at: this.#context.clock.now(), endedBy: "local", reason: "shutdown" });
  }

  #hangUp(rejectReason: CallEndReason, byeReason: CallEndReason): Promise<void> {
    if (this.state === "early") {
      this.#refuse(TEMPORARILY_UNAVAILABLE, { reason: rejectReason });
    } else if (this.#unacknowledged === undefined) {
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
    details: { reason?: CallEndReason } & Pick<CallEnd, "reasonPhrase" | "error">,
  ): void {
    const { reason = "rejected", reasonPhrase, error } = details;
    const at = this.#context.sentAt(() => {
      this.#request.reject({
        statusCode,
        ...(reasonPhrase === undefined ? {} : { reasonPhrase }),
        extraHeaders: [...this.#responseHeaders, ...this.#lifecycle.endHeaders],
      });
    });
    this.#lifecycle.end({
      at,
      endedBy: "local",
      reason,
      statusCode,
      ...(reasonPhrase === undefined ? {} : { reasonPhrase }),
      ...(error === undefined ? {} : { error }),
    });
  }

  #handleCancel(): void {
    if (this.state !== "early") return;
    const at = this.#context.messageInstant();
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
    const waiting = this.#unacknowledged;
    if (waiting === undefined) return;
    this.#unacknowledged = undefined;
    const at = this.#context.messageInstant();
    const answer = sdpOf(message);
    const result = waiting.isOurOffer ? acceptAnswer(waiting.negotiator, answer) : undefined;
    if (result?.isAgreed === false) {
      this.#dialog?.bye({ endedBy: "local", reason: result.reason, error: result.error });
      return;
    }
    this.#lifecycle.progress("confirmed", at);
    if (this.#byeReason !== undefined) this.#bye(this.#byeReason);
  }

  /** RFC 3261 §13.3.1.4: the session is ended with BYE, whether the peer still hears it or not. */
  #handleAckTimeout(): void {
    this.#unacknowledged = undefined;
    const error = new RemoteError(
      "ERR_SIP_ACK_MISSING",
      "The peer did not acknowledge our 200 response within 32 s. Look for ACK in the trace; its way may be blocked.",
    );
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

function acceptAnswer(
  negotiator: Negotiator,
  answer: string | undefined,
): ReturnType<typeof negotiate> {
  if (answer === undefined) return missingDescription("ACK to our offer");
  return negotiate(() => negotiator.acceptAnswer(answer));
}
