import { describe, expect, it } from "vitest";
import { NodeCryptography } from "../../../src/platform/index.ts";
import {
  keyBytes,
  parseCryptoAttribute,
  rejectionName,
  SRTP_SUITES,
  type SrtpKeys,
  SrtpReceiver,
  SrtpSender,
  type SrtpSuite,
  saltBytes,
  writeCryptoAttribute,
} from "../../../src/srtp/index.ts";
import { RTCP_CORPUS, RTP_CORPUS, rtpFlow } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

const CRYPTOGRAPHY = new NodeCryptography();

function keysOf(suite: SrtpSuite): SrtpKeys {
  return {
    suite,
    masterKey: new Uint8Array(keyBytes(suite)).fill(3),
    masterSalt: new Uint8Array(saltBytes(suite)).fill(5),
  };
}

function sum(counts: object): number {
  return Object.values(counts).reduce((total: number, count: number) => total + count, 0);
}

describe(`SRTP, fuzzed ${FUZZ_TITLE}`, () => {
  it.each(SRTP_SUITES)(
    "%s: RTP is opened as it was, or refused and counted",
    (suite) => {
      const sender = new SrtpSender(keysOf(suite), CRYPTOGRAPHY);
      const receiver = new SrtpReceiver(keysOf(suite), CRYPTOGRAPHY);
      const sealed = new Uint8Array(2000);
      const output = new Uint8Array(1500);
      const plainOf = new Map<string, string>();
      let handled = 0;
      fuzz({
        name: `SRTP ${suite}`,
        share: 0.2,
        validShare: 0.4,
        corpus: (index) => {
          const plain = rtpFlow(index)[0] as Uint8Array;
          const protectedPacket = sealed.slice(0, sender.protectRtp(plain, sealed));
          plainOf.clear();
          plainOf.set(hexOf(protectedPacket), hexOf(plain));
          return [protectedPacket];
        },
        handle: (input) => {
          const asSent = plainOf.get(hexOf(input));
          const result = receiver.unprotectRtp(input, output);
          handled += 1;
          mustHold(sum(receiver.counts) === handled, "each packet is counted once");
          if (result < 0) {
            mustHold(rejectionName(result) !== undefined, "the refusal has a name");
            return mustHold(asSent === undefined, "a packet as it was sent is accepted");
          }
          mustHold(hexOf(output.subarray(0, result)) === asSent, "only what was sent is accepted");
        },
      });

      expect(receiver.counts.accepted).toBeGreaterThan(0);
      expect(receiver.counts.authenticationFailed).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it.each(SRTP_SUITES)(
    "%s: RTCP is opened, or refused and counted",
    (suite) => {
      const sender = new SrtpSender(keysOf(suite), CRYPTOGRAPHY);
      const receiver = new SrtpReceiver(keysOf(suite), CRYPTOGRAPHY);
      const sealed = new Uint8Array(2000);
      const output = new Uint8Array(1500);
      let handled = 0;
      fuzz({
        name: `SRTCP ${suite}`,
        share: 0.1,
        validShare: 0.4,
        corpus: (index) => {
          const plain = RTCP_CORPUS[index % RTCP_CORPUS.length] as Uint8Array;
          return [sealed.slice(0, sender.protectRtcp(plain, sealed)), plain];
        },
        handle: (input) => {
          const result = receiver.unprotectRtcp(input, output);
          handled += 1;
          mustHold(result < input.length, "what is opened is shorter");
          mustHold(sum(receiver.rtcpCounts) === handled, "each packet is counted once");
        },
      });

      expect(receiver.rtcpCounts.accepted).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "can protect whatever it is given, or refuse it",
    () => {
      const sender = new SrtpSender(keysOf("AES_CM_128_HMAC_SHA1_80"), CRYPTOGRAPHY);
      const output = new Uint8Array(2000);
      let accepted = 0;
      fuzz({
        name: "SrtpSender",
        share: 0.3,
        corpus: RTP_CORPUS,
        handle: (input) => {
          const result = sender.protectRtp(input, output);
          if (result < 0) mustHold(rejectionName(result) !== undefined, "the refusal has a name");
          else accepted += 1;
        },
      });

      expect(accepted).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "a=crypto is read, or named unsupported",
    () => {
      const corpus = SRTP_SUITES.map((suite, index) =>
        new TextEncoder().encode(writeCryptoAttribute(index + 1, keysOf(suite))),
      );
      const seen = new Set<string>();
      fuzz({
        name: "parseCryptoAttribute",
        corpus,
        handle: (input) => {
          const crypto = parseCryptoAttribute(new TextDecoder().decode(input));
          const isSupported = "keys" in crypto;
          seen.add(isSupported ? "supported" : "unsupported");
          if (!isSupported) return;
          const { suite, masterKey, masterSalt } = crypto.keys;
          mustHold(masterKey.length === keyBytes(suite), "the key has its suite's length");
          mustHold(masterSalt.length === saltBytes(suite), "the salt has its suite's length");
        },
      });

      expect(seen).toEqual(new Set(["supported", "unsupported"]));
    },
    FUZZ_TIMEOUT_MS,
  );
});

function hexOf(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}
