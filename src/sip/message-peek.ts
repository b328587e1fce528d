import {
  canonicalHeaderName,
  parseCSeq,
  parseVia,
  splitOutsideQuotes,
  type Via,
} from "./header-grammar.ts";

/** What routing, retransmission and tracing need to know of a message. Anything may be missing. */
export interface MessagePeek {
  readonly startLine: string;
  /** `undefined` for requests. */
  readonly statusCode: number | undefined;
  /** The CSeq's method; empty where unreadable. */
  readonly method: string;
  readonly cseq: number;
  readonly callId: string;
  /** Only of requests. */
  readonly requestUri: string | undefined;
  /** The top Via. */
  readonly via: Via | undefined;
  /** The first Route value. */
  readonly route: string | undefined;
}

const STATUS_LINE = /^SIP\/2\.0\s+(\d{3})(?:\s|$)/i;

/**
 * Scans a message's head, sent or received, malformed or not, in either line ending. Much cheaper
 * than parsing; it never fails.
 */
export function peekMessage(text: string): MessagePeek {
  const lines = headLines(text);
  const startLine = lines[0] ?? "";
  const status = STATUS_LINE.exec(startLine);
  const found = scanHeaders(lines);
  const cseq = parseCSeq(found.get("CSeq") ?? "") ?? { method: "", sequence: 0 };
  const topVia = firstOf(found.get("Via"));
  return {
    startLine,
    statusCode: status === null ? undefined : Number(status[1]),
    method: cseq.method,
    cseq: cseq.sequence,
    callId: found.get("Call-ID") ?? "",
    requestUri: status === null ? startLine.split(/\s+/, 2)[1] : undefined,
    via: topVia === undefined ? undefined : parseVia(topVia),
    route: firstOf(found.get("Route")),
  };
}

/** The first value of a list header. */
function firstOf(list: string | undefined): string | undefined {
  return list === undefined ? undefined : splitOutsideQuotes(list, ",")?.[0];
}

/** The lines of a message's head, folded ones joined (RFC 3261 §7.3.1). */
export function headLines(text: string): string[] {
  const blank = /\r?\n\r?\n/.exec(text);
  const head = blank === null ? text : text.slice(0, blank.index);
  const joined = /\n[ \t]/.test(head) ? head.replaceAll(/[ \t]*\r?\n[ \t]+/g, " ") : head;
  return joined.split(/\r?\n/);
}

const WANTED = new Set(["CSeq", "Via", "Call-ID", "Route"]);

/** The first value of each wanted header. */
function scanHeaders(lines: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] as string;
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    const name = canonicalHeaderName(line.slice(0, colon).trim());
    if (WANTED.has(name) && !found.has(name)) found.set(name, line.slice(colon + 1).trim());
  }
  return found;
}
