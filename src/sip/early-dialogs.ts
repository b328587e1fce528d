import type {
  AckableIncomingResponseWithSession,
  IncomingResponseMessage,
  PrackableIncomingResponseWithSession,
  Session,
} from "sip.js/lib/core/index.js";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import { type DialogSettings, reliableUse, supportedInDialog } from "./dialog-settings.ts";
import { DialogTurns } from "./dialog-turns.ts";
import { onUpdate } from "./fixes.ts";
import { ForkedNegotiation } from "./forked-negotiation.ts";
import { answerInfo } from "./info-request.ts";
import type { OfferState } from "./offer-state.ts";
import { optionTags } from "./option-tags.ts";
import { ReinviteSender } from "./reinvite-sender.ts";
import type { Renegotiation } from "./renegotiation.ts";
import { missingDescription, type Negotiation, sdpBody, sdpOf } from "./session-description.ts";
import type { Negotiator } from "./sip-call.ts";
import { answerMessage } from "./text-message.ts";
import { answerUpdate } from "./update-request.ts";

/** Whose early dialogs they are. */
export interface EarlyDialogsOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
  readonly negotiator: Negotiator;
  readonly settings: DialogSettings;
  /** The offer went out with the INVITE. */
  readonly offersEarly: boolean;
  /** False once we have given the call up. */
  readonly isWanted: () => boolean;
  /** What came reliably cannot be used, so the call cannot come up. */
  readonly onUnusable: (failure: Extract<Negotiation, { isAgreed: false }>) => void;
}

interface EarlyDialog {
  readonly offers: OfferState;
  /**
   * There once the first exchange is over for good: what later responses say of it is ignored, and
   * UPDATE may follow.
   */
  sender?: ReinviteSender;
}

/**
 * The dialogs that provisional responses to our INVITE make, one per To tag (RFC 3261 §13.2.2.1):
 * their media before the call is answered, and PRACK for those that came reliably (RFC 3262 §4).
 */
export class EarlyDialogs {
  readonly #owner: EarlyDialogsOwner;
  readonly #forks: ForkedNegotiation;
  readonly #dialogs = new Map<string, EarlyDialog>();
  #settled: EarlyDialog | undefined;

  /** Made once the offer is, if there is one. */
  constructor(owner: EarlyDialogsOwner) {
    this.#owner = owner;
    this.#forks = new ForkedNegotiation(owner.negotiator);
  }

  /** A provisional response with a To tag; the core has dropped repeated reliable ones. */
  handleProgress({ message, session }: PrackableIncomingResponseWithSession): void {
    const { context, lifecycle, isWanted } = this.#owner;
    const dialog = this.#dialog(session);
    session.delegate = {
      onInfo: (info) => answerInfo(info, { context, lifecycle }),
      onMessage: (request) => answerMessage(request, { context, lifecycle }),
    };
    onUpdate(session, (request) => {
      const acceptOffer = (offer: string): Negotiation =>
        this.#forks.takeOffer(session.remoteTag, offer);
      const { offers } = dialog;
      const supported = supportedInDialog(this.#owner.settings);
      answerUpdate(request, { context, lifecycle, session, offers, acceptOffer, supported });
    });
    const isReliable = this.#isReliable(message);
    const result = isWanted() ? this.#exchange(message, session, isReliable) : undefined;
    if (isReliable) this.#acknowledge(message, session, result);
    if (result === undefined) return;
    if (isReliable) {
      dialog.offers.open = "none";
      dialog.sender = this.#senderFor(session, dialog.offers);
      this.#settled = dialog;
    }
    if (result.isAgreed) {
      lifecycle.progress("earlyMedia", context.messageInstant(), message.statusCode);
    } else if (isReliable) {
      this.#owner.onUnusable(result);
    }
  }

  /**
   * The first exchange of the dialog that a 2xx confirms: the peer's answer to our offer, or our
   * answer to its offer, which goes into the ACK. From now on the media are those of this dialog.
   */
  conclude({ message, session }: AckableIncomingResponseWithSession): Negotiation {
    const { remoteTag } = session;
    const where = "200 response to our INVITE";
    if (this.#dialogs.get(remoteTag)?.sender !== undefined) {
      this.#forks.use(remoteTag);
      return { isAgreed: true, description: undefined };
    }
    const description = sdpOf(message);
    if (this.#owner.offersEarly) return this.#forks.takeAnswer(remoteTag, description, where);
    if (description === undefined) return missingDescription(where);
    return this.#forks.takeOffer(remoteTag, description);
  }

  /**
   * UPDATE in the early dialog that settled last (RFC 3311 §5.1); `undefined` where there is none.
   */
  renegotiate(how: Renegotiation): Promise<void> | undefined {
    return how.method === "UPDATE" ? this.#settled?.sender?.send(how) : undefined;
  }

  /** The INVITE goes out anew, to somebody else or with other headers. */
  reset(): void {
    this.#forks.reset();
    this.#dialogs.clear();
    this.#settled = undefined;
  }

  #senderFor(session: Session, offers: OfferState): ReinviteSender {
    const { context, lifecycle, negotiator, settings } = this.#owner;
    const supported = supportedInDialog(settings);
    const owner = { context, lifecycle, negotiator, ownsCallId: true, offers, supported };
    return new ReinviteSender(session, owner, {
      turns: new DialogTurns(),
      loseDialog: () => {},
    });
  }

  #dialog(session: Session): EarlyDialog {
    const known = this.#dialogs.get(session.remoteTag);
    if (known !== undefined) return known;
    const open = this.#owner.offersEarly ? "ours" : "none";
    const dialog: EarlyDialog = { offers: { open } };
    this.#dialogs.set(session.remoteTag, dialog);
    return dialog;
  }

  /** RFC 3262 §4. Where it is off, such a response was sent against the rules. */
  #isReliable(message: IncomingResponseMessage): boolean {
    return (
      reliableUse(this.#owner.settings) !== "off" &&
      optionTags(message, "Require").has("100rel") &&
      /^\d{1,10}$/.test(message.getHeader("RSeq") ?? "")
    );
  }

  /** What a description in a provisional response leads to; `undefined` where there is nothing new. */
  #exchange(
    message: IncomingResponseMessage,
    { remoteTag }: Session,
    isReliable: boolean,
  ): Negotiation | undefined {
    const description = sdpOf(message);
    // The dialog that spoke last is the one to be heard, whatever it agreed on before.
    if (this.#forks.hasAgreed(remoteTag)) this.#forks.use(remoteTag);
    if (description === undefined || this.#dialogs.get(remoteTag)?.sender !== undefined) {
      return undefined;
    }
    const isOffer = !this.#owner.offersEarly;
    // RFC 3262 §5: only a reliable response may carry an offer.
    if (isOffer) return isReliable ? this.#forks.takeOffer(remoteTag, description) : undefined;
    const isKnown = this.#forks.isKnown(remoteTag, description);
    const result = this.#forks.takeAnswer(remoteTag, description, "provisional response");
    return isKnown && !isReliable ? undefined : result;
  }

  #acknowledge(
    message: IncomingResponseMessage,
    session: Session,
    result: Negotiation | undefined,
  ): void {
    const rseq = Number(message.getHeader("RSeq"));
    const answer =
      result?.isAgreed === true && !this.#owner.offersEarly ? result.description : undefined;
    session.prack(undefined, {
      extraHeaders: [`RAck: ${rseq} ${message.cseq} ${message.method}`],
      ...(answer === undefined ? {} : { body: sdpBody(answer) }),
    });
  }
}
