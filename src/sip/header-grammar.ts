import { parseParameters } from "../sip-syntax/index.ts";

export {
  canonicalHeaderName,
  isToken,
  type ParameterMap,
  parseParameters,
  quotedStringEnd,
  splitOutsideQuotes,
} from "../sip-syntax/index.ts";

/** A Via header's value (RFC 3261 §20.42). */
export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  readonly received: string | undefined;
  /** `null`: asked for, not yet filled in (RFC 3581). */
  readonly rport: string | null | undefined;
}

const SENT_BY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*(\d{1,5}))?$/;
/** Of any version: a request of another one has to be answered, too (RFC 3261 §21.5.6). */
const SENT_PROTOCOL = /^SIP\s*\/\s*[A-Za-z0-9.]+\s*\/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+/i;

/** Reads one Via value; `undefined` where it is malformed. */
export function parseVia(text: string): Via | undefined {
  const protocol = SENT_PROTOCOL.exec(text);
  if (protocol === null) return undefined;
  const rest = text.slice(protocol[0].length);
  const semicolon = rest.indexOf(";");
  const sentBy = SENT_BY.exec((semicolon === -1 ? rest : rest.slice(0, semicolon)).trim());
  const parameters = parseParameters(semicolon === -1 ? "" : rest.slice(semicolon));
  if (sentBy === null || parameters === undefined) return undefined;
  const port = sentBy[2] === undefined ? undefined : Number(sentBy[2]);
  if (port !== undefined && port > 65_535) return undefined;
  return {
    transport: (protocol[1] as string).toUpperCase(),
    host: sentBy[1] as string,
    port,
    branch: parameters["branch"] ?? undefined,
    received: parameters["received"] ?? undefined,
    rport: parameters["rport"],
  };
}

const CSEQ = /^(\d{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)$/;

/** Reads a CSeq value (RFC 3261 §20.16: the number is below 2^31). */
export function parseCSeq(text: string): { sequence: number; method: string } | undefined {
  const match = CSEQ.exec(text);
  const sequence = Number(match?.[1]);
  if (match === null || sequence >= 2 ** 31) return undefined;
  return { sequence, method: match[2] as string };
}
