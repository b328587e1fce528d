/** Header lines with credentials, folded lines included (RFC 3261 §20.7, §20.28). */
const CREDENTIALS =
  /^((?:proxy-)?authorization[ \t]*:[ \t]*(?:[A-Za-z0-9-]+[ \t]+)?)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim;

/** SRTP keys in SDP (RFC 4568 §6.1). */
const INLINE_KEYS = /(inline:)([^\s|]+)/gi;

const HAS_SECRET = /authorization|inline:/i;

/**
 * Masks credentials and media keys in a SIP message, character for character, so that all lengths
 * stay what they were. What needs no masking is returned as it is.
 */
export function redactMessage(text: string): string {
  if (!HAS_SECRET.test(text)) return text;
  return text.replaceAll(CREDENTIALS, mask).replaceAll(INLINE_KEYS, mask);
}

function mask(_match: string, before: string, secret: string): string {
  return before + secret.replaceAll(/[^\s]/g, "*");
}
