import type { IncomingRequestMessage, IncomingResponseMessage } from "sip.js/lib/core/index.js";
import { after, type Clock, type Instant, type Timer } from "../environment/index.ts";
import { DEFAULT_MIN_INTERVAL_S, type DialogSettings, timerUse } from "./dialog-settings.ts";
import {
  answerTimer,
  type Refresher,
  readMinimum,
  readSessionExpires,
  requestHeaders,
  type SessionExpires,
  type TimerAnswer,
} from "./session-expires.ts";

/** What a session timer asks of its call. */
export interface SessionTimerOwner {
  readonly clock: Clock;
  readonly settings: DialogSettings;
  /** We placed the call. */
  readonly isCaller: boolean;
  /** Refreshes the session; what becomes of it is told by `handleResponse`. */
  readonly refresh: () => void;
  /** The session has run out: nobody refreshed it. */
  readonly onExpired: () => void;
  readonly onAgreed: (agreed: AgreedTimer) => void;
}

/** What is in force. */
export interface AgreedTimer {
  readonly intervalS: number;
  /** We refresh. */
  readonly isOurs: boolean;
}

/** RFC 4028 §10: BYE goes out so long before the session expires, or a third of the interval. */
const MARGIN_S = 32;

/** Header lines of an INVITE that begins a call of ours. */
export function inviteTimerHeaders(settings: DialogSettings): string[] {
  if (timerUse(settings) === "off") return [];
  const {
    intervalS,
    minIntervalS = DEFAULT_MIN_INTERVAL_S,
    refresher,
  } = settings.sessionTimer ?? {};
  if (intervalS === undefined) return requestHeaders(undefined, minIntervalS);
  const asked = refresher && (refresher === "caller" ? "uac" : "uas");
  return requestHeaders(
    { intervalS: Math.max(intervalS, minIntervalS), refresher: asked },
    minIntervalS,
  );
}

/** The settings with the minimum that a 422 asks for; `undefined` where that is not more. */
export function raisedMinimum(
  settings: DialogSettings,
  minimumS: number | undefined,
): DialogSettings | undefined {
  const { sessionTimer = {} } = settings;
  const isMore = (minimumS ?? 0) > (sessionTimer.minIntervalS ?? DEFAULT_MIN_INTERVAL_S);
  if (minimumS === undefined || !isMore) return undefined;
  return { ...settings, sessionTimer: { ...sessionTimer, minIntervalS: minimumS } };
}

/** Who is to refresh by our settings, in the terms of an INVITE that we got: the caller (§9). */
export function preferredByCalled({ sessionTimer }: DialogSettings): Refresher {
  return sessionTimer?.refresher === "called" ? "uas" : "uac";
}

/**
 * Keeps one session alive, and notices that nobody does (RFC 4028). It makes the headers of our
 * requests, reads those of the peer's, and knows when to refresh and when to give up.
 */
export class SessionTimer {
  readonly #owner: SessionTimerOwner;
  #minimumS: number;
  #agreed: AgreedTimer | undefined;
  #refreshTimer: Timer | undefined;
  #expiryTimer: Timer | undefined;
  #hasStopped = false;

  constructor(owner: SessionTimerOwner) {
    this.#owner = owner;
    this.#minimumS = owner.settings.sessionTimer?.minIntervalS ?? DEFAULT_MIN_INTERVAL_S;
  }

  /** Header lines for INVITE, re-INVITE and UPDATE of ours (§7.1, §7.4). */
  headers(): string[] {
    return timerUse(this.#owner.settings) === "off"
      ? []
      : requestHeaders(this.#wanted(), this.#minimumS);
  }

  /** A 422 says how much it has to be; false where it cannot be followed (§7.3). */
  raiseTo(message: IncomingResponseMessage): boolean {
    const minimumS = readMinimum(message);
    if (minimumS === undefined || minimumS <= this.#minimumS) return false;
    this.#minimumS = minimumS;
    return true;
  }

  /** What a request of the peer is to be answered; nothing changes yet. */
  answer(message: IncomingRequestMessage): TimerAnswer {
    const { settings } = this.#owner;
    return answerTimer(message, settings, this.#preferredAsServer());
  }

  /** A 2xx with that answer went out. */
  handleAnswered(answer: TimerAnswer): void {
    if (answer.kind === "refused") return;
    if (answer.kind === "none") this.#disarm();
    else this.#agree({ intervalS: answer.intervalS, isOurs: answer.refresher === "uas" });
  }

  /** A 2xx to a request of ours came (§7.2). */
  handleResponse(message: IncomingResponseMessage): void {
    const answered = readSessionExpires(message);
    if (answered === undefined || timerUse(this.#owner.settings) === "off") {
      this.#disarm();
      return;
    }
    this.#agree({ intervalS: answered.intervalS, isOurs: answered.refresher !== "uas" });
  }

  /** The call is over. */
  stop(): void {
    this.#hasStopped = true;
    this.#disarm();
  }

  #wanted(): SessionExpires | undefined {
    const agreed = this.#agreed;
    if (agreed !== undefined) {
      const intervalS = Math.max(agreed.intervalS, this.#minimumS);
      return { intervalS, refresher: agreed.isOurs ? "uac" : "uas" };
    }
    const { intervalS, refresher } = this.#owner.settings.sessionTimer ?? {};
    if (intervalS === undefined) return undefined;
    const wanted = Math.max(intervalS, this.#minimumS);
    return { intervalS: wanted, refresher: refresher && this.#asClient(refresher) };
  }

  #asClient(refresher: "caller" | "called"): Refresher {
    return (refresher === "caller") === this.#owner.isCaller ? "uac" : "uas";
  }

  /** Who refreshes stays as it is; at first, it is as we want it, else the caller (§9). */
  #preferredAsServer(): Refresher {
    if (this.#agreed !== undefined) return this.#agreed.isOurs ? "uas" : "uac";
    const { refresher = "caller" } = this.#owner.settings.sessionTimer ?? {};
    return this.#asClient(refresher) === "uac" ? "uas" : "uac";
  }

  #agree(agreed: AgreedTimer): void {
    if (this.#hasStopped) return;
    const { clock, onAgreed, onExpired, refresh } = this.#owner;
    this.#disarm();
    this.#agreed = agreed;
    const { intervalS, isOurs } = agreed;
    const now = clock.now();
    const at = (seconds: number): Instant => after(now, seconds * 1000);
    const marginS = Math.min(MARGIN_S, intervalS / 3);
    this.#expiryTimer = clock.setTimer(at(intervalS - marginS), onExpired);
    if (isOurs) this.#refreshTimer = clock.setTimer(at(intervalS / 2), refresh);
    onAgreed(agreed);
  }

  #disarm(): void {
    this.#agreed = undefined;
    this.#refreshTimer?.cancel();
    this.#expiryTimer?.cancel();
  }
}
