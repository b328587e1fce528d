import { describe, expect, it } from "vitest";
import { levelDbov } from "../audio/index.ts";
import { seededRandom } from "../environment/index.ts";
import { ComfortNoiseAnalyser } from "./comfort-noise-analyser.ts";
import { ComfortNoiseGenerator } from "./comfort-noise-generator.ts";
import { reflectionOctet, reflectionOf } from "./comfort-noise-payload.ts";

const sampleRateHz = 8000;

function generator(): ComfortNoiseGenerator {
  return new ComfortNoiseGenerator({ sampleRateHz, random: seededRandom("noise") });
}

function noiseOf(payload: readonly number[], samples = 16_000): Int16Array {
  const made = generator();
  made.update(Uint8Array.from(payload));
  const output = new Int16Array(samples);
  made.generate(output);
  return output;
}

/** Noise with a second-order spectrum: a peak at `frequencyHz`. */
function colouredNoise(frequencyHz: number, levelOfNoiseDbov: number): Int16Array {
  const random = seededRandom("coloured");
  const samples = new Float64Array(16_000);
  const radius = 0.9;
  const turn = 2 * radius * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz);
  for (let index = 2; index < samples.length; index += 1) {
    const past = turn * (samples[index - 1] as number);
    const older = radius * radius * (samples[index - 2] as number);
    samples[index] = past - older + 2 * random() - 1;
  }
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const gain = (32_768 * 10 ** (levelOfNoiseDbov / 20)) / Math.sqrt(power);
  return Int16Array.from(samples, (sample) => Math.round(sample * gain));
}

/** Power in 16 bands of 250 Hz each, in dB: a plain discrete Fourier transform of many windows. */
function bandsDb(samples: Int16Array): number[] {
  const size = 128;
  const turn = Float64Array.from({ length: size }, (_, index) => {
    return Math.cos((2 * Math.PI * index) / size);
  });
  const bands = Array.from({ length: 16 }, () => 0);
  for (let from = 4000; from + size <= samples.length; from += size) {
    for (let bin = 1; bin < size / 2; bin += 1) {
      let real = 0;
      let imaginary = 0;
      for (let index = 0; index < size; index += 1) {
        const angle = (bin * index) % size;
        const window = 0.5 - 0.5 * (turn[index] as number);
        const sample = window * (samples[from + index] as number);
        real += sample * (turn[angle] as number);
        imaginary += sample * (turn[(angle + (3 * size) / 4) % size] as number);
      }
      bands[bin >> 2] = (bands[bin >> 2] as number) + real * real + imaginary * imaginary;
    }
  }
  return bands.map((power) => 10 * Math.log10(power));
}

describe("quantised reflection coefficients (RFC 3389 §3.2)", () => {
  it("are k = 258·(N − 127)/32768", () => {
    expect(reflectionOf(127)).toBe(0);
    expect(reflectionOf(0)).toBeCloseTo(-0.99994, 5);
    expect(reflectionOf(254)).toBeCloseTo(0.99994, 5);
    expect(reflectionOf(255)).toBe(reflectionOf(254));
  });

  it("survive both ways", () => {
    for (let octet = 0; octet <= 254; octet += 1) {
      expect(reflectionOctet(reflectionOf(octet))).toBe(octet);
    }
    expect(reflectionOctet(-1)).toBe(0);
    expect(reflectionOctet(1)).toBe(254);
  });
});

