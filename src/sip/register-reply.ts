import { type IncomingResponseMessage, NameAddrHeader, type URI } from "sip.js/lib/core/index.js";
import { splitOutsideQuotes } from "./header-grammar.ts";
import type { RegisterReply } from "./registration-engine.ts";

/** What a registrar's 2xx tells beside how long the binding lasts. */
export interface RegistrationGrant {
  /** Route values for our requests (RFC 3608). */
  readonly serviceRoute: readonly string[];
  /** How the registrar reaches us (RFC 3327). */
  readonly path: readonly string[];
  /** Our public GRUU (RFC 5627), where the registrar gave one. */
  readonly publicGruu: string | undefined;
}

/** How our own Contact is recognised. */
export interface OwnContact {
  readonly uri: URI;
  /** "<urn:uuid:…>", where we gave one. */
  readonly instance: string | undefined;
}

/** Reads a final response to REGISTER. Whatever is malformed in it counts as absent. */
export function readReply(message: IncomingResponseMessage, own: OwnContact): RegisterReply {
  const { statusCode = 0, reasonPhrase = "" } = message;
  const isSuccess = statusCode >= 200 && statusCode < 300;
  const contact = isSuccess ? ownContact(message, own) : undefined;
  const expiresS = seconds(contact?.getParam("expires")) ?? seconds(message.getHeader("Expires"));
  const minExpiresS = seconds(message.getHeader("Min-Expires"));
  const retryAfterS = seconds(message.getHeader("Retry-After"));
  return {
    statusCode,
    reasonPhrase,
    ...(expiresS === undefined ? {} : { expiresS }),
    ...(minExpiresS === undefined ? {} : { minExpiresS }),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
    alternatives: isSuccess ? [] : contactsOf(message).map(({ uri }) => uri.toString()),
  };
}

/** Reads what a 2xx grants. */
export function readGrant(message: IncomingResponseMessage, own: OwnContact): RegistrationGrant {
  const gruu = ownContact(message, own)?.getParam("pub-gruu");
  return {
    serviceRoute: listOf(message, "Service-Route"),
    path: listOf(message, "Path"),
    publicGruu: gruu?.replaceAll('"', ""),
  };
}

/**
 * Our own among the bindings of the address: by instance, by URI, or because it is the only one (a
 * registrar behind an address translator may have changed it).
 */
function ownContact(
  message: IncomingResponseMessage,
  { uri, instance }: OwnContact,
): NameAddrHeader | undefined {
  const contacts = contactsOf(message);
  const ofInstance =
    instance === undefined
      ? undefined
      : contacts.find((each) => each.getParam("+sip.instance")?.replaceAll('"', "") === instance);
  const ofUri =
    contacts.find((each) => isSame(each.uri, uri) && each.uri.port === uri.port) ??
    // By another transport we have another port.
    contacts.find((each) => isSame(each.uri, uri));
  return ofInstance ?? ofUri ?? (contacts.length === 1 ? contacts[0] : undefined);
}

/** RFC 3261 §19.1.4, without the port, and the parameters, which registrars add to. */
function isSame(a: URI, b: URI): boolean {
  return (
    a.scheme === b.scheme &&
    unescaped(a.user) === unescaped(b.user) &&
    a.host.toLowerCase() === b.host.toLowerCase()
  );
}

function unescaped(user: string | undefined): string {
  try {
    return decodeURIComponent(user ?? "");
  } catch {
    return user ?? "";
  }
}

function contactsOf(message: IncomingResponseMessage): NameAddrHeader[] {
  return (message.headers["Contact"] ?? [])
    .map(({ parsed }: { parsed?: unknown }) => parsed)
    .filter((each) => each instanceof NameAddrHeader);
}

function listOf(message: IncomingResponseMessage, name: string): string[] {
  return message
    .getHeaders(name)
    .flatMap((value) => splitOutsideQuotes(value, ",") ?? [])
    .filter((value) => value !== "");
}

/** delta-seconds (RFC 3261 §25.1), with parameters or comment behind, as Retry-After has. */
function seconds(text: string | null | undefined): number | undefined {
  const digits = /^"?(\d{1,10})"?(?=$|[\s;(])/.exec(text?.trim() ?? "")?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), 2 ** 32 - 1);
}
