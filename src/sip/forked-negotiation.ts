import { missingDescription, type Negotiation, negotiate } from "./session-description.ts";
import type { Negotiator } from "./sip-call.ts";

/** What one dialog of a fork has agreed on. */
interface Branch {
  /** The negotiator's state while another dialog is in use. */
  saved: unknown;
  /** The description that the peer sent here. */
  description: string | undefined;
}

/**
 * Offer and answer of one INVITE that several may answer (RFC 3261 §13.2.2.4): each dialog, known
 * by its To tag, answers the same offer and goes on from there on its own. One of them is in use at
 * a time, and only its media flow: the one that spoke last, in the end the one that answered.
 */
export class ForkedNegotiation {
  readonly #negotiator: Negotiator;
  /** Right after the offer was made, or before there was one. */
  readonly #initial: unknown;
  readonly #branches = new Map<string, Branch>();
  #inUse: string | undefined;

  /** Made once the offer is. */
  constructor(negotiator: Negotiator) {
    this.#negotiator = negotiator;
    this.#initial = negotiator.save?.();
  }

  /** Whether this dialog has had its first exchange. */
  hasAgreed(tag: string): boolean {
    return this.#branches.get(tag)?.description !== undefined;
  }

  /** Whether this dialog has sent just this description before. */
  isKnown(tag: string, description: string): boolean {
    return this.#branches.get(tag)?.description === description;
  }

  /**
   * Takes the answer of a dialog to our offer. The same one again changes nothing; another one
   * replaces it, because that of the 2xx is the one that counts (RFC 3261 §13.2.1).
   */
  takeAnswer(tag: string, answer: string | undefined, where: string): Negotiation {
    const branch = this.use(tag);
    if (answer === undefined || branch.description === answer) {
      return branch.description === undefined
        ? missingDescription(where)
        : { isAgreed: true, description: undefined };
    }
    if (branch.description !== undefined) this.#negotiator.restore?.(this.#initial);
    const result = negotiate(() => this.#negotiator.acceptAnswer(answer));
    if (result.isAgreed) branch.description = answer;
    return result;
  }

  /** Takes an offer of a dialog, and gives the answer to it. */
  takeOffer(tag: string, offer: string): Negotiation {
    const branch = this.use(tag);
    const result = negotiate(() => this.#negotiator.acceptOffer(offer));
    if (result.isAgreed) branch.description = offer;
    return result;
  }

  /** The INVITE is sent anew: nobody has answered its offer yet. */
  reset(): void {
    if (this.#branches.size > 0) this.#negotiator.restore?.(this.#initial);
    this.#branches.clear();
    this.#inUse = undefined;
  }

  /** From now on the media are those of this dialog. */
  use(tag: string): Branch {
    const known = this.#branches.get(tag);
    const branch = known ?? { saved: this.#initial, description: undefined };
    this.#branches.set(tag, branch);
    if (this.#inUse === tag) return branch;
    const before = this.#inUse === undefined ? undefined : this.#branches.get(this.#inUse);
    if (before !== undefined) {
      before.saved = this.#negotiator.save?.();
      this.#negotiator.restore?.(branch.saved);
    }
    this.#inUse = tag;
    return branch;
  }
}
