import {
  areSameKeys,
  parseCryptoAttribute,
  type SrtpKeys,
  type SrtpSuite,
  writeCryptoAttribute,
} from "../srtp/index.ts";
import type { SrtpCapability } from "./media-capabilities.ts";
import type { SdpAttribute } from "./session-description.ts";

/** Keys for both directions; `tag` is that of the `a=crypto` that both sides share. */
export interface AgreedCrypto {
  readonly tag: number;
  readonly send: SrtpKeys;
  readonly receive: SrtpKeys;
}

/** Why the `a=crypto` of an answer cannot be used, as a sentence. */
export interface CryptoFault {
  readonly fault: string;
}

/**
 * The exchange of keys by `a=crypto` (RFC 4568). Our own keys stay for the life of the session,
 * one per suite; the peer may change its own with any offer or answer (§7.1.4).
 */
export class CryptoExchange {
  readonly #capability: SrtpCapability;
  #agreed: AgreedCrypto | undefined;

  constructor(capability: SrtpCapability) {
    this.#capability = capability;
  }

  /** The keys in force. */
  get agreed(): AgreedCrypto | undefined {
    return this.#agreed;
  }

  /** Puts what was agreed into force. */
  settle(agreed: AgreedCrypto | undefined): void {
    this.#agreed = agreed;
  }

  /** To be offered, the suite in use first, so that a re-offer does not change it. */
  offerAttributes(): SdpAttribute[] {
    const { policy, offers } = this.#capability;
    if (policy === "off") return [];
    const inUse = offers.filter((offer) => this.#isInUse(offer.keys.suite));
    const others = offers.filter((offer) => !inUse.includes(offer));
    return [...inUse, ...others].map(({ tag, keys }) => cryptoAttribute(tag, keys));
  }

  /**
   * Chooses from the `a=crypto` lines of an offer: the suite in use, else the offerer's most
   * preferred one that we have (RFC 4568 §5.1.2). `undefined`: there is none.
   */
  choose(cryptos: readonly string[]): AgreedCrypto | undefined {
    if (this.#capability.policy === "off") return undefined;
    const usable: AgreedCrypto[] = [];
    for (const value of cryptos) {
      const offered = parseCryptoAttribute(value);
      if (offered.kind === "unsupported") continue;
      const own = this.#capability.offers.find((each) => each.keys.suite === offered.keys.suite);
      if (own !== undefined) usable.push(this.#agreement(offered.tag, own.keys, offered.keys));
    }
    return usable.find((each) => this.#isInUse(each.send.suite)) ?? usable[0];
  }

  /** Reads the `a=crypto` of an answer, which must accept exactly one of ours (RFC 4568 §5.1.3). */
  readAnswer(cryptos: readonly string[]): AgreedCrypto | CryptoFault {
    const [value, ...more] = cryptos;
    if (value === undefined) return { fault: "It has no a=crypto line." };
    if (more.length > 0) return { fault: "It has more than one a=crypto line." };
    const answered = parseCryptoAttribute(value);
    if (answered.kind === "unsupported") {
      return { fault: `Its a=crypto line cannot be used: ${answered.reason}.` };
    }
    const { tag, keys } = answered;
    const own = this.#capability.offers.find((offer) => offer.tag === tag);
    if (own === undefined) return { fault: `Its a=crypto tag ${tag} was not offered.` };
    if (own.keys.suite !== keys.suite) {
      const offered = own.keys.suite;
      return { fault: `Its a=crypto tag ${tag} has ${keys.suite}; we offered ${offered} there.` };
    }
    return this.#agreement(tag, own.keys, keys);
  }

  #agreement(tag: number, send: SrtpKeys, receive: SrtpKeys): AgreedCrypto {
    const known = this.#agreed?.receive;
    const isUnchanged = known !== undefined && areSameKeys(known, receive);
    return { tag, send, receive: isUnchanged ? known : receive };
  }

  #isInUse(suite: SrtpSuite): boolean {
    return suite === this.#agreed?.send.suite;
  }
}

/** The `a=crypto` line of an answer or offer. */
export function cryptoAttribute(tag: number, keys: SrtpKeys): SdpAttribute {
  return { name: "crypto", value: writeCryptoAttribute(tag, keys) };
}
