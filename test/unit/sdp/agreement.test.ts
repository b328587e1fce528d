import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MediaCapabilities, NegotiatedMedia } from "../../../src/sdp/index.ts";
import { SRTP_SUITES } from "../../../src/srtp/index.ts";
import {
  ALL_CODECS,
  bot,
  caller,
  description,
  errorOf,
  exchange,
  negotiatedOf,
  srtp,
} from "./sides.ts";

/** All codecs; numbers are drawn too, so that those of two sides get in each other's way. */
const NUMBERED_CODECS = fc
  .uniqueArray(fc.integer({ min: 96, max: 106 }), {
    minLength: ALL_CODECS.length,
    maxLength: ALL_CODECS.length,
  })
  .map((numbers) =>
    ALL_CODECS.map((codec, index) =>
      codec.payloadType < 96 ? codec : { ...codec, payloadType: numbers[index] ?? 127 },
    ),
  );

function capabilities(keySeed: number): fc.Arbitrary<Partial<MediaCapabilities>> {
  const codecs = NUMBERED_CODECS.chain((all) => fc.shuffledSubarray(all, { minLength: 1 }));
  return fc.record({
    codecs,
    telephoneEvents: fc.boolean(),
    comfortNoise: fc.boolean(),
    ptimeMs: fc.constantFrom(10, 20, 30, 40, 60),
    answerOrder: fc.constantFrom("offer" as const, "own" as const),
    rtcp: fc.record({
      mode: fc.constantFrom("mux" as const, "separate" as const, "off" as const),
      port: fc.constantFrom(40_001, 45_000),
    }),
    rtcpXr: fc.boolean(),
    srtp: fc
      .tuple(
        fc.constantFrom("off" as const, "optional" as const, "required" as const),
        fc.shuffledSubarray([...SRTP_SUITES], { minLength: 1 }),
      )
      .map(([policy, suites]) => srtp(policy, keySeed, suites)),
  });
}

/** What must hold between the two results of one exchange. */
function expectAgreement(one: NegotiatedMedia, other: NegotiatedMedia): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    expect(to.receive.get(from.send.payloadType)).toEqual({
      kind: "audio",
      codecId: from.send.codecId,
    });
    expectAuxiliaries(from, to);
    expect(from.srtp?.send).toEqual(to.srtp?.receive);
    expect(from.rtcpMux).toBe(to.rtcpMux);
    const isOnRtpPort = from.remoteRtcp?.port === from.remote?.port;
    expect(isOnRtpPort).toBe(from.rtcpMux);
  }
  expect(one.send.codecId).toBe(other.send.codecId);
  // Each sends what the other asked for.
  expect(one.ptimeMs).toBe(one.remotePtimeMs);
  expect(other.ptimeMs).toBe(other.remotePtimeMs);
}

function expectAuxiliaries(from: NegotiatedMedia, to: NegotiatedMedia): void {
  const { clockRateHz } = from.send;
  if (from.telephoneEventPayloadType !== undefined) {
    expect(to.receive.get(from.telephoneEventPayloadType)).toEqual({
      kind: "telephoneEvent",
      clockRateHz,
    });
  }
  if (from.comfortNoisePayloadType !== undefined) {
    expect(to.receive.get(from.comfortNoisePayloadType)).toEqual({
      kind: "comfortNoise",
      clockRateHz,
    });
  }
  expect(from.telephoneEventPayloadType).toBe(to.telephoneEventPayloadType);
}

function sharesCodec(left: Partial<MediaCapabilities>, right: Partial<MediaCapabilities>): boolean {
  return (left.codecs ?? []).some(({ id }) => right.codecs?.some((each) => each.id === id));
}

function sharesSuite(left: Partial<MediaCapabilities>, right: Partial<MediaCapabilities>): boolean {
  const suites = right.srtp?.offers.map((offer) => offer.keys.suite) ?? [];
  return (left.srtp?.offers ?? []).some((offer) => suites.includes(offer.keys.suite));
}

/** What the exchange must come to, reckoned without any SDP. */
function expectedCode(left: Partial<MediaCapabilities>, right: Partial<MediaCapabilities>): string {
  if (!sharesCodec(left, right)) return "ERR_SDP_NO_COMMON_CODEC";
  const [from, to] = [left.srtp?.policy, right.srtp?.policy];
  if (from === "required" && to === "off") return "ERR_SRTP_NOT_ALLOWED";
  if (from === "off" && to === "required") return "ERR_SRTP_REQUIRED";
  const isNeeded = from === "required" || to === "required";
  return isNeeded && !sharesSuite(left, right) ? "ERR_SRTP_NO_COMMON_SUITE" : "nothing thrown";
}

