import type {
  AckableIncomingResponseWithSession,
  IncomingResponseMessage,
  OutgoingInviteRequest,
  OutgoingRequestMessage,
  URI,
} from "sip.js/lib/core/index.js";
import {
  after,
  type Instant,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  type Timer,
} from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { type CallEnd, CallLifecycle } from "./call-lifecycle.ts";
import { DialogCall, type DialogCallParts } from "./dialog-call.ts";
import type { ReplaceableState } from "./dialog-replacement.ts";
import type { DialogSettings } from "./dialog-settings.ts";
import { EarlyDialogs } from "./early-dialogs.ts";
import { confirmedState, EstablishedDialog } from "./established-dialog.ts";
import { refreshRemoteTarget } from "./fixes.ts";
import { InviteAttempts } from "./invite-attempts.ts";
import type { InviteIdentity } from "./invite-identity.ts";
import type { MessageFault } from "./message-faults.ts";
import { checkedHeaders } from "./request-headers.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import { sdpBody } from "./session-description.ts";
import type { CallEndReason, Negotiator, OutboundCall } from "./sip-call.ts";

/** How to place a call. */
export interface CallOptions {
  readonly negotiator: Negotiator;
  /** `late`: the INVITE has no offer, the peer makes it (RFC 3261 §13.2.1). Default `early`. */
  readonly offer?: "early" | "late";
  /** How long it may ring, from the INVITE on, before we give up. Default: no limit of ours. */
  readonly ringTimeoutMs?: number;
  /** Further header lines of the INVITE, "Name: value". Route lines become its route set. */
  readonly headers?: readonly string[];
  /** As whom it is placed, and whom it asks for. */
  readonly identity?: InviteIdentity;
  /** What shall go wrong with the messages of this call on purpose. */
  readonly faults?: readonly MessageFault[];
  /** What it uses of SIP's extensions. */
  readonly settings?: DialogSettings;
}

/** Why we gave a call up before it was answered. */
interface GiveUp {
  readonly reason: CallEndReason;
  readonly error?: SidetoneError;
}

/** A call that we placed: the client side of an INVITE (RFC 3261 §13.2). */
export class OutgoingCall extends DialogCall implements OutboundCall {
  readonly callId: string;
  readonly remote: string;
  readonly #context: CallContext;
  readonly #lifecycle: CallLifecycle;
  readonly #negotiator: Negotiator;
  readonly #early: EarlyDialogs;
  readonly #attempts: InviteAttempts;
  #request: OutgoingInviteRequest | undefined;
  #dialog: EstablishedDialog | undefined;
  #timer: Timer | undefined;
  #lastProvisional = 0;
  #givenUp: GiveUp | undefined;
  /** Why a redirection was not followed. */
  #refusedTarget: SidetoneError | undefined;

