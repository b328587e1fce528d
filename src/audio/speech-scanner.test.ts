import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { detectSpeech } from "./speech-detection.ts";
import { SpeechScanner } from "./speech-scanner.ts";

const RATE_HZ = 8000;

/** Bursts of noise over faint noise: `talk` of `seconds`, in random words and pauses. */
function conversation(seconds: number, seed: string, pausesMs = [50, 2500] as const): Int16Array {
  const random = seededRandom(seed);
  const samples = new Int16Array(seconds * RATE_HZ);
  let index = 0;
  const fill = (ms: number, level: number): void => {
    const end = Math.min(samples.length, index + Math.round((ms * RATE_HZ) / 1000));
    for (; index < end; index += 1) {
      samples[index] = Math.round((random() * 2 - 1) * level * (1.2 + Math.sin(index / 400)));
    }
  };
  while (index < samples.length) {
    fill(pausesMs[0] + random() * (pausesMs[1] - pausesMs[0]), 8);
    fill(100 + random() * 3000, 1500 + random() * 6000);
  }
  return samples;
}

function scan(samples: Int16Array, blockSamples: number, stretchMs: number) {
  const scanner = new SpeechScanner(RATE_HZ, { joinGapMs: 300, stretchMs });
  for (let at = 0; at < samples.length; at += blockSamples) {
    scanner.push(samples.subarray(at, at + blockSamples));
  }
  return scanner.finish();
}

describe("SpeechScanner", () => {
  it("finds to the sample what the detector finds in the whole, wherever it cuts", () => {
    const samples = conversation(150, "cuts");
    const whole = detectSpeech(samples, RATE_HZ, { joinGapMs: 300 });

    expect(whole.length).toBeGreaterThan(25);
    for (const stretchMs of [12_345, 33_333, 60_000]) {
      expect(scan(samples, 4096, stretchMs)).toEqual(whole);
    }
  });

  it("does not care in which blocks the samples come", () => {
    const samples = conversation(60, "blocks");

    expect(scan(samples, 7, 10_000)).toEqual(scan(samples, samples.length, 10_000));
  });

  it("keeps speech without a pause in one piece", () => {
    const random = seededRandom("drone");
    const samples = Int16Array.from({ length: 90 * RATE_HZ }, (_, index) => {
      const isTalking = index > 5 * RATE_HZ && index < 85 * RATE_HZ;
      const syllables = 1 + 0.6 * Math.sin(index / 300);
      return Math.round((random() * 2 - 1) * (isTalking ? 6000 * syllables : 5));
    });
    const found = scan(samples, 8000, 20_000);

    expect(found).toHaveLength(1);
    expect((found[0]?.startSample ?? 0) / RATE_HZ).toBeCloseTo(5, 1);
    expect((found[0]?.endSample ?? 0) / RATE_HZ).toBeCloseTo(85, 1);
  });

  it("finds nothing in silence, and nothing in nothing", () => {
    expect(scan(new Int16Array(200 * RATE_HZ), 4096, 20_000)).toEqual([]);
    expect(new SpeechScanner(RATE_HZ).finish()).toEqual([]);
  });
});