describe("ComfortNoiseGenerator", () => {
  it.each([20, 40, 55, 70])("makes white noise at −%i dBov from a level alone", (level) => {
    const noise = noiseOf([level]);
    const bands = bandsDb(noise);

    expect(Math.abs(levelDbov(noise) + level)).toBeLessThan(0.3);
    expect(Math.max(...bands.slice(1)) - Math.min(...bands.slice(1))).toBeLessThan(3);
  });

  it("has the level of the payload whatever its spectrum", () => {
    const steep = [40, reflectionOctet(-0.9), reflectionOctet(0.5), reflectionOctet(-0.2)];

    expect(Math.abs(levelDbov(noiseOf(steep, 80_000)) + 40)).toBeLessThan(0.7);
  });

  it("falls towards high frequencies where the first coefficient is negative", () => {
    const bands = bandsDb(noiseOf([40, reflectionOctet(-0.8)]));

    expect((bands[1] as number) - (bands[14] as number)).toBeGreaterThan(12);
  });

  it("is silent before the first payload, at level 127 and after a reset", () => {
    const made = generator();
    const output = new Int16Array(400).fill(9);
    made.generate(output);
    expect(output.every((sample) => sample === 0)).toBe(true);
    expect(made.levelDbov).toBe(-127);

    made.update(Uint8Array.of(30));
    made.generate(output);
    made.reset();
    made.generate(output);
    expect(output.every((sample) => sample === 0)).toBe(true);

    made.update(Uint8Array.of(127, 0, 0));
    made.generate(output);
    expect(output.every((sample) => sample === 0)).toBe(true);
  });

  it("glides to a new level: neither a jump nor a delay of more than 150 ms", () => {
    const made = generator();
    const tenMs = new Int16Array(80);
    made.update(Uint8Array.of(60));
    made.generate(new Int16Array(800));
    made.update(Uint8Array.of(40, 100));
    const levels = Array.from({ length: 20 }, () => {
      made.generate(tenMs);
      return levelDbov(tenMs);
    });

    expect(made.levelDbov).toBe(-40);
    expect(levels[0]).toBeLessThan(-50);
    expect(Math.abs((levels[15] as number) + 40)).toBeLessThan(2.5);
    expect(Math.abs((levels[19] as number) + 40)).toBeLessThan(2.5);
  });

  it("ignores an empty payload, and copes with any other (all octets, up to 64 of them)", () => {
    const made = generator();
    expect(made.update(new Uint8Array(0))).toBe(false);
    const random = seededRandom("payloads");
    const output = new Int16Array(160);
    for (let round = 0; round < 300; round += 1) {
      const length = 1 + Math.floor(random() * 64);
      const payload = Uint8Array.from({ length }, () => Math.floor(random() * 256));
      payload[0] = 128 + 30;
      expect(made.update(payload)).toBe(true);
      made.generate(output);
      expect(made.levelDbov).toBe(-30);
    }
    // Still alive and near its level after all that.
    made.update(Uint8Array.of(30));
    const settled = new Int16Array(16_000);
    made.generate(settled);
    expect(Math.abs(levelDbov(settled.subarray(8000)) + 30)).toBeLessThan(1);
  });
});

describe("ComfortNoiseAnalyser", () => {
  it.each([
    [500, -45],
    [1500, -60],
    [2800, -35],
  ])("and the generator give noise with a peak at %i Hz back", (frequencyHz, level) => {
    const original = colouredNoise(frequencyHz, level);
    const analyser = new ComfortNoiseAnalyser({ sampleRateHz });
    analyser.analyse(original);
    const payload = new Uint8Array(11);

    expect(analyser.write(payload)).toBe(11);
    const copy = noiseOf([...payload], 40_000);
    const wanted = bandsDb(original);
    const got = bandsDb(copy);
    const most = Math.max(...wanted);
    const gain = Math.max(...got) - most;
    const differences = wanted.map((band, index) => Math.abs((got[index] as number) - gain - band));
    const audible = differences.filter((_, index) => (wanted[index] as number) > most - 15);

    expect(Math.abs(levelDbov(copy) - level)).toBeLessThan(1.5);
    expect(audible.length).toBeGreaterThan(2);
    expect(Math.max(...audible)).toBeLessThan(4);
  });

  it("describes the last 160 ms only, in frames of any length", () => {
    const analyser = new ComfortNoiseAnalyser({ sampleRateHz });
    const payload = new Uint8Array(11);
    analyser.analyse(colouredNoise(500, -10));
    const background = colouredNoise(500, -50).subarray(0, 1280);
    for (let at = 0; at < background.length; at += 80) {
      analyser.analyse(background.subarray(at, at + 80));
    }
    analyser.write(payload);

    expect(Math.abs((payload[0] as number) - 50)).toBeLessThanOrEqual(1);
  });

  it("writes the level alone where it is asked to, and 127 for silence", () => {
    const analyser = new ComfortNoiseAnalyser({ sampleRateHz, order: 0 });
    const payload = new Uint8Array(11);
    expect(analyser.write(payload)).toBe(1);
    expect(payload[0]).toBe(127);
    analyser.analyse(new Int16Array(1600));
    expect(analyser.write(payload)).toBe(1);
    expect(payload[0]).toBe(127);
  });

  it("writes no more than there is room for", () => {
    const analyser = new ComfortNoiseAnalyser({ sampleRateHz });
    analyser.analyse(colouredNoise(500, -40));

    expect(analyser.write(new Uint8Array(4))).toBe(4);
  });
});
