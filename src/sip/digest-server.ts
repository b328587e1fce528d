import type { Cryptography, Instant } from "../environment/index.ts";
import type { SipCredentials } from "./digest-client.ts";
import { type DigestCredentials, parseCredentials, writeChallenge } from "./digest-grammar.ts";
import {
  algorithmNamed,
  type DigestAlgorithm,
  digestResponse,
  hexOf,
  type QualityOfProtection,
} from "./digest-response.ts";

/** How we ask others for credentials. */
export interface DigestServerOptions {
  readonly realm: string;
  readonly users: readonly Omit<SipCredentials, "realm">[];
  /** One challenge for each, in this order; default SHA-256, then MD5 (RFC 8760 §2.4). */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Default auth; empty: none is named, as in RFC 2069. */
  readonly qop?: readonly QualityOfProtection[];
  /** Default 5 minutes. */
  readonly nonceLifetimeMs?: number;
}

/** What of a request has to be judged. */
export interface ClaimedRequest {
  readonly method: string;
  readonly body: string;
  /** The values of its Authorization headers. */
  readonly authorizations: readonly string[];
}

export type ClaimVerdict =
  | { readonly isAuthorized: true; readonly user: string }
  /** WWW-Authenticate values, to be sent with 401. */
  | { readonly isAuthorized: false; readonly challenges: readonly string[] };

const DEFAULT_LIFETIME_MS = 300_000;
/** Nonces whose use is remembered; peers decide how many there are. */
const NONCES_LIMIT = 4096;
const SECRET_BYTES = 32;
const MAC_DIGITS = 32;

const DEFAULT_ALGORITHMS: readonly DigestAlgorithm[] = ["SHA-256", "MD5"];
const DEFAULT_QOP: readonly QualityOfProtection[] = ["auth"];

type Finding = "right" | "wrong" | "stale";

/**
 * Asks for digest credentials and judges them (RFC 3261 §22.4, RFC 7616, RFC 8760).
 *
 * Challenges need no memory: a nonce carries its own birth and proves that it is ours. Only the
 * count of nonces in use is kept, so that a repeated one is noticed.
 */
export class DigestServer {
  readonly #options: DigestServerOptions;
  readonly #cryptography: Cryptography;
  readonly #secret: string;
  readonly #lastCounts = new Map<string, number>();
  #challengeCount = 0;

  constructor(options: DigestServerOptions, cryptography: Cryptography) {
    this.#options = options;
    this.#cryptography = cryptography;
    this.#secret = hexOf(cryptography.randomBytes(SECRET_BYTES));
  }

  /** Judges a request's credentials; without right ones, it says what to ask for. */
  judge(request: ClaimedRequest, now: Instant): ClaimVerdict {
    let isStale = false;
    for (const value of request.authorizations) {
      const credentials = parseCredentials(value);
      if (credentials === undefined || credentials.realm !== this.#options.realm) continue;
      const finding = this.#find(credentials, request, now);
      if (finding === "right") return { isAuthorized: true, user: credentials.user };
      isStale ||= finding === "stale";
    }
    return { isAuthorized: false, challenges: this.#challenges(now, isStale) };
  }

  #find(credentials: DigestCredentials, request: ClaimedRequest, now: Instant): Finding {
    const algorithm = algorithmNamed(credentials.algorithm ?? "MD5");
    const { users, algorithms = DEFAULT_ALGORITHMS, qop: offered = DEFAULT_QOP } = this.#options;
    const qop = offered.find((each) => each === credentials.qop);
    const user = users.find((each) => each.user === credentials.user);
    // What we did not offer is refused, or a peer could choose the weakest.
    if (algorithm === undefined || !algorithms.includes(algorithm)) return "wrong";
    if (user === undefined || offered.length > 0 !== (qop !== undefined)) return "wrong";
    const expected = digestResponse(this.#cryptography, {
      algorithm,
      user: user.user,
      realm: credentials.realm,
      password: user.password,
      nonce: credentials.nonce,
      cnonce: credentials.cnonce ?? "",
      nonceCount: credentials.nonceCount ?? "",
      qop,
      method: request.method,
      // Proxies may change the Request-URI, so the one in the credentials counts (RFC 3261 §22.4).
      uri: credentials.uri,
      body: new TextEncoder().encode(request.body),
    });
    const encoder = new TextEncoder();
    const isRight = this.#cryptography.timingSafeEqual(
      encoder.encode(expected),
      encoder.encode(credentials.response),
    );
    // RFC 7616 §3.3: "stale" only where the digest itself is right.
    if (!isRight) return "wrong";
    return this.#isFresh(credentials, qop, now) ? "right" : "stale";
  }

  #isFresh(
    { nonce, nonceCount }: DigestCredentials,
    qop: QualityOfProtection | undefined,
    now: Instant,
  ): boolean {
    const [birth = "", number = "", mac = ""] = nonce.split(".");
    if (mac !== this.#mac(birth, number)) return false;
    const ageMs = now - Number.parseInt(birth, 36);
    const { nonceLifetimeMs = DEFAULT_LIFETIME_MS } = this.#options;
    if (!(ageMs >= 0 && ageMs <= nonceLifetimeMs)) return false;
    return qop === undefined || this.#isCounted(nonce, nonceCount ?? "");
  }

  /** RFC 7616 §3.4: the count of a nonce only ever grows; one that does not is a repetition. */
  #isCounted(nonce: string, text: string): boolean {
    const count = /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : 0;
    if (count <= (this.#lastCounts.get(nonce) ?? 0)) return false;
    const [oldest] = this.#lastCounts.keys();
    if (this.#lastCounts.size >= NONCES_LIMIT && oldest !== undefined) {
      this.#lastCounts.delete(oldest);
    }
    this.#lastCounts.set(nonce, count);
    return true;
  }

  #challenges(now: Instant, isStale: boolean): string[] {
    const { realm, algorithms = DEFAULT_ALGORITHMS, qop = DEFAULT_QOP } = this.#options;
    const birth = Math.floor(now).toString(36);
    this.#challengeCount += 1;
    const number = this.#challengeCount.toString(36);
    const nonce = `${birth}.${number}.${this.#mac(birth, number)}`;
    return algorithms.map((algorithm) =>
      writeChallenge({
        realm,
        nonce,
        opaque: undefined,
        isStale,
        algorithm,
        qop: qop.length === 0 ? undefined : qop,
      }),
    );
  }

  #mac(birth: string, number: string): string {
    const data = new TextEncoder().encode(`${this.#secret}:${birth}:${number}`);
    return hexOf(this.#cryptography.hash("SHA-256", data)).slice(0, MAC_DIGITS);
  }
}
