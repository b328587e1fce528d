import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Cryptography } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { CounterMode } from "./counter-mode.ts";
import { GcmCipher } from "./gcm-cipher.ts";
import type { SrtpKeys } from "./keys.ts";
import { emptyFrame, readRtcpFrame, readRtpFrame, setRtpIndex } from "./packet-frame.ts";
import { SRTP_REJECTION } from "./rejection.ts";
import { deriveSessionKeys } from "./session-keys.ts";
import { SrtpReceiver } from "./srtp-receiver.ts";
import { SrtpSender } from "./srtp-sender.ts";
import { SRTP_SUITES } from "./suites.ts";

const cryptography: Cryptography = new NodeCryptography();

function bytes(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replaceAll(/\s/g, ""), "hex"));
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

/** Index 0 and SSRC 0 leave the RFCs' salt F0F1…FD as it is. */
function keystream(key: string, blocks: number): Uint8Array {
  const mode = new CounterMode(
    cryptography.aesBlocks(bytes(key)),
    bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd"),
  );
  const output = new Uint8Array(blocks * 16);
  mode.apply({ ...emptyFrame(), bodyEnd: output.length }, new Uint8Array(output.length), output);
  return output;
}

function expectKeystream(key: string, first: string, last: string): void {
  const stream = keystream(key, 0xff02);
  expect(hex(stream.subarray(0, 48))).toBe(hex(bytes(first)));
  expect(hex(stream.subarray(-48))).toBe(hex(bytes(last)));
}

describe("AES counter mode", () => {
  it("gives the keystream of RFC 3711 B.2", () => {
    expectKeystream(
      "2b7e151628aed2a6abf7158809cf4f3c",
      `e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab
       41e95b3bb0a2e8dd477901e4fca894c0`,
      `ec8cdf7398607cb0f2d21675ea9ea1e4 362b7c3c6773516318a077d7fc5073ae
       6a2cc3787889374fbeb4c81b17ba6c44`,
    );
  });

  it("gives the keystream of RFC 6188 §7.1", () => {
    expectKeystream(
      "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
      `92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac
       63c4868b7096d88421b563b8c94c9a31`,
      `cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d
       6eb246913062a16891433e97dd01a57f`,
    );
  });
});

