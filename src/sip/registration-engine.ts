import { after, type Instant, type Random, RemoteError } from "../environment/index.ts";

/** How a registration is kept up. */
export interface RegistrationTimes {
  /** How long a binding shall last; the registrar may decide otherwise. Default 3600. */
  readonly expiresS?: number;
  /** After failures in a row the wait doubles, from 2 to 1 times this at random. Default 1000. */
  readonly retryBaseMs?: number;
  /** No wait is longer. Default 1 800 000 (RFC 5626 §4.5). */
  readonly retryMaxMs?: number;
}

/**
 * `registering` no binding yet · `registered` · `waiting` without a binding, until the next try ·
 * `refused` for good · `unregistering` · `unregistered`.
 */
export type RegistrationState =
  | "registering"
  | "registered"
  | "waiting"
  | "refused"
  | "unregistering"
  | "unregistered";

/** A registration changed, was refreshed, or could not be. Plain data. */
export interface RegistrationEvent {
  readonly at: Instant;
  readonly state: RegistrationState;
  /** Of the registrar's response, where there was one. */
  readonly statusCode?: number;
  readonly reasonPhrase?: string;
  /** How long the binding lasts from `at`. */
  readonly expiresS?: number;
  /** When it is tried again. */
  readonly retryInMs?: number;
  /** What went wrong. A refresh that fails leaves the state `registered` while the binding lasts. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** A final response to REGISTER, or none, as far as it matters here. */
export interface RegisterReply {
  readonly statusCode: number;
  readonly reasonPhrase: string;
  /** How long our own binding lasts; `undefined` where the response does not say. */
  readonly expiresS?: number;
  /** The Min-Expires of a 423. */
  readonly minExpiresS?: number;
  readonly retryAfterS?: number;
  /** The Contacts of a 3xx. */
  readonly alternatives: readonly string[];
  /** Why there is no response, or why its challenge was not answered. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** REGISTER is to be sent; its reply comes back with the same number. */
export interface RegisterOrder {
  readonly number: number;
  /** 0 takes the binding away. */
  readonly expiresS: number;
  /** Another registrar, to which the first redirected us. */
  readonly target?: string;
}

const DEFAULT_EXPIRES_S = 3600;
const DEFAULT_RETRY_BASE_MS = 1000;
const DEFAULT_RETRY_MAX_MS = 1_800_000;
/** RFC 3261 §20.19: delta-seconds are below 2^32. */
const EXPIRES_MAX_S = 2 ** 32 - 1;
/** What a refresh needs at worst: one transaction that times out (32 s), and another that does not. */
const MARGIN_MIN_MS = 40_000;
/** Not even a registrar that grants nothing makes us ask more often. */
const REFRESH_MIN_MS = 500;
const REDIRECTS_MAX = 5;
/** How long the end waits for the reply to a REGISTER that is under way (RFC 3261 §10.2). */
const STOP_PATIENCE_MS = 1000;
/** Refusals that time may heal; all others of 4xx and 6xx are for good, unless Retry-After is there. */
const PASSING = new Set([408, 429, 430, 480, 486]);
/** Server errors that time does not heal. */
const LASTING = new Set([501, 505, 513]);

/**
 * Keeps one binding at a registrar (RFC 3261 §10.2): asks, refreshes in time, tries again later and
 * later (RFC 5626 §4.5), and takes it away in the end. It knows no messages; credentials are
 * somebody else's business.
 */
export class RegistrationEngine {
  readonly #random: Random;
  readonly #retryBaseMs: number;
  readonly #retryMaxMs: number;
  readonly #orders: RegisterOrder[] = [];
  readonly #events: RegistrationEvent[] = [];
  #state: RegistrationState = "registering";
  #expiresS: number;
  #number = 0;
  /** What the newest REGISTER asked for, while its reply is awaited. */
  #awaited: { readonly expiresS: number } | undefined;
  #target: string | undefined;
  readonly #tried = new Set<string>();
  #failures = 0;
  #isStopping = false;
  /** The registrar may hold a binding of ours. */
  #mayBeBound = false;
  #boundUntil: Instant | undefined;
  #nextTryAt: Instant | undefined;

