import { beforeAll, describe, expect, it } from "vitest";
import {
  amplified,
  coded,
  joined,
  mixed,
  muted,
  noise,
  silence,
  voice,
} from "../../../test/unit/quality/known-sound.ts";
import { resample } from "../../audio/index.ts";
import { G722, loadCodecs, OPUS, PCMU } from "../../codec/index.ts";
import { voiceActivity } from "./active-patches.ts";
import { smoothed } from "./nsim.ts";
import { mosOfSimilarity, visqol } from "./visqol.ts";

const RATE = 16_000;
const REFERENCE = voice("bot/breakfast", RATE);
const GREETING = voice("bot/greeting", RATE);

beforeAll(async () => {
  await loadCodecs(["opus"]);
});

function mosOf(degraded: Int16Array, reference = REFERENCE): number {
  return visqol(reference, degraded)?.mosLqo ?? Number.NaN;
}

function throughG711(sound: Int16Array): Int16Array {
  return resample(coded(resample(sound, RATE, 8000), PCMU), 8000, RATE);
}

function throughOpus(sound: Int16Array, bitrateBps: number): Int16Array {
  const rate = OPUS.sampleRateHz;
  return resample(coded(resample(sound, RATE, rate), OPUS, { bitrateBps }), rate, RATE);
}

/** Every `every`-th frame of 20 ms silenced. */
function withLoss(sound: Int16Array, every: number): Int16Array {
  return sound.map((sample, index) => (Math.floor(index / 320) % every === every - 1 ? 0 : sample));
}

describe("ViSQOL, the parts that the original publishes values of", () => {
  it("maps similarity to opinion as the conformance values do", () => {
    // google/visqol, conformance 333: the unscaled map gives 4.015861169 to equal files.
    expect(mosOfSimilarity(1) / 1.245_063).toBeCloseTo(4.015_861_169, 6);
    expect(mosOfSimilarity(1)).toBeCloseTo(5, 4);
    expect(mosOfSimilarity(0)).toBe(1);
  });

  it("smooths a patch as its convolution test does", () => {
    // google/visqol tests/convolution_2d_test.cc: 5 rows (bands), 4 columns (frames).
    const patch = Float64Array.from([
      40.0392, 43.3409, 39.527, 41.1731, 41.3591, 42.6852, 45.2083, 45.7769, 39.9689, 43.619,
      41.0119, 40.4244, 41.5932, 43.6027, 42.6204, 43.0624, 42.261, 42.4725, 43.4258, 42.9079,
    ]);
    const truth = [
      40.6634, 42.8407, 40.6395, 41.0129, 41.5407, 42.4677, 44.276, 44.2031, 41.2263, 42.9752,
      41.3784, 41.2656, 42.1388, 43.0366, 42.8042, 42.7613, 42.1817, 42.459, 43.2709, 42.9377,
    ];
    for (const [index, value] of smoothed(patch, { bands: 5, frames: 4 }).entries()) {
      expect(Math.abs(value - (truth[index] ?? Number.NaN))).toBeLessThan(1e-3);
    }
  });

  it.each([
    // google/visqol tests/rms_vad_test.cc, frames of five samples.
    ["101110011000100001", "111111111110111001"],
    ["00001", "11001"],
  ])("tells speech by frames as its test does", (loud, truth) => {
    const samples = Float64Array.from(
      Array.from(loud).flatMap((each) =>
        Array.from({ length: 5 }, () => (each === "1" ? 10_000 : 10)),
      ),
    );
    const found = voiceActivity(samples, 5, loud.length).map((each) => (each ? "1" : "0"));
    expect(found.join("")).toBe(truth);
  });
});

describe("ViSQOL of recordings", () => {
  it("gives equal recordings 5", () => {
    expect(visqol(REFERENCE, REFERENCE)).toMatchObject({ similarity: 1, unmatchedPatches: 0 });
    expect(mosOf(REFERENCE)).toBeCloseTo(5, 4);
  });

  it.each([
    // By a prototype in Python (numpy, scipy: FFT, lfilter, convolve2d) on the same samples.
    ["G.711", throughG711(REFERENCE), 3.751_795_685_202],
    ["G.722", coded(REFERENCE, G722), 4.959_404_767_562],
    ["noise", mixed(REFERENCE, noise(REFERENCE.length, -40, "visqol")), 3.089_020_177_926],
    [
      "a delay and a gap",
      joined(silence(2080), muted(REFERENCE, 20_000, 16_000)),
      4.091_478_981_766,
    ],
  ])("gives %s what an independent implementation does, to 1e-6", (_name, degraded, truth) => {
    expect(Math.abs(mosOf(degraded) - truth)).toBeLessThan(1e-6);
  });

  it.each([
    ["a start cut off", GREETING.slice(2345), 4.998_740_048_757],
    [
      "a stretch put in",
      joined(GREETING.slice(0, 20_000), silence(4000), GREETING.slice(20_000)),
      4.832_464_602_968,
    ],
  ])("gives %s what an independent implementation does, to 1e-6", (_name, degraded, truth) => {
    expect(Math.abs(mosOf(degraded, GREETING) - truth)).toBeLessThan(1e-6);
  });

  it("falls with noise", () => {
    const grades = [-60, -50, -40, -30].map((level) =>
      mosOf(mixed(REFERENCE, noise(REFERENCE.length, level, "visqol"))),
    );
    expect(grades).toEqual(grades.toSorted((a, b) => b - a));
    expect(grades[0]).toBeGreaterThan(4);
    expect(grades.at(-1)).toBeLessThan(2.8);
  });

  it("puts codecs in the order of their bit rate and bandwidth", () => {
    const [wide, middle, low, narrow] = [
      mosOf(coded(REFERENCE, G722)),
      mosOf(throughOpus(REFERENCE, 24_000)),
      mosOf(throughOpus(REFERENCE, 6000)),
      mosOf(throughG711(REFERENCE)),
    ] as const;
    expect(wide).toBeGreaterThan(middle);
    expect(middle).toBeGreaterThan(narrow);
    expect(middle).toBeGreaterThan(low);
  });

  it("does not mind gain and delay", () => {
    expect(mosOf(amplified(REFERENCE, -12))).toBeGreaterThan(4.9);
    expect(mosOf(joined(silence(3200), REFERENCE))).toBeGreaterThan(4.9);
    expect(mosOf(REFERENCE.slice(800))).toBeGreaterThan(4.9);
  });

  it("hardly sees loss and clipping, which is why nothing is judged by it alone", () => {
    expect(mosOf(withLoss(REFERENCE, 20))).toBeGreaterThan(4);
    expect(mosOf(amplified(amplified(REFERENCE, 18), -18))).toBeGreaterThan(4);
  });

  it("sees that it is not the same speech", () => {
    const other = voice("bot/long", RATE).slice(0, REFERENCE.length);
    expect(mosOf(other)).toBeLessThan(2.5);
  });

  it("counts a stretch that is missing", () => {
    const cut = muted(REFERENCE, 20_000, 16_000);
    expect(mosOf(cut)).toBeLessThan(mosOf(REFERENCE) - 0.3);
  });

  it("says nothing of silence and of what is too short", () => {
    expect(visqol(REFERENCE, silence(16_000))).toBeUndefined();
    expect(visqol(silence(16_000), REFERENCE)).toBeUndefined();
    expect(visqol(REFERENCE.slice(0, 1000), REFERENCE.slice(0, 1000))).toBeUndefined();
    expect(visqol(silence(0), silence(0))).toBeUndefined();
    expect(mosOf(REFERENCE.slice(8000, 10_000))).toBe(1);
  });
});
