import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase64 } from "./base64.ts";

describe("encodeBase64", () => {
  it("agrees with the host's encoder", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      }),
    );
  });

  it("joins pieces without padding between them", () => {
    const bytes = Uint8Array.from({ length: 40_001 }, (_, index) => index % 251);

    expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  });
});