  constructor(times: RegistrationTimes, random: Random) {
    this.#random = random;
    this.#expiresS = times.expiresS ?? DEFAULT_EXPIRES_S;
    this.#retryBaseMs = times.retryBaseMs ?? DEFAULT_RETRY_BASE_MS;
    this.#retryMaxMs = times.retryMaxMs ?? DEFAULT_RETRY_MAX_MS;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** When `handleTimeout` wants to be called. */
  get nextTimeout(): Instant | undefined {
    const times = [this.#nextTryAt, this.#boundUntil].filter((each) => each !== undefined);
    return times.length === 0 ? undefined : (Math.min(...times) as Instant);
  }

  takeOrder(): RegisterOrder | undefined {
    return this.#orders.shift();
  }

  takeEvent(): RegistrationEvent | undefined {
    return this.#events.shift();
  }

  /** Asks for the binding. */
  start(): void {
    this.#order(this.#expiresS);
  }

  /** Takes the binding away; the state is `unregistered` once that is done, or cannot be. */
  stop(now: Instant): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#boundUntil = undefined;
    if (this.#awaited !== undefined) {
      this.#change("unregistering", now);
      this.#nextTryAt = after(now, STOP_PATIENCE_MS);
    } else {
      this.#unregister(now);
    }
  }

  handleReply(number: number, reply: RegisterReply, now: Instant): void {
    const awaited = this.#awaited;
    if (number !== this.#number || awaited === undefined) return;
    this.#awaited = undefined;
    this.#nextTryAt = undefined;
    const isSuccess = reply.statusCode >= 200 && reply.statusCode < 300;
    if (this.#isStopping) this.#handleReplyInTheEnd(awaited.expiresS, reply, now);
    else if (isSuccess) this.#handleSuccess(awaited.expiresS, reply, now);
    else if (this.#mayAskAnew(awaited.expiresS, reply)) this.#order(this.#expiresS);
    else this.#handleFailure(reply, now);
  }

  handleTimeout(now: Instant): void {
    if (this.#boundUntil !== undefined && now >= this.#boundUntil) {
      this.#boundUntil = undefined;
      const error = failed(
        "The binding at the registrar has run out before it could be refreshed.",
      );
      this.#change("waiting", now, { error });
    }
    if (this.#nextTryAt === undefined || now < this.#nextTryAt) return;
    this.#nextTryAt = undefined;
    if (this.#isStopping) this.#unregister(now);
    else this.#order(this.#expiresS);
  }

  #order(expiresS: number): void {
    this.#number += 1;
    this.#awaited = { expiresS };
    if (expiresS > 0) this.#mayBeBound = true;
    const target = this.#target === undefined ? {} : { target: this.#target };
    this.#orders.push({ number: this.#number, expiresS, ...target });
  }

  #handleSuccess(askedS: number, reply: RegisterReply, now: Instant): void {
    const expiresS = reply.expiresS ?? askedS;
    if (expiresS <= 0) {
      const error = failed("The registrar accepted our REGISTER but holds no binding of ours.");
      this.#handleFailure({ ...reply, error }, now);
      return;
    }
    this.#failures = 0;
    this.#tried.clear();
    const lifeMs = expiresS * 1000;
    const marginMs = Math.min(lifeMs / 2, Math.max(lifeMs / 10, MARGIN_MIN_MS));
    this.#boundUntil = after(now, Math.max(lifeMs, REFRESH_MIN_MS));
    this.#nextTryAt = after(now, Math.max(lifeMs - marginMs, REFRESH_MIN_MS));
    this.#change("registered", now, { ...statusOf(reply), expiresS });
  }

  /** Too brief a wish, or the wrong registrar: it is asked for again at once. */
  #mayAskAnew(askedS: number, reply: RegisterReply): boolean {
    const { statusCode, minExpiresS = 0 } = reply;
    if (statusCode === 423 && minExpiresS > askedS) {
      // RFC 3261 §10.2.8. Each time it is more than before, so this ends.
      this.#expiresS = minExpiresS;
      return true;
    }
    return statusCode >= 300 && statusCode < 400 && this.#redirect(reply);
  }

  /** RFC 3261 §8.1.3.4: the first alternative that was not tried yet. */
  #redirect({ alternatives }: RegisterReply): boolean {
    const next = alternatives.find((each) => !this.#tried.has(each));
    if (next === undefined || this.#tried.size >= REDIRECTS_MAX) return false;
    this.#tried.add(next);
    this.#target = next;
    return true;
  }

  #handleFailure(reply: RegisterReply, now: Instant): void {
    this.#target = undefined;
    this.#tried.clear();
    const error = reply.error ?? refused(reply.statusCode);
    if (!isPassing(reply)) {
      this.#boundUntil = undefined;
      if (this.#state === "registering") this.#mayBeBound = false;
      this.#change("refused", now, { ...statusOf(reply), error });
      return;
    }
    this.#failures += 1;
    const retryInMs = this.#retryDelayMs(reply, now);
    this.#nextTryAt = after(now, retryInMs);
    const state = this.#boundUntil === undefined ? "waiting" : "registered";
    this.#change(state, now, { ...statusOf(reply), retryInMs, error });
  }

  /** RFC 5626 §4.5, and Retry-After; sooner where a binding is about to run out. */
  #retryDelayMs({ retryAfterS }: RegisterReply, now: Instant): number {
    if (retryAfterS !== undefined) return Math.min(retryAfterS, EXPIRES_MAX_S) * 1000;
    const upperMs = Math.min(this.#retryMaxMs, this.#retryBaseMs * 2 ** this.#failures);
    const delayMs = upperMs * (0.5 + this.#random() / 2);
    if (this.#boundUntil === undefined) return delayMs;
    return Math.min(delayMs, Math.max((this.#boundUntil - now) / 2, REFRESH_MIN_MS));
  }

  #unregister(now: Instant): void {
    this.#nextTryAt = undefined;
    if (!this.#mayBeBound) {
      this.#change("unregistered", now);
      return;
    }
    this.#mayBeBound = false;
    this.#change("unregistering", now);
    this.#order(0);
  }

  #handleReplyInTheEnd(askedS: number, reply: RegisterReply, now: Instant): void {
    if (askedS > 0) {
      this.#unregister(now);
      return;
    }
    const isDone = reply.statusCode >= 200 && reply.statusCode < 300;
    const error = isDone ? {} : { error: reply.error ?? refused(reply.statusCode) };
    this.#change("unregistered", now, { ...statusOf(reply), ...error });
  }

  #change(state: RegistrationState, at: Instant, details: Partial<RegistrationEvent> = {}): void {
    const isRepeated = state === this.#state && Object.keys(details).length === 0;
    this.#state = state;
    if (isRepeated) return;
    const { error, ...rest } = details;
    // Plain, because events cross threads, and an error that is cloned loses its code.
    const plain =
      error === undefined ? {} : { error: { code: error.code, message: error.message } };
    this.#events.push({ at, state, ...rest, ...plain });
  }
}

function isPassing({ statusCode, retryAfterS }: RegisterReply): boolean {
  if (retryAfterS !== undefined || statusCode < 300 || PASSING.has(statusCode)) return true;
  return statusCode >= 500 && statusCode < 600 && !LASTING.has(statusCode);
}

function statusOf(reply: RegisterReply): Pick<RegistrationEvent, "statusCode" | "reasonPhrase"> {
  return { statusCode: reply.statusCode, reasonPhrase: reply.reasonPhrase };
}

function failed(message: string): RemoteError {
  return new RemoteError("ERR_SIP_REGISTRATION_FAILED", message);
}

function refused(statusCode: number): RemoteError {
  return new RemoteError(
    "ERR_SIP_REGISTRATION_FAILED",
    `The registrar answered our REGISTER with status ${statusCode}. Look at it in the trace, and check the registrar's address and the account.`,
    { context: { statusCode } },
  );
}
