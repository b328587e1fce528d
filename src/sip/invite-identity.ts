import type { URI } from "sip.js/lib/core/index.js";
import { UsageError } from "../environment/index.ts";
import { parseAddress } from "../sip-syntax/index.ts";
import { addressOfRecord } from "./sip-uri.ts";
import { parseUri } from "./wire-uri.ts";

/** As whom a call is placed, and whom it asks for; each may be a tel: URI (RFC 3966). */
export interface InviteIdentity {
  /** `"Ann" <sip:ann@example.com>`; default: our own address and display name. */
  readonly from?: string;
  /** Default: the target. */
  readonly to?: string;
  /**
   * The Request-URI, where it is not the target: the INVITE then travels to the target by a Route
   * (RFC 3261 §16.12, a loose router), as calls to a telephone number do.
   */
  readonly requestUri?: string;
}

/** RFC 3323 §4.1.1.3: who does not want to be known. */
export const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';

interface Named {
  readonly uri: URI;
  readonly displayName: string;
}

/** What the INVITE says. */
export interface InviteAddresses {
  readonly requestUri: URI;
  readonly from: Named | undefined;
  readonly to: Named;
  /** Goes before the routes that the user gave. */
  readonly route: string | undefined;
}

/** @throws UsageError ERR_ADDRESS_MALFORMED. */
export function inviteAddresses(target: URI, identity: InviteIdentity): InviteAddresses {
  const { from, to, requestUri } = identity;
  const asked = requestUri === undefined ? undefined : readUri(requestUri);
  return {
    requestUri: asked ?? target,
    from: from === undefined ? undefined : readAddress("From", from),
    to: to === undefined ? { uri: toOf(asked ?? target), displayName: "" } : readAddress("To", to),
    route: asked === undefined ? undefined : routeTo(target),
  };
}

function toOf(uri: URI): URI {
  return uri.scheme === "sip" || uri.scheme === "sips" ? addressOfRecord(uri) : uri;
}

function routeTo(target: URI): string {
  const text = target.toString();
  return `<${/;lr(?:;|$)/iu.test(text) ? text : `${text};lr`}>`;
}

function readUri(text: string): URI {
  const uri = parseUri(text.trim().replace(/^<(.*)>$/u, "$1"));
  if (uri === undefined || !CALLABLE.has(uri.scheme)) throw malformed("Request-URI");
  return uri;
}

const CALLABLE = new Set(["sip", "sips", "tel"]);

function readAddress(header: string, text: string): Named {
  const address = /[\r\n\0]/u.test(text) ? undefined : parseAddress(text);
  const uri = address === undefined ? undefined : parseUri(address.uri);
  if (address === undefined || uri === undefined) throw malformed(header);
  // sip.js puts the name between quotes as it is.
  return { uri, displayName: address.displayName.replaceAll(/["\\]/gu, String.raw`\$&`) };
}

/** It may be a telephone number, so it is not quoted. */
function malformed(where: string): UsageError {
  return new UsageError(
    "ERR_ADDRESS_MALFORMED",
    `The address for ${where} cannot be read. Write it as "Name" <sip:user@host>, <tel:+number>, or a bare URI.`,
  );
}
