import { describe, expect, it } from "vitest";
import { isSidetoneError } from "../../../src/environment/index.ts";
import { type MediaCapabilities, OfferAnswer, parseSdp, writeSdp } from "../../../src/sdp/index.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

const KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OFFERS = [
  ["m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"],
  [
    "m=audio 4000 RTP/AVP 96 9 0 13 101 103",
    "a=rtpmap:96 opus/48000/2",
    "a=fmtp:96 useinbandfec=1;maxaveragebitrate=20000",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=rtpmap:103 telephone-event/48000",
    "a=ptime:30",
    "a=maxptime:60",
    "a=rtcp:4001 IN IP4 192.0.2.10",
    "a=rtcp-mux",
    "a=rtcp-xr:voip-metrics rcvr-rtt=all",
    "a=sendonly",
  ],
  [
    "m=video 0 RTP/AVP 99",
    "m=audio 4000 RTP/SAVP 0",
    "c=IN IP6 2001:db8::9",
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`,
    `a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:${KEY} KDR=1`,
  ],
].map((lines) => encoded(lines));

const CAPABILITIES: MediaCapabilities = {
  address: "192.0.2.1",
  port: 40_000,
  codecs: [
    { id: "PCMU", name: "PCMU", payloadType: 0, clockRateHz: 8000 },
    { id: "opus", name: "opus", payloadType: 96, clockRateHz: 48_000, channels: 2 },
  ],
  telephoneEvents: true,
  comfortNoise: true,
  ptimeMs: 20,
  sessionId: 7,
  rtcp: { mode: "mux" },
  srtp: {
    policy: "optional",
    offers: [
      {
        tag: 1,
        keys: {
          suite: "AES_CM_128_HMAC_SHA1_80",
          masterKey: new Uint8Array(16).fill(1),
          masterSalt: new Uint8Array(14).fill(2),
        },
      },
    ],
  },
};

function encoded(lines: readonly string[]): Uint8Array {
  const head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"];
  return new TextEncoder().encode([...head, ...lines, ""].join("\r\n"));
}

/** Runs what may throw only an error with a code; a bug comes through. */
function codeOf(action: () => unknown): string {
  try {
    action();
    return "accepted";
  } catch (error) {
    if (isSidetoneError(error)) return error.code;
    throw error;
  }
}

describe(`SDP, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "is read, or named malformed; what was read can be written and read again",
    () => {
      const seen = new Set<string>();
      fuzz({
        name: "parseSdp",
        corpus: OFFERS,
        validShare: 0.02,
        handle: (input) => {
          const session = parseSdp(new TextDecoder().decode(input));
          seen.add(session.kind);
          if (session.kind === "malformed") return mustHold(session.reason !== "", "it says why");
          const again = parseSdp(writeSdp(session));
          mustHold(again.kind === "session", "it is read again");
        },
      });

      expect(seen).toEqual(new Set(["session", "malformed"]));
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "is answered, or refused with a code, as an offer and as an answer",
    () => {
      const codes = new Set<string>();
      fuzz({
        name: "OfferAnswer",
        corpus: OFFERS,
        share: 0.5,
        handle: (input) => {
          const text = new TextDecoder().decode(input);
          const answerer = new OfferAnswer(CAPABILITIES);
          codes.add(codeOf(() => answerer.acceptOffer(text)));
          const offerer = new OfferAnswer(CAPABILITIES);
          offerer.createOffer();
          codes.add(codeOf(() => offerer.acceptAnswer(text)));
        },
      });

      expect(codes).toContain("accepted");
      expect(codes.size).toBeGreaterThan(2);
    },
    FUZZ_TIMEOUT_MS,
  );
});
