import type {
  IncomingInviteRequest,
  IncomingPrackRequest,
  IncomingRequestMessage,
  IncomingResponseMessage,
  Session,
} from "sip.js/lib/core/index.js";
import { RemoteError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CallEnd, CallLifecycle } from "./call-lifecycle.ts";
import { DialogRequests, notEstablished } from "./dialog-requests.ts";
import { type DialogSettings, supportedInDialog } from "./dialog-settings.ts";
import { DialogTurns } from "./dialog-turns.ts";
import { onUpdate, restoreRemoteTarget } from "./fixes.ts";
import { onReinviteAckMissing } from "./fixes-of-repetition.ts";
import { answerInfo } from "./info-request.ts";
import { sendInfo } from "./info-sender.ts";
import type { OfferState } from "./offer-state.ts";
import { allowsMethod } from "./option-tags.ts";
import { askInDialog } from "./options-answer.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import { ReferReceiver } from "./refer-receiver.ts";
import { ReferSender } from "./refer-sender.ts";
import { notInDialog, ReinviteSender } from "./reinvite-sender.ts";
import type { Renegotiation } from "./renegotiation.ts";
import type { DialogIdentity } from "./replaces.ts";
import { type Negotiation, negotiate, sdpBody, sdpOf } from "./session-description.ts";
import { SessionTimer } from "./session-timer.ts";
import type { InfoAnswer, Negotiator } from "./sip-call.ts";
import type { MessageAnswer } from "./text-exchange.ts";
import { answerMessage, sendMessage } from "./text-message.ts";
import type { ReferRequest, TransferOutcome } from "./transfer.ts";
import { answerUpdate } from "./update-request.ts";

/** Whether a Replaces header that names these tags means this dialog (RFC 3891 §3). */
export function confirmedState(
  dialog: EstablishedDialog,
  { localTag, remoteTag }: Pick<DialogIdentity, "localTag" | "remoteTag">,
): "confirmed" | "ending" | undefined {
  const { identity } = dialog;
  if (identity.localTag !== localTag || identity.remoteTag !== remoteTag) return undefined;
  return dialog.isEnding ? "ending" : "confirmed";
}

/** RFC 3261 §13.3.1.4: 64·T1 after our 200 to an INVITE, the first or a later one. */
export function ackMissing(): RemoteError {
  return new RemoteError(
    "ERR_SIP_ACK_MISSING",
    "The peer did not acknowledge our 200 response within 32 s. Look for ACK in the trace; its way may be blocked.",
  );
}

/** Whose call the dialog belongs to. */
export interface DialogOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
  readonly negotiator: Negotiator;
  /** We generated the Call-ID. */
  readonly ownsCallId: boolean;
  /** The ACK of our 2xx came. */
  readonly onAck?: (message: IncomingRequestMessage) => void;
  /** The ACK of the 2xx of the first INVITE did not come within 64·T1. */
  readonly onAckTimeout?: () => void;
  readonly settings: DialogSettings;
  /** The INVITE or its 2xx, whichever came from the peer: its Allow counts for the dialog. */
  readonly peerMessage: IncomingRequestMessage | IncomingResponseMessage;
  /** Our offer in the 2xx waits for its answer in the ACK. */
  readonly offers?: OfferState;
  /** PRACK came although the call is answered; else it gets 481. */
  readonly onPrack?: (request: IncomingPrackRequest) => void;
}

/**
 * The dialog of an answered call: BYE, INFO and re-INVITE from either side.
 *
 * Unlike sip.js's `Session`, it works on the core's dialog, whose callbacks are synchronous: no
 * message can arrive between an offer and its answer.
 */
export class EstablishedDialog {
  readonly #session: Session;
  readonly #owner: DialogOwner;
  readonly #turns = new DialogTurns();
  readonly #requests: DialogRequests;
  readonly #reinvites: ReinviteSender;
  readonly #refers: ReferSender;
  readonly #offers: OfferState;
  readonly #supported: readonly string[];
  /** Keeps the session alive where that was agreed on. */
  readonly timer: SessionTimer;
  #isByeSent = false;
  #offeredInReinvite = false;

