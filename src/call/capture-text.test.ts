import { describe, expect, it } from "vitest";
import { capturedText, plainCapturedText } from "./capture-text.ts";

const BODY = [
  "v=0",
  "m=audio 4000 RTP/SAVP 0",
  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****************************************",
  "",
].join("\r\n");
const MESSAGE = `INVITE sip:bot@example SIP/2.0\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

describe("The text of a SIP message in a capture", () => {
  it("has base64 where a key was masked, and keeps its length", () => {
    const text = capturedText(MESSAGE);

    expect(text).toMatch(/inline:A{40}\r\n$/u);
    expect(text).toHaveLength(MESSAGE.length);
    expect(text.replaceAll("A".repeat(40), "*".repeat(40))).toBe(MESSAGE);
  });

  it("announces plain RTP where the media are decrypted, with the length that it has", () => {
    const text = plainCapturedText(MESSAGE);
    const [head = "", body = ""] = text.split("\r\n\r\n");

    expect(body).toContain("m=audio 4000 RTP/AVP 0\r\n");
    expect(body).toContain("a=masked:1 AES_CM_128_HMAC_SHA1_80");
    expect(head).toContain(`Content-Length: ${body.length}`);
  });

  it("leaves alone what holds no key", () => {
    const plain = MESSAGE.replace("SAVP", "AVP").replace(/a=crypto.*\r\n/u, "");

    expect(capturedText(plain)).toBe(plain);
    expect(plainCapturedText(plain)).toBe(plain);
  });
});
