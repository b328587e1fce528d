/** Header lines with credentials, folded lines included (RFC 3261 §20.7, §20.28). */
const CREDENTIALS =
  /^((?:proxy-)?authorization[ \t]*:[ \t]*(?:[A-Za-z0-9-]+[ \t]+)?)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim;

/**
 * SRTP keys in SDP, all of a line's (RFC 4568 §6.1): suite, lifetime and MKI stay readable. In
 * whatever line they stand: a peer's malformed SDP may well hold a good key.
 */
const INLINE_KEYS = /(inline:[ \t]*)([^\s|;]+)/gi;

/** Other ways to put keys into SDP: MIKEY (RFC 4567 §3.1) and "k=" (RFC 4566 §5.12). */
const OTHER_KEYS = /^(a=key-mgmt:[^\s:]*[ \t]*|k=[a-z0-9]*:?)([^\r\n]*)/gim;

const HAS_SECRET = /authorization|inline:|^a=key-mgmt:|^k=/im;

/**
 * Masks credentials and media keys in a SIP message, character for character, so that all lengths
 * stay what they were. What needs no masking is returned as it is. Timeline, pcap and reports get
 * SIP messages only through this.
 */
export function redactMessage(text: string): string {
  if (!HAS_SECRET.test(text)) return text;
  return text
    .replaceAll(CREDENTIALS, mask)
    .replaceAll(INLINE_KEYS, mask)
    .replaceAll(OTHER_KEYS, mask);
}

function mask(_match: string, before: string, secret: string): string {
  return before + secret.replaceAll(/[^\s]/g, "*");
}
