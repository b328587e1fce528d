import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav, levelDbov, resample, tone } from "../audio/index.ts";
import { seededRandom } from "../environment/index.ts";
import { Concealer } from "./concealer.ts";

const VOICES = fileURLToPath(new URL("../../fixtures/voices/", import.meta.url));
const SPEECH = ["bot/greeting", "bot/breakfast", "caller/tell-me-about-the-hotel"].map((name) => {
  const { channels, sampleRateHz } = decodeWav(readFileSync(`${VOICES}${name}.wav`));
  return { samples: channels[0] as Int16Array, sampleRateHz };
});

/** What a decoder does with good frames and with holes. */
interface Concealment {
  accept(frame: Int16Array): void;
  conceal(output: Int16Array): void;
}

function zeroFill(): Concealment {
  return { accept: () => {}, conceal: (output) => output.fill(0) };
}

function frameRepetition(): Concealment {
  let last = new Int16Array(0);
  return {
    accept: (frame) => {
      last = frame.slice();
    },
    conceal: (output) => output.set(last),
  };
}

interface Hole {
  readonly from: number;
  readonly to: number;
}

/** Plays `samples` in frames of 20 ms with a tenth of them lost, in bursts; returns the holes. */
function lose(samples: Int16Array, frame: number, burst: number, concealment: Concealment) {
  const random = seededRandom("loss");
  const holes: Hole[] = [];
  let good = 0;
  for (let at = 0; at + frame <= samples.length; at += frame) {
    const piece = samples.subarray(at, at + frame);
    const open = holes.at(-1);
    const goesOn = open !== undefined && open.to === at && open.to - open.from < burst * frame;
    if (goesOn) holes.pop();
    const isLost = goesOn || (good >= 3 && random() < 0.1 / burst);
    if (!isLost) concealment.accept(piece);
    else {
      concealment.conceal(piece);
      holes.push({ from: goesOn ? open.from : at, to: at + frame });
    }
    good = isLost ? 0 : good + 1;
  }
  return holes;
}

/** The largest second difference: a step of height d gives d. */
function sharpest(samples: Int16Array, from: number, to: number): number {
  let most = 0;
  for (let index = Math.max(2, from); index < Math.min(to, samples.length); index += 1) {
    const before = samples[index - 1] as number;
    const bend = (samples[index] as number) - 2 * before + (samples[index - 2] as number);
    most = Math.max(most, Math.abs(bend));
  }
  return most;
}

interface LossResult {
  /** For each hole in speech, its sharpest bend against that of the clean signal there, sorted. */
  readonly clicks: readonly number[];
  /** The clean signal against the error, in all holes in speech. */
  readonly snrDb: number;
}

function judge(make: () => Concealment, sampleRateHz: number, burst: number): LossResult {
  const frame = sampleRateHz / 50;
  const clicks: number[] = [];
  let signal = 0;
  let error = 0;
  for (const voice of SPEECH) {
    const clean = resample(voice.samples, voice.sampleRateHz, sampleRateHz);
    const heard = clean.slice();
    for (const { from, to } of lose(heard, frame, burst, make())) {
      if (levelDbov(clean.subarray(from, to)) < -40) continue;
      for (let index = from; index < to; index += 1) {
        signal += (clean[index] as number) ** 2;
        error += ((clean[index] as number) - (heard[index] as number)) ** 2;
      }
      const around = sharpest(clean, from - frame, to + frame);
      clicks.push(sharpest(heard, from - 1, to + frame) / around);
    }
  }
  return { clicks: clicks.toSorted((a, b) => a - b), snrDb: 10 * Math.log10(signal / error) };
}

