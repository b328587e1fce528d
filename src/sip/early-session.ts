import type {
  Body,
  IncomingInviteRequest,
  IncomingPrackRequest,
  IncomingRequestMessage,
  Session,
} from "sip.js/lib/core/index.js";
import type { Instant } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import { type DialogSettings, reliableUse, supportedInDialog } from "./dialog-settings.ts";
import { DialogTurns } from "./dialog-turns.ts";
import { forgetAnswer, onUpdate } from "./fixes.ts";
import type { InboundNegotiation } from "./inbound-negotiation.ts";
import { answerInfo } from "./info-request.ts";
import { optionTags } from "./option-tags.ts";
import { type PrackAnswer, type Provisional, ProvisionalSender } from "./provisional-sender.ts";
import { ReinviteSender } from "./reinvite-sender.ts";
import type { Renegotiation } from "./renegotiation.ts";
import type { Negotiation } from "./session-description.ts";
import { answerMessage } from "./text-message.ts";
import { answerUpdate } from "./update-request.ts";

/** Whose early dialog it is. */
export interface EarlySessionOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
  readonly negotiation: InboundNegotiation;
  readonly request: IncomingInviteRequest;
  readonly settings: () => DialogSettings;
  /** Of each response, by the user's wish. */
  readonly headers: () => readonly string[];
  /** PRACK brought an answer that cannot be used. */
  readonly onUnusable: (failure: Extract<Negotiation, { isAgreed: false }>) => void;
  /** PRACK did not come. */
  readonly onUnacknowledged: () => void;
}

/**
 * The early dialog of a call that we got: its provisional responses, reliable or not, and what the
 * caller may send before the call is answered: PRACK, UPDATE, INFO.
 */
export class EarlySession {
  readonly #owner: EarlySessionOwner;
  readonly #provisionals: ProvisionalSender;
  #session: Session | undefined;
  /** There once the first exchange is over: UPDATE may change it (RFC 3311 §5.1). */
  #sender: ReinviteSender | undefined;
  /** To be done once our description in a provisional response was acknowledged. */
  #whenSettled: (() => void) | undefined;

  constructor(owner: EarlySessionOwner) {
    this.#owner = owner;
    this.#provisionals = new ProvisionalSender({
      context: owner.context,
      request: owner.request,
      onSent: (provisional, session, at) => this.#handleSent(provisional, session, at),
      onPrack: (provisional, message) => this.#handlePrack(provisional, message),
      onSettled: () => {
        const then = this.#whenSettled;
        this.#whenSettled = undefined;
        then?.();
      },
      onUnacknowledged: owner.onUnacknowledged,
    });
  }

  /** Sends a provisional response, as reliably as it has to be. */
  send(statusCode: number, body?: Body): void {
    const isReliable = this.isReliable(body !== undefined);
    this.#provisionals.send({ statusCode, body, isReliable, extraHeaders: this.#owner.headers() });
  }

  /** RFC 3262 §3: always where the caller requires it, and with a description where it can. */
  isReliable(hasDescription: boolean): boolean {
    const { message } = this.#owner.request;
    const use = reliableUse(this.#owner.settings());
    if (optionTags(message, "Require").has("100rel")) return true;
    const isWanted = use === "required" || (use === "supported" && hasDescription);
    return isWanted && optionTags(message, "Supported").has("100rel");
  }

  /** Does it now, or once our description was acknowledged: no 2xx may go before (RFC 3262 §3). */
  whenSettled(action: () => void): void {
    if (this.#provisionals.awaitsPrack) this.#whenSettled = action;
    else action();
  }

  handlePrack(request: IncomingPrackRequest): void {
    this.#provisionals.handlePrack(request);
  }

  /** UPDATE of ours; `undefined` where it is too early for it. */
  renegotiate(how: Renegotiation): Promise<void> | undefined {
    return how.method === "UPDATE" ? this.#sender?.send(how) : undefined;
  }

  /** A final response goes out. */
  stop(): void {
    this.#provisionals.stop();
    if (this.#owner.negotiation.isSettled && this.#session !== undefined) {
      forgetAnswer(this.#session);
    }
  }

  #handleSent({ statusCode, body }: Provisional, session: Session, at: Instant): void {
    const { context, lifecycle, negotiation } = this.#owner;
    this.#session = session;
    session.delegate = {
      // A caller may press keys while it hears an announcement.
      onInfo: (info) => answerInfo(info, { context, lifecycle }),
      onMessage: (message) => answerMessage(message, { context, lifecycle }),
      onPrack: (prack) => this.#provisionals.handlePrack(prack),
    };
    onUpdate(session, (request) =>
      answerUpdate(request, {
        context,
        lifecycle,
        session,
        offers: negotiation.offers,
        acceptOffer: (offer) => negotiation.acceptFurtherOffer(offer),
        supported: supportedInDialog(this.#owner.settings()),
      }),
    );
    lifecycle.progress("ringing", at, statusCode);
    const isAgreed = body !== undefined && negotiation.isOffered;
    if (isAgreed) lifecycle.progress("earlyMedia", at, statusCode);
  }

  #handlePrack({ statusCode, body }: Provisional, message: IncomingRequestMessage): PrackAnswer {
    const { context, lifecycle, negotiation, onUnusable } = this.#owner;
    const hadDescription = body !== undefined;
    const wasOurOffer = hadDescription && negotiation.offers.open === "ours";
    const { failure, ...answer } = negotiation.handlePrack(message, hadDescription);
    if (failure !== undefined) {
      this.#whenSettled = () => onUnusable(failure);
      return answer;
    }
    this.#openSender();
    if (wasOurOffer) lifecycle.progress("earlyMedia", context.messageInstant(), statusCode);
    return answer;
  }

  #openSender(): void {
    const { context, lifecycle, negotiation } = this.#owner;
    const { negotiator, offers, isSettled } = negotiation;
    const session = this.#session;
    if (!isSettled || negotiator === undefined || session === undefined) return;
    const supported = supportedInDialog(this.#owner.settings());
    const owner = { context, lifecycle, negotiator, ownsCallId: false, offers, supported };
    this.#sender ??= new ReinviteSender(session, owner, {
      turns: new DialogTurns(),
      loseDialog: () => {},
    });
  }
}