  constructor(session: Session, owner: DialogOwner) {
    this.#session = session;
    this.#owner = owner;
    const turns = this.#turns;
    this.#requests = new DialogRequests(session, owner, turns);
    this.#offers = owner.offers ?? { open: "none" };
    this.#supported = supportedInDialog(owner.settings);
    this.timer = this.#makeTimer();
    const parts = { offers: this.#offers, supported: this.#supported, timer: this.timer };
    this.#reinvites = new ReinviteSender(
      session,
      { ...owner, ...parts },
      { turns, loseDialog: () => this.bye({ endedBy: "network", reason: "noAnswer" }) },
    );
    this.#refers = new ReferSender(session, owner);
    const referReceiver = new ReferReceiver(session, owner);
    onUpdate(session, (request) =>
      answerUpdate(request, { ...owner, ...parts, session, acceptOffer: this.#acceptOffer }),
    );
    onReinviteAckMissing(session, () =>
      this.bye({ endedBy: "network", reason: "error", error: ackMissing() }),
    );
    session.delegate = {
      onAck: ({ message }) => this.#handleAck(message),
      // Also comes 64·T1 after a BYE that overtook its ACK; the call has ended by then.
      onAckTimeout: () => owner.onAckTimeout?.(),
      onBye: (request) => {
        request.accept();
        this.#end({ at: owner.context.messageInstant(), endedBy: "remote", reason: "bye" });
      },
      onInvite: (request) => this.#handleReinvite(request),
      onInfo: (request) => answerInfo(request, owner),
      onMessage: (request) => answerMessage(request, owner),
      onNotify: (request) => this.#refers.handleNotify(request),
      onRefer: (request) => referReceiver.handleRefer(request),
      onPrack: (request) => {
        if (owner.onPrack === undefined) request.reject({ statusCode: 481 });
        else owner.onPrack(request);
      },
    };
  }

  get session(): Session {
    return this.#session;
  }

  get identity(): DialogIdentity {
    const { callId, localTag, remoteTag } = this.#session;
    return { callId, localTag, remoteTag };
  }

  /** Our BYE is on its way. */
  get isEnding(): boolean {
    return this.#isByeSent;
  }

  /** See `SipCall.info`. */
  info(contentType: string, body: string): Promise<InfoAnswer> {
    if (this.#isByeSent) return Promise.reject(notEstablished("INFO"));
    return sendInfo(this.#requests, contentType, body);
  }

  /** See `SipCall.message`. */
  message(text: string): Promise<MessageAnswer> {
    if (this.#isByeSent) return Promise.reject(notEstablished("MESSAGE"));
    return sendMessage(this.#requests, text);
  }

  /** See `SipCall.queryOptions`. */
  queryOptions(): Promise<OptionsAnswer> {
    if (this.#isByeSent) return Promise.reject(notEstablished("OPTIONS"));
    return askInDialog(this.#requests, this.#owner.context.core);
  }

  /** See `SipCall.renegotiate`. */
  renegotiate(how?: Renegotiation): Promise<void> {
    const isUp = this.#owner.lifecycle.state === "established" && !this.#isByeSent;
    return isUp ? this.#reinvites.send(how) : Promise.reject(notInDialog());
  }

  /** See `SipCall.refer`. */
  refer(request: ReferRequest): Promise<TransferOutcome> {
    return this.#refers.send(request);
  }

  /**
   * Sends BYE; the call has ended when that is answered, or was not within 64·T1 (timer F). By
   * any answer: whatever the peer says, the dialog is over (RFC 3261 §15.1.1).
   */
  bye(end: Omit<CallEnd, "at">, extraHeaders: string[] = []): void {
    if (this.#isByeSent || this.#owner.lifecycle.state === "ended") return;
    this.#isByeSent = true;
    this.#turns.close();
    this.timer.stop();
    let at = this.#owner.context.messageInstant();
    const finish = (): void => {
      this.#owner.context.takeSendFailure(this.#session.callId);
      this.#end({ at, ...end });
    };
    at = this.#owner.context.sentAt(() => {
      this.#session.bye(
        { onAccept: finish, onRedirect: finish, onReject: finish },
        {
          extraHeaders: [...this.#owner.lifecycle.endHeaders, ...extraHeaders],
        },
      );
    });
  }

  #end(end: CallEnd): void {
    this.timer.stop();
    this.#owner.lifecycle.end(end);
  }

  #makeTimer(): SessionTimer {
    const { context, lifecycle, ownsCallId, peerMessage, settings } = this.#owner;
    const method = allowsMethod(peerMessage, "UPDATE") ? "UPDATE" : "INVITE";
    return new SessionTimer({
      clock: context.clock,
      settings,
      isCaller: ownsCallId,
      // What becomes of it shows in whether the session is refreshed.
      refresh: () => void this.renegotiate({ method, withOffer: false }).catch(() => {}),
      onExpired: () => this.#expire(),
      onAgreed: (agreed) => {
        const { intervalS, isOurs } = agreed;
        const refresher = isOurs ? "local" : "remote";
        lifecycle.tell({
          type: "sessionTimer",
          at: context.messageInstant(),
          intervalS,
          refresher,
        });
      },
    });
  }

  /** RFC 4028 §10. */
  #expire(): void {
    const error = new RemoteError(
      "ERR_SESSION_EXPIRED",
      "The session was not refreshed in time, so the call was hung up (RFC 4028 §10). Look in the trace for who had to refresh it, and what came of that.",
    );
    const reason = 'Reason: SIP;cause=408;text="Session expired"';
    this.bye({ endedBy: "network", reason: "sessionExpired", error }, [reason]);
  }

  readonly #acceptOffer = (offer: string): Negotiation =>
    negotiate(() => this.#owner.negotiator.acceptOffer(offer));

  #handleAck(message: IncomingRequestMessage): void {
    if (!this.#offeredInReinvite) {
      this.#owner.onAck?.(message);
      return;
    }
    this.#offeredInReinvite = false;
    this.#offers.open = "none";
    const answer = sdpOf(message);
    if (answer === undefined) return;
    const result = negotiate(() => this.#owner.negotiator.acceptAnswer(answer));
    if (!result.isAgreed)
      this.bye({ endedBy: "local", reason: result.reason, error: result.error });
  }

  /** Hold, resume and session refresh (RFC 3261 §14.2); what we cannot accept changes nothing. */
  #handleReinvite(request: IncomingInviteRequest): void {
    const { context, negotiator } = this.#owner;
    const refuse = (statusCode: number, extraHeaders: string[] = []): void => {
      restoreRemoteTarget(this.#session);
      request.reject({ statusCode, extraHeaders });
    };
    // An offer of ours is under way, in an UPDATE (RFC 3311 §5.2).
    if (this.#offers.open === "ours") return refuse(491);
    const timing = this.timer.answer(request.message);
    if (timing.kind === "refused") {
      return refuse(timing.refusal.statusCode, timing.refusal.extraHeaders);
    }
    const offer = sdpOf(request.message);
    const result = negotiate(() =>
      offer === undefined ? negotiator.createOffer() : negotiator.acceptOffer(offer),
    );
    if (!result.isAgreed || result.description === undefined) {
      return refuse(488);
    }
    this.#offeredInReinvite = offer === undefined;
    if (offer === undefined) this.#offers.open = "ours";
    const timed = timing.kind === "agreed" ? timing.headers : [];
    request.accept({
      statusCode: 200,
      body: sdpBody(result.description),
      extraHeaders: [
        context.core.contactHeader,
        context.core.allowHeader,
        ...this.#supported,
        ...timed,
      ],
    });
    this.timer.handleAnswered(timing);
  }
}
