import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  amplified,
  coded,
  joined,
  mixed,
  muted,
  noise,
  silence,
  voice,
} from "../../test/unit/quality/known-sound.ts";
import { resample, SILENCE_DBOV, tone } from "../audio/index.ts";
import { G722, PCMA, PCMU } from "../codec/index.ts";
import { analyseSignal, SignalAnalyser } from "./signal-analyser.ts";

const RATES = [8000, 16_000, 24_000, 48_000] as const;

describe("active speech level (P.56 method B)", () => {
  it.each([
    // By an implementation of our own in Python that compares every sample, as ITU's sv56 does.
    ["bot/long", 24_000, -20.533],
    ["bot/greeting", 24_000, -20.575],
    ["caller/what-time-is-breakfast", 16_000, -20.345],
  ])("of %s is what an independent implementation says, to 0.05 dB", (name, rate, truth) => {
    const { speechDbov } = analyseSignal(voice(name, rate), rate);
    expect(Math.abs(speechDbov - truth)).toBeLessThan(0.05);
  });

  it.each(RATES)("does not change by silence around the speech at %i Hz", (rate) => {
    const speech = voice("bot/long", rate);
    const alone = analyseSignal(speech, rate);
    const padded = analyseSignal(joined(silence(4 * rate), speech, silence(6 * rate)), rate);
    expect(Math.abs(padded.speechDbov - alone.speechDbov)).toBeLessThan(0.1);
    expect(padded.activityFactor).toBeLessThan(0.7 * alone.activityFactor);
  });

  it.each([-50, -40, -30, -20, -10])("follows a gain to %i dBov within 0.3 dB", (level) => {
    const speech = voice("bot/long", 8000);
    const before = analyseSignal(speech, 8000).speechDbov;
    const after = analyseSignal(amplified(speech, level - before), 8000).speechDbov;
    expect(Math.abs(after - level)).toBeLessThan(0.3);
  });

  it("says nothing of silence", () => {
    expect(analyseSignal(silence(80_000), 8000)).toMatchObject({
      speechDbov: SILENCE_DBOV,
      activityFactor: 0,
    });
    expect(analyseSignal(silence(0), 8000).speechDbov).toBe(SILENCE_DBOV);
  });
});

describe("noise floor and SNR", () => {
  it.each(RATES)("are those of added noise within 1.5 dB at %i Hz", (rate) => {
    const speech = joined(silence(2 * rate), voice("bot/long", rate), silence(2 * rate));
    for (const level of [-70, -60, -50, -40]) {
      const heard = analyseSignal(mixed(speech, noise(speech.length, level, "floor")), rate);
      expect(Math.abs(heard.noiseFloorDbov - level)).toBeLessThan(1);
      expect(Math.abs((heard.snrDb ?? 0) - (heard.speechDbov - level))).toBeLessThan(1);
    }
  });

  it("are those of digital silence where there is no noise: none", () => {
    const speech = voice("bot/long", 8000);
    const heard = analyseSignal(joined(speech, silence(32_000), speech), 8000);
    expect(heard.noiseFloorDbov).toBe(SILENCE_DBOV);
    expect(heard).not.toHaveProperty("snrDb");
  });
});

describe("clipping", () => {
  it.each(RATES)("is not found in speech at −20 dBov at %i Hz", (rate) => {
    expect(analyseSignal(voice("bot/long", rate), rate).clipping.count).toBe(0);
  });

  it.each(RATES)("is found where speech is amplified beyond the scale at %i Hz", (rate) => {
    const speech = voice("bot/long", rate);
    const loud = amplified(speech, 18);
    const { clipping } = analyseSignal(loud, rate);
    const truth = loud.filter((sample) => Math.abs(sample) >= 32_767).length;
    expect(clipping.count).toBeGreaterThan(10);
    // Single samples at the top are no runs; tops that nearly reach it count.
    expect(Math.abs(clipping.samples - truth)).toBeLessThan(0.35 * truth);
    for (const { startSample, endSample } of clipping.places) {
      expect(Math.max(...loud.slice(startSample, endSample).map(Math.abs))).toBeGreaterThan(32_100);
    }
  });

  it("counts a known run to the sample", () => {
    const sound = noise(16_000, -30, "clip").map((sample, index) =>
      index >= 5000 && index < 5040 ? 32_767 : sample,
    );
    expect(analyseSignal(sound, 16_000).clipping).toEqual({
      samples: 40,
      count: 1,
      places: [{ startSample: 5000, endSample: 5040 }],
    });
  });

  it.each([PCMU, PCMA])("survives $id", (codec) => {
    const loud = amplified(voice("bot/long", 8000), 18);
    expect(analyseSignal(coded(loud, codec), 8000).clipping.count).toBeGreaterThan(10);
  });
});

