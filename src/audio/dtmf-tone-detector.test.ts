// oxlint-disable unicorn/no-array-fill-with-reference-type -- DtmfToneGenerator.fill is no Array.fill.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PCMA, PCMU } from "../codec/index.ts";
import { type Random, seededRandom } from "../environment/index.ts";
import { HIGH_GROUP_HZ, LOW_GROUP_HZ, tonesOfDigit } from "./dtmf-frequencies.ts";
import { DtmfToneDetector } from "./dtmf-tone-detector.ts";
import { type DtmfTone, DtmfToneGenerator } from "./dtmf-tone-generator.ts";
import { decodeWav } from "./wav.ts";

const ALL_DIGITS = "123A456B789C*0#D";
const FIXTURES = fileURLToPath(new URL("../../fixtures/voices", import.meta.url));

/** All 16 digits as a test set would send them. Deviations are ratios; levels are per tone. */
interface Signal {
  readonly sampleRateHz?: number;
  readonly durationMs?: number;
  readonly pauseMs?: number;
  readonly lowDeviation?: number;
  readonly highDeviation?: number;
  /** Of the stronger tone. */
  readonly levelDbov?: number;
  /** High against low tone. */
  readonly twistDb?: number;
  /** A break in the middle of each digit. */
  readonly breakMs?: number;
  readonly noiseDb?: number;
  /** Level of each dial tone against the stronger DTMF tone. */
  readonly dialToneDb?: number;
  readonly dialTonesHz?: readonly number[];
  readonly digits?: string;
}

interface Sent {
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
  readonly startSamples: readonly number[];
}

/** A first order test signal: phases and the position of the first digit come from the seed. */
function signal(options: Signal, random: Random = seededRandom("dtmf")): Sent {
  const { sampleRateHz = 8000, durationMs = 50, pauseMs = 50, digits = ALL_DIGITS } = options;
  const perMs = sampleRateHz / 1000;
  const values: number[] = Array.from({ length: (50 + 5 * random()) * perMs }, () => 0);
  const startSamples: number[] = [];
  for (const digit of digits) {
    startSamples.push(values.length);
    appendDigit(values, digit, { ...options, durationMs, sampleRateHz }, random);
    for (let index = 0; index < pauseMs * perMs; index += 1) values.push(0);
  }
  for (let index = 0; index < 50 * perMs; index += 1) values.push(0);
  disturb(values, options, sampleRateHz, random);
  const samples = Int16Array.from(values, (value) =>
    Math.max(-32_768, Math.min(32_767, Math.round(value))),
  );
  return { samples, sampleRateHz, startSamples };
}

// oxlint-disable-next-line max-params
function appendDigit(
  values: number[],
  digit: string,
  options: Signal & { readonly durationMs: number; readonly sampleRateHz: number },
  random: Random,
): void {
  const { durationMs, sampleRateHz, twistDb = 0, breakMs = 0 } = options;
  const { lowHz, highHz } = tonesOfDigit(digit) ?? { lowHz: 0, highHz: 0 };
  const strong = amplitudeOf(options);
  const low = strong * Math.min(1, 10 ** (-twistDb / 20));
  const high = strong * Math.min(1, 10 ** (twistDb / 20));
  const lowPhase = 2 * Math.PI * random();
  const highPhase = 2 * Math.PI * random();
  const lowOmega = (2 * Math.PI * lowHz * (1 + (options.lowDeviation ?? 0))) / sampleRateHz;
  const highOmega = (2 * Math.PI * highHz * (1 + (options.highDeviation ?? 0))) / sampleRateHz;
  const length = Math.round((durationMs * sampleRateHz) / 1000);
  const breakSamples = (breakMs * sampleRateHz) / 1000;
  for (let index = 0; index < length; index += 1) {
    const isBroken = Math.abs(index - length / 2) < breakSamples / 2;
    const tone =
      low * Math.sin(lowPhase + lowOmega * index) + high * Math.sin(highPhase + highOmega * index);
    values.push(isBroken ? 0 : tone);
  }
}

function amplitudeOf({ levelDbov = -16 }: Signal): number {
  return Math.SQRT2 * 32_768 * 10 ** (levelDbov / 20);
}

