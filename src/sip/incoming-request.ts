import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";
import type { SocketAddress } from "../environment/index.ts";
import type { Via } from "./header-grammar.ts";
import { uriHost } from "./sip-uri.ts";

/** A stateless refusal: what to answer before the request reaches the core. */
export interface Refusal {
  readonly statusCode: number;
  readonly reasonPhrase?: string;
  readonly extraHeaders?: string[];
}

/**
 * Notes where a request came from in its top Via, so that the response finds back: `received`
 * where the sent-by differs from the source, and `rport` where it was asked for (RFC 3261 §18.2.1,
 * RFC 3581 §4). sip.js copies the Via into each response.
 */
export function stampVia(message: IncomingRequestMessage, from: SocketAddress): void {
  const header = message.headers["Via"]?.[0];
  if (header === undefined) return;
  const via = header.parsed as Via;
  // What the peer itself wrote there is not to be trusted.
  let raw = header.raw.replaceAll(/;\s*received\s*=[^;]*/gi, "");
  if (via.rport !== undefined) {
    raw = raw.replace(/;\s*rport(?:\s*=[^;]*)?(?=;|$|\s)/i, `;rport=${from.port}`);
  }
  if (via.rport !== undefined || via.host !== uriHost(from.address)) {
    raw += `;received=${from.address}`;
  }
  header.raw = raw;
}

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
  if (branch.startsWith(MAGIC_COOKIE)) return branch;
  return `${message.callId} ${message.fromTag} ${message.cseq} ${branch}`;
}

/** Extensions that a peer may require of us, and that we name in Supported. */
export const SUPPORTED_OPTION_TAGS: readonly string[] = ["norefersub", "replaces"];

/** Requirements of RFC 3261 §8.2 that sip.js does not check. */
export function refusalOf(message: IncomingRequestMessage): Refusal | undefined {
  const { method } = message;
  if (method === "ACK" || method === "CANCEL") return undefined;
  if (message.fromTag === "" && method !== "OPTIONS") {
    return { statusCode: 400, reasonPhrase: "Missing From Tag" };
  }
  // RFC 6086 §4.2.2: INFO has no meaning outside of an INVITE's dialog; sip.js would say 405.
  if (method === "INFO" && message.toTag === "") return { statusCode: 481 };
  if (method !== "INVITE" && namesDialog(message)) {
    return { statusCode: 400, reasonPhrase: "Replaces or Join Outside of INVITE" };
  }
  const required = unknownRequirements(message);
  if (required.length > 0) {
    return { statusCode: 420, extraHeaders: [`Unsupported: ${required.join(", ")}`] };
  }
  if (method === "INVITE" && !hasUsableBody(message)) {
    return { statusCode: 415, extraHeaders: ["Accept: application/sdp"] };
  }
  return undefined;
}

/** RFC 3891 §3, RFC 3911 §4: these headers have a meaning in INVITE only. */
function namesDialog(message: IncomingRequestMessage): boolean {
  return message.hasHeader("Replaces") || message.hasHeader("Join");
}

/** RFC 3261 §8.2.2.3: option tags in Require that we do not know. */
function unknownRequirements(message: IncomingRequestMessage): string[] {
  return message
    .getHeaders("Require")
    .flatMap((line) => line.split(",").map((tag) => tag.trim()))
    .filter((tag) => tag !== "" && !SUPPORTED_OPTION_TAGS.includes(tag.toLowerCase()));
}

function hasUsableBody({ body, headers }: IncomingRequestMessage): boolean {
  const type: unknown = headers["Content-Type"]?.[0]?.parsed;
  return body === "" || type === "application/sdp";
}
