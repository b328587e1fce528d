import { splitOutsideQuotes } from "./header-grammar.ts";

/** A dialog as one of its ends names it (RFC 3261 §12). */
export interface DialogIdentity {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

/** What a Replaces or Join header names, from the view of whoever gets it. */
export interface NamedDialog {
  readonly callId: string;
  /** The tag of whoever gets the header. */
  readonly toTag: string;
  /** The tag of its peer in that dialog. */
  readonly fromTag: string;
  /** Only for Replaces: not to be done where the dialog is confirmed (RFC 3891 §6.1). */
  readonly earlyOnly: boolean;
}

/** word [ "@" word ] (RFC 3261 §25.1); no separator of a header's parameters or values. */
const CALL_ID =
  /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/;
const TAG = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/**
 * Reads the value of a Replaces (RFC 3891 §6.1) or Join header (RFC 3911 §7.1): a Call-ID, and
 * exactly one to-tag and one from-tag.
 * @returns `undefined` where it is malformed.
 */
export function parseNamedDialog(text: string): NamedDialog | undefined {
  const [callId = "", ...parameters] = text.split(";").map((part) => part.trim());
  if (!CALL_ID.test(callId)) return undefined;
  const read = parameters.map(parameterOf);
  const toTags = read.filter(({ name }) => name === "to-tag").map(({ value }) => value);
  const fromTags = read.filter(({ name }) => name === "from-tag").map(({ value }) => value);
  const [toTag = "", ...moreToTags] = toTags;
  const [fromTag = "", ...moreFromTags] = fromTags;
  if (moreToTags.length + moreFromTags.length > 0) return undefined;
  if (!TAG.test(toTag) || !TAG.test(fromTag)) return undefined;
  return { callId, toTag, fromTag, earlyOnly: read.some(({ name }) => name === "early-only") };
}

function parameterOf(text: string): { readonly name: string; readonly value: string } {
  const [name = "", value = ""] = text.split("=", 2).map((part) => part.trim());
  return { name: name.toLowerCase(), value };
}

/** The value of a Replaces header. */
export function replacesText({ callId, toTag, fromTag, earlyOnly }: NamedDialog): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ";early-only" : ""}`;
}

/** A dialog of ours as its other end would have to find it in a Replaces header. */
export function namedForPeer({ callId, localTag, remoteTag }: DialogIdentity): NamedDialog {
  return { callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false };
}

/** The values of a header that may stand only once: more than one is a fault of the peer. */
export function valuesOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => splitOutsideQuotes(line, ",") ?? [line]);
}
