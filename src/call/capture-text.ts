/** Keys that `redactMessage` masked. */
const MASKED_KEY = /(inline:[ \t]*)(\*+)/giu;
const SECURE_PROFILE = /^(m=[^\r\n]* RTP\/)SAVP/gimu;
const CRYPTO = /^a=crypto:/gimu;
const CONTENT_LENGTH = /^((?:content-length|l)[ \t]*:[ \t]*)(\d+)/imu;

/**
 * A redacted SIP message as a capture holds it: masked keys become base64 of as many zeros, because
 * readers such as tshark reject the whole description, and with it all media, where they are not
 * base64. The length stays.
 */
export function capturedText(redacted: string): string {
  return redacted.replaceAll(MASKED_KEY, (_, before: string, mask: string) => {
    return before + "A".repeat(mask.length);
  });
}

/**
 * The same for a capture with decrypted media: it announces plain RTP, or else its readers would
 * take the media for encrypted. `a=crypto` stands there as `a=masked`.
 */
export function plainCapturedText(redacted: string): string {
  let removed = 0;
  const plain = redacted
    .replaceAll(SECURE_PROFILE, (_, before: string) => {
      removed += 1;
      return `${before}AVP`;
    })
    .replaceAll(CRYPTO, "a=masked:");
  return plain.replace(CONTENT_LENGTH, (_, name: string, bytes: string) => {
    return `${name}${Number(bytes) - removed}`;
  });
}
