import type { URI } from "sip.js/lib/core/index.js";
import type { MessagePeek } from "./message-peek.ts";
import { isStrict } from "./strict-route.ts";
import { type SipTransport, transportNamed } from "./transport-name.ts";
import { parseNameAddr, parseUri } from "./wire-uri.ts";

/** Where a message goes, before its host name is resolved. */
export interface NextHop {
  /** A name, an IPv4 address or a bracketed IPv6 address. */
  readonly host: string;
  /** `undefined` where none is given: then it is to be found (RFC 3263 §4.2). */
  readonly port: number | undefined;
  /** `undefined` where none is given: then it is to be found (RFC 3263 §4.1). */
  readonly transport: SipTransport | undefined;
  /** A sips: URI: nothing but TLS will do (RFC 3261 §26.2.2). */
  readonly isSecure: boolean;
}

/**
 * The next hop of an outgoing message; `undefined` where it names none that can be reached.
 *
 * Requests: the first Route, else the Request-URI (RFC 3261 §8.1.2, §12.2.1.1). Responses: back to
 * where the request came from, as the top Via tells (RFC 3261 §18.2.2, RFC 3581 §4).
 */
export function nextHopOf(peek: MessagePeek): NextHop | undefined {
  if (peek.statusCode !== undefined) return responseHop(peek);
  const { route } = peek;
  const uri =
    route === undefined || isStrict(route)
      ? parseUri(peek.requestUri ?? "")
      : parseNameAddr(route)?.uri;
  return uri === undefined ? undefined : uriHop(uri);
}

/** Where a URI leads; `undefined` where that is nowhere for us. */
export function uriHop(uri: URI): NextHop | undefined {
  if (!uri.scheme.startsWith("sip")) return undefined;
  const named = uri.getParam("transport") ?? undefined;
  const transport = named === undefined ? undefined : transportNamed(named);
  if (named !== undefined && transport === undefined) return undefined;
  const isSecure = uri.scheme === "sips";
  return {
    // RFC 3263 §4: maddr, where present, takes the host's place.
    host: uri.getParam("maddr") ?? uri.host,
    port: uri.port,
    transport: isSecure && transport !== undefined ? secured(transport) : transport,
    isSecure,
  };
}

/** RFC 3261 §26.2.2: "sips:…;transport=tcp" is TLS over TCP. */
function secured(transport: SipTransport): SipTransport {
  return transport === "ws" || transport === "wss" ? "wss" : "tls";
}

/**
 * Where a response goes whose way back is gone. Over UDP that is where the request came from; over
 * a connection it is the sent-by, at the address that the request came from.
 */
function responseHop({ via }: MessagePeek): NextHop | undefined {
  if (via === undefined) return undefined;
  const transport = transportNamed(via.transport);
  if (transport === undefined) return undefined;
  const port = transport === "udp" ? (via.rport ?? via.port) : via.port;
  return {
    host: via.received ?? via.host,
    port: port === undefined ? undefined : Number(port),
    transport,
    isSecure: false,
  };
}
