import type { Body, IncomingRequestMessage } from "sip.js/lib/core/index.js";
import type { OfferState } from "./offer-state.ts";
import {
  missingDescription,
  type Negotiation,
  negotiate,
  sdpBody,
  sdpOf,
} from "./session-description.ts";
import type { Negotiator } from "./sip-call.ts";

/** What a PRACK is answered with; `failure` where its answer to our offer cannot be used. */
export interface PrackOutcome {
  readonly statusCode: number;
  readonly body?: Body;
  readonly failure?: Extract<Negotiation, { isAgreed: false }>;
}

const OK = 200;
const NOT_ACCEPTABLE_HERE = 488;

/**
 * The first exchange of a call that we got: the answer to the INVITE's offer in a provisional
 * response or the 200, or an offer of ours whose answer comes in PRACK or ACK (RFC 6337 §2.2).
 */
export class InboundNegotiation {
  readonly offers: OfferState;
  readonly #offer: string | undefined;
  #negotiator: Negotiator | undefined;
  /** What was sent, and may be repeated until it is known to have arrived. */
  #sent: Body | undefined;
  #isSettled = false;

  constructor(invite: IncomingRequestMessage) {
    this.#offer = sdpOf(invite);
    this.offers = { open: this.#offer === undefined ? "none" : "theirs" };
  }

  /** Whether the caller made the offer. */
  get isOffered(): boolean {
    return this.#offer !== undefined;
  }

  /** That of the exchange, once it has begun. */
  get negotiator(): Negotiator | undefined {
    return this.#negotiator;
  }

  /** The exchange is complete, and both sides know it. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Makes what the next response is to carry: the answer, or an offer. */
  describe(negotiator: Negotiator): Negotiation {
    if (this.#sent !== undefined) return { isAgreed: true, description: undefined };
    this.#negotiator = negotiator;
    const offer = this.#offer;
    const result = negotiate(() =>
      offer === undefined ? negotiator.createOffer() : negotiator.acceptOffer(offer),
    );
    if (!result.isAgreed || result.description === undefined) return result;
    this.#sent = sdpBody(result.description);
    if (offer === undefined) this.offers.open = "ours";
    return result;
  }

  /** What a response is to carry now. */
  get body(): Body | undefined {
    return this.#isSettled ? undefined : this.#sent;
  }

  /** It went out in a 2xx, after which the offer of the INVITE is answered. */
  handleAnswered(): void {
    if (this.isOffered) this.offers.open = "none";
  }

  /** The peer's answer to our offer, which came in `where`; nothing where none is due. */
  acceptAnswer(message: IncomingRequestMessage, where: string): Negotiation | undefined {
    const negotiator = this.#negotiator;
    if (this.offers.open !== "ours" || negotiator === undefined) return undefined;
    this.offers.open = "none";
    const answer = sdpOf(message);
    if (answer === undefined) return missingDescription(where);
    return negotiate(() => negotiator.acceptAnswer(answer));
  }

  /**
   * PRACK acknowledged a response, with our description or without. It may carry the answer to
   * that, or, once the first exchange is over, a further offer (RFC 3262 §5).
   */
  handlePrack(message: IncomingRequestMessage, hadDescription: boolean): PrackOutcome {
    const wasOurs = hadDescription && this.offers.open === "ours";
    const accepted = wasOurs ? this.acceptAnswer(message, "PRACK for our offer") : undefined;
    if (hadDescription) {
      this.#isSettled = true;
      this.offers.open = "none";
    }
    if (accepted?.isAgreed === false) return { statusCode: OK, failure: accepted };
    const offer = sdpOf(message);
    if (wasOurs || offer === undefined) return { statusCode: OK };
    const answer = this.acceptFurtherOffer(offer);
    if (!answer.isAgreed || answer.description === undefined) {
      return { statusCode: NOT_ACCEPTABLE_HERE };
    }
    return { statusCode: OK, body: sdpBody(answer.description) };
  }

  /** Takes another offer of the caller, in PRACK or UPDATE, once the first exchange is over. */
  acceptFurtherOffer(offer: string): Negotiation {
    const negotiator = this.#negotiator;
    if (!this.#isSettled || negotiator === undefined) return missingDescription("early dialog");
    return negotiate(() => negotiator.acceptOffer(offer));
  }
}
