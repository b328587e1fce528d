import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { LiveSpeechDetector, type LiveSpeechDetectorOptions } from "./live-speech-detector.ts";
import { tone } from "./tone.ts";

const RATE_HZ = 8000;

function silence(durationMs: number): Int16Array {
  return new Int16Array((durationMs * RATE_HZ) / 1000);
}

function burst(durationMs: number, levelDbov = -20): Int16Array {
  return tone({ frequencyHz: 700, durationMs, sampleRateHz: RATE_HZ, levelDbov });
}

/** Uniform noise of a level. */
function noise(durationMs: number, levelDbov: number): Int16Array {
  const random = seededRandom(levelDbov);
  const peak = 32_768 * Math.sqrt(3) * 10 ** (levelDbov / 20);
  return silence(durationMs).map(() => Math.round(peak * (2 * random() - 1)));
}

function concat(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => Array.from(part)));
}

interface Change {
  readonly change: string;
  /** Audio time at which it was reported: the end of the frame. */
  readonly reportedMs: number;
  readonly onsetMs: number | undefined;
  readonly offsetMs: number | undefined;
}

function changes(
  samples: Int16Array,
  options: Partial<LiveSpeechDetectorOptions> = {},
  frameSamples = 160,
): Change[] {
  const detector = new LiveSpeechDetector({ sampleRateHz: RATE_HZ, ...options });
  const toMs = (sample: number | undefined) =>
    sample === undefined ? undefined : (sample * 1000) / RATE_HZ;
  const seen: Change[] = [];
  for (let from = 0; from < samples.length; from += frameSamples) {
    const change = detector.handleFrame(samples.subarray(from, from + frameSamples));
    if (change === undefined) continue;
    expect(detector.isSpeaking).toBe(change === "started");
    seen.push({
      change,
      reportedMs: ((from + frameSamples) * 1000) / RATE_HZ,
      onsetMs: toMs(detector.lastOnsetSample),
      offsetMs: toMs(detector.lastOffsetSample),
    });
  }
  return seen;
}

describe("LiveSpeechDetector", () => {
  it("reports a start after minSpeechMs and a stop after hangoverMs, and where they were", () => {
    const call = concat(silence(500), burst(400), silence(600));

    expect(changes(call)).toEqual([
      { change: "started", reportedMs: 560, onsetMs: 500, offsetMs: undefined },
      // The high-pass filter rings for some milliseconds: 10 ms late.
      { change: "stopped", reportedMs: 1220, onsetMs: 500, offsetMs: 910 },
    ]);
  });

  it("lets both times be set", () => {
    const call = concat(silence(500), burst(400), silence(900));

    const seen = changes(call, { minSpeechMs: 200, hangoverMs: 800 });

    expect(seen.map(({ reportedMs }) => reportedMs)).toEqual([700, 1720]);
  });

  it("hears speech that the audio begins with", () => {
    const sound = { frequencyHz: 700, durationMs: 300, sampleRateHz: RATE_HZ, fadeMs: 30 };

    const [started] = changes(concat(tone(sound), silence(500)));

    expect(started).toMatchObject({ change: "started", onsetMs: 0 });
  });

  it("does not stop in a pause shorter than the hangover", () => {
    const call = concat(silence(300), burst(200), silence(280), burst(200), silence(500));

    const [, stopped, ...others] = changes(call);

    expect(stopped).toMatchObject({ change: "stopped", offsetMs: 990 });
    expect(others).toEqual([]);
  });

  it("is not started by clicks, steady noise or idle codes", () => {
    const clicks = concat(silence(300), burst(30), silence(100), burst(30), silence(300));

    expect(changes(clicks)).toEqual([]);
    expect(changes(noise(3000, -56))).toEqual([]);
    expect(changes(new Int16Array(16_000).fill(8))).toEqual([]);
  });

  it("learns the background, and hears speech 10 dB above it", () => {
    const call = concat(noise(2000, -50), burst(500, -40), noise(1000, -50));

    const seen = changes(call, { minimumLevelDbov: -70 });

    expect(seen.map(({ change }) => change)).toEqual(["started", "stopped"]);
    expect(seen[0]?.onsetMs).toBeGreaterThanOrEqual(1990);
    expect(seen[0]?.onsetMs).toBeLessThanOrEqual(2010);
    expect(seen[1]?.offsetMs).toBeGreaterThanOrEqual(2490);
    expect(seen[1]?.offsetMs).toBeLessThanOrEqual(2520);
  });

  it("does not take a long sound for background within ten seconds", () => {
    const seen = changes(concat(silence(500), burst(9000), silence(500)));

    expect(seen.map(({ reportedMs }) => reportedMs)).toEqual([560, 9820]);
  });

  it("does not take the valleys of long speech for background", () => {
    const syllables = Array.from({ length: 60 }, () => [burst(180), burst(80, -38)]).flat();

    const seen = changes(concat(silence(500), ...syllables, silence(500)));

    expect(seen.map(({ offsetMs }) => offsetMs)).toEqual([undefined, 500 + 60 * 260]);
  });

  it("gives up on a noise that began and never ends", () => {
    const seen = changes(concat(silence(500), noise(13_000, -40)));

    expect(seen.map(({ change }) => change)).toEqual(["started", "stopped"]);
    expect(seen[1]?.reportedMs).toBeGreaterThan(10_500);
  });

  it("uses a fixed threshold when given a background", () => {
    const call = concat(silence(300), burst(300, -35), silence(500), burst(300, -25), silence(500));

    const seen = changes(call, { backgroundDbov: -40, thresholdDb: 10 });

    expect(seen.map(({ onsetMs }) => onsetMs)).toEqual([1100, 1100]);
  });

  it("hears nothing below minimumLevelDbov", () => {
    const call = concat(silence(300), burst(300, -50), silence(500));

    expect(changes(call)).toHaveLength(2);
    expect(changes(call, { minimumLevelDbov: -45 })).toEqual([]);
  });

  it("finds the same positions however the audio is cut (property)", () => {
    const call = concat(silence(200), burst(300), silence(400), burst(100), silence(400));
    const expected = changes(call).map(({ change, onsetMs, offsetMs }) => [
      change,
      onsetMs,
      offsetMs,
    ]);
    expect(expected).toHaveLength(4);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 480 }), (frameSamples) => {
        const seen = changes(call, {}, frameSamples);
        expect(seen.map(({ change, onsetMs, offsetMs }) => [change, onsetMs, offsetMs])).toEqual(
          expected,
        );
      }),
      { numRuns: 20 },
    );
  });

  it("counts positions in samples of its own rate", () => {
    const detector = new LiveSpeechDetector({ sampleRateHz: 24_000 });
    const sound = tone({ frequencyHz: 700, durationMs: 200, sampleRateHz: 24_000 });
    detector.handleFrame(new Int16Array(12_000));

    expect(detector.handleFrame(sound)).toBe("started");
    expect(detector.lastOnsetSample).toBe(12_000);
  });
});
