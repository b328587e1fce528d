import { NameAddrHeader, URI } from "sip.js/lib/core/index.js";
import { type ParameterMap, parseParameters, quotedStringEnd } from "./header-grammar.ts";

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const HOST_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const USER = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:]|%[0-9A-Fa-f]{2})+$/;

/** Whether `text` may stand before the "@" of a SIP URI as it is (RFC 3261 §25.1, userinfo). */
export function isUserInfo(text: string): boolean {
  return USER.test(text);
}

/**
 * A URI of another scheme (tel:, urn:, …), which sip.js's class cannot hold: it is carried as the
 * text that it was, and never sent to.
 */
class OpaqueUri extends URI {
  readonly #text: string;

  constructor(scheme: string, text: string) {
    super(scheme, text.slice(scheme.length + 1), "opaque.invalid");
    this.#text = text;
  }

  override clone(): URI {
    return new OpaqueUri(this.scheme, this.#text);
  }

  override toRaw(): string {
    return this.#text;
  }

  override toString(): string {
    return this.#text;
  }
}

/** Reads a URI (RFC 3261 §19.1.1); `undefined` where it is malformed. */
export function parseUri(text: string): URI | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || /[\s<>"]/.test(text)) return undefined;
  if (scheme !== "sip" && scheme !== "sips") return new OpaqueUri(scheme, text);
  const rest = text.slice(scheme.length + 1);
  const at = rest.indexOf("@");
  const user = at === -1 ? "" : rest.slice(0, at);
  if (at !== -1 && !isUserInfo(user)) return undefined;
  return parseHostPart(scheme, user, rest.slice(at + 1));
}

function parseHostPart(scheme: string, user: string, text: string): URI | undefined {
  const [beforeHeaders, ...headerParts] = text.split("?") as [string, ...string[]];
  const semicolon = beforeHeaders.indexOf(";");
  const hostPort = HOST_PORT.exec(
    semicolon === -1 ? beforeHeaders : beforeHeaders.slice(0, semicolon),
  );
  const parameters = parseUriParameters(semicolon === -1 ? "" : beforeHeaders.slice(semicolon + 1));
  const port = hostPort?.[2] === undefined ? undefined : Number(hostPort[2]);
  if (hostPort === null || parameters === undefined || (port ?? 0) > 65_535) return undefined;
  const headers = parseUriHeaders(headerParts.join("?"));
  return new URI(scheme, user, hostPort[1] as string, port, parameters, headers);
}

/** URI parameters may hold characters that a header's may not, such as "[" and "/". */
function parseUriParameters(text: string): ParameterMap | undefined {
  const parameters: ParameterMap = {};
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    const name = (equals === -1 ? part : part.slice(0, equals)).toLowerCase();
    if (name === "" && equals !== -1) return undefined;
    if (name !== "" && name !== "__proto__") {
      parameters[name] = equals === -1 ? null : part.slice(equals + 1);
    }
  }
  return parameters;
}

function parseUriHeaders(text: string): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const part of text.split("&")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(0, equals)).toLowerCase();
    if (name !== "" && name !== "__proto__") headers[name] = [part.slice(equals + 1)];
  }
  return headers;
}

/**
 * Reads a name-addr or addr-spec with its header parameters (RFC 3261 §20.10): `"Ann" <sip:a@b>;tag=1`.
 * @returns `undefined` where it is malformed.
 */
export function parseNameAddr(text: string): NameAddrHeader | undefined {
  const nameEnd = text.startsWith('"') ? quotedStringEnd(text, 0) : 0;
  if (text.startsWith('"') && nameEnd === 0) return undefined;
  const open = text.indexOf("<", nameEnd);
  if (open === -1) return nameEnd === 0 ? parseAddrSpec(text) : undefined;
  const close = text.indexOf(">", open);
  if (close === -1) return undefined;
  const displayName = nameEnd === 0 ? text.slice(0, open).trim() : text.slice(1, nameEnd - 1);
  if (nameEnd !== 0 && text.slice(nameEnd, open).trim() !== "") return undefined;
  return nameAddr(text.slice(open + 1, close).trim(), displayName, text.slice(close + 1));
}

/** Without angle brackets, all parameters are the header's, not the URI's (RFC 3261 §20). */
function parseAddrSpec(text: string): NameAddrHeader | undefined {
  const semicolon = text.indexOf(";");
  const uri = (semicolon === -1 ? text : text.slice(0, semicolon)).trim();
  return nameAddr(uri, "", semicolon === -1 ? "" : text.slice(semicolon));
}

function nameAddr(
  uriText: string,
  displayName: string,
  parameterText: string,
): NameAddrHeader | undefined {
  const uri = parseUri(uriText);
  const parameters = parseParameters(parameterText);
  if (uri === undefined || parameters === undefined) return undefined;
  // The declared type denies null, which the class itself keeps for parameters without a value.
  return new NameAddrHeader(uri, displayName, parameters as Record<string, string>);
}
