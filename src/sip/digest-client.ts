import { type Cryptography, RemoteError } from "../environment/index.ts";
import {
  type DigestChallenge,
  parseAuthenticationInfo,
  parseChallenges,
  writeCredentials,
} from "./digest-grammar.ts";
import {
  algorithmNamed,
  algorithmStrength,
  type DigestAlgorithm,
  digestResponse,
  hexOf,
  type QualityOfProtection,
} from "./digest-response.ts";

/** An account: who we are to those who ask. */
export interface SipCredentials {
  readonly user: string;
  /** Never logged, reported or recorded. */
  readonly password: string;
  /** Only for challenges of this realm; default: for any that no other account is named for. */
  readonly realm?: string;
}

/** Who asks: a user agent or registrar with 401, a proxy with 407. */
export type Challenger = "server" | "proxy";

/** What of a request enters its digest, and where it goes. */
export interface DigestRequest {
  readonly method: string;
  /** The Request-URI as it stands on the wire. */
  readonly uri: string;
  readonly body: string;
  readonly callId: string;
  /** Whom it is sent to first: host and port, of the first Route or the Request-URI. */
  readonly destination: string;
}

/** Whether to send the request again with credentials, or why not. */
export type ChallengeOutcome =
  | { readonly kind: "retry" }
  | { readonly kind: "refused"; readonly error: RemoteError };

/** A challenge that we can answer, and how often we did (RFC 7616 §3.4). */
interface DigestSession {
  readonly challenger: Challenger;
  readonly challenge: DigestChallenge;
  readonly algorithm: DigestAlgorithm;
  readonly qop: QualityOfProtection | undefined;
  readonly account: SipCredentials;
  readonly cnonce: string;
  nonce: string;
  nonceCount: number;
}

/** Realms and who guards them, of one request, one Call-ID or one destination. */
type Sessions = Map<string, DigestSession>;

/** Answers to stale nonces within one request, before we take the peer to be broken. */
const STALE_LIMIT = 3;
/** Calls and peers come and go unnoticed here, so what is remembered of them is bounded. */
const CALLS_LIMIT = 4096;
const DESTINATIONS_LIMIT = 256;
const CNONCE_BYTES = 16;

/** One request on its way through challenges: what was answered already. */
export class DigestAttempt {
  readonly sessions: Sessions = new Map();
  /** Answers given within this request to fresh nonces, by realm. */
  readonly answers: Map<string, number> = new Map();
}

/**
 * Answers digest challenges (RFC 3261 §22, RFC 7616, RFC 8760), and gives credentials unasked where
 * they were asked for before: within the same Call-ID, and for requests to the same destination.
 *
 * Of several challenges of one realm the strongest is answered. It knows nothing of messages and
 * transactions.
 */
export class DigestClient {
  #accounts: readonly SipCredentials[];
  readonly #cryptography: Cryptography;
  readonly #calls = new Map<string, Sessions>();
  readonly #destinations = new Map<string, Sessions>();

  constructor(accounts: readonly SipCredentials[], cryptography: Cryptography) {
    this.#accounts = accounts;
    this.#cryptography = cryptography;
  }

  /** From now on we are these; what was answered for others is forgotten. */
  useAccounts(accounts: readonly SipCredentials[]): void {
    this.#accounts = accounts;
    this.#calls.clear();
    this.#destinations.clear();
  }

  /** A new request, with what is known to be asked for. */
  begin(request: DigestRequest): DigestAttempt {
    const attempt = new DigestAttempt();
    for (const [key, session] of this.#destinations.get(request.destination) ?? []) {
      attempt.sessions.set(key, session);
    }
    for (const [key, session] of this.#calls.get(request.callId) ?? []) {
      attempt.sessions.set(key, session);
    }
    return attempt;
  }