describe.each([8000, 16_000])("concealment of lost speech at %i Hz", (sampleRateHz) => {
  const ours = () => new Concealer({ sampleRateHz });

  it.each([1, 2])("has no clicks at bursts of %i frames, unlike zero fill", (burst) => {
    const concealed = judge(ours, sampleRateHz, burst).clicks;
    const zeroed = judge(zeroFill, sampleRateHz, burst).clicks;

    expect(concealed.length).toBeGreaterThan(10);
    expect(concealed.at(-1)).toBeLessThan(1.3);
    expect(zeroed.at(-1)).toBeGreaterThan(4);
    expect(zeroed[zeroed.length >> 1]).toBeGreaterThan(1.1);
  });

  it("is nearer to what was lost than zeroes and than the last frame once more", () => {
    const { snrDb } = judge(ours, sampleRateHz, 1);

    expect(judge(zeroFill, sampleRateHz, 1).snrDb).toBeCloseTo(0);
    expect(judge(frameRepetition, sampleRateHz, 1).snrDb).toBeLessThan(0);
    expect(snrDb).toBeGreaterThan(4);
  });

  it("goes on with a voice as if nothing were lost, for 10 ms and more", () => {
    // 125 Hz with falling harmonics.
    const voiced = Int16Array.from({ length: sampleRateHz / 2 }, (_, index) => {
      const angle = (2 * Math.PI * 125 * index) / sampleRateHz;
      return 8000 * Math.sin(angle) + 4000 * Math.sin(3 * angle) + 1000 * Math.sin(11 * angle);
    });
    const concealer = ours();
    const lost = sampleRateHz / 100;
    concealer.accept(voiced.slice(0, sampleRateHz / 4));
    const output = new Int16Array(lost);
    concealer.conceal(output);

    const error = output.map((sample, index) => {
      return sample - (voiced[sampleRateHz / 4 + index] as number);
    });
    expect(levelDbov(error)).toBeLessThan(levelDbov(output) - 30);
  });

  it("keeps its level for 10 ms, loses 20 % per 10 ms, and is silent after 60 ms", () => {
    const concealer = ours();
    concealer.accept(tone({ frequencyHz: 200, durationMs: 100, sampleRateHz, levelDbov: -10 }));
    const output = new Int16Array(sampleRateHz / 10);
    concealer.conceal(output);

    const tens = Array.from({ length: 10 }, (_, ten) => {
      const piece = output.subarray((ten * sampleRateHz) / 100, ((ten + 1) * sampleRateHz) / 100);
      return 10 ** ((levelDbov(piece) + 10) / 20);
    });
    expect(tens[0]).toBeCloseTo(1, 1);
    for (const [ten, expected] of [0.9, 0.7, 0.5, 0.3].entries()) {
      expect(Math.abs((tens[ten + 1] as number) - expected)).toBeLessThan(0.03);
    }
    expect(output.subarray((sampleRateHz * 60) / 1000).every((sample) => sample === 0)).toBe(true);
    expect(concealer.concealedRunMs).toBe(100);
  });

  it("never grows, whatever came before (property)", () => {
    const sounds = fc.array(fc.integer({ min: -32_768, max: 32_767 }), {
      minLength: 1,
      maxLength: 900,
    });
    fc.assert(
      fc.property(sounds, (samples) => {
        const concealer = ours();
        concealer.accept(Int16Array.from(samples));
        const output = new Int16Array(sampleRateHz / 8);
        concealer.conceal(output);
        const tail = output.subarray(sampleRateHz / 50);
        const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        expect(tail.every((sample) => Math.abs(sample) <= loudest)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("gives the same whatever the lengths of the frames, 2.5 to 60 ms (property)", () => {
    const voice = SPEECH[0] as (typeof SPEECH)[number];
    const speech = resample(voice.samples, voice.sampleRateHz, sampleRateHz);
    const from = sampleRateHz / 2;
    const lengthsMs = fc.array(fc.constantFrom(2.5, 5, 10, 20, 30, 60), { minLength: 40 });
    const play = (nextMs: () => number): Int16Array => {
      const concealer = ours();
      const heard = speech.slice(from, from + sampleRateHz / 2);
      const ends = [0.12, 0.18, 0.3, 0.32, 0.5].map((seconds) => seconds * sampleRateHz);
      let at = 0;
      for (const [index, end] of ends.entries()) {
        while (at < end) {
          const piece = heard.subarray(at, Math.min(end, at + (nextMs() * sampleRateHz) / 1000));
          if (index % 2 === 0) concealer.accept(piece);
          else concealer.conceal(piece);
          at += piece.length;
        }
      }
      return heard;
    };
    const whole = play(() => 1000);
    fc.assert(
      fc.property(lengthsMs, (list) => {
        let next = 0;
        const heard = play(() => {
          next += 1;
          return list[next % list.length] as number;
        });
        expect(heard.every((sample, index) => sample === whole[index])).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe("Concealer", () => {
  const sampleRateHz = 8000;

  it("delays nothing: good audio that follows good audio stays as it is", () => {
    const concealer = new Concealer({ sampleRateHz });
    const good = tone({ frequencyHz: 440, durationMs: 40, sampleRateHz });
    const frame = good.slice();
    concealer.accept(frame);

    expect(frame).toEqual(good);
    expect(concealer.concealedRunMs).toBe(0);
  });

  it("changes at most the first 10 ms after a hole, by a cross-fade", () => {
    const concealer = new Concealer({ sampleRateHz });
    concealer.accept(tone({ frequencyHz: 200, durationMs: 60, sampleRateHz, levelDbov: -10 }));
    const hole = new Int16Array(240);
    concealer.conceal(hole);
    const good = new Int16Array(160).fill(5000);
    const frame = good.slice();
    concealer.accept(frame);

    expect(Math.abs((frame[0] as number) - (hole[239] as number))).toBeLessThan(1500);
    expect(frame.subarray(0, 60).some((sample) => sample !== 5000)).toBe(true);
    expect(frame.subarray(80)).toEqual(good.subarray(80));
    expect(concealer.concealedRunMs).toBe(0);
  });

  it("conceals with silence what comes before all audio", () => {
    const concealer = new Concealer({ sampleRateHz });
    const output = new Int16Array(160).fill(7);
    concealer.conceal(output);

    expect(output.every((sample) => sample === 0)).toBe(true);
  });

  it("forgets on reset", () => {
    const concealer = new Concealer({ sampleRateHz });
    concealer.accept(tone({ frequencyHz: 440, durationMs: 60, sampleRateHz }));
    concealer.conceal(new Int16Array(80));
    concealer.reset();
    const output = new Int16Array(160).fill(7);
    concealer.conceal(output);

    expect(output.every((sample) => sample === 0)).toBe(true);
    expect(concealer.concealedRunMs).toBe(20);
  });
});
