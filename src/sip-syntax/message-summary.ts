import { bodyOf, headersOf, type TextHeader, valuesIn } from "./message-text.ts";
import { type AddressText, parseAddress } from "./name-address.ts";
import { splitOutsideQuotes } from "./parameters.ts";
import { type DescriptionSummary, summariseDescription } from "./summarise-description.ts";

/** What a message says at a glance. Whatever cannot be read is missing. */
export interface MessageSummary {
  /** Of responses. */
  readonly reasonPhrase?: string;
  readonly fromUri?: string;
  readonly fromTag?: string;
  readonly toUri?: string;
  readonly toTag?: string;
  /** Of the top Via: the transaction. */
  readonly branch?: string;
  readonly callId?: string;
  readonly contact?: string;
  readonly contentType?: string;
  /** Of a body that is a session description. */
  readonly sdp?: DescriptionSummary;
  /** The Reason header (RFC 3326) as it was written. */
  readonly reason?: string;
  /** User-Agent or Server. */
  readonly product?: string;
}

const STATUS_LINE = /^SIP\/2\.0\s+\d{3}\s*(.*)$/iu;

/**
 * Reads what a trace, a ladder or an expectation wants to know of a message. It takes any text, and
 * is computed from it wherever it is wanted: the timeline keeps the text alone.
 */
export function summariseMessage(text: string): MessageSummary {
  const headers = headersOf(text);
  const contentType = first(headers, "Content-Type")?.split(";")[0]?.trim().toLowerCase();
  return withoutMissing({
    reasonPhrase: STATUS_LINE.exec(text.split(/\r?\n/u, 1)[0] ?? "")?.[1],
    fromUri: addressIn(headers, "From")?.uri,
    fromTag: tagIn(headers, "From"),
    toUri: addressIn(headers, "To")?.uri,
    toTag: tagIn(headers, "To"),
    branch: branchOf(first(headers, "Via")),
    callId: first(headers, "Call-ID"),
    contact: addressIn(headers, "Contact")?.uri,
    contentType,
    sdp: contentType === "application/sdp" ? summariseDescription(bodyOf(text)) : undefined,
    reason: first(headers, "Reason"),
    product: first(headers, "User-Agent") ?? first(headers, "Server"),
  });
}

function first(headers: readonly TextHeader[], name: string): string | undefined {
  return valuesIn(headers, name)[0];
}

function addressIn(headers: readonly TextHeader[], name: string): AddressText | undefined {
  return parseAddress(first(headers, name) ?? "");
}

function tagIn(headers: readonly TextHeader[], name: string): string | undefined {
  return addressIn(headers, name)?.parameters["tag"] ?? undefined;
}

function branchOf(via: string | undefined): string | undefined {
  const branch = splitOutsideQuotes(via ?? "", ";")?.find((part) => /^branch\s*=/iu.test(part));
  return branch?.replace(/^branch\s*=\s*/iu, "");
}

type Present<Shape> = { readonly [Key in keyof Shape]?: Exclude<Shape[Key], undefined> };

function withoutMissing<Shape extends object>(shape: Shape): Present<Shape> {
  return Object.fromEntries(
    Object.entries(shape).filter(([, value]) => value !== undefined),
  ) as Present<Shape>;
}
