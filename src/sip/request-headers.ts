import { UsageError } from "../environment/index.ts";
import { canonicalHeaderName, isToken } from "./header-grammar.ts";

/** Headers that the SIP layer writes itself. */
const OWN_HEADERS = new Set([
  "Via",
  "From",
  "To",
  "Call-ID",
  "CSeq",
  "Contact",
  "Max-Forwards",
  "Content-Length",
  "Content-Type",
  "Allow",
  "Supported",
  "User-Agent",
  "Record-Route",
]);

/** Header lines of the user: Route values apart, because they steer the message. */
export interface RequestHeaders {
  readonly routeSet: string[];
  readonly others: string[];
}

/**
 * Checks the header lines that a user adds to a request.
 * @throws UsageError ERR_HEADER_MALFORMED, ERR_HEADER_RESERVED.
 */
export function splitRoutes(lines: readonly string[]): RequestHeaders {
  const headers: RequestHeaders = { routeSet: [], others: [] };
  for (const line of lines) {
    const name = checkedName(line);
    if (name === "Route") headers.routeSet.push(line.slice(line.indexOf(":") + 1).trim());
    else headers.others.push(line);
  }
  return headers;
}

/**
 * Checks header lines that a user adds to a response, BYE or CANCEL, whose way is given already.
 * @throws UsageError ERR_HEADER_MALFORMED, ERR_HEADER_RESERVED.
 */
export function checkedHeaders(lines: readonly string[]): string[] {
  const { routeSet, others } = splitRoutes(lines);
  if (routeSet.length === 0) return others;
  throw new UsageError(
    "ERR_HEADER_RESERVED",
    'The SIP header "Route" can only be given for the INVITE of a call.',
  );
}

function checkedName(line: string): string {
  const name = line.slice(0, Math.max(0, line.indexOf(":"))).trim();
  if (!isToken(name) || /[\r\n\0]/.test(line)) {
    throw new UsageError(
      "ERR_HEADER_MALFORMED",
      `An additional SIP header${isToken(name) ? ` ("${name}")` : ""} is not of the form "Name: value" on one line.`,
    );
  }
  const canonical = canonicalHeaderName(name);
  if (OWN_HEADERS.has(canonical)) {
    throw new UsageError(
      "ERR_HEADER_RESERVED",
      `The SIP header "${canonical}" is written by Sidetone itself and cannot be given.`,
    );
  }
  return canonical;
}
