import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactMessage } from "./redact.ts";

describe("redactMessage", () => {
  it("masks credentials, folded lines included, and keeps every length", () => {
    const text = [
      "REGISTER sip:x SIP/2.0",
      'Authorization: Digest username="bob", nonce="abc",',
      ' response="6629fae49393a05397450978507c4ef1"',
      "proxy-authorization :Basic c2VjcmV0",
      "Call-ID: 1",
      "",
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32",
    ].join("\r\n");

    const redacted = redactMessage(text);

    for (const secret of ["6629fae4", "bob", "abc", "c2VjcmV0", "PS1uQCVe"]) {
      expect(redacted).not.toContain(secret);
    }
    expect(redacted).toHaveLength(text.length);
    expect(redacted.replaceAll(/[^\r\n]/g, "")).toBe(text.replaceAll(/[^\r\n]/g, ""));
    expect(redacted).toContain("Authorization: Digest *");
    expect(redacted).toContain("Call-ID: 1\r\n");
    expect(redacted).toContain("|2^20|1:32");
  });

  it("masks the SRTP keys of an offer and nothing else of it", () => {
    const key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    const other = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    const offer = [
      "m=audio 40000 RTP/SAVP 0 101",
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4;inline:${other}|2^20|2:4 WSH=64`,
      `a=crypto:2 AEAD_AES_128_GCM INLINE: ${key.slice(0, 38)}==`,
      `a=crypto:3 F8_128_HMAC_SHA1_80 inline:${other};inline:${key}`,
      "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAA",
      "k=base64:c2VjcmV0IGtleQ==",
      "k=prompt",
      "a=rtpmap:101 telephone-event/8000",
      "",
    ].join("\r\n");

    const redacted = redactMessage(offer);

    for (const secret of [key.slice(0, 20), other, "AQAFgM0X", "c2VjcmV0"]) {
      expect(redacted).not.toContain(secret);
    }
    expect(redacted).toHaveLength(offer.length);
    expect(redacted.replaceAll(/\*+/g, "*")).toBe(
      [
        "m=audio 40000 RTP/SAVP 0 101",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*|2^20|1:4;inline:*|2^20|2:4 WSH=64",
        "a=crypto:2 AEAD_AES_128_GCM INLINE: *",
        "a=crypto:3 F8_128_HMAC_SHA1_80 inline:*;inline:*",
        "a=key-mgmt:mikey *",
        "k=base64:*",
        "k=prompt",
        "a=rtpmap:101 telephone-event/8000",
        "",
      ].join("\r\n"),
    );
  });

  it("leaves everything else as it is (property)", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/authorization|inline:|key-mgmt|k=/i.test(text));
        expect(redactMessage(text)).toBe(text);
      }),
    );
  });
});
