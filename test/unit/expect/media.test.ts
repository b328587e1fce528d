import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import {
  expectAnswered,
  expectCodec,
  expectConcealedAtMost,
  expectEncrypted,
  expectLossAtMost,
  expectNotEncrypted,
  expectRejected,
  expectRoundTrip,
  expectUnsupported,
  requireSupported,
} from "../../../src/expect/index.ts";
import { ManualClock } from "../../../src/testing/index.ts";
import {
  codeOf,
  counted,
  ended,
  fault,
  mediaStarted,
  recordedCall,
  roundTrip,
  upCall,
} from "./recorded-call.ts";

const SUITE = "AEAD_AES_128_GCM";
const BYE = [ended("caller", { reason: "bye" }), ended("bot", { reason: "bye" })];

describe("the codec of a call", () => {
  it("is that which both ends send", async () => {
    const call = recordedCall([mediaStarted("caller"), mediaStarted("bot")]);
    await expect(expectCodec(call, "g722")).resolves.toBe(
      "the bot sends G722, the caller sends G722",
    );
    await expect(expectCodec(call, "PCMU")).rejects.toMatchObject({
      code: "ERR_CODEC_DIFFERS",
      message: "Expected the codec PCMU, but the bot sends G722, the caller sends G722.",
    });
  });

  it("is not met by one end alone, nor by what was agreed on first", async () => {
    const uneven = recordedCall([mediaStarted("caller"), mediaStarted("bot", { codec: "PCMA" })]);
    await expect(expectCodec(uneven, "G722")).rejects.toMatchObject({ code: "ERR_CODEC_DIFFERS" });
    const changed = {
      kind: "mediaChanged",
      party: "caller",
      at: instant(2000),
      codec: "PCMA",
      payloadType: 8,
      ptimeMs: 20,
      direction: "sendrecv",
    } as const;
    const moved = recordedCall([mediaStarted("caller"), changed], ["caller"]);
    await expect(expectCodec(moved, "G722")).rejects.toMatchObject({ code: "ERR_CODEC_DIFFERS" });
    await expect(expectCodec(moved, "PCMA")).resolves.toContain("PCMA");
  });

  it("must be one that exists, and of a call that came up", async () => {
    const call = recordedCall([mediaStarted("caller"), mediaStarted("bot")]);
    await expect(expectCodec(call, "G729")).rejects.toMatchObject({ code: "ERR_UNKNOWN_CODEC" });
    const refused = recordedCall([ended("caller", { reason: "rejected", statusCode: 486 })]);
    await expect(expectCodec(refused, "PCMU")).rejects.toMatchObject({
      code: "ERR_CALL_ENDED_EARLY",
    });
  });
});

describe("encryption", () => {
  const encrypted = recordedCall([
    mediaStarted("caller", { srtpSuite: SUITE }),
    mediaStarted("bot", { srtpSuite: SUITE }),
  ]);
  const plain = recordedCall([mediaStarted("caller"), mediaStarted("bot")]);
  const oneWay = recordedCall([mediaStarted("caller", { srtpSuite: SUITE }), mediaStarted("bot")]);

  it("is expected of both ends", async () => {
    await expect(expectEncrypted(encrypted)).resolves.toContain(SUITE);
    for (const call of [plain, oneWay]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other reads better.
      await expect(expectEncrypted(call)).rejects.toMatchObject({ code: "ERR_ENCRYPTION_DIFFERS" });
    }
  });

  it("is expected with the suite named, which must be one that exists", async () => {
    await expect(expectEncrypted(encrypted, SUITE)).resolves.toContain(SUITE);
    await expect(expectEncrypted(encrypted, "AES_CM_128_HMAC_SHA1_80")).rejects.toMatchObject({
      code: "ERR_ENCRYPTION_DIFFERS",
    });
    await expect(expectEncrypted(encrypted, "ROT13")).rejects.toMatchObject({
      code: "ERR_UNKNOWN_SRTP_SUITE",
    });
  });

  it("is expected not to be there", async () => {
    await expect(expectNotEncrypted(plain)).resolves.toContain("plain RTP");
    for (const call of [encrypted, oneWay]) {
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await expect(expectNotEncrypted(call)).rejects.toMatchObject({
        code: "ERR_ENCRYPTION_DIFFERS",
      });
    }
  });
});

