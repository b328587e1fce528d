import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import type { Crossing } from "./channel.ts";
import type { Via } from "./header-grammar.ts";
import { flowParameter } from "./message-stamp.ts";
import { unsupportedTags } from "./option-tags.ts";
import { uriHost } from "./sip-uri.ts";

/** What to answer, without a transaction, before the request reaches the core. */
export interface Refusal {
  readonly statusCode: number;
  readonly reasonPhrase?: string;
  readonly extraHeaders?: string[];
}

/**
 * Notes where a request came from in its top Via, so that the response finds back: `received`
 * where the sent-by differs from the source, and `rport` where it was asked for (RFC 3261 §18.2.1,
 * RFC 3581 §4). sip.js copies the Via into each response, and with it the channel's number.
 */
export function stampVia(message: IncomingRequestMessage, crossing: Crossing): void {
  const { remote: from, channel } = crossing;
  const header = message.headers["Via"]?.[0];
  if (header === undefined) return;
  const via = header.parsed as Via;
  // What the peer itself wrote there is not to be trusted.
  let raw = header.raw.replaceAll(/;\s*(?:received|sidetone-flow)\s*=[^;]*/gi, "");
  if (via.rport !== undefined) {
    raw = raw.replace(/;\s*rport(?:\s*=[^;]*)?(?=;|$|\s)/i, `;rport=${from.port}`);
  }
  if (via.rport !== undefined || via.host !== uriHost(from.address)) {
    raw += `;received=${from.address}`;
  }
  const isSecure = /^\S+[ \t]+sips:/i.test(crossing.text);
  header.raw = raw + flowParameter(channel.id, isSecure);
}

/**
 * Without meaning outside of an INVITE's dialog (RFC 3262 §3, RFC 3311 §5, RFC 6086 §4.2.2); sip.js
 * would say 405, or throw.
 */
const NEEDS_DIALOG = new Set(["INFO", "PRACK", "UPDATE"]);

const MAGIC_COOKIE = "z9hG4bK";
/** These belong to the INVITE's transaction. */
const SHARES_TRANSACTION = new Set(["INVITE", "ACK", "CANCEL"]);

/**
 * The full key of RFC 3261 §17.2.3 in the field by which sip.js finds server transactions. It
 * takes the branch alone: two peers with one branch, or one that repeats a branch in another
 * method, would be mixed up. A peer without a (good) branch is matched as RFC 2543 did.
 */
export function transactionKey(message: IncomingRequestMessage): string {
  const via = message.headers["Via"]?.[0]?.parsed as Via | undefined;
  const method = SHARES_TRANSACTION.has(message.method) ? "" : message.method;
  return `${branchKey(message, via?.branch ?? "")} ${via?.host}:${via?.port} ${method}`.trim();
}

function branchKey(message: IncomingRequestMessage, branch: string): string {
  if (isUniqueBranch(branch)) return branch;
  return `${message.callId} ${message.fromTag} ${message.cseq} ${branch}`;
}

/** RFC 3261 §8.1.1.7. The cookie alone tells no transaction from another (RFC 4475 §3.2.1). */
function isUniqueBranch(branch: string): boolean {
  return branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length;
}

/**
 * Whether a peer of RFC 2543 sent it, which has no such branch: it needs no From tag (RFC 3261
 * §12.1.1) and no Contact.
 */
export function isOfRfc2543(message: IncomingRequestMessage): boolean {
  const via = message.headers["Via"]?.[0]?.parsed as Via | undefined;
  return !isUniqueBranch(via?.branch ?? "");
}

/** The methods of IANA's registry: others are not only not allowed, but unknown. */
const KNOWN_METHODS = new Set(
  "ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE".split(
    " ",
  ),
);

/** Requirements of RFC 3261 §8.2 that sip.js does not check. */
export function refusalOf(message: IncomingRequestMessage): Refusal | undefined {
  const { method } = message;
  if (method === "ACK" || method === "CANCEL") return undefined;
  // §8.2.1, §21.5.2. sip.js would say 405.
  if (!KNOWN_METHODS.has(method)) {
    return { statusCode: 501, extraHeaders: [`Allow: ${AllowedMethods.join(", ")}`] };
  }
  if (lacksFromTag(message)) {
    return { statusCode: 400, reasonPhrase: "Missing From Tag" };
  }
  if (message.toTag === "" && NEEDS_DIALOG.has(method)) return { statusCode: 481 };
  if (method !== "INVITE" && namesDialog(message)) {
    return { statusCode: 400, reasonPhrase: "Replaces or Join Outside of INVITE" };
  }
  const unsupported = unsupportedTags(message);
  if (unsupported.length > 0) {
    return { statusCode: 420, extraHeaders: [`Unsupported: ${unsupported.join(", ")}`] };
  }
  return method === "INVITE" ? refusalOfContent(message) : undefined;
}

/** §8.1.1.3; what is answered without a dialog needs none. */
function lacksFromTag(message: IncomingRequestMessage): boolean {
  return message.fromTag === "" && message.method !== "OPTIONS" && !isOfRfc2543(message);
}

/** §8.2.3. */
function refusalOfContent(message: IncomingRequestMessage): Refusal | undefined {
  if (!hasUsableBody(message)) {
    return { statusCode: 415, extraHeaders: ["Accept: application/sdp"] };
  }
  return acceptsSdp(message) ? undefined : { statusCode: 406 };
}

const SDP_RANGES = new Set(["application/sdp", "application/*", "*/*"]);

/** RFC 3261 §20.1, §21.4.7: our 200 will have SDP in it. */
function acceptsSdp(message: IncomingRequestMessage): boolean {
  const ranges = message
    .getHeaders("Accept")
    .flatMap((value) => value.split(","))
    .map((range) => (range.split(";")[0] as string).replaceAll(/\s/g, "").toLowerCase())
    .filter((range) => range !== "");
  return ranges.length === 0 || ranges.some((range) => SDP_RANGES.has(range));
}

/** RFC 3891 §3, RFC 3911 §4: these headers have a meaning in INVITE only. */
function namesDialog(message: IncomingRequestMessage): boolean {
  return message.hasHeader("Replaces") || message.hasHeader("Join");
}

function hasUsableBody({ body, headers }: IncomingRequestMessage): boolean {
  const type: unknown = headers["Content-Type"]?.[0]?.parsed;
  return body === "" || type === "application/sdp";
}
