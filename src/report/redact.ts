const SECRET_HEADER =
  /^(Authorization|Proxy-Authorization|WWW-Authenticate|Proxy-Authenticate):.*$/gimu;

/**
 * A SIP message without the values of its credential headers. The SIP layer redacts what it
 * records; a report is given away, so it does not rely on that.
 */
export function redactSip(text: string): string {
  return text.replaceAll(SECRET_HEADER, (_line, name: string) => `${name}: (redacted)`);
}
