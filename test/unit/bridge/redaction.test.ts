import { describe, expect, it } from "vitest";
import { Redactor } from "../../../src/bridge/provider/redaction.ts";

const KEY = "a+key/with?odd=characters";

describe("What is written down of an AI's messages", () => {
  it.each([
    KEY,
    encodeURIComponent(KEY),
    Buffer.from(KEY).toString("base64"),
    Buffer.from(KEY).toString("base64url"),
  ])("has no key in it, not even as %s", (form) => {
    const redactor = new Redactor([KEY], () => []);
    const json = redactor.message({ error: { message: `The key ${form} may not do this.` } });
    expect(json).not.toContain(form.replace(/=+$/u, ""));
    expect(json).toContain("[redacted]");
  });

  it("knows tokens that come to be used later", () => {
    const secrets: string[] = [];
    const redactor = new Redactor(secrets, () => []);
    expect(redactor.detail("a-token-0123456789")).toContain("a-token");
    secrets.push("a-token-0123456789");
    expect(redactor.detail("a-token-0123456789")).toBe("[redacted]");
  });

  it("has the place of audio in its stead", () => {
    const redactor = new Redactor([], () => ["audio"]);
    const audio = Buffer.alloc(960).toString("base64");
    const json = redactor.message({ audio }, (bytes) => ({ fromMs: 0, toMs: bytes / 48 }));
    expect(JSON.parse(json)).toEqual({ audio: { bytes: 960, fromMs: 0, toMs: 20 } });
  });
});