  /** Header lines with credentials for this request; each call counts as one use of the nonces. */
  authorize(attempt: DigestAttempt, request: DigestRequest): string[] {
    return [...attempt.sessions.values()].map((session) => this.#credentials(session, request));
  }

  /**
   * Takes the challenges of a 401 or 407 response.
   * @param values of its WWW-Authenticate or Proxy-Authenticate headers.
   */
  handleChallenges(
    attempt: DigestAttempt,
    request: DigestRequest,
    { challenger, values }: { readonly challenger: Challenger; readonly values: readonly string[] },
  ): ChallengeOutcome {
    const challenges = values.flatMap((value) => parseChallenges(value));
    const realms = new Map<string, DigestChallenge[]>();
    for (const challenge of challenges) {
      if (challenge === undefined) continue;
      realms.set(challenge.realm, [...(realms.get(challenge.realm) ?? []), challenge]);
    }
    if (realms.size === 0) return refusal(malformedChallenge(challenges.length > 0));
    const errors: RemoteError[] = [];
    let answered = 0;
    for (const ofRealm of realms.values()) {
      const session = this.#answer(attempt, ofRealm, challenger);
      if (session instanceof RemoteError) {
        errors.push(session);
        continue;
      }
      answered += 1;
      this.#remember(request, session);
    }
    // One refused password ends it. Realms without account do not, where others can be answered:
    // they may be those of other branches of a fork (RFC 3261 §22.3).
    const isFinal = errors.some(({ code }) => code === "ERR_SIP_CREDENTIALS_REFUSED");
    if (answered > 0 && !isFinal) return { kind: "retry" };
    return refusal(errors[0] ?? malformedChallenge(true));
  }

  /** RFC 7616 §3.5: the server may name the nonce of the next request with its 2xx response. */
  handleAuthenticationInfo(attempt: DigestAttempt, challenger: Challenger, value: string): void {
    const next = parseAuthenticationInfo(value).get("nextnonce");
    const session = [...attempt.sessions.values()].find((each) => each.challenger === challenger);
    if (next === undefined || session === undefined || next === session.nonce) return;
    session.nonce = next;
    session.nonceCount = 0;
  }

  #answer(
    attempt: DigestAttempt,
    challenges: readonly DigestChallenge[],
    challenger: Challenger,
  ): DigestSession | RemoteError {
    const best = strongest(challenges);
    if (best === undefined) return unsupported(challenges);
    const { realm, isStale, nonce } = best.challenge;
    const key = `${challenger} ${realm}`;
    const answers = attempt.answers.get(key) ?? 0;
    const isRefused = answers > 0 && !(isStale && nonce !== attempt.sessions.get(key)?.nonce);
    if (isRefused || answers > STALE_LIMIT) {
      this.#forget(attempt.sessions.get(key));
      return credentialsRefused(realm);
    }
    const account =
      this.#accounts.find((each) => each.realm === realm) ??
      this.#accounts.find((each) => each.realm === undefined);
    if (account === undefined) return accountMissing(realm, this.#accounts.length);
    attempt.answers.set(key, answers + 1);
    const session: DigestSession = {
      ...best,
      challenger,
      account,
      nonce,
      cnonce: hexOf(this.#cryptography.randomBytes(CNONCE_BYTES)),
      nonceCount: 0,
    };
    attempt.sessions.set(key, session);
    return session;
  }

  #remember({ callId, destination }: DigestRequest, session: DigestSession): void {
    const key = `${session.challenger} ${session.challenge.realm}`;
    bounded(this.#calls, callId, CALLS_LIMIT).set(key, session);
    bounded(this.#destinations, destination, DESTINATIONS_LIMIT).set(key, session);
  }

  /** Refused credentials are not offered again unasked. */
  #forget(session: DigestSession | undefined): void {
    if (session === undefined) return;
    const key = `${session.challenger} ${session.challenge.realm}`;
    for (const sessions of [...this.#calls.values(), ...this.#destinations.values()]) {
      if (sessions.get(key) === session) sessions.delete(key);
    }
  }

  #credentials(session: DigestSession, request: DigestRequest): string {
    const { challenger, challenge, algorithm, qop, account, nonce, cnonce } = session;
    session.nonceCount += 1;
    const nonceCount = session.nonceCount.toString(16).padStart(8, "0");
    const isSession = algorithm.endsWith("-sess");
    const response = digestResponse(this.#cryptography, {
      algorithm,
      user: account.user,
      realm: challenge.realm,
      password: account.password,
      nonce,
      cnonce,
      nonceCount,
      qop,
      method: request.method,
      uri: request.uri,
      body: new TextEncoder().encode(request.body),
    });
    const value = writeCredentials({
      user: account.user,
      realm: challenge.realm,
      nonce,
      uri: request.uri,
      response,
      algorithm: challenge.algorithm,
      opaque: challenge.opaque,
      qop,
      // Without qop, RFC 2617 has no cnonce; but a "-sess" digest cannot be checked without it.
      cnonce: qop === undefined && !isSession ? undefined : cnonce,
      nonceCount: qop === undefined ? undefined : nonceCount,
    });
    return `${challenger === "proxy" ? "Proxy-Authorization" : "Authorization"}: ${value}`;
  }
}

/** The inner map of `key`; the oldest key makes way for a new one. */
function bounded(map: Map<string, Sessions>, key: string, limit: number): Sessions {
  const known = map.get(key);
  if (known !== undefined) return known;
  const [oldest] = map.keys();
  if (map.size >= limit && oldest !== undefined) map.delete(oldest);
  const sessions: Sessions = new Map();
  map.set(key, sessions);
  return sessions;
}

type Answerable = Pick<DigestSession, "challenge" | "algorithm" | "qop">;

/**
 * RFC 8760 §2.3 takes the topmost challenge that a client knows, unless local policy says
 * otherwise. Ours does: the strongest, so that nobody on the way can weaken it by reordering.
 */
function strongest(challenges: readonly DigestChallenge[]): Answerable | undefined {
  let best: Answerable | undefined;
  for (const challenge of challenges) {
    const algorithm = algorithmNamed(challenge.algorithm ?? "MD5");
    const qop = qopOf(challenge);
    if (algorithm === undefined || qop === "unknown") continue;
    if (best !== undefined && algorithmStrength(algorithm) <= algorithmStrength(best.algorithm)) {
      continue;
    }
    best = { challenge, algorithm, qop };
  }
  return best;
}

/** `auth` where there is a choice: what is on the way may change a body, and rightly so. */
function qopOf({ qop }: DigestChallenge): QualityOfProtection | undefined | "unknown" {
  if (qop === undefined || qop.includes("auth")) return qop === undefined ? undefined : "auth";
  return qop.includes("auth-int") ? "auth-int" : "unknown";
}

function refusal(error: RemoteError): ChallengeOutcome {
  return { kind: "refused", error };
}

/** A realm is the peer's text, and may be anything. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

function malformedChallenge(isDigest: boolean): RemoteError {
  return new RemoteError(
    "ERR_SIP_CHALLENGE_MALFORMED",
    isDigest
      ? "The peer asked for credentials with a digest challenge that is malformed: it needs a realm and a nonce. Look at it in the trace."
      : "The peer asked for credentials without a digest challenge, the only kind that Sidetone answers. Look at its response in the trace.",
  );
}

function unsupported(challenges: readonly DigestChallenge[]): RemoteError {
  const asked = challenges
    .map(
      ({ algorithm = "MD5", qop }) => `${algorithm}${qop === undefined ? "" : `/${qop.join("+")}`}`,
    )
    .join(", ");
  return new RemoteError(
    "ERR_SIP_DIGEST_UNSUPPORTED",
    `The peer asked for a digest that Sidetone does not know: ${shown(asked)}. It knows MD5, SHA-256 and SHA-512-256, each with or without "-sess", with qop "auth", "auth-int" or none.`,
  );
}

function credentialsRefused(realm: string): RemoteError {
  return new RemoteError(
    "ERR_SIP_CREDENTIALS_REFUSED",
    `The peer refused our credentials for the realm ${shown(realm)}. Check user name and password of the account.`,
  );
}

function accountMissing(realm: string, accounts: number): RemoteError {
  return new RemoteError(
    "ERR_SIP_CREDENTIALS_MISSING",
    `The peer asked for credentials for the realm ${shown(realm)}, and ${accounts === 0 ? "no account is configured" : "no account is configured for that realm"}.`,
  );
}
