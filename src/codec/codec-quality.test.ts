import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeWav, levelDbov, resample, tone } from "../audio/index.ts";
import { type Codec, G722, L16_8000, L16_16000, loadCodecs, OPUS, PCMA, PCMU } from "./index.ts";

const SPEECH = ["bot/greeting", "caller/tell-me-about-the-hotel"].map((name) => {
  const file = new URL(`../../fixtures/voices/${name}.wav`, import.meta.url);
  const { channels, sampleRateHz } = decodeWav(readFileSync(file));
  return { samples: channels[0] as Int16Array, sampleRateHz };
});

beforeAll(async () => {
  await loadCodecs(["opus"]);
});

/** Signal to noise in dB, and how far the level may move, measured and rounded down. */
describe.each([
  { codec: PCMU, toneDb: 35, speechDb: 36, levelDb: 0.1 },
  { codec: PCMA, toneDb: 35, speechDb: 36, levelDb: 0.1 },
  { codec: G722, toneDb: 34, speechDb: 27, levelDb: 0.1 },
  { codec: L16_8000, toneDb: 200, speechDb: 200, levelDb: 0 },
  { codec: L16_16000, toneDb: 200, speechDb: 200, levelDb: 0 },
  { codec: OPUS, toneDb: 10, speechDb: 6, levelDb: 0.5 },
])("$codec.id", ({ codec, toneDb, speechDb, levelDb }) => {
  it(`gives back a tone of 1 kHz at ${toneDb} dB`, () => {
    const samples = tone({ frequencyHz: 1000, durationMs: 1000, sampleRateHz: codec.sampleRateHz });

    expect(qualityThrough(codec, samples).snrDb).toBeGreaterThan(toneDb);
  });

  it(`gives back speech at ${speechDb} dB, at its level and as late as it says`, () => {
    for (const { samples, sampleRateHz } of SPEECH) {
      const own =
        sampleRateHz === codec.sampleRateHz
          ? samples
          : resample(samples, sampleRateHz, codec.sampleRateHz);
      const quality = qualityThrough(codec, own);

      expect(quality.snrDb).toBeGreaterThan(speechDb);
      expect(Math.abs(quality.levelChangeDb)).toBeLessThanOrEqual(levelDb);
      expect(Math.abs(quality.delayMs - quality.lookaheadMs)).toBeLessThan(0.3);
    }
  });
});

interface Quality {
  readonly snrDb: number;
  readonly levelChangeDb: number;
  readonly delayMs: number;
  readonly lookaheadMs: number;
}

function qualityThrough(codec: Codec, samples: Int16Array): Quality {
  const encoder = codec.createEncoder({ ptimeMs: 20 });
  const decoder = codec.createDecoder();
  const frame = codec.sampleRateHz / 50;
  const payload = new Uint8Array(1500);
  const output = new Int16Array(Math.floor(samples.length / frame) * frame);
  for (let at = 0; at < output.length; at += frame) {
    const bytes = encoder.encode(samples.subarray(at, at + frame), payload);
    decoder.decode(payload.subarray(0, bytes), output.subarray(at, at + frame));
  }
  const { lookaheadMs } = encoder;
  encoder.release();
  decoder.release();
  const likeness = likenessByLag(samples, output);
  const lag = likeness.indexOf(Math.max(...likeness));
  const late = output.subarray(lag);
  return {
    lookaheadMs,
    delayMs: (lag * 1000) / codec.sampleRateHz,
    levelChangeDb: levelDbov(late) - levelDbov(samples.subarray(0, late.length)),
    snrDb: snrDb(samples, late),
  };
}

/** Correlation of `output` with `input` by its delay in samples, up to 8 ms of 24 kHz. */
function likenessByLag(input: Int16Array, output: Int16Array): number[] {
  return Array.from({ length: 192 }, (_, lag) => {
    let sum = 0;
    for (let index = 0; index + lag < output.length; index += 1) {
      sum += (input[index] as number) * (output[index + lag] as number);
    }
    return sum;
  });
}

function snrDb(clean: Int16Array, noisy: Int16Array): number {
  let signal = 0;
  let error = 0;
  for (let index = 0; index < noisy.length; index += 1) {
    signal += (clean[index] as number) ** 2;
    error += ((clean[index] as number) - (noisy[index] as number)) ** 2;
  }
  return 10 * Math.log10(signal / error);
}
