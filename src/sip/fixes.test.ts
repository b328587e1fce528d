import { readFileSync } from "node:fs";
import { Timers } from "sip.js/lib/core/index.js";
import { describe, expect, it } from "vitest";
import { applyFixes } from "./fixes.ts";

const versionIn = (path: string): { version: string; dependencies: Record<string, string> } =>
  JSON.parse(readFileSync(path, "utf8"));

describe("the patched version of sip.js", () => {
  it("is the pinned one, exactly", () => {
    expect(versionIn("node_modules/sip.js/package.json").version).toBe("0.21.2");
    expect(versionIn("package.json").dependencies["sip.js"]).toBe("0.21.2");
  });

  it("gets the timers of an unreliable transport (RFC 3261, table 4)", () => {
    applyFixes();
    applyFixes();

    expect(Timers).toMatchObject({
      TIMER_D: 32_000,
      TIMER_I: 5000,
      TIMER_J: 32_000,
      TIMER_K: 5000,
      TIMER_B: 32_000,
    });
  });
});
