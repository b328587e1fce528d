import { describe, expect, it } from "vitest";
import type { OfferAnswer, SrtpPolicy } from "../../../src/sdp/index.ts";
import { parseCryptoAttribute, writeCryptoAttribute } from "../../../src/srtp/index.ts";
import {
  bot,
  caller,
  description,
  errorOf,
  exchange,
  linesOf,
  negotiatedOf,
  srtp,
} from "./sides.ts";

const SUITE_80 = "AES_CM_128_HMAC_SHA1_80";
const SUITE_32 = "AES_CM_128_HMAC_SHA1_32";
const GCM = "AEAD_AES_128_GCM";
/** 30 bytes: key and salt of the AES_CM_128 suites. */
const INLINE = `inline:${"A".repeat(40)}`;
const OTHER_INLINE = `inline:${"B".repeat(40)}`;

/** The suites of a description's a=crypto lines, with their tags. */
function cryptosOf(text: string): string[] {
  return linesOf(text, "a=crypto:").map((line) => line.slice(9).split(" inline")[0] ?? "");
}

/** Two sides that agreed on SRTP, with the caller's first suite. */
function securedSides(): readonly [OfferAnswer, OfferAnswer] {
  const from = caller({ srtp: srtp("required", 1, [SUITE_80, GCM]) });
  const to = bot({ srtp: srtp("required", 50, [GCM, SUITE_80]) });
  exchange(from, to);
  return [from, to];
}

function securedOffer(inline: string): string {
  return description("m=audio 6000 RTP/SAVP 0", `a=crypto:1 ${SUITE_80} ${inline}`);
}

describe("policies", () => {
  it.each<[SrtpPolicy, string, number]>([
    ["off", "RTP/AVP", 0],
    ["optional", "RTP/AVP", 6],
    ["required", "RTP/SAVP", 6],
  ])("%s offers %s with %i keys", (policy, protocol, keys) => {
    const offer = caller({ srtp: srtp(policy, 1) }).createOffer();

    expect(linesOf(offer, "m=")[0]).toContain(` ${protocol} `);
    expect(linesOf(offer, "a=crypto:")).toHaveLength(keys);
  });

  it.each<[SrtpPolicy, SrtpPolicy, string]>([
    ["off", "required", "ERR_SRTP_REQUIRED"],
    ["required", "off", "ERR_SRTP_NOT_ALLOWED"],
  ])("%s calls %s: %s", (left, right, code) => {
    const [from, to] = [caller({ srtp: srtp(left, 1) }), bot({ srtp: srtp(right, 50) })];

    expect(errorOf(() => exchange(from, to)).code).toBe(code);
  });

  it.each<[SrtpPolicy, SrtpPolicy, boolean]>([
    ["off", "off", false],
    ["off", "optional", false],
    ["optional", "off", false],
    ["optional", "optional", true],
    ["optional", "required", true],
    ["required", "optional", true],
    ["required", "required", true],
  ])("%s calls %s: encrypted %s", (left, right, outcome) => {
    const [from, to] = [caller({ srtp: srtp(left, 1) }), bot({ srtp: srtp(right, 50) })];

    const { offerer, answerer } = exchange(from, to);

    expect(offerer.srtp !== undefined).toBe(outcome);
    expect(offerer.srtp?.send).toEqual(answerer.srtp?.receive);
    expect(offerer.srtp?.receive).toEqual(answerer.srtp?.send);
    expect(offerer.srtp?.send).not.toEqual(outcome ? offerer.srtp?.receive : {});
  });

  it("takes the offerer's first suite that both have, under its tag", () => {
    const from = caller({ srtp: srtp("required", 1, [GCM, SUITE_32, SUITE_80]) });
    const to = bot({ srtp: srtp("required", 50, [SUITE_80, SUITE_32]) });

    const answer = to.acceptOffer(from.createOffer());

    expect(cryptosOf(answer)).toEqual([`2 ${SUITE_32}`]);
    expect(linesOf(answer, "m=")[0]).toContain("RTP/SAVP ");
  });
});

