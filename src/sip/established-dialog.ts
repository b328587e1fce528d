import type {
  IncomingInviteRequest,
  IncomingRequestMessage,
  Session,
} from "sip.js/lib/core/index.js";
import type { CallContext } from "./call-context.ts";
import type { CallEnd, CallLifecycle } from "./call-lifecycle.ts";
import { DialogTurns } from "./dialog-turns.ts";
import { answerInfo } from "./info-request.ts";
import { InfoSender, notEstablished } from "./info-sender.ts";
import { ReferReceiver } from "./refer-receiver.ts";
import { ReferSender } from "./refer-sender.ts";
import { notInDialog, ReinviteSender } from "./reinvite-sender.ts";
import type { DialogIdentity } from "./replaces.ts";
import { negotiate, sdpBody, sdpOf } from "./session-description.ts";
import type { InfoAnswer, Negotiator } from "./sip-call.ts";
import type { ReferRequest, TransferOutcome } from "./transfer.ts";

/** Whether a Replaces header that names these tags means this dialog (RFC 3891 §3). */
export function confirmedState(
  dialog: EstablishedDialog,
  { localTag, remoteTag }: Pick<DialogIdentity, "localTag" | "remoteTag">,
): "confirmed" | "ending" | undefined {
  const { identity } = dialog;
  if (identity.localTag !== localTag || identity.remoteTag !== remoteTag) return undefined;
  return dialog.isEnding ? "ending" : "confirmed";
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
  /** It did not come within 64·T1. */
  readonly onAckTimeout?: () => void;
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
  readonly #infos: InfoSender;
  readonly #reinvites: ReinviteSender;
  readonly #refers: ReferSender;
  #isByeSent = false;
  #offeredInReinvite = false;

  constructor(session: Session, owner: DialogOwner) {
    this.#session = session;
    this.#owner = owner;
    const turns = this.#turns;
    this.#infos = new InfoSender(session, owner, turns);
    this.#reinvites = new ReinviteSender(session, owner, {
      turns,
      loseDialog: () => this.bye({ endedBy: "network", reason: "noAnswer" }),
    });
    this.#refers = new ReferSender(session, owner);
    const referReceiver = new ReferReceiver(session, owner);
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
      onNotify: (request) => this.#refers.handleNotify(request),
      onRefer: (request) => referReceiver.handleRefer(request),
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
    if (this.#isByeSent) return Promise.reject(notEstablished());
    return this.#infos.send(contentType, body);
  }

  /** See `SipCall.renegotiate`. */
  renegotiate(): Promise<void> {
    if (this.#isByeSent) return Promise.reject(notInDialog());
    return this.#reinvites.send();
  }

  /** See `SipCall.refer`. */
  refer(request: ReferRequest): Promise<TransferOutcome> {
    return this.#refers.send(request);
  }

  /**
   * Sends BYE; the call has ended when that is answered, or was not within 64·T1 (timer F). By
   * any answer: whatever the peer says, the dialog is over (RFC 3261 §15.1.1).
   */
  bye(end: Omit<CallEnd, "at">): void {
    if (this.#isByeSent || this.#owner.lifecycle.state === "ended") return;
    this.#isByeSent = true;
    this.#turns.close();
    let at = this.#owner.context.messageInstant();
    const finish = (): void => {
      this.#owner.context.takeSendFailure(this.#session.callId);
      this.#end({ at, ...end });
    };
    at = this.#owner.context.sentAt(() => {
      this.#session.bye(
        { onAccept: finish, onRedirect: finish, onReject: finish },
        this.#owner.lifecycle.endOptions,
      );
    });
  }

  #end(end: CallEnd): void {
    this.#owner.lifecycle.end(end);
  }

  #handleAck(message: IncomingRequestMessage): void {
    if (!this.#offeredInReinvite) {
      this.#owner.onAck?.(message);
      return;
    }
    this.#offeredInReinvite = false;
    const answer = sdpOf(message);
    if (answer === undefined) return;
    const result = negotiate(() => this.#owner.negotiator.acceptAnswer(answer));
    if (!result.isAgreed)
      this.bye({ endedBy: "local", reason: result.reason, error: result.error });
  }

  /** Hold, resume and session refresh (RFC 3261 §14.2); what we cannot accept changes nothing. */
  #handleReinvite(request: IncomingInviteRequest): void {
    const { context, negotiator } = this.#owner;
    const offer = sdpOf(request.message);
    const result = negotiate(() =>
      offer === undefined ? negotiator.createOffer() : negotiator.acceptOffer(offer),
    );
    if (!result.isAgreed || result.description === undefined) {
      request.reject({ statusCode: 488 });
      return;
    }
    this.#offeredInReinvite = offer === undefined;
    request.accept({
      statusCode: 200,
      body: sdpBody(result.description),
      extraHeaders: [context.core.contactHeader],
    });
  }
}