describe("counts", () => {
  it("of lost packets are judged at each end, as a share of those expected", async () => {
    const call = recordedCall([counted("caller"), counted("bot", { lost: 3 }), ...BYE]);
    await expect(expectLossAtMost(call, 3)).resolves.toBe(
      "the caller missed 0 of 100 packets (0.0 %), the bot missed 3 of 100 packets (3.0 %)",
    );
    await expect(expectLossAtMost(call, 2.9)).rejects.toMatchObject({ code: "ERR_ABOVE_LIMIT" });
  });

  it("of an end to which nothing came prove nothing about loss", async () => {
    const deaf = recordedCall([counted("caller"), counted("bot", { received: 0 }), ...BYE]);
    await expect(expectLossAtMost(deaf, 100)).rejects.toMatchObject({
      code: "ERR_NOTHING_HEARD",
    });
  });

  it("of concealed audio are judged at each end", async () => {
    const call = recordedCall([counted("caller", { concealedMs: 60 }), counted("bot"), ...BYE]);
    await expect(expectConcealedAtMost(call, 60)).resolves.toContain("the caller concealed 60 ms");
    await expect(expectConcealedAtMost(call, 59)).rejects.toMatchObject({
      code: "ERR_ABOVE_LIMIT",
    });
  });

  it("of concealed audio prove nothing where our own timing was bad", async () => {
    const late = { concealedMs: 60, departureJitterMs: 30 };
    const call = recordedCall([counted("caller", late), counted("bot"), ...BYE]);
    await expect(expectConcealedAtMost(call, 60)).resolves.toContain("60 ms");
    await expect(expectConcealedAtMost(call, 59)).rejects.toMatchObject({
      code: "ERR_INSTRUMENT_UNHEALTHY",
    });
  });

  it("are not there before the end, nor where there were no media", async () => {
    const clock = new ManualClock(instant(10_000));
    const judged = codeOf(expectLossAtMost(upCall([], ["caller"], clock), 1));
    await clock.advanceAsync(5000);
    expect(await judged).toBe("ERR_CALL_STILL_UP");
    const busy = recordedCall([ended("caller", { reason: "rejected", statusCode: 486 })]);
    await expect(expectConcealedAtMost(busy, 0)).rejects.toMatchObject({
      code: "ERR_CALL_ENDED_EARLY",
    });
  });
});

describe("the round trip", () => {
  it("is the median of those measured at the caller", async () => {
    const call = recordedCall([
      roundTrip("caller", 1000, 10),
      roundTrip("caller", 2000, 90),
      roundTrip("caller", 2500, 20),
      roundTrip("bot", 2500, 900),
      ...BYE,
    ]);
    await expect(expectRoundTrip(call, 20)).resolves.toBe(
      "round trip (median of 3, RTCP at the caller): expected ≤ 20 ms, measured 20 ms",
    );
    await expect(expectRoundTrip(call, 19)).rejects.toMatchObject({ code: "ERR_ABOVE_LIMIT" });
  });

  it("must have been measured", async () => {
    const call = recordedCall([roundTrip("bot", 2500, 1), ...BYE]);
    await expect(expectRoundTrip(call, 1000)).rejects.toMatchObject({ code: "ERR_NO_ROUND_TRIP" });
  });
});

describe("a call without common media", () => {
  const noCodec = recordedCall([
    fault("bot", "ERR_SDP_NO_COMMON_CODEC"),
    ended("bot", { reason: "noCommonCodec", statusCode: 488, endedBy: "local" }),
    ended("caller", { reason: "rejected", statusCode: 488 }),
  ]);
  const noSuite = recordedCall(
    [
      fault("caller", "ERR_SRTP_NO_COMMON_SUITE"),
      ended("caller", { reason: "noCommonCodec", endedBy: "local" }),
    ],
    ["caller"],
  );
  const foreign = recordedCall(
    [ended("caller", { reason: "rejected", statusCode: 488 })],
    ["caller"],
  );
  const unsupported = { code: "ERR_CALL_UNSUPPORTED" };

  it("is unsupported, whoever found out, and says why", async () => {
    await expect(expectUnsupported(noCodec, 0)).resolves.toContain("ERR_SDP_NO_COMMON_CODEC: Why.");
    await expect(expectUnsupported(noSuite, 0)).resolves.toContain("ERR_SRTP_NO_COMMON_SUITE");
    await expect(expectUnsupported(foreign, 0)).resolves.toContain("488, rejected by the remote");
  });

  it("is told apart from calls that were answered, busy, or tampered with", async () => {
    const tampered = recordedCall([
      fault("caller", "ERR_SRTP_DOWNGRADED"),
      ended("caller", { reason: "noCommonCodec", endedBy: "local" }),
    ]);
    const busy = recordedCall([ended("caller", { reason: "rejected", statusCode: 486 })]);
    const lateRefusal = recordedCall([fault("caller", "ERR_SDP_NO_COMMON_CODEC"), ...BYE]);
    for (const call of [tampered, busy, lateRefusal]) {
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await expect(expectUnsupported(call, 0)).rejects.toMatchObject({ code: "ERR_NOT_REJECTED" });
      expect(() => requireSupported(call)).not.toThrow();
    }
  });

  it("fails what expected something else of it, as unsupported", async () => {
    await expect(expectAnswered(noCodec, 0)).rejects.toMatchObject(unsupported);
    await expect(expectCodec(noCodec, "PCMU")).rejects.toMatchObject(unsupported);
    await expect(expectRejected(noCodec, 486, 0)).rejects.toMatchObject(unsupported);
    await expect(expectRejected(noCodec, 488, 0)).resolves.toContain("488");
    expect(() => requireSupported(noCodec)).toThrow(expect.objectContaining(unsupported));
  });
});
