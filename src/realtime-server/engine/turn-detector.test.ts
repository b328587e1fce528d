import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../environment/index.ts";
import { speechSpan, TurnDetector, type TurnEdge } from "./turn-detector.ts";

const RATE_HZ = 8000;

/** Noise of one level after another: [ms, peak amplitude]. */
function signal(...parts: readonly (readonly [ms: number, amplitude: number])[]): Int16Array {
  const random = seededRandom("turn-detector");
  return Int16Array.from(
    parts.flatMap(([ms, amplitude]) => {
      return Array.from({ length: (ms * RATE_HZ) / 1000 }, () => (random() * 2 - 1) * amplitude);
    }),
  );
}

function detector(changes: Partial<ConstructorParameters<typeof TurnDetector>[0]> = {}) {
  const defaults = { sampleRateHz: RATE_HZ, threshold: 0.5, minSpeechMs: 30, silenceMs: 500 };
  return new TurnDetector({ ...defaults, ...changes });
}

function inMs(edges: readonly TurnEdge[]) {
  return edges.map(({ kind, atSample, onsetSample, speechEndSample }) => [
    kind,
    ...[atSample, onsetSample, speechEndSample].map((samples) => (samples * 1000) / RATE_HZ),
  ]);
}

describe("TurnDetector", () => {
  it("finds a turn on the time of the audio", () => {
    const edges = detector().handleSamples(signal([1000, 0], [800, 8000], [600, 0]));

    expect(inMs(edges)).toEqual([
      ["started", 1030, 1000, 1030],
      ["paused", 2050, 1000, 1800],
      ["stopped", 2300, 1000, 1800],
    ]);
  });

  it("waits for the silence it was told", () => {
    const edges = detector({ silenceMs: 200 }).handleSamples(
      signal([500, 0], [400, 8000], [250, 0], [400, 8000], [250, 0]),
    );

    expect(edges.map(({ kind }) => kind)).toEqual([
      "started",
      "paused",
      "stopped",
      "started",
      "paused",
      "stopped",
    ]);
  });

  it("joins speech over a pause shorter than that", () => {
    const edges = detector().handleSamples(
      signal([500, 0], [400, 8000], [400, 0], [400, 8000], [600, 0]),
    );

    expect(inMs(edges)).toEqual([
      ["started", 530, 500, 530],
      ["paused", 1150, 500, 900],
      ["paused", 1950, 500, 1700],
      ["stopped", 2200, 500, 1700],
    ]);
  });

  it("hears nothing in a backchannel where speech must last longer", () => {
    const detecting = detector({ minSpeechMs: 450, silenceMs: 300 });

    expect(detecting.handleSamples(signal([500, 0], [360, 8000], [500, 0]))).toEqual([]);
    expect(detecting.isSpeaking).toBe(false);
  });

  it("starts late, but with the true onset, where speech must last longer", () => {
    const edges = detector({ minSpeechMs: 450 }).handleSamples(signal([500, 0], [900, 8000]));

    expect(inMs(edges)).toEqual([["started", 950, 500, 950]]);
  });

  it("takes a click for a click", () => {
    expect(detector().handleSamples(signal([500, 0], [10, 20_000], [900, 0]))).toEqual([]);
  });

  it("gets used to a line that hisses, and hears speech above it", () => {
    const edges = detector().handleSamples(signal([6000, 90], [800, 8000], [700, 90]));

    expect(edges.map(({ kind }) => kind)).toEqual(["started", "paused", "stopped"]);
  });

  it("hears less where the threshold is higher", () => {
    const quiet = signal([2000, 0], [800, 450], [700, 0]);

    expect(detector({ threshold: 0.5 }).handleSamples(quiet)).toHaveLength(3);
    expect(detector({ threshold: 1 }).handleSamples(quiet)).toHaveLength(0);
  });

  it("forgets speech under way when it is reset", () => {
    const detecting = detector();
    detecting.handleSamples(signal([500, 0], [300, 8000]));

    detecting.reset();

    expect(detecting.handleSamples(signal([800, 0]))).toEqual([]);
  });

  it("finds the same however the audio is cut", () => {
    const samples = signal([700, 0], [650, 8000], [700, 0], [300, 5000], [600, 0]);
    const whole = detector().handleSamples(samples);

    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (sizes) => {
        const detecting = detector();
        const edges: TurnEdge[] = [];
        for (let at = 0, piece = 0; at < samples.length; piece += 1) {
          const size = sizes[piece % sizes.length] as number;
          edges.push(...detecting.handleSamples(samples.subarray(at, at + size)));
          at += size;
        }
        expect(edges).toEqual(whole);
      }),
      { numRuns: 50 },
    );
    expect(whole).toHaveLength(6);
  });
});

describe("speechSpan", () => {
  it("finds the speech, with a margin", () => {
    const span = speechSpan(
      signal([500, 0], [400, 8000], [300, 0], [200, 8000], [900, 0]),
      RATE_HZ,
    );

    expect(span).toEqual({ from: 450 * 8, to: 1450 * 8 });
  });

  it("finds nothing in silence", () => {
    expect(speechSpan(signal([2000, 0]), RATE_HZ)).toBeUndefined();
  });
});
