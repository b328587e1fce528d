import { URI } from "sip.js/lib/core/index.js";
import { parseNameAddr } from "./wire-uri.ts";

/** A private parameter behind a Route value: the Request-URI says where the request goes. */
const MARK = ";sidetone-strict";
/** The first Route of a message with that parameter. */
const MARKED = new RegExp(`^(Route:[^\\r\\n]*?)${MARK}`, "im");

/** Where a request is addressed to, and by which Route values it travels. */
export interface RoutedRequest {
  readonly requestUri: URI;
  readonly routeSet: readonly string[];
}

/**
 * RFC 3261 §12.2.1.1: where the first URI of a route set has no `lr`, its owner is a strict router,
 * as before 2002. It gets the request in its own name, and the remote target comes last in Route.
 */
export function routed(request: RoutedRequest): RoutedRequest {
  const [first, ...rest] = request.routeSet;
  const uri = first === undefined ? undefined : parseNameAddr(first)?.uri;
  if (uri === undefined || !uri.scheme.startsWith("sip") || uri.hasParam("lr")) return request;
  const [next, ...later] = [...rest, `<${request.requestUri.toString()}>`];
  return { requestUri: withoutForbidden(uri), routeSet: [`${next}${MARK}`, ...later] };
}

/** Whether this Route value belongs to a request that goes to its Request-URI. */
export function isStrict(route: string): boolean {
  return route.endsWith(MARK);
}

/** The request as it leaves. */
export function withoutMark(text: string): string {
  return text.replace(MARKED, "$1");
}

/** RFC 3261 §19.1.1, table 1: neither headers nor `method` may stand in a Request-URI. */
function withoutForbidden(uri: URI): URI {
  const parameters = { ...uri.parameters };
  delete parameters["method"];
  return new URI(uri.scheme, uri.user ?? "", uri.host, uri.port, parameters);
}