describe("gaps", () => {
  it.each(RATES)("are found to the millisecond where speech was cut out at %i Hz", (rate) => {
    const speech = voice("bot/long", rate);
    const cuts = [1.5, 3.1, 6.4].map((at) => Math.round(at * rate));
    const length = 0.06 * rate;
    const cut = cuts.reduce((sound, at) => muted(sound, at, length), speech);
    const { gaps } = analyseSignal(cut, rate);
    expect(gaps.count).toBe(3);
    for (const [index, { startSample, endSample }] of gaps.places.entries()) {
      expect(Math.abs(startSample - (cuts[index] ?? 0))).toBeLessThanOrEqual(rate / 1000);
      expect(Math.abs(endSample - startSample - length)).toBeLessThanOrEqual((2 * rate) / 1000);
    }
  });

  it.each(RATES)("are not found in speech with its own pauses at %i Hz", (rate) => {
    for (const name of [
      "bot/long",
      "bot/greeting",
      "bot/breakfast",
      "caller/what-time-is-breakfast",
    ]) {
      const speech = voice(name, rate);
      const sound = joined(silence(rate), speech, silence(rate / 4), speech, silence(rate));
      expect(analyseSignal(sound, rate).gaps.count).toBe(0);
    }
  });

  it("count digital silence wherever it is", () => {
    const sound = joined(silence(8000), noise(8000, -30, "zero"), silence(4000));
    const { gaps } = analyseSignal(sound, 8000);
    expect(Math.abs(gaps.silentSamples - 12_000)).toBeLessThan(10);
    expect(gaps.count).toBe(0);
  });
});

describe("DC offset", () => {
  it("is the mean as a share of full scale", () => {
    const sound = noise(80_000, -40, "dc").map((sample) => sample + 328);
    expect(analyseSignal(sound, 8000).dcOffset).toBeCloseTo(0.01, 3);
  });
});

describe("bandwidth", () => {
  const wide = joined(voice("bot/long", 16_000), voice("bot/greeting", 16_000));

  it("is that of the speech, not of the sample rate", () => {
    const narrow = resample(resample(wide, 16_000, 8000), 8000, 16_000);
    expect(analyseSignal(wide, 16_000).bandwidth?.verdict).toBe("wideband");
    const found = analyseSignal(narrow, 16_000).bandwidth;
    expect(found?.verdict).toBe("narrowband");
    expect(Math.abs((found?.upperHz ?? 0) - 4000)).toBeLessThanOrEqual(250);
  });

  it.each([5000, 6000, 7000])("finds a cut at %i Hz within 500 Hz", (cutHz) => {
    const rate = 2 * cutHz;
    const cut = resample(resample(wide, 16_000, rate), rate, 16_000);
    expect(
      Math.abs((analyseSignal(cut, 16_000).bandwidth?.upperHz ?? 0) - cutHz),
    ).toBeLessThanOrEqual(500);
  });

  it("is not that of noise over narrow-band speech", () => {
    const narrow = resample(resample(wide, 16_000, 8000), 8000, 16_000);
    for (const level of [-70, -60, -50]) {
      const noisy = mixed(narrow, noise(narrow.length, level, "band"));
      expect(analyseSignal(noisy, 16_000).bandwidth?.verdict).toBe("narrowband");
    }
  });

  it("survives G.722, and shows where G.711 was on the way", () => {
    expect(analyseSignal(coded(wide, G722), 16_000).bandwidth?.verdict).toBe("wideband");
    const transcoded = resample(coded(resample(wide, 16_000, 8000), PCMU), 8000, 16_000);
    expect(analyseSignal(coded(transcoded, G722), 16_000).bandwidth?.verdict).toBe("narrowband");
  });

  it("is missing where too little was heard", () => {
    expect(analyseSignal(silence(80_000), 16_000)).not.toHaveProperty("bandwidth");
    expect(analyseSignal(wide.slice(0, 16_000), 16_000)).not.toHaveProperty("bandwidth");
  });
});

describe("clicks", () => {
  it.each(RATES)("are found where a voiced sound is cut and joined badly at %i Hz", (rate) => {
    const hum = tone({ frequencyHz: 150, durationMs: 4000, sampleRateHz: rate });
    const half = Math.round(rate * 2.001_7);
    // Half a period is missing: the wave jumps.
    const cut = joined(hum.slice(0, half), hum.slice(half + Math.round(rate / 300)));
    const { clicks } = analyseSignal(cut, rate);
    expect(clicks.count).toBe(1);
    expect(Math.abs((clicks.places[0]?.startSample ?? 0) - half)).toBeLessThan((2 * rate) / 1000);
  });

  it.each(RATES)("are not found in speech, silence around it and noise at %i Hz", (rate) => {
    for (const name of [
      "bot/long",
      "bot/greeting",
      "bot/breakfast",
      "caller/what-time-is-breakfast",
    ]) {
      const speech = joined(silence(rate), voice(name, rate), silence(rate));
      expect(analyseSignal(speech, rate).clicks.count).toBe(0);
      const noisy = mixed(speech, noise(speech.length, -50, "clicks"));
      expect(analyseSignal(noisy, rate).clicks.count).toBe(0);
    }
  });
});

describe("a recording in blocks", () => {
  it("gives the same figures in any blocks", () => {
    const sound = mixed(voice("bot/greeting", 8000), noise(30_000, -60, "blocks"));
    const whole = analyseSignal(sound, 8000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
        const analyser = new SignalAnalyser(8000);
        for (let at = 0, turn = 0; at < sound.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          analyser.process(sound.subarray(at, at + size));
          at += size;
        }
        expect(analyser.result()).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});