describe("an offer with SRTP", () => {
  const lines = [`a=crypto:7 ${SUITE_80} ${INLINE}|2^20|1:4`];

  it("is answered with its tag and our own key", () => {
    const side = bot({ srtp: srtp("required", 50) });

    const answer = side.acceptOffer(description("m=audio 6000 RTP/SAVPF 0", ...lines));

    const own = srtp("required", 50).offers[0]?.keys;
    if (own === undefined) throw new Error("There are keys.");
    expect(linesOf(answer, "a=crypto:")).toEqual([`a=crypto:${writeCryptoAttribute(7, own)}`]);
    expect(linesOf(answer, "m=")[0]).toContain("RTP/SAVPF ");
    expect(negotiatedOf(side).srtp).toEqual({
      send: own,
      receive: {
        suite: SUITE_80,
        masterKey: new Uint8Array(16),
        masterSalt: new Uint8Array(14),
        mki: Uint8Array.of(0, 0, 0, 1),
      },
    });
  });

  it("skips keys that we cannot use", () => {
    const answer = bot({ srtp: srtp("optional", 50) }).acceptOffer(
      description(
        "m=audio 6000 RTP/SAVP 0",
        `a=crypto:1 F8_128_HMAC_SHA1_80 ${INLINE}`,
        `a=crypto:2 ${SUITE_80} ${INLINE} UNENCRYPTED_SRTP`,
        `a=crypto:3 ${SUITE_80} inline:short`,
        `a=crypto:4 ${SUITE_32} ${INLINE}`,
      ),
    );

    expect(cryptosOf(answer)).toEqual([`4 ${SUITE_32}`]);
  });

  it.each([
    ["suites that nobody speaks", [`a=crypto:1 F8_128_HMAC_SHA1_80 ${INLINE}`], "F8_128"],
    ["no keys", ["a=fingerprint:sha-256 00:11"], "no a=crypto line"],
    ["rubbish", [`a=crypto:${INLINE}`], "an unreadable a=crypto line"],
  ])("is refused where it has %s", (_, more, words) => {
    const media = description("m=audio 6000 RTP/SAVP 0", ...more);

    const { code, text } = errorOf(() => bot({ srtp: srtp("optional", 50) }).acceptOffer(media));

    expect(code).toBe("ERR_SRTP_NO_COMMON_SUITE");
    expect(text).toContain(words);
    expect(text).toContain(`we speak SDES (RFC 4568) with ${SUITE_80}`);
    expect(text).not.toContain("AAAA");
  });

  it("says that the suites do not fit where the plain line has some that we lack", () => {
    const media = description("m=audio 6000 RTP/AVP 0", `a=crypto:1 F8_128_HMAC_SHA1_80 ${INLINE}`);

    expect(errorOf(() => bot({ srtp: srtp("required", 50) }).acceptOffer(media)).code).toBe(
      "ERR_SRTP_NO_COMMON_SUITE",
    );
    expect(errorOf(() => bot({ srtp: srtp("optional", 50) }).acceptOffer(media)).code).toBe(
      "nothing thrown",
    );
  });

  it.each<[SrtpPolicy, number[]]>([
    ["off", [50_000, 0]],
    ["optional", [0, 50_000]],
    ["required", [0, 50_000]],
  ])("on one of two lines is taken as the policy %s wants", (policy, ports) => {
    const media = description(
      "m=audio 6000 RTP/AVP 0",
      "m=audio 6000 RTP/SAVP 0",
      `a=crypto:1 ${SUITE_80} ${INLINE}`,
    );

    const answer = bot({ srtp: srtp(policy, 50) }).acceptOffer(media);

    expect(linesOf(answer, "m=").map((line) => Number(line.split(" ")[1]))).toEqual(ports);
  });

  it("falls back to the plain line where the keys of the other do not fit", () => {
    const side = bot({ srtp: srtp("optional", 50) });

    side.acceptOffer(
      description("m=audio 6000 RTP/SAVP 0", "m=audio 6002 RTP/AVP 0", "a=ptime:20"),
    );

    expect(negotiatedOf(side)).toMatchObject({ remote: { port: 6002 } });
    expect(negotiatedOf(side).srtp).toBeUndefined();
  });
});

