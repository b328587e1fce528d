import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { parseCryptoAttribute, writeCryptoAttribute } from "./crypto-attribute.ts";
import { generateKeys } from "./keys.ts";
import { SRTP_SUITES } from "./suites.ts";

const cryptography = new NodeCryptography(seededRandom("sdes"));
/** RFC 4568 §4.1. */
const KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const LINE = `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`;

function reasonOf(value: string): string | undefined {
  const parsed = parseCryptoAttribute(value);
  return parsed.kind === "unsupported" ? parsed.reason : undefined;
}

describe("parseCryptoAttribute", () => {
  it("reads the examples of RFC 4568", () => {
    const parsed = parseCryptoAttribute(`${LINE}|2^20|1:4`);

    expect(parsed).toMatchObject({ kind: "supported", tag: 1, lifetimePackets: 2 ** 20 });
    if (parsed.kind !== "supported") return;
    const { masterKey, masterSalt, mki } = parsed.keys;
    expect(Buffer.concat([masterKey, masterSalt]).toString("base64")).toBe(KEY);
    expect(masterKey).toHaveLength(16);
    expect(mki).toEqual(Uint8Array.of(0, 0, 0, 1));
  });

  it.each([
    [LINE, undefined, undefined],
    [`${LINE}|1048576`, 1_048_576, undefined],
    [`${LINE}|2^48`, 2 ** 48, undefined],
    [`${LINE}|66051:3`, undefined, Uint8Array.of(1, 2, 3)],
    [`${LINE}|2^31|255:1`, 2 ** 31, Uint8Array.of(255)],
    [`${LINE} WSH=64`, undefined, undefined],
    [`${LINE} -WSH=4 -future`, undefined, undefined],
    [`  ${LINE.replaceAll(" ", " \t ")}  `, undefined, undefined],
  ])("accepts %j", (value, lifetimePackets, mki) => {
    const parsed = parseCryptoAttribute(value);
    expect(parsed).toMatchObject({ kind: "supported", tag: 1 });
    if (parsed.kind !== "supported") return;
    expect(parsed.lifetimePackets).toBe(lifetimePackets);
    expect(parsed.keys.mki).toEqual(mki);
  });

  it.each([
    ["", "its tag is not a number"],
    [`x${LINE}`, "its tag is not a number"],
    [`1234567890${LINE.slice(1)}`, "its tag is not a number"],
    [LINE.replace("AES_CM_128", "F8_128"), "the suite F8_128_HMAC_SHA1_80 is not supported"],
    [LINE.toLowerCase(), "the suite is not supported"],
    [LINE.replace("inline:", "uri:"), "its key is not given inline"],
    ["1 AES_CM_128_HMAC_SHA1_80", "its key is not given inline"],
    [`${LINE}|1:4;inline:${KEY}|2:4`, "it has several master keys"],
    [LINE.slice(0, -1), "its key is not base64 of 30 bytes"],
    [LINE.slice(0, -4), "its key is not base64 of 30 bytes"],
    [`${LINE}AAAA`, "its key is not base64 of 30 bytes"],
    [LINE.replace("WV", "W_"), "its key is not base64 of 30 bytes"],
    [LINE.replace("AES_CM_128", "AES_256_CM"), "its key is not base64 of 46 bytes"],
    [`${LINE}|2^0`, undefined],
    [`${LINE}|0`, "its key lifetime is malformed"],
    [`${LINE}|2^49`, "its key lifetime is malformed"],
    [`${LINE}|281474976710657`, "its key lifetime is malformed"],
    [`${LINE}|2^`, "its key lifetime is malformed"],
    [`${LINE}|`, "its key lifetime is malformed"],
    [`${LINE}|256:1`, "its MKI is malformed"],
    [`${LINE}|1:0`, "its MKI is malformed"],
    [`${LINE}|1:129`, "its MKI is malformed"],
    [`${LINE}|2^20|x`, "its MKI is malformed"],
    [`${LINE}|2^20|1:4|`, "its key has too many fields"],
    [`${LINE} UNENCRYPTED_SRTP`, "it asks for unencrypted RTP (UNENCRYPTED_SRTP)"],
    [`${LINE} UNENCRYPTED_SRTCP`, "it asks for unencrypted RTCP (UNENCRYPTED_SRTCP)"],
    [`${LINE} UNAUTHENTICATED_SRTP`, "it asks for unauthenticated RTP (UNAUTHENTICATED_SRTP)"],
    [`${LINE} KDR=0`, "it asks for keys that are derived anew during the call (KDR)"],
    [`${LINE} FEC_ORDER=FEC_SRTP`, "it asks for forward error correction (FEC_ORDER)"],
    [`${LINE} WSH=63`, "it has a session parameter that is not supported"],
    [`${LINE} __proto__`, "it has a session parameter that is not supported"],
  ])("judges %j", (value, reason) => {
    expect(reasonOf(value)).toBe(reason);
  });

  it("wants padding, and no other than canonical base64", () => {
    const keys = generateKeys("AEAD_AES_128_GCM", cryptography);
    const line = writeCryptoAttribute(3, keys);
    expect(line.endsWith("==")).toBe(true);
    expect(reasonOf(line)).toBeUndefined();
    expect(reasonOf(line.slice(0, -2))).toBe("its key is not base64 of 28 bytes");
    const last = line.at(-3) ?? "";
    const odd = `${line.slice(0, -3)}${last === "Q" ? "R" : String.fromCodePoint((last.codePointAt(0) ?? 0) + 1)}==`;
    expect(reasonOf(odd)).toBe("its key is not base64 of 28 bytes");
  });

  it("reads back what is written, for every suite and MKI (property)", () => {
    const mki = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom(...SRTP_SUITES),
        fc.nat(999_999_999),
        mki,
        (suite, tag, given) => {
          const generated = generateKeys(suite, cryptography);
          const keys = given === undefined ? generated : { ...generated, mki: given };
          expect(parseCryptoAttribute(writeCryptoAttribute(tag, keys))).toEqual({
            kind: "supported",
            tag,
            keys,
          });
        },
      ),
    );
  });

  it("never throws, and repeats no key in a reason (fuzz)", () => {
    const piece = fc.constantFrom(
      "1",
      " ",
      "AES_CM_128_HMAC_SHA1_80",
      "inline:",
      KEY,
      "|",
      "2^20",
      ":",
      "1:4",
      ";",
      "KDR=",
    );
    const anyValue = fc.oneof(
      fc.string(),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(reasonOf(value) ?? "").not.toContain(KEY);
      }),
      { numRuns: 2000 },
    );
  });
});