describe("deriveSessionKeys", () => {
  it("derives the keys of RFC 3711 B.3", () => {
    const keys: SrtpKeys = {
      suite: "AES_CM_128_HMAC_SHA1_80",
      masterKey: bytes("e1f97a0d3e018be0d64fa32c06de4139"),
      masterSalt: bytes("0ec675ad498afeebb6960b3aabe6"),
    };

    const { cipherKey, salt, authenticationKey } = deriveSessionKeys(keys, "rtp", cryptography);

    expect(hex(cipherKey)).toBe("c61e7a93744f39ee10734afe3ff7a087");
    expect(hex(salt)).toBe("30cbbc08863d8c85d49db34a9ae1");
    // The RFC shows the first 94 bytes for longer keys; HMAC-SHA1 takes 20.
    expect(hex(authenticationKey)).toBe("cebe321f6ff7716b6fd4ab49af256a156d38baa4");
  });

  it("derives the keys of RFC 6188 §7.2", () => {
    const keys: SrtpKeys = {
      suite: "AES_256_CM_HMAC_SHA1_80",
      masterKey: bytes("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
      masterSalt: bytes("3b04803de51ee7c96423ab5b78d2"),
    };

    const { cipherKey, salt, authenticationKey } = deriveSessionKeys(keys, "rtp", cryptography);

    expect(hex(cipherKey)).toBe("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
    expect(hex(salt)).toBe("fa31791685ca444a9e07c6c64e93");
    expect(hex(authenticationKey)).toBe("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
  });
});

const GCM_KEYS = {
  AES128: "000102030405060708090a0b0c0d0e0f",
  AES256: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
} as const;
const GCM_SALT = "517569642070726f2071756f";
const GCM_RTP = `8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976
  69736120696e207061727465732074726573`;
const GCM_RTCP = `81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
  deadbeefdeadbeefdeadbeefdeadbeefdeadbeef`;
const GCM_RTCP_INDEX = 0x5d4;

function gcmCipher(kind: "rtp" | "rtcp", key: string): GcmCipher {
  const sessionKeys = {
    cipherKey: bytes(key),
    salt: bytes(GCM_SALT),
    authenticationKey: new Uint8Array(0),
  };
  return new GcmCipher(kind, sessionKeys, cryptography);
}

/** RFC 7714 starts from session keys, so that these tests go in below the derivation. */
describe("AES-GCM (RFC 7714)", () => {
  it.each([
    [
      "§16.1",
      GCM_KEYS.AES128,
      `f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
       899d7f27beb16a9152cf765ee4390cce`,
    ],
    [
      "§16.2",
      GCM_KEYS.AES256,
      `32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b
       7aa3db36dfffd6b0f9bb7878d7a76c13`,
    ],
  ])("protects the RTP packet of %s, and back", (_section, key, sealed) => {
    const packet = bytes(GCM_RTP);
    const cipher = gcmCipher("rtp", key);
    const frame = emptyFrame();
    expect(readRtpFrame(packet, packet.length, frame)).toBe(true);
    setRtpIndex(frame, 0xf17b);
    const output = new Uint8Array(packet.length + 16);

    cipher.seal(frame, packet, output);
    expect(hex(output)).toBe(hex(packet.subarray(0, 12)) + hex(bytes(sealed)));

    const back = new Uint8Array(packet.length);
    expect(cipher.open(frame, output, back)).toBe(true);
    expect(hex(back)).toBe(hex(packet));
  });

  it.each([
    [
      "§17.1",
      GCM_KEYS.AES128,
      `63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46
       86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade`,
    ],
    [
      "§17.2",
      GCM_KEYS.AES256,
      `d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658
       c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be`,
    ],
  ])("protects the RTCP packet of %s, and back", (_section, key, sealed) => {
    const packet = bytes(GCM_RTCP);
    const cipher = gcmCipher("rtcp", key);
    const frame = emptyFrame();
    expect(readRtcpFrame(packet, packet.length, frame)).toBe(true);
    frame.index = GCM_RTCP_INDEX;
    frame.word = 2 ** 31 + GCM_RTCP_INDEX;
    const output = new Uint8Array(packet.length + 16);

    cipher.seal(frame, packet, output);
    expect(hex(output)).toBe(hex(packet.subarray(0, 8)) + hex(bytes(sealed)));

    const back = new Uint8Array(packet.length);
    expect(cipher.open(frame, output, back)).toBe(true);
    expect(hex(back)).toBe(hex(packet));
  });

  it.each([
    ["§17.3", GCM_KEYS.AES128, "841dd9683dd78ec92ae58790125f62b3"],
    ["§17.4", GCM_KEYS.AES256, "91db4afbfeee5a978fab4393ed2615fe"],
  ])("tags as %s without encryption, though we refuse such packets", (_section, key, tag) => {
    const packet = bytes(GCM_RTCP);
    const word = bytes("000005d4");
    const iv = bytes("517524055203726f207170bb");
    const associated = Uint8Array.of(...packet, ...word);
    const output = new Uint8Array(16);

    cryptography.aesGcm(bytes(key)).seal(iv, associated, new Uint8Array(0), output);
    expect(hex(output)).toBe(tag);

    const keys: SrtpKeys = {
      suite: key.length === 32 ? "AEAD_AES_128_GCM" : "AEAD_AES_256_GCM",
      masterKey: bytes(key),
      masterSalt: bytes(GCM_SALT),
    };
    const receiver = new SrtpReceiver(keys, cryptography);
    const data = Uint8Array.of(...packet, ...output, ...word);
    expect(receiver.unprotectRtcp(data, new Uint8Array(100))).toBe(SRTP_REJECTION.unencrypted);
  });
});

interface LibsrtpCase {
  readonly suite: SrtpKeys["suite"];
  readonly key: string;
  readonly salt: string;
  readonly mki?: string;
  /** Plain and protected packets, in the order in which they were protected. */
  readonly rtp: readonly (readonly [string, string])[];
  readonly rtcp: readonly (readonly [string, string])[];
}

/** Made by libsrtp: a wrap, a straggler from before it, CSRC lists, header extensions, markers. */
const LIBSRTP_CASES = JSON.parse(
  readFileSync(new URL("../../fixtures/srtp/libsrtp-2.5.0.json", import.meta.url), "utf8"),
) as readonly LibsrtpCase[];

function keysOf({ suite, key, salt, mki }: LibsrtpCase): SrtpKeys {
  const masters = { suite, masterKey: bytes(key), masterSalt: bytes(salt) };
  return mki === undefined ? masters : { ...masters, mki: bytes(mki) };
}

describe("libsrtp 2.5.0", () => {
  it("has made vectors for every suite, with and without MKI", () => {
    const suites = LIBSRTP_CASES.map((each) => each.suite).toSorted();
    expect(suites).toEqual([...SRTP_SUITES, ...SRTP_SUITES].toSorted());
  });

  it.each(LIBSRTP_CASES)("protects as we do: $suite, MKI $mki", (vectors) => {
    const sender = new SrtpSender(keysOf(vectors), cryptography);
    const output = new Uint8Array(2048);

    for (const [plain, wire] of vectors.rtp) {
      const length = sender.protectRtp(bytes(plain), output);
      expect(hex(output.subarray(0, length))).toBe(wire);
    }
    // Its RTCP index starts at 1, ours at 0 as RFC 3711 §3.4 says.
    sender.protectRtcp(bytes(GCM_RTCP), output);
    for (const [plain, wire] of vectors.rtcp) {
      const length = sender.protectRtcp(bytes(plain), output);
      expect(hex(output.subarray(0, length))).toBe(wire);
    }
  });

  it.each(LIBSRTP_CASES)("is understood by us: $suite, MKI $mki", (vectors) => {
    const receiver = new SrtpReceiver(keysOf(vectors), cryptography);
    const output = new Uint8Array(2048);

    for (const [plain, wire] of vectors.rtp) {
      const length = receiver.unprotectRtp(bytes(wire), output);
      expect(hex(output.subarray(0, Math.max(0, length)))).toBe(plain);
    }
    for (const [plain, wire] of vectors.rtcp) {
      const length = receiver.unprotectRtcp(bytes(wire), output);
      expect(hex(output.subarray(0, Math.max(0, length)))).toBe(plain);
    }
    expect(receiver.counts.accepted).toBe(vectors.rtp.length);
    expect(receiver.rtcpCounts.accepted).toBe(vectors.rtcp.length);
  });
});