describe("an answer to an offer with SRTP", () => {
  it.each<[string, SrtpPolicy, string[], string]>([
    ["plain", "required", ["m=audio 6000 RTP/AVP 0"], "ERR_SRTP_DOWNGRADED"],
    ["plain", "optional", ["m=audio 6000 RTP/AVP 0"], "nothing thrown"],
    ["without keys", "required", ["m=audio 6000 RTP/SAVP 0"], "ERR_SRTP_MALFORMED"],
    ["without keys", "optional", ["m=audio 6000 RTP/SAVP 0"], "ERR_SRTP_MALFORMED"],
    [
      "with a tag that was not offered",
      "required",
      ["m=audio 6000 RTP/SAVP 0", `a=crypto:9 ${SUITE_80} ${INLINE}`],
      "ERR_SRTP_MALFORMED",
    ],
    [
      "with another suite than the tag's",
      "required",
      ["m=audio 6000 RTP/SAVP 0", `a=crypto:1 ${SUITE_32} ${INLINE}`],
      "ERR_SRTP_MALFORMED",
    ],
    [
      "with two keys",
      "required",
      [
        "m=audio 6000 RTP/SAVP 0",
        `a=crypto:1 ${SUITE_80} ${INLINE}`,
        `a=crypto:5 ${SUITE_32} ${INLINE}`,
      ],
      "ERR_SRTP_MALFORMED",
    ],
    [
      "with a key that is too short",
      "optional",
      ["m=audio 6000 RTP/AVP 0", `a=crypto:1 ${SUITE_80} inline:AAAA`],
      "ERR_SRTP_MALFORMED",
    ],
    [
      "with keys under the plain profile",
      "required",
      ["m=audio 6000 RTP/AVP 0", `a=crypto:1 ${SUITE_80} ${INLINE}`],
      "nothing thrown",
    ],
    ["encrypted, where SRTP is off", "off", ["m=audio 6 RTP/SAVP 0"], "ERR_SRTP_NOT_ALLOWED"],
    [
      "with keys that nobody asked for",
      "off",
      ["m=audio 6 RTP/AVP 0", `a=crypto:1 ${SUITE_80} ${INLINE}`],
      "nothing thrown",
    ],
  ])("%s (policy %s): %j → %s", (_, policy, media, code) => {
    const side = caller({ srtp: srtp(policy, 1) });
    side.createOffer();

    const error = errorOf(() => side.acceptAnswer(description(...media)));

    expect(error.code).toBe(code);
    expect(error.text).not.toContain("AAAA");
    expect(side.negotiated === undefined).toBe(code !== "nothing thrown");
  });
});

describe("re-offers with SRTP", () => {
  it("keep suite and keys over hold and resume, from either side", () => {
    const [from, to] = securedSides();
    const before = [negotiatedOf(from).srtp, negotiatedOf(to).srtp];

    for (const [left, right] of [
      [to, from],
      [from, to],
    ] as const) {
      for (const direction of ["sendonly", "inactive", "sendrecv"] as const) {
        left.reconfigure({ direction });
        exchange(left, right);

        for (const [index, side] of [from, to].entries()) {
          // The very same objects: rollover counters go on.
          expect(negotiatedOf(side).srtp?.send).toBe(before[index]?.send);
          expect(negotiatedOf(side).srtp?.receive).toBe(before[index]?.receive);
        }
      }
    }
  });

  it("offer the suite in use first, under the same key", () => {
    const [, to] = securedSides();

    const offer = to.createOffer();

    expect(cryptosOf(offer)).toEqual([`2 ${SUITE_80}`, `1 ${GCM}`]);
    const first = parseCryptoAttribute(linesOf(offer, "a=crypto:")[0]?.slice(9) ?? "");
    expect(first).toMatchObject({ keys: negotiatedOf(to).srtp?.send });
  });

  it("keep the suite in use, although the peer prefers another one now", () => {
    const side = bot({ srtp: srtp("required", 50) });
    const lines = [`a=crypto:1 ${SUITE_32} ${INLINE}`, `a=crypto:2 ${SUITE_80} ${INLINE}`];
    side.acceptOffer(description("m=audio 6000 RTP/SAVP 0", ...lines));

    const answer = side.acceptOffer(description("m=audio 6000 RTP/SAVP 0", ...lines.toReversed()));

    expect(cryptosOf(answer)).toEqual([`1 ${SUITE_32}`]);
  });

  it("take the peer's new key over, and keep our own", () => {
    const side = bot({ srtp: srtp("required", 50) });
    side.acceptOffer(securedOffer(INLINE));
    const before = negotiatedOf(side).srtp;

    side.acceptOffer(securedOffer(INLINE));
    expect(negotiatedOf(side).srtp?.receive).toBe(before?.receive);
    side.acceptOffer(securedOffer(OTHER_INLINE));

    expect(negotiatedOf(side).srtp?.receive).not.toEqual(before?.receive);
    expect(negotiatedOf(side).srtp?.send).toBe(before?.send);
  });

  it("cannot take the encryption away where it is required", () => {
    const [from, to] = securedSides();
    const before = negotiatedOf(to);

    expect(errorOf(() => to.acceptOffer(description("m=audio 6000 RTP/AVP 0"))).code).toBe(
      "ERR_SRTP_REQUIRED",
    );
    from.createOffer();
    expect(errorOf(() => from.acceptAnswer(description("m=audio 6000 RTP/AVP 0"))).code).toBe(
      "ERR_SRTP_DOWNGRADED",
    );
    expect(to.negotiated).toBe(before);
  });

  it("of port 0 need no keys, and keep those there are", () => {
    const [, to] = securedSides();
    const before = negotiatedOf(to).srtp;

    to.acceptOffer(description("m=audio 0 RTP/SAVP 0"));

    expect(negotiatedOf(to)).toMatchObject({ direction: "inactive", remote: undefined });
    expect(negotiatedOf(to).srtp?.receive).toBe(before?.receive);
  });
});
