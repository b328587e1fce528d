import { withoutMark } from "./strict-route.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";

/** What a message says of the socket or connection by which it leaves. */
export interface LocalIdentity {
  readonly transport: SipTransport;
  /** "192.0.2.1:5060": where answers and later requests find us. */
  readonly sentBy: string;
}

/** Written by sip.js: the top Via of our own requests. */
const TOP_VIA = /^Via: SIP\/2\.0\/\S+ [^;\s]+/im;
/** See `flowParameter`. */
const FLOW = /^(Via:[^\r\n]*?);sidetone-flow=(\d+)(s?)/im;

/**
 * Makes messages of sip.js name the transport by which they leave. sip.js has one Via and one
 * Contact per user agent; which transport serves a message is only known when it is sent.
 */
export class MessageStamp {
  readonly #userPart: string;
  readonly #ownContact: RegExp;

  /** @param user our user part; @param contact the Contact URI that sip.js is configured with. */
  constructor(user: string, contact: string) {
    this.#userPart = `${user}@`;
    const literal = contact.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    this.#ownContact = new RegExp(`^(Contact:[ \\t]*<)${literal}(?=>)`, "gim");
  }

  /** The URI by which peers reach us on this way. */
  contactUri({ transport, sentBy }: LocalIdentity, isSecure = false): string {
    // RFC 3261 §8.1.1.8: a call to a sips: URI has a sips: Contact.
    return isSecure
      ? `sips:${this.#userPart}${sentBy}`
      : `sip:${this.#userPart}${sentBy}${transportTraits(transport).uriParameter}`;
  }

  request(text: string, identity: LocalIdentity): string {
    const { viaToken } = transportTraits(identity.transport);
    const isSecure = /^\S+ sips:/i.test(text);
    return this.#withContact(
      withoutMark(text).replace(TOP_VIA, `Via: SIP/2.0/${viaToken} ${identity.sentBy}`),
      this.contactUri(identity, isSecure),
    );
  }

  /** @param isSecure whether the request was for a sips: URI. */
  response(text: string, identity: LocalIdentity, isSecure: boolean): string {
    return this.#withContact(text, this.contactUri(identity, isSecure));
  }

  /** Only the head is looked at, so that bodies stay what they are. */
  #withContact(text: string, uri: string): string {
    const headEnd = text.indexOf("\r\n\r\n");
    const head = text
      .slice(0, headEnd)
      .replace(this.#ownContact, (_match, before: string) => before + uri);
    return head + text.slice(headEnd);
  }
}

/**
 * A private parameter for the top Via of a request that came: sip.js copies the Via into every
 * response, which so knows its way back (RFC 3261 §18.2.2). It never leaves the process.
 */
export function flowParameter(channelId: number, isSecure: boolean): string {
  return `;sidetone-flow=${channelId}${isSecure ? "s" : ""}`;
}

/** A response of sip.js without that parameter, and what it said. */
export function takeFlow(text: string): {
  readonly text: string;
  readonly channelId: number | undefined;
  readonly isSecure: boolean;
} {
  const match = FLOW.exec(text);
  if (match === null) return { text, channelId: undefined, isSecure: false };
  return {
    text: text.replace(FLOW, "$1"),
    channelId: Number(match[2]),
    isSecure: match[3] === "s",
  };
}
