import { canonicalHeaderName } from "./header-names.ts";
import { splitOutsideQuotes } from "./parameters.ts";

/** One header line of a message as it was written; the name in its usual spelling. */
export interface TextHeader {
  readonly name: string;
  readonly value: string;
}

const HEAD_END = /\r?\n\r?\n/u;

/**
 * The header lines of a message in their order, folded ones joined (RFC 3261 §7.3.1). It takes any
 * text: what is no header line is left out.
 */
export function headersOf(text: string): readonly TextHeader[] {
  const head = text.split(HEAD_END, 1)[0] ?? "";
  const lines = head.replaceAll(/[ \t]*\r?\n[ \t]+/gu, " ").split(/\r?\n/u);
  return lines.slice(1).flatMap((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) return [];
    const name = canonicalHeaderName(line.slice(0, colon).trim());
    return [{ name, value: line.slice(colon + 1).trim() }];
  });
}

/** Headers whose value holds commas that separate nothing (RFC 3261 §7.3.1, §20). */
const SINGLE_VALUED = new Set([
  "Authorization",
  "Date",
  "Organization",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "Retry-After",
  "Server",
  "Subject",
  "User-Agent",
  "WWW-Authenticate",
]);

/**
 * The values of a header, in their order: those of several lines, and those that one line lists with
 * commas. Headers of one's own ("X-…") are not split: nobody knows what their commas mean.
 */
export function headerValues(text: string, name: string): readonly string[] {
  return valuesIn(headersOf(text), name);
}

/** The same for header lines that were read before. */
export function valuesIn(headers: readonly TextHeader[], name: string): readonly string[] {
  const canonical = canonicalHeaderName(name);
  const isOneValue = SINGLE_VALUED.has(canonical) || canonical.startsWith("X-");
  return headers
    .filter((header) => header.name === canonical)
    .flatMap(({ value }) => (isOneValue ? [value] : (splitOutsideQuotes(value, ",") ?? [value])));
}

/** What follows the head; empty where nothing does. */
export function bodyOf(text: string): string {
  const end = HEAD_END.exec(text);
  return end === null ? "" : text.slice(end.index + end[0].length);
}
