const SECRET_HEADER =
  /^(Authorization|Proxy-Authorization|WWW-Authenticate|Proxy-Authenticate):.*$/gimu;

/** SRTP keys in SDP (RFC 4568 §6.1). */
const INLINE_KEY = /(inline:[ \t]*)[^\s|;]+/giu;

/**
 * A SIP message without the values of its credential headers and without media keys. The SIP layer
 * redacts what it records; a report is given away, so it does not rely on that.
 */
export function redactSip(text: string): string {
  return text
    .replaceAll(SECRET_HEADER, (_line, name: string) => `${name}: (redacted)`)
    .replaceAll(INLINE_KEY, "$1(redacted)");
}
