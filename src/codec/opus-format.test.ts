import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPUS } from "./index.ts";
import { parseOpusFormat } from "./opus-format.ts";

const DEFAULTS = {
  maxPlaybackRateHz: 48_000,
  maxAverageBitrateBps: 0,
  usesInbandFec: false,
  prefersDtx: false,
  wantsConstantRate: false,
  minPtimeMs: 3,
};

describe("parseOpusFormat", () => {
  it("has the defaults of RFC 7587", () => {
    expect(parseOpusFormat(undefined)).toEqual(DEFAULTS);
    expect(parseOpusFormat("")).toEqual(DEFAULTS);
  });

  it("reads all that concerns a sender", () => {
    const format = parseOpusFormat(
      "maxplaybackrate=16000; sprop-maxcapturerate=8000;maxaveragebitrate=20000; stereo=1;sprop-stereo=1; usedtx=1; useinbandfec=1;cbr=1;minptime=40",
    );

    expect(format).toEqual({
      maxPlaybackRateHz: 16_000,
      maxAverageBitrateBps: 20_000,
      usesInbandFec: true,
      prefersDtx: true,
      wantsConstantRate: true,
      minPtimeMs: 40,
    });
  });

  it.each([
    "maxaveragebitrate=5999",
    "maxaveragebitrate=510001",
    "maxaveragebitrate=-20000",
    "maxplaybackrate=",
    "maxplaybackrate=fast",
    "useinbandfec=yes;cbr;=;;minptime=1e9",
  ])("leaves nonsense at the defaults: %s", (fmtp) => {
    expect(parseOpusFormat(fmtp)).toEqual(DEFAULTS);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (fmtp) => {
        expect(Object.keys(parseOpusFormat(fmtp))).toEqual(Object.keys(DEFAULTS));
      }),
    );
  });
});

describe("OPUS.sendablePtimeMs", () => {
  it.each([
    [20, undefined, 20],
    [30, undefined, 20],
    [5, undefined, 10],
    [100, undefined, 60],
    [10, "minptime=20", 20],
    [20, "minptime=40", 40],
    [20, "minptime=120", 60],
    [60, "minptime=10", 60],
  ])("is for %d ms and %s: %d ms", (wantedMs, remoteFmtp, expectedMs) => {
    expect(OPUS.sendablePtimeMs(wantedMs, remoteFmtp)).toBe(expectedMs);
  });
});