describe("any two sides (property)", () => {
  it("agree on codec, numbers, keys and RTCP, or have the named error; over re-offers too", () => {
    fc.assert(
      fc.property(capabilities(1), capabilities(50), (left, right) => {
        const [from, to] = [caller(left), bot(right)];

        expect(errorOf(() => exchange(from, to)).code).toBe(expectedCode(left, right));
        if (from.negotiated === undefined) return;

        expectAgreement(negotiatedOf(from), negotiatedOf(to));
        const [codec, keys] = [negotiatedOf(from).send.codecId, negotiatedOf(from).srtp];
        exchange(to, from);
        expectAgreement(negotiatedOf(from), negotiatedOf(to));
        expect(negotiatedOf(from).srtp?.receive).toBe(keys?.receive);
        exchange(from, to);
        expectAgreement(negotiatedOf(from), negotiatedOf(to));
        // Who answers by its own order may choose anew.
        const isFixed = left.answerOrder !== "own" && right.answerOrder !== "own";
        const now = negotiatedOf(from).send.codecId;
        expect(now).toBe(isFixed ? codec : now);
      }),
      { numRuns: 200 },
    );
  });

  it("never give one number two meanings in the offers of a session (RFC 3264 §8.3.2)", () => {
    const turn = fc.record({
      ids: fc.shuffledSubarray(
        ALL_CODECS.map((codec) => codec.id),
        { minLength: 1 },
      ),
      offers: fc.constantFrom("left" as const, "right" as const),
    });
    const turns = fc.array(turn, { maxLength: 6 });
    fc.assert(
      fc.property(NUMBERED_CODECS, NUMBERED_CODECS, turns, (leftCodecs, rightCodecs, all) => {
        const left = caller({ codecs: leftCodecs });
        const right = bot({ codecs: rightCodecs });
        const meanings = new Map<string, string>();
        for (const { ids, offers } of all) {
          const [offerer, answerer] = offers === "left" ? [left, right] : [right, left];
          offerer.reconfigure({ codecs: ids });
          answerer.reconfigure({ codecs: ALL_CODECS.map((codec) => codec.id) });
          const offer = offerer.createOffer();
          offerer.acceptAnswer(answerer.acceptOffer(offer));
          for (const [, number = "", name = ""] of offer.matchAll(/a=rtpmap:(\d+) (\S+)/g)) {
            expect(meanings.get(number) ?? name).toBe(name);
            meanings.set(number, name);
          }
          expect(negotiatedOf(answerer).send.codecId).toBe(ids[0]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("throw nothing but their own errors, whatever the description", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "m=audio 6000 RTP/AVP 0 8 96 97",
        "m=audio 6000 RTP/SAVP 0 96",
        "m=audio 0 RTP/AVP 0",
        "m=video 5 RTP/AVP 31",
        "a=rtpmap:96 telephone-event/8000",
        "a=rtpmap:97 opus/48000/2",
        "a=fmtp:97 minptime=999999999999",
        "a=rtpmap:0",
        "a=ptime:x",
        "a=maxptime:-1",
        "a=maxptime:1",
        "a=rtcp:99999",
        "a=rtcp:0",
        "a=rtcp:1 IN IP4 x",
        "a=rtcp-mux",
        "a=rtcp-xr:",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${"A".repeat(40)}`,
        "a=crypto:",
        "a=crypto",
        "a=sendonly",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 ::1",
      ),
    );
    const policies = fc.constantFrom("off" as const, "optional" as const, "required" as const);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 14 }), policies, (media, policy) => {
        const side = bot({ srtp: srtp(policy, 50) });
        const text = description(...media);

        // `errorOf` rethrows what is not ours.
        const offered = errorOf(() => side.acceptOffer(text)).code;
        side.createOffer();
        const answered = errorOf(() => side.acceptAnswer(text)).code;

        for (const code of [offered, answered]) {
          expect(code).toMatch(/^(nothing thrown|ERR_(SDP|SRTP)_[A-Z_]+)$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