  /** Prepares the INVITE; `start` sends it. */
  constructor(context: CallContext, target: URI, options: CallOptions) {
    super();
    this.#context = context;
    this.#lifecycle = new CallLifecycle(context);
    this.#negotiator = options.negotiator;
    const { settings = {}, headers = [], identity = {}, negotiator } = options;
    const offer = options.offer === "late" ? undefined : () => negotiator.createOffer();
    this.#attempts = new InviteAttempts(context, { target, offer, settings, headers, identity });
    this.#early = new EarlyDialogs({
      context,
      lifecycle: this.#lifecycle,
      negotiator: options.negotiator,
      settings,
      offersEarly: options.offer !== "late",
      isWanted: () => this.state === "early" && this.#givenUp === undefined,
      onUnusable: (failure) => this.#giveUp(failure),
    });
    this.callId = this.#attempts.first.callId;
    this.remote = target.toString();
  }

  protected get parts(): DialogCallParts {
    return { lifecycle: this.#lifecycle, dialog: this.#dialog, early: this.#early };
  }

  /** See `ReplaceableCall`. Several early dialogs may be there, one for each fork. */
  dialogState(localTag: string, remoteTag: string): ReplaceableState | undefined {
    if (this.#dialog !== undefined) return confirmedState(this.#dialog, { localTag, remoteTag });
    const { core } = this.#context;
    const isOurs = this.#attempts.first.fromTag === localTag && this.state === "early";
    if (!isOurs || !core.dialogs.has(this.callId + localTag + remoteTag)) return undefined;
    return this.#givenUp === undefined ? "earlyOurs" : "ending";
  }

  /** Sends the INVITE. */
  start(ringTimeoutMs: number | undefined): void {
    this.#invite(this.#attempts.first);
    if (ringTimeoutMs !== undefined) {
      this.#setTimer(ringTimeoutMs, () => this.#giveUp({ reason: "ringTimeout" }));
    }
  }

  #invite(message: OutgoingRequestMessage): void {
    this.#request = this.#context.core.invite(message, {
      onAccept: (response) => this.#handleAccepted(response),
      onProgress: (response) => this.#early.handleProgress(response),
      onRedirect: (response) => this.#handleRefused(response.message),
      onReject: (response) => this.#handleRefused(response.message),
    });
  }

  hangUp(headers: readonly string[] = []): Promise<void> {
    this.#lifecycle.endHeaders = checkedHeaders(headers);
    return this.#hangUp("cancel", "bye");
  }

  /** Hangs up because the endpoint is being closed. */
  shutDown(): Promise<void> {
    return this.#hangUp("shutdown", "shutdown");
  }

  /** The endpoint closes now, whatever the peer does. */
  abandon(): void {
    this.#end({ at: this.#context.clock.now(), endedBy: "local", reason: "shutdown" });
  }

  /**
   * A provisional response came. The endpoint tells of it before sip.js sees it, which drops those
   * without To tag or Contact, although the peer rings.
   */
  handleProvisional(statusCode: number, at: Instant): void {
    if (this.state !== "early" || statusCode === this.#lastProvisional) return;
    this.#lastProvisional = statusCode;
    if (this.#givenUp !== undefined) return;
    this.#lifecycle.progress(statusCode === 100 ? "trying" : "ringing", at, statusCode);
  }

  /** Nobody wants the call any more: its INVITE must not be repeated. */
  get isGivenUp(): boolean {
    return this.#givenUp !== undefined || this.state === "ended";
  }

  /** The INVITE goes again, with credentials; what was said to the first no longer counts. */
  handleRepeated(): void {
    this.#lastProvisional = 0;
  }

  /** The peer broke the protocol so that the call can never come up. */
  fail(error: RemoteError): void {
    this.#end({ at: this.#context.messageInstant(), endedBy: "network", reason: "error", error });
    this.#forget();
  }

  #hangUp(giveUpReason: CallEndReason, byeReason: CallEndReason): Promise<void> {
    if (this.state === "early") this.#giveUp({ reason: giveUpReason });
    else this.#dialog?.bye({ endedBy: "local", reason: byeReason });
    return this.#lifecycle.whenEnded();
  }

  /**
   * RFC 3261 §9.1: a CANCEL may only follow a provisional response. Where none came, the call ends
   * for us at once, and sip.js sends the CANCEL, or ACK and BYE, if the peer does answer yet.
   */
  #giveUp({ reason, ...details }: GiveUp): void {
    if (this.#givenUp !== undefined || this.state !== "early") return;
    const end = { endedBy: "local", reason, ...details } as const;
    this.#givenUp = { reason, ...details };
    this.#timer?.cancel();
    const at = this.#context.sentAt(() =>
      this.#request?.cancel(undefined, this.#lifecycle.endOptions),
    );
    if (this.#lastProvisional === 0) {
      this.#end(reason === "ringTimeout" ? silentPeer(at) : { at, ...end });
      // Until a final response, which ends the request by itself.
      if (this.#request !== undefined) {
        this.#timer = this.#context.forgetRequestLater(this.#request);
      }
      return;
    }
    // sip.js would stay in Proceeding for ever where no final response follows.
    this.#setTimer(TRANSACTION_TIMEOUT_MS, () => {
      this.#end({ at: this.#context.clock.now(), ...end });
      this.#forget();
    });
  }

  #handleAccepted(response: AckableIncomingResponseWithSession): void {
    const { message, session } = response;
    this.#timer?.cancel();
    // A fork answered as well, or the call was over already: ACK and BYE (RFC 3261 §13.2.2.4).
    if (this.#dialog !== undefined || this.state === "ended") {
      response.ack();
      session.bye();
      return;
    }
    refreshRemoteTarget(session, message);
    const { statusCode } = message;
    this.#dialog = new EstablishedDialog(session, {
      context: this.#context,
      lifecycle: this.#lifecycle,
      negotiator: this.#negotiator,
      ownsCallId: true,
      settings: this.#attempts.settings,
      peerMessage: message,
    });
    if (this.#givenUp !== undefined) {
      response.ack();
      this.#dialog.bye({ endedBy: "local", ...this.#givenUp, statusCode: statusCode ?? 200 });
      return;
    }
    this.#lifecycle.progress("answered", this.#context.messageInstant(), statusCode);
    this.#acknowledge(response, this.#dialog);
  }

  #acknowledge(response: AckableIncomingResponseWithSession, dialog: EstablishedDialog): void {
    const result = this.#early.conclude(response);
    const body = result.isAgreed ? result.description : undefined;
    const at = this.#context.sentAt(() => {
      response.ack(body === undefined ? {} : { body: sdpBody(body) });
    });
    if (result.isAgreed) {
      this.#lifecycle.progress("confirmed", at);
      dialog.timer.handleResponse(response.message);
    } else dialog.bye({ endedBy: "local", reason: result.reason, error: result.error });
  }

  #handleRefused(message: IncomingResponseMessage): void {
    if (this.#tryElsewhere(message)) return;
    this.#timer?.cancel();
    const at = this.#context.messageInstant();
    const { statusCode = 0, reasonPhrase = "" } = message;
    const isFromPeer = (message as { data?: string }).data !== undefined;
    if (!isFromPeer) {
      this.#handleNoResponse(statusCode, at);
      return;
    }
    // A challenge that met our CANCEL ends it as 487 does: it is not answered any more.
    const givenUp = [401, 407, 487].includes(statusCode) ? this.#givenUp : undefined;
    const unanswered = this.#context.takeSendFailure(this.callId);
    const end =
      givenUp === undefined
        ? ({ endedBy: "remote", reason: "rejected" } as const)
        : ({ endedBy: "local", ...givenUp } as const);
    const error = givenUp === undefined ? (this.#refusedTarget ?? unanswered) : undefined;
    const why = error === undefined ? {} : { error };
    this.#end({ at, ...end, statusCode, reasonPhrase, ...why });
  }

  /** Sends another INVITE where the refusal leads to one. */
  #tryElsewhere(refusal: IncomingResponseMessage): boolean {
    if (this.#givenUp !== undefined || this.state !== "early") return false;
    const { statusCode = 0 } = refusal;
    const at = this.#context.messageInstant();
    this.#attempts.handleRefusal(refusal);
    for (;;) {
      try {
        const next = this.#attempts.next();
        if (next === undefined) return false;
        if (statusCode < 400) this.#lifecycle.progress("redirected", at, statusCode);
        this.#early.reset();
        this.#lastProvisional = 0;
        this.#invite(next);
        return true;
      } catch (error) {
        // It may not be called, by the safety policy: the next one, if there is any.
        if (!isSidetoneError(error)) throw error;
        this.#refusedTarget = error;
      }
    }
  }

  /** sip.js makes a 408 up when timer B fires, and a 503 when the transport fails. */
  #handleNoResponse(statusCode: number, at: Instant): void {
    const error = this.#context.takeSendFailure(this.callId);
    if (error !== undefined) this.#end({ at, endedBy: "network", reason: "unreachable", error });
    else this.#end({ ...silentPeer(at), statusCode, reasonPhrase: "Request Timeout" });
  }

  #end(end: CallEnd): void {
    this.#timer?.cancel();
    this.#lifecycle.end(end);
  }

  #forget(): void {
    if (this.#request !== undefined) this.#context.forgetRequest(this.#request);
  }

  #setTimer(delayMs: number, handler: () => void): void {
    const { clock } = this.#context;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(after(clock.now(), delayMs), handler);
  }
}

function silentPeer(at: Instant): CallEnd {
  const error = new RemoteError(
    "ERR_SIP_NO_RESPONSE",
    "The peer sent no response at all to our INVITE. Check the target's address and port, and firewalls between.",
  );
  return { at, endedBy: "network", reason: "noAnswer", error };
}