// oxlint-disable-next-line max-params
function disturb(values: number[], options: Signal, sampleRateHz: number, random: Random): void {
  const { noiseDb, dialToneDb, dialTonesHz = [350, 440], twistDb = 0 } = options;
  const strong = amplitudeOf(options);
  const power = (strong ** 2 * (1 + 10 ** (-Math.abs(twistDb) / 10))) / 2;
  const noise = noiseDb === undefined ? 0 : Math.sqrt(power * 10 ** (noiseDb / 10));
  const dial = dialToneDb === undefined ? 0 : strong * 10 ** (dialToneDb / 20);
  for (let index = 0; index < values.length; index += 1) {
    let value = (values[index] as number) + noise * gaussian(random);
    for (const hz of dialTonesHz) {
      value += dial * Math.sin((2 * Math.PI * hz * index) / sampleRateHz);
    }
    values[index] = value;
  }
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function detect(samples: Int16Array, sampleRateHz = 8000, frameSamples?: number): DtmfTone[] {
  const detector = new DtmfToneDetector({ sampleRateHz });
  const step = frameSamples ?? sampleRateHz / 50;
  for (let from = 0; from < samples.length; from += step) {
    detector.handleSamples(samples.subarray(from, from + step));
  }
  detector.end();
  const digits: DtmfTone[] = [];
  for (let digit = detector.takeDigit(); digit; digit = detector.takeDigit()) digits.push(digit);
  return digits;
}

function textOf(digits: readonly DtmfTone[]): string {
  return digits.map(({ digit }) => digit).join("");
}

/** What is heard of three differently seeded signals, one after the other. */
function heard(options: Signal): string[] {
  return ["one", "two", "three"].map((seed) => {
    const { samples, sampleRateHz } = signal(options, seededRandom(seed));
    return textOf(detect(samples, sampleRateHz));
  });
}

const EVERYTHING = [ALL_DIGITS, ALL_DIGITS, ALL_DIGITS];
const NOTHING = ["", "", ""];
const RATES = [8000, 16_000, 24_000, 48_000];

describe("DtmfToneDetector within the limits of Q.24", () => {
  it.each(RATES)("finds digits of 40 ms with pauses of 40 ms (%d Hz)", (sampleRateHz) => {
    expect(heard({ sampleRateHz, durationMs: 40, pauseMs: 40 })).toEqual(EVERYTHING);
  });

  it.each([
    [0.015, 0.015],
    [0.015, -0.015],
    [-0.015, 0.015],
    [-0.015, -0.015],
  ])("accepts frequencies that are off by %d and %d", (lowDeviation, highDeviation) => {
    const options = { lowDeviation, highDeviation, durationMs: 40 };

    expect(heard(options)).toEqual(EVERYTHING);
    expect(heard({ ...options, twistDb: -8 })).toEqual(EVERYTHING);
    expect(heard({ ...options, twistDb: 4 })).toEqual(EVERYTHING);
    expect(heard({ ...options, sampleRateHz: 24_000 })).toEqual(EVERYTHING);
  });

  it.each([
    [0.035, 0],
    [-0.035, 0],
    [0, 0.035],
    [0, -0.035],
    [0.035, -0.035],
    [0.05, 0],
    [0, -0.05],
  ])("refuses frequencies that are off by %d and %d", (lowDeviation, highDeviation) => {
    const options = { lowDeviation, highDeviation };

    expect(heard({ ...options, durationMs: 60 })).toEqual(NOTHING);
    expect(heard({ ...options, durationMs: 400, noiseDb: -15 })).toEqual(NOTHING);
    expect(heard({ ...options, durationMs: 60, sampleRateHz: 16_000 })).toEqual(NOTHING);
  });

  it.each([-8, -4, 0, 4])("accepts a twist of %d dB", (twistDb) => {
    expect(heard({ twistDb, durationMs: 40 })).toEqual(EVERYTHING);
  });

  it.each([-13, 9])("refuses a twist of %d dB", (twistDb) => {
    expect(heard({ twistDb, durationMs: 100 })).toEqual(NOTHING);
  });

  // −25 dBm0 is −31.15 dBov, 0 dBm0 is −6.15; two tones at that level are just below clipping.
  it.each([-36, -31.15, -20, -9.1, -6.15])("accepts a level of %d dBov", (levelDbov) => {
    expect(heard({ levelDbov, durationMs: 40 })).toEqual(EVERYTHING);
  });

  it("refuses what is too weak", () => {
    expect(heard({ levelDbov: -50, durationMs: 100 })).toEqual(NOTHING);
  });

  it.each([5, 10, 15, 20, 22.9])("refuses tones of %d ms", (durationMs) => {
    expect(heard({ durationMs, pauseMs: 80 })).toEqual(NOTHING);
  });

  it.each([2, 5, 10])("bridges a break of %d ms", (breakMs) => {
    expect(heard({ durationMs: 60, breakMs })).toEqual(EVERYTHING);
    expect(heard({ durationMs: 200, breakMs })).toEqual(EVERYTHING);
  });

  it("tells the same digit twice by a pause of 40 ms", () => {
    const digits = "5500##DD11";

    expect(heard({ digits, durationMs: 40, pauseMs: 40 })).toEqual([digits, digits, digits]);
  });

  it("tells different digits without any pause", () => {
    expect(heard({ durationMs: 60, pauseMs: 0 })).toEqual(EVERYTHING);
  });

  it.each([
    [40, 0],
    [40, -8],
    [50, 4],
    [200, 0],
  ])(
    "finds all digits of %d ms with a twist of %d dB, 15 dB above white noise",
    (...[durationMs, twistDb]) => {
      for (const sampleRateHz of [8000, 24_000]) {
        expect(heard({ durationMs, twistDb, noiseDb: -15, sampleRateHz })).toEqual(EVERYTHING);
      }
    },
  );

  it.each([
    [-6, [350, 440]],
    [0, [350, 440]],
    [6, [350, 440]],
    [6, [425]],
  ])("finds digits below a dial tone of %d dB at %j Hz", (dialToneDb, dialTonesHz) => {
    expect(heard({ dialToneDb, dialTonesHz, levelDbov: -24 })).toEqual(EVERYTHING);
  });

  it.each([PCMU, PCMA])("finds digits through G.711: $id", (codec) => {
    for (const levelDbov of [-31.15, -9.1]) {
      for (const twistDb of [0, -8, 4]) {
        const { samples } = signal({ levelDbov, twistDb, durationMs: 40 });
        const payload = new Uint8Array(160);
        const coded = samples.slice(0, samples.length - (samples.length % 160));
        const encoder = codec.createEncoder({ ptimeMs: 20 });
        const decoder = codec.createDecoder();
        for (let from = 0; from < coded.length; from += 160) {
          const frame = coded.subarray(from, from + 160);
          encoder.encode(frame, payload);
          decoder.decode(payload, frame);
        }

        expect(textOf(detect(coded))).toBe(ALL_DIGITS);
      }
    }
  });
});

describe("DtmfToneDetector", () => {
  it.each(RATES)("says when a digit began and how long it lasted (%d Hz)", (sampleRateHz) => {
    for (const durationMs of [40, 55, 100, 300]) {
      const sent = signal({ sampleRateHz, durationMs, pauseMs: 70, noiseDb: -25 });

      const found = detect(sent.samples, sampleRateHz);

      expect(textOf(found)).toBe(ALL_DIGITS);
      found.forEach((digit, index) => {
        const errorSamples = digit.startSample - (sent.startSamples[index] as number);
        expect(Math.abs((errorSamples * 1000) / sampleRateHz)).toBeLessThan(5);
        expect(Math.abs(digit.durationMs - durationMs)).toBeLessThan(6);
      });
    }
  });

  it("counts a bridged break as part of the digit", () => {
    const { samples } = signal({ durationMs: 100, breakMs: 10, digits: "5" });

    expect(detect(samples)[0]?.durationMs).toBeCloseTo(100, -1);
  });

  it("does not depend on the frames (property)", () => {
    const { samples } = signal({ digits: "159D", durationMs: 60 });
    const expected = detect(samples);
    expect(textOf(expected)).toBe("159D");

    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (frameSamples) => {
        expect(detect(samples, 8000, frameSamples)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it("hears what the generator says (property)", () => {
    const dialled = fc.string({ unit: fc.constantFrom(...Array.from(ALL_DIGITS)), maxLength: 8 });
    const durations = fc.integer({ min: 42, max: 200 });
    const gaps = fc.integer({ min: 40, max: 200 });
    const rates = fc.constantFrom(8000, 16_000, 24_000);
    fc.assert(
      fc.property(dialled, durations, gaps, rates, (text, durationMs, gapMs, sampleRateHz) => {
        const generator = new DtmfToneGenerator({ sampleRateHz, durationMs, gapMs });
        const detector = new DtmfToneDetector({ sampleRateHz });
        const frame = new Int16Array(sampleRateHz / 50);
        generator.queue(text);
        while (generator.fill(frame)) detector.handleSamples(frame);
        detector.end();

        for (const digit of text) {
          const found = detector.takeDigit();
          const sent = generator.takeGenerated();
          expect(found?.digit).toBe(digit);
          expect(Math.abs((found?.durationMs ?? 0) - durationMs)).toBeLessThan(6);
          const late = (found?.startSample ?? 0) - (sent?.startSample ?? 0);
          expect(Math.abs(late)).toBeLessThan(sampleRateHz / 200);
        }
        expect(detector.takeDigit()).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("gives a digit out soon after its end, not only at the next", () => {
    const { samples } = signal({ digits: "8", durationMs: 60 });
    const detector = new DtmfToneDetector({ sampleRateHz: 8000 });
    // The digit ends 110 to 115 ms after the begin.
    detector.handleSamples(samples.subarray(0, 880));
    expect(detector.takeDigit()).toBeUndefined();

    detector.handleSamples(samples.subarray(880, 1240));

    expect(detector.takeDigit()?.digit).toBe("8");
  });

  it("finds shorter tones where that is wished, and only longer ones", () => {
    const { samples } = signal({ digits: "8", durationMs: 60 });
    const detector = new DtmfToneDetector({ sampleRateHz: 8000, minDurationMs: 80 });
    detector.handleSamples(samples);
    detector.end();

    expect(detector.takeDigit()).toBeUndefined();
  });

  it.each([11_025, 7999, 4000, 0])("refuses a sample rate of %d Hz", (sampleRateHz) => {
    expect(() => new DtmfToneDetector({ sampleRateHz })).toThrow(
      expect.objectContaining({ code: "ERR_SAMPLE_RATE_UNSUPPORTED" }),
    );
  });
});

describe("DtmfToneDetector with what is no digit", () => {
  const voices = ["caller", "bot"].flatMap((voice) =>
    readdirSync(`${FIXTURES}/${voice}`)
      .filter((name) => name.endsWith(".wav"))
      .map((name) => `${voice}/${name}`),
  );

  it("hears no digit in any voice of the fixtures, at any level", () => {
    expect(voices.length).toBeGreaterThan(10);
    for (const name of voices) {
      const wav = decodeWav(new Uint8Array(readFileSync(`${FIXTURES}/${name}`)));
      const [samples = new Int16Array(0)] = wav.channels;
      for (const gain of [2, 1, 0.5, 0.25, 0.1, 0.03]) {
        const scaled = samples.map((sample) =>
          Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))),
        );
        expect([name, gain, textOf(detect(scaled, wav.sampleRateHz))]).toEqual([name, gain, ""]);
      }
    }
  });

  it("hears no digit in noise", () => {
    const random = seededRandom("noise");
    const noise = Int16Array.from({ length: 8000 * 60 }, () => Math.round(4000 * gaussian(random)));

    expect(detect(noise)).toEqual([]);
  });

  it("hears no digit in single tones of the keypad, dial tone, ringing tone or silence", () => {
    for (const pair of [...LOW_GROUP_HZ, ...HIGH_GROUP_HZ, 350, 425, 480].map((hz) => [hz, 440])) {
      const [first = 0, second = 0] = pair;
      const samples = Int16Array.from({ length: 4000 }, (_, index) => {
        const turn = (2 * Math.PI * index) / 8000;
        return Math.round(5000 * Math.sin(first * turn) + 5000 * Math.sin(second * turn));
      });
      expect(detect(samples)).toEqual([]);
    }
    expect(detect(new Int16Array(8000))).toEqual([]);
  });

  it("hears no digit in chords of instruments with overtones", () => {
    const chords = [60, 62, 64, 65, 67, 69, 71, 72].flatMap((root) =>
      [
        [0, 4, 7],
        [0, 3, 7],
        [0, 4, 7, 10],
      ].map((steps) => steps.map((step) => 440 * 2 ** ((root + step - 69) / 12))),
    );
    for (const chord of chords) {
      const samples = Int16Array.from({ length: 4000 }, (_, index) => {
        let value = 0;
        for (const hz of chord) {
          for (let overtone = 1; overtone <= 6; overtone += 1) {
            value += (1500 / overtone) * Math.sin((2 * Math.PI * hz * overtone * index) / 8000);
          }
        }
        return Math.round(value);
      });
      expect(textOf(detect(samples))).toBe("");
    }
  });
});
