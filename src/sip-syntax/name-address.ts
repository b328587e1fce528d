import { type ParameterMap, parseParameters, quotedStringEnd } from "./parameters.ts";

/** A name-addr or addr-spec (RFC 3261 §20.10), any URI scheme, its parts as they were written. */
export interface AddressText {
  /** Without quotes and escapes; empty where there is none. */
  readonly displayName: string;
  readonly uri: string;
  /** Of the header, not of the URI; names in small letters, `null` where there is no "=". */
  readonly parameters: ParameterMap;
}

/** Reads `"Ann" <sip:a@b;x=1>;tag=1`; `undefined` where it is malformed. */
export function parseAddress(text: string): AddressText | undefined {
  const trimmed = text.trim();
  const nameEnd = trimmed.startsWith('"') ? quotedStringEnd(trimmed, 0) : 0;
  if (trimmed.startsWith('"') && nameEnd === 0) return undefined;
  const open = trimmed.indexOf("<", nameEnd);
  if (open === -1) return nameEnd === 0 ? addrSpec(trimmed) : undefined;
  const close = trimmed.indexOf(">", open);
  if (close === -1) return undefined;
  const displayName =
    nameEnd === 0
      ? trimmed.slice(0, open).trim()
      : trimmed.slice(1, nameEnd - 1).replaceAll(/\\(.)/gu, "$1");
  return address(displayName, trimmed.slice(open + 1, close).trim(), trimmed.slice(close + 1));
}

/** Without angle brackets, all parameters are the header's (RFC 3261 §20). */
function addrSpec(text: string): AddressText | undefined {
  const semicolon = text.indexOf(";");
  const uri = semicolon === -1 ? text : text.slice(0, semicolon).trim();
  return address("", uri, semicolon === -1 ? "" : text.slice(semicolon));
}

function address(displayName: string, uri: string, rest: string): AddressText | undefined {
  const parameters = parseParameters(rest);
  if (parameters === undefined || !/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/u.test(uri)) {
    return undefined;
  }
  return { displayName, uri, parameters };
}
