import type { IncomingRequestMessage, IncomingResponseMessage } from "sip.js/lib/core/index.js";
import { DEFAULT_MIN_INTERVAL_S, type DialogSettings, timerUse } from "./dialog-settings.ts";
import type { Refusal } from "./incoming-request.ts";
import { optionTags } from "./option-tags.ts";

/** Which side of a transaction refreshes the session. */
export type Refresher = "uac" | "uas";

/** What a Session-Expires header says (RFC 4028 §4). */
export interface SessionExpires {
  readonly intervalS: number;
  readonly refresher: Refresher | undefined;
}

const DELTA_SECONDS = /^\s*(\d{1,10})\s*(?:;|$)/;
const REFRESHER = /;\s*refresher\s*=\s*(uac|uas)\s*(?:;|$)/i;

/** Reads Session-Expires; `undefined` where it is missing or malformed. */
export function readSessionExpires(
  message: IncomingRequestMessage | IncomingResponseMessage,
): SessionExpires | undefined {
  const text = message.getHeader("Session-Expires") ?? "";
  const seconds = DELTA_SECONDS.exec(text)?.[1];
  if (seconds === undefined) return undefined;
  const refresher = REFRESHER.exec(text)?.[1]?.toLowerCase() as Refresher | undefined;
  return { intervalS: Number(seconds), refresher };
}

/** Reads Min-SE. */
export function readMinimum(
  message: IncomingRequestMessage | IncomingResponseMessage,
): number | undefined {
  const seconds = DELTA_SECONDS.exec(message.getHeader("Min-SE") ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** Header lines that ask for an interval in a request of ours; none where none is wanted. */
export function requestHeaders(wanted: SessionExpires | undefined, minimumS: number): string[] {
  const minimum = minimumS === DEFAULT_MIN_INTERVAL_S ? [] : [`Min-SE: ${minimumS}`];
  if (wanted === undefined) return minimum;
  return [`Session-Expires: ${sessionExpiresText(wanted)}`, ...minimum];
}

function sessionExpiresText({ intervalS, refresher }: SessionExpires): string {
  return refresher === undefined ? String(intervalS) : `${intervalS};refresher=${refresher}`;
}

/** What a UAS makes of a request: refused, without a timer, or with one. */
export type TimerAnswer =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "none" }
  | {
      readonly kind: "agreed";
      readonly intervalS: number;
      readonly refresher: Refresher;
      /** For the 2xx. */
      readonly headers: readonly string[];
    };

/**
 * RFC 4028 §9 with its table 2: the interval is what the peer asks for, or less where we want less,
 * but never below anybody's minimum; who refreshes is as the peer says, else as we want it.
 * @param preferred who refreshes where the peer leaves it open.
 */
export function answerTimer(
  message: IncomingRequestMessage,
  settings: DialogSettings,
  preferred: Refresher,
): TimerAnswer {
  if (timerUse(settings) === "off") return { kind: "none" };
  const { intervalS: wantedS, minIntervalS: minimumS = DEFAULT_MIN_INTERVAL_S } =
    settings.sessionTimer ?? {};
  const { intervalS: askedS, refresher } = readSessionExpires(message) ?? {};
  const peerUnderstands = understandsTimer(message);
  if (peerUnderstands && askedS !== undefined && askedS < minimumS) return tooShort(minimumS);
  const floorS = Math.max(readMinimum(message) ?? 0, minimumS);
  const intervalS = intervalOf(askedS, wantedS, floorS);
  if (intervalS === undefined) return { kind: "none" };
  // A peer that knows nothing of timers cannot refresh.
  return agreed(intervalS, peerUnderstands ? (refresher ?? preferred) : "uas");
}

function tooShort(minimumS: number): TimerAnswer {
  return { kind: "refused", refusal: { statusCode: 422, extraHeaders: [`Min-SE: ${minimumS}`] } };
}

function agreed(intervalS: number, refresher: Refresher): TimerAnswer {
  const require = refresher === "uac" ? ["Require: timer"] : [];
  const headers = [`Session-Expires: ${sessionExpiresText({ intervalS, refresher })}`, ...require];
  return { kind: "agreed", intervalS, refresher, headers };
}

function understandsTimer(message: IncomingRequestMessage): boolean {
  return (
    optionTags(message, "Supported").has("timer") || optionTags(message, "Require").has("timer")
  );
}

/** The shorter of what the peer asks for and what we want, but not below anybody's minimum. */
function intervalOf(
  askedS: number | undefined,
  wantedS: number | undefined,
  floorS: number,
): number | undefined {
  if (askedS === undefined) return wantedS === undefined ? undefined : Math.max(wantedS, floorS);
  const shorterS = Math.min(askedS, wantedS ?? askedS);
  return Math.max(shorterS, Math.min(floorS, askedS));
}
