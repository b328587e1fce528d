import type { NameAddrHeader, URI } from "sip.js/lib/core/index.js";
import {
  type DialogIdentity,
  type NamedDialog,
  namedForPeer,
  parseNamedDialog,
  replacesText,
  valuesOf,
} from "./replaces.ts";
import { parseNameAddr } from "./wire-uri.ts";

/** What a REFER asks for, or the status by which it has to be refused. */
export type ReferTarget =
  | {
      readonly kind: "call";
      /** Whom to call; without headers. */
      readonly uri: string;
      /** The dialog that the new call is to take the place of. */
      readonly replaces?: NamedDialog;
      /** The new call must fail where the target does not know the Replaces header. */
      readonly requiresReplaces: boolean;
    }
  | { readonly kind: "refused"; readonly statusCode: 400 | 416 | 603 };

/**
 * Reads the Refer-To header of a REFER (RFC 3515 §2.1). Of the headers in its URI only Replaces and
 * Require are looked at: whoever refers us must not write our requests (RFC 3261 §19.1.5).
 */
export function readReferTo(lines: readonly string[]): ReferTarget {
  const address = onlyAddress(lines);
  if (address === undefined) return { kind: "refused", statusCode: 400 };
  const { uri } = address;
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return { kind: "refused", statusCode: 416 };
  const method = uri.getParam("method") ?? "INVITE";
  // Another method may be asked for (RFC 3515 §4.2), but this user agent only places calls.
  if (method.toUpperCase() !== "INVITE") return { kind: "refused", statusCode: 603 };
  const replaces = headerOf(uri, "replaces");
  const named = replaces === undefined ? undefined : parseNamedDialog(replaces);
  if (replaces !== undefined && named === undefined) return { kind: "refused", statusCode: 400 };
  return {
    kind: "call",
    uri: withoutHeaders(uri),
    ...(named === undefined ? {} : { replaces: named }),
    requiresReplaces: /\breplaces\b/i.test(headerOf(uri, "require") ?? ""),
  };
}

/** RFC 3515 §2.4.2: exactly one. */
function onlyAddress(lines: readonly string[]): NameAddrHeader | undefined {
  const [value = "", ...more] = valuesOf(lines);
  return more.length === 0 ? parseNameAddr(value) : undefined;
}

function withoutHeaders(uri: URI): string {
  const target = uri.clone();
  target.clearHeaders();
  target.deleteParam("method");
  return target.toRaw();
}

/** The Refer-To header line for a target, and a dialog of ours with it where it is to be replaced. */
export function referToHeader(uri: string, dialog: DialogIdentity | undefined): string {
  if (dialog === undefined) return `Refer-To: <${uri}>`;
  // RFC 3261 §19.1.1: everything reserved is escaped within a URI's headers.
  const replaces = encodeURIComponent(replacesText(namedForPeer(dialog)));
  return `Refer-To: <${uri}?Replaces=${replaces.replaceAll(/[!'()*]/g, escaped)}>`;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The value of a URI's header, its escapes undone; an empty text where they cannot be. */
function headerOf(uri: URI, name: string): string | undefined {
  const value = uri.getHeader(name)?.[0];
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return "";
  }
}
