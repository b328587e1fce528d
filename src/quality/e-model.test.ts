import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rateNarrowband } from "./e-model.ts";
import { mosOfRating } from "./e-model-scale.ts";
import { rateFullband, rateWideband } from "./e-model-wide.ts";
import { estimateRating } from "./estimate-rating.ts";

describe("the E-model, narrow-band", () => {
  it("rates G.107's defaults 93.2, a MOS of 4.41", () => {
    const { r, mos } = rateNarrowband({});
    expect(r).toBeCloseTo(93.21, 2);
    expect(mos).toBeCloseTo(4.409, 3);
  });

  it.each([
    [150, 89.5],
    [200, 85.8],
    [300, 72.7],
    [400, 62.3],
    [600, 49.5],
  ])("rates a delay of %i ms with default echo %f", (delayMs, expected) => {
    const { r } = rateNarrowband({ delayMs, echoDelayMs: delayMs, roundTripMs: 2 * delayMs });
    expect(Math.abs(r - expected)).toBeLessThan(0.06);
  });

  it.each([
    [1, 3.83, 4.33],
    [3, 2.79, 4.13],
    [5, 2.17, 3.92],
    [10, 1.48, 3.41],
  ])(
    "gives G.711 with %i %% loss a MOS of %f, and %f with concealment",
    (lossPercent, bare, plc) => {
      expect(rateNarrowband({ lossPercent, lossRobustness: 4.3 }).mos).toBeCloseTo(bare, 2);
      expect(rateNarrowband({ lossPercent, lossRobustness: 25.1 }).mos).toBeCloseTo(plc, 2);
    },
  );

  it("charges quantising, circuit noise and echo as the published default tables do", () => {
    // G.107 Appendix: one more pair of coders and more noise never help.
    const base = rateNarrowband({}).r;
    expect(rateNarrowband({ quantisingDistortionUnits: 8 }).r).toBeLessThan(base - 5);
    expect(rateNarrowband({ circuitNoiseDbm0p: -50 }).r).toBeLessThan(base - 5);
    expect(rateNarrowband({ echoDelayMs: 100, talkerEchoLoudnessRatingDb: 35 }).r).toBeLessThan(
      base - 20,
    );
  });
});

describe("the E-model, wideband and full-band", () => {
  it.each([
    // G.113 Table IV.1 through G.107.1 Annex A, as published for AMR-WB.
    [8, 4.42],
    [1, 4.49],
    [13, 4.34],
    [26, 4.02],
    [41, 3.51],
    [56, 2.92],
  ])("gives Ie,WB = %i a MOS of %f", (equipmentImpairment, mos) => {
    expect(Math.abs(rateWideband({ equipmentImpairment }).mos - mos)).toBeLessThan(0.006);
  });

  it("begins at 129 and 148", () => {
    expect(rateWideband({})).toEqual({ r: 129, mos: 4.5 });
    expect(rateFullband({})).toEqual({ r: 148, mos: 4.5 });
  });

  it("takes all of 132 for total loss on the full-band scale", () => {
    const { r } = rateFullband({ lossPercent: 100, lossRobustness: 0.0001 });
    expect(r).toBeCloseTo(148 - 132, 1);
  });
});

const CODECS = ["PCMU", "PCMA", "G722", "opus", "L16/8000", "L16/16000"] as const;

describe("an estimate", () => {
  const conditions = fc.record({
    codec: fc.constantFrom(...CODECS),
    lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    burstRatio: fc.double({ min: 1, max: 20, noNaN: true }),
    delayMs: fc.double({ min: 0, max: 3000, noNaN: true }),
  });

  it("lies on the scale, whatever the call was like", () => {
    fc.assert(
      fc.property(conditions, (each) => {
        const estimate = estimateRating(each);
        expect(estimate?.mos).toBeGreaterThanOrEqual(1);
        expect(estimate?.mos).toBeLessThanOrEqual(4.5);
        expect(estimate?.r).toBeLessThanOrEqual(148);
      }),
    );
  });

  it("never gains by more loss, more bursts or more delay", () => {
    fc.assert(
      fc.property(conditions, fc.double({ min: 0, max: 1, noNaN: true }), (each, more) => {
        const before = estimateRating(each)?.r ?? Number.NaN;
        const worse = [
          { ...each, lossRatio: each.lossRatio + (1 - each.lossRatio) * more },
          { ...each, burstRatio: each.burstRatio + 5 * more },
        ];
        for (const other of worse) {
          expect(estimateRating(other)?.r).toBeLessThanOrEqual(before + 1e-9);
        }
        // G.107's talker echo is a little below 0 where echo is far away (eq. 7-20): the first
        // milliseconds of delay give back up to 0.23.
        const later = estimateRating({ ...each, delayMs: each.delayMs + 500 * more });
        expect(later?.r).toBeLessThanOrEqual(before + 0.23);
      }),
    );
  });

  it("says what it rests on, and is missing for a codec that nobody rated", () => {
    const clean = { lossRatio: 0, burstRatio: 1, delayMs: 60 };
    expect(estimateRating({ ...clean, codec: "PCMA" })).toMatchObject({
      scale: "narrowband",
      basis: "published",
    });
    expect(estimateRating({ ...clean, codec: "opus" })).toMatchObject({
      scale: "fullband",
      basis: "assumed",
    });
    expect(estimateRating({ ...clean, codec: "toString" })).toBeUndefined();
  });
});

describe("MOS of a rating", () => {
  it("rises with the rating from 1 to 4.5", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 150, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        (r, up) => {
          expect(mosOfRating(r + up)).toBeGreaterThanOrEqual(mosOfRating(r) - 1e-12);
        },
      ),
    );
    // G.107 Annex B: R = 90, 80, 70, 60, 50.
    expect([90, 80, 70, 60, 50].map((r) => mosOfRating(r).toFixed(2))).toEqual([
      "4.34",
      "4.02",
      "3.60",
      "3.10",
      "2.58",
    ]);
  });
});
