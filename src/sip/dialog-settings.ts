import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { UsageError } from "../environment/index.ts";
import type { Refusal } from "./incoming-request.ts";
import { optionTags } from "./option-tags.ts";

/** How an extension is used: not at all; where the peer can; or no call without it. */
export type ExtensionUse = "off" | "supported" | "required";

/** What a call uses of SIP's extensions. Plain data: it crosses a thread's border. */
export interface DialogSettings {
  /** Reliable provisional responses (RFC 3262). Default `supported`. */
  readonly reliableProvisional?: ExtensionUse;
  /** Whether a call that we place follows a 3xx to its Contacts, or ends with it. Default `report`. */
  readonly redirects?: "report" | "follow";
  /** Session timers (RFC 4028). */
  readonly sessionTimer?: SessionTimerSettings;
}

/** How sessions are kept alive, and ended where the peer is gone. */
export interface SessionTimerSettings {
  /** Default `supported`: what the peer asks for is done. */
  readonly use?: ExtensionUse;
  /** The session interval to ask for; default: none is asked for. Below 90 s only among ourselves. */
  readonly intervalS?: number;
  /** The smallest interval that is taken; default 90, which is the RFC's own minimum. */
  readonly minIntervalS?: number;
  /** Who is to refresh: the side that placed the call, or the one that took it. */
  readonly refresher?: "caller" | "called";
}

/** RFC 4028 §5. */
export const DEFAULT_MIN_INTERVAL_S = 90;

/** What each setting is where nothing is said. */
const DEFAULT_USE: ExtensionUse = "supported";

/** How reliable provisional responses are used. */
export function reliableUse(settings: DialogSettings): ExtensionUse {
  return settings.reliableProvisional ?? DEFAULT_USE;
}

/** How session timers are used. */
export function timerUse(settings: DialogSettings): ExtensionUse {
  return settings.sessionTimer?.use ?? DEFAULT_USE;
}

const EXTENSIONS: readonly {
  readonly tag: string;
  readonly use: (settings: DialogSettings) => ExtensionUse;
}[] = [
  { tag: "100rel", use: reliableUse },
  { tag: "timer", use: timerUse },
];

/** Supported and Require of an INVITE of ours (RFC 3262 §4, RFC 4028 §7.1). */
export function extensionHeaders(settings: DialogSettings): string[] {
  const required = EXTENSIONS.filter(({ use }) => use(settings) === "required");
  const tags = required.map(({ tag }) => tag);
  const require = tags.length === 0 ? [] : [`Require: ${tags.join(", ")}`];
  return [...supportedHeader(settings), ...require];
}

/** The Supported header of an INVITE and its 2xx. */
export function supportedHeader(settings: DialogSettings): string[] {
  return supportedLine(supportedTags(settings));
}

/**
 * The Supported header within a dialog: without 100rel, because nothing of ours is reliable in a
 * re-INVITE, nor could we acknowledge it.
 */
export function supportedInDialog(settings: DialogSettings): string[] {
  return supportedLine(supportedTags(settings).filter((tag) => tag !== "100rel"));
}

function supportedLine(tags: readonly string[]): string[] {
  return tags.length === 0 ? [] : [`Supported: ${tags.join(", ")}`];
}

function supportedTags(settings: DialogSettings): string[] {
  return EXTENSIONS.filter(({ use }) => use(settings) !== "off").map(({ tag }) => tag);
}

/**
 * Why an INVITE does not fit: it requires what is off here (420), or does not support what is
 * required here (421; RFC 3261 §21.4.16).
 */
export function settingsRefusal(
  message: IncomingRequestMessage,
  settings: DialogSettings,
): Refusal | undefined {
  const required = optionTags(message, "Require");
  const understood = new Set([...required, ...optionTags(message, "Supported")]);
  for (const { tag, use } of EXTENSIONS) {
    if (use(settings) === "off" && required.has(tag)) {
      return { statusCode: 420, extraHeaders: [`Unsupported: ${tag}`] };
    }
    if (use(settings) === "required" && !understood.has(tag)) {
      return { statusCode: 421, extraHeaders: [`Require: ${tag}`] };
    }
  }
  return undefined;
}

/**
 * @throws UsageError ERR_SESSION_TIMER for intervals that make no sense.
 */
export function checkDialogSettings({ sessionTimer = {} }: DialogSettings): void {
  const { intervalS, minIntervalS = DEFAULT_MIN_INTERVAL_S } = sessionTimer;
  for (const seconds of [intervalS, minIntervalS]) {
    const isUsable = seconds === undefined || (Number.isInteger(seconds) && seconds >= 1);
    if (!isUsable) throw badInterval("must be a whole number of seconds, 1 at least");
  }
  if (intervalS !== undefined && intervalS < minIntervalS) {
    throw badInterval(`of ${intervalS} s is below the minimum of ${minIntervalS} s (minIntervalS)`);
  }
}

function badInterval(what: string): UsageError {
  return new UsageError("ERR_SESSION_TIMER", `The interval of the session timer ${what}.`);
}
