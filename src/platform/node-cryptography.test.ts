import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "./node-cryptography.ts";

const cryptography = new NodeCryptography();

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

describe("NodeCryptography", () => {
  it("encrypts blocks as FIPS 197, one call after the other", () => {
    const plain = Buffer.from("00112233445566778899aabbccddeeff", "hex");
    const cases = [
      ["000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"],
      [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "8ea2b7ca516745bfeafc49904b496089",
      ],
    ] as const;
    for (const [key, encrypted] of cases) {
      const aes = cryptography.aesBlocks(Buffer.from(key, "hex"));
      const output = new Uint8Array(32);
      for (let round = 0; round < 3; round += 1) {
        aes.encrypt(Buffer.concat([plain, plain]), output.fill(0));
        expect(hex(output)).toBe(encrypted + encrypted);
      }
    }
  });

  it("computes HMAC-SHA1 of messages of any length (property)", () => {
    const message = fc.uint8Array({ maxLength: 5000, size: "max" });
    const suffix = fc.uint8Array({ maxLength: 8 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), message, suffix, (key, data, end) => {
        const hmac = cryptography.hmacSha1(key);
        const output = new Uint8Array(20);
        hmac.digest(data, end, output);
        const expected = createHmac("sha1", key).update(data).update(end).digest("hex");
        expect(hex(output)).toBe(expected);
      }),
    );
  });

  it("opens nothing that was changed, and then writes nothing", () => {
    const gcm = cryptography.aesGcm(new Uint8Array(16));
    const iv = new Uint8Array(12);
    const aad = Uint8Array.of(1);
    const sealed = new Uint8Array(5 + 16);
    gcm.seal(iv, aad, Uint8Array.of(1, 2, 3, 4, 5), sealed);
    const output = new Uint8Array(5);

    expect(gcm.open(iv, Uint8Array.of(2), sealed, output)).toBe(false);
    expect(gcm.open(iv, aad, sealed.subarray(0, 15), output)).toBe(false);
    expect(output).toEqual(new Uint8Array(5));
    expect(gcm.open(iv, aad, sealed, output)).toBe(true);
    expect(output).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  it("repeats its random bytes only where a test passes a seed", () => {
    const bytesOf = (seed: string): string =>
      hex(new NodeCryptography(seededRandom(seed)).randomBytes(30));
    expect(bytesOf("a")).toBe(bytesOf("a"));
    expect(bytesOf("a")).not.toBe(bytesOf("b"));
    expect(hex(cryptography.randomBytes(30))).not.toBe(hex(cryptography.randomBytes(30)));
  });

  it("compares, also where the lengths differ", () => {
    expect(cryptography.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(cryptography.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(cryptography.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });
});
