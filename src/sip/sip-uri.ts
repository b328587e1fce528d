import { URI } from "sip.js/lib/core/index.js";
import { type SocketAddress, UsageError } from "../environment/index.ts";
import { transportNamed } from "./transport-name.ts";
import { isUserInfo, parseUri } from "./wire-uri.ts";

const EXAMPLE = "Write it as sip:user@host or sip:user@host:port;transport=tcp.";

/**
 * Reads a target that a user wrote.
 *
 * Messages name the part at fault, never the user part: it may be a telephone number.
 * @throws UsageError ERR_TARGET_MALFORMED; ERR_TARGET_UNSUPPORTED for tel: and transports other
 *   than UDP, TCP, TLS and WebSocket.
 */
export function parseTarget(text: string): URI {
  const target = text.trim().replace(/^<(.*)>$/, "$1");
  if (target === "") throw malformed("is empty");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(target)?.[1]?.toLowerCase();
  // "bot.example:5060" has no scheme, although it looks like one.
  const looksLikeHost = scheme !== undefined && /^[^:]*:\d+$/.test(target) && !isSip(scheme);
  if (scheme === undefined || looksLikeHost) throw malformed('does not begin with "sip:"');
  if (!isSip(scheme)) {
    throw unsupported(`has the scheme "${scheme}:"; only "sip:" and "sips:" can be called`);
  }
  const uri = parseUri(target);
  if (uri === undefined) throw malformed(faultOf(target));
  checkUri(uri);
  return uri;
}

function checkUri(uri: URI): void {
  if (uri.port === 0) throw malformed('has the port "0"; it must be 1 to 65535');
  if (Object.keys(uri.headers).length > 0) {
    throw malformed('carries headers (behind "?"). Give them as `headers` of the call instead');
  }
  const transport = uri.getParam("transport");
  if (transport === undefined) return;
  if (typeof transport !== "string" || transportNamed(transport) === undefined) {
    throw unsupported(
      `asks for transport "${String(transport)}"; udp, tcp, tls, ws and wss are known`,
    );
  }
  if (uri.scheme === "sips" && transport.toLowerCase() === "udp") {
    throw unsupported('asks for transport "udp", which "sips:" rules out');
  }
}

function isSip(scheme: string): boolean {
  return scheme === "sip" || scheme === "sips";
}

function faultOf(target: string): string {
  const rest = target.slice(target.indexOf(":") + 1);
  const at = rest.indexOf("@");
  const hostPort = (rest.slice(at + 1).split(/[;?]/)[0] ?? "").trim();
  if (at !== -1 && !isUserInfo(rest.slice(0, at))) {
    return 'has a user part (before "@") with characters that need %-escapes';
  }
  if (hostPort === "") return "has no host";
  const port = /:([^:\]]*)$/.exec(hostPort)?.[1];
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65_535)) {
    return `has the port "${port}"; it must be 1 to 65535`;
  }
  const shown = /^[+\d().-]{3,}$/.test(hostPort) ? "only a number" : `"${hostPort}"`;
  return `has a malformed host or parameter (host read: ${shown})`;
}

function malformed(what: string): UsageError {
  return new UsageError("ERR_TARGET_MALFORMED", `The SIP target ${what}. ${EXAMPLE}`);
}

function unsupported(what: string): UsageError {
  return new UsageError("ERR_TARGET_UNSUPPORTED", `The SIP target ${what}. ${EXAMPLE}`);
}

/** A numeric address as the host of a URI or Via: IPv6 in brackets. */
export function uriHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** "192.0.2.1:5060", "[2001:db8::1]:5060". */
export function hostPortText(address: SocketAddress): string {
  return `${uriHost(address.address)}:${address.port}`;
}

/**
 * The same URI as it stands in From and To: without port and parameters (RFC 3261 §19.1.1, table 1).
 */
export function addressOfRecord(uri: URI): URI {
  return new URI(uri.scheme, uri.user ?? "", uri.host);
}
