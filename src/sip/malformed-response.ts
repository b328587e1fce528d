import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";

/** What a response to a malformed request says beside what it copies. */
export interface MalformedResponseOptions {
  readonly statusCode: 400 | 505;
  /** What is wrong, in words of ours. */
  readonly reason: string;
  readonly toTag: string;
  readonly userAgent: string | undefined;
}

const PHRASES = { 400: "Bad Request", 505: "Version Not Supported" };

/**
 * The response to a request that cannot be understood, with whatever of it could be read: sip.js
 * makes none where a header is missing or malformed. The reason phrase names the fault (RFC 3261
 * §21.4.1).
 */
export function malformedResponse(
  request: IncomingRequestMessage,
  { statusCode, reason, toTag, userAgent }: MalformedResponseOptions,
): string {
  const to = request.getHeader("To");
  const isTagged = to !== undefined && /;\s*tag\s*=/i.test(to);
  return [
    `SIP/2.0 ${statusCode} ${PHRASES[statusCode]} (${reason})`,
    ...request.getHeaders("Via").map((via) => `Via: ${via}`),
    ...headerLine("From", request.getHeader("From")),
    ...headerLine("To", to === undefined || isTagged ? to : `${to};tag=${toTag}`),
    ...headerLine("Call-ID", request.getHeader("Call-ID")),
    ...headerLine("CSeq", request.getHeader("CSeq")),
    ...headerLine("User-Agent", userAgent),
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

function headerLine(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name}: ${value}`];
}
