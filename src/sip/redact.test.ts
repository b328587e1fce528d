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

  it("leaves everything else as it is (property)", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/authorization|inline:/i.test(text));
        expect(redactMessage(text)).toBe(text);
      }),
    );
  });
});
