import { getReasonPhrase } from "sip.js/lib/core/messages/utils.js";

/** The content type of a NOTIFY's body that tells how a referred call fares (RFC 3420). */
export const SIPFRAG_TYPE: string = "message/sipfrag";

/** The status of a referred call. */
export interface FragmentStatus {
  readonly statusCode: number;
  readonly reasonPhrase: string;
}

const STATUS_LINE = /^SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+([^\r\n]*))?$/i;

/** A status line as a message fragment; peers get a phrase even where the target gave none. */
export function writeSipfrag({ statusCode, reasonPhrase }: FragmentStatus): string {
  const phrase = reasonPhrase === "" ? getReasonPhrase(statusCode) : reasonPhrase;
  return `SIP/2.0 ${statusCode} ${phrase}\r\n`;
}

/** Reads a fragment's status line (RFC 3515 §2.4.5); `undefined` where it does not begin with one. */
export function parseSipfrag(body: string): FragmentStatus | undefined {
  const match = STATUS_LINE.exec(body.trimStart().split(/\r?\n/, 1)[0]?.trimEnd() ?? "");
  if (match === null) return undefined;
  return { statusCode: Number(match[1]), reasonPhrase: match[2]?.trim() ?? "" };
}
