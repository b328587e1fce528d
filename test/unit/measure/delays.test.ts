import { beforeAll, describe, expect, it } from "vitest";
import { findEcho, type PlacedAudio, resample, trackDelay } from "../../../src/audio/index.ts";
import { loadCodecs } from "../../../src/codec/index.ts";
import { type Random, seededRandom } from "../../../src/environment/index.ts";
import { delayRuns, driftOf } from "../../../src/measure/delay-runs.ts";
import { quantile } from "../../../src/measure/index.ts";
import {
  DELAY_BOUND_COVERED,
  DELAY_BOUND_P95_MS,
  DELAY_GOAL_P95_MS,
  DELAY_ROWS,
  type InjuredCall,
  type LineInjuries,
  measureDelayRow,
  overInjuredLine,
} from "../../../src/testing/index.ts";
import { speechOf, voicesOf } from "./fixture-voices.ts";

/** Printed with every test, so that a run can be had again. */
const SEED = "delay-1";
type Line = Omit<LineInjuries, "seed">;

const G711: Line = { codec: "PCMU", sentHz: 8000, heardHz: 8000 };
const BAD = { snrDb: 10, loss: 0.1 } as const;
beforeAll(async () => {
  await loadCodecs(["opus", "G722"]);
});

function callOver(line: Line, seconds: number = 30): InjuredCall {
  return overInjuredLine(speechOf("bot", seconds, line.sentHz), { ...line, seed: SEED });
}

describe("the delay of speech over an injured line", () => {
  // `npm run bench:accuracy` prints the same for all voices.
  it.each(DELAY_ROWS)(`is found on $name (seed ${SEED})`, (row) => {
    const voices = voicesOf("bot").slice(0, 5);
    const { errorsMs, missed, coveredRatio } = measureDelayRow(row, voices, SEED);
    const p95 = quantile(
      errorsMs.toSorted((a, b) => a - b),
      0.95,
    );

    expect(errorsMs.length).toBeGreaterThan(12);
    expect(missed).toBeLessThanOrEqual(3);
    expect(DELAY_BOUND_P95_MS).toBeLessThanOrEqual(DELAY_GOAL_P95_MS);
    expect(p95).toBeLessThanOrEqual(DELAY_BOUND_P95_MS);
    expect(coveredRatio).toBeGreaterThanOrEqual(DELAY_BOUND_COVERED);
  });

  it("steps with the jitter buffer's target, in runs", () => {
    const call = callOver({
      ...G711,
      step: { fromMs: 15_000, byMs: 90 },
      buffer: { kind: "adaptive" },
    });
    const { delays } = trackDelay(call.sent, call.heard);
    const runs = delayRuns(delays);
    const [before, between, after] = [runs[0], runs[1], runs.at(-1)];

    // At the step the buffer ran dry: it concealed, and hears later by so much. (60 ms were
    // concealed at the end of the stream.) Then it stretched pauses up to its new target.
    const stoodMs = (between?.medianMs ?? 0) - (before?.medianMs ?? 0);
    const stretchedMs = (after?.medianMs ?? 0) - (between?.medianMs ?? 0);
    expect(Math.abs(stoodMs - (call.concealedMs - 60))).toBeLessThan(0.1);
    expect(stretchedMs).toBeGreaterThan(20);
    expect(Math.abs(stretchedMs - (call.movedMs.at(-1) ?? 0))).toBeLessThan(0.1);
    expect(runs.length).toBeLessThanOrEqual(4);
  });

  it("says nothing of what is not there", () => {
    const { sent } = callOver(G711);
    const other = { ...sent, samples: speechOf("caller", 30, 8000) };
    const random = seededRandom(SEED);
    const noise = { ...sent, samples: sent.samples.map(() => 300 * gaussian(random)) };

    for (const heard of [other, noise, { ...sent, samples: new Int16Array(240_000) }]) {
      const { delays, unsureWindows } = trackDelay(sent, heard);
      expect(delays).toEqual([]);
      expect(unsureWindows).toBeGreaterThan(8);
    }
  });

  it.each([11_025, 22_050, 44_100])("is found in a recording of %i Hz", (sampleRateHz) => {
    const samples = resample(speechOf("bot", 6, 48_000), 48_000, sampleRateHz);
    const sent = { samples: speechOf("bot", 6, 8000), sampleRateHz: 8000, startMs: 0 };
    const { delays } = trackDelay(sent, { samples, sampleRateHz, startMs: 33.3 });

    expect(delays.length).toBeGreaterThan(3);
    for (const { delayMs } of delays) expect(Math.abs(delayMs - 33.3)).toBeLessThan(0.1);
  });

  it("is found again where it was lost for a while", () => {
    const { sent } = callOver(G711, 60);
    const samples = sent.samples.slice();
    samples.set(speechOf("caller", 20, 8000), 20 * 8000);
    const { delays, unsureWindows } = trackDelay(sent, { ...sent, samples });
    const after = delays.filter(({ atMs }) => atMs > sent.startMs + 49_000);

    expect(unsureWindows).toBeGreaterThan(8);
    expect(unsureWindows).toBeLessThan(20);
    expect(after.length).toBeGreaterThan(8);
    for (const { delayMs } of delays) expect(Math.abs(delayMs)).toBeLessThan(0.1);
  });

  it("takes silence for silence, and nothing for nothing", () => {
    const silent = { samples: new Int16Array(80_000), sampleRateHz: 8000, startMs: 0 };
    const empty = { ...silent, samples: new Int16Array(0) };

    expect(trackDelay(silent, silent)).toMatchObject({ delays: [], unsureWindows: 0 });
    expect(trackDelay(empty, silent)).toMatchObject({ delays: [], unsureWindows: 0 });
    expect(trackDelay(callOver(G711, 3).sent, empty).delays).toEqual([]);
  });

  it.each([0.4, 37.3, 512.6, 1800.9])("finds %d ms, and the same ms before", (delayMs) => {
    const samples = speechOf("bot", 12, 48_000);
    const sent = { samples, sampleRateHz: 48_000, startMs: 5000.25 };
    const heard = shifted(sent, delayMs);
    const { delays } = trackDelay(sent, heard, { leastMs: -100, mostMs: 2000 });

    expect(delays.length).toBeGreaterThan(8);
    for (const each of delays) expect(Math.abs(each.delayMs - delayMs)).toBeLessThan(0.02);
  });
});

describe("the drift of one clock against the other", () => {
  it.each([0, 20, -100, 500])(`is %i ppm (seed ${SEED})`, (ppm) => {
    const call = callOver({ ...G711, ...BAD }, 60);
    const { samples } = call.heard;
    // The hearer's clock is fast by so much: it takes more samples for the same sound.
    const stretched = new Int16Array(samples.length);
    const cleanly = (at: number): number => {
      const whole = Math.floor(at);
      const [a = 0, b = 0] = [samples[whole], samples[whole + 1]];
      return a + (at - whole) * (b - a);
    };
    for (let index = 0; index < stretched.length; index += 1) {
      stretched[index] = cleanly(index / (1 + ppm / 1e6));
    }
    const { delays } = trackDelay(call.sent, { ...call.heard, samples: stretched });
    const drift = driftOf(delayRuns(delays));

    expect(Math.abs((drift?.ppm ?? Number.NaN) - ppm)).toBeLessThan(3);
    expect(drift?.uncertaintyPpm).toBeLessThan(3);
  });

  it("is not told from a few seconds", () => {
    const call = callOver(G711, 6);
    expect(driftOf(delayRuns(trackDelay(call.sent, call.heard).delays))).toBeUndefined();
  });
});

describe("an echo", () => {
  it.each([6, 25])("that is %i dB quieter is found under the other side's speech", (lossDb) => {
    const { sent } = callOver(G711, 40);
    const other = speechOf("caller", 40, 8000);
    expectEcho(sent, withEcho(other, sent.samples, { lossDb, delayMs: 180 }), lossDb);
  });

  it.each([6, 25, 45])("that is %i dB quieter is found where the other is silent", (lossDb) => {
    const { sent } = callOver(G711, 40);
    const other = speechOf("caller", 40, 8000);
    for (let second = 0; second < 40; second += 8) {
      other.fill(0, second * 8000, (second + 4) * 8000);
    }
    expectEcho(sent, withEcho(other, sent.samples, { lossDb, delayMs: 180 }), lossDb);
  });

  it("is not found where there is none, nor below the floor", () => {
    const { sent } = callOver(G711, 40);
    const other = speechOf("caller", 40, 8000);

    expect(findEcho(sent, { ...sent, samples: other })).toBeUndefined();
    const faint = withEcho(other, sent.samples, { lossDb: 80, delayMs: 180 });
    expect(findEcho(sent, { ...sent, samples: faint })).toBeUndefined();
  });
});

function expectEcho(sent: PlacedAudio, samples: Int16Array, lossDb: number): void {
  const echo = findEcho(sent, { ...sent, samples });
  expect(Math.abs((echo?.delayMs ?? Number.NaN) - 180)).toBeLessThan(0.5);
  expect(Math.abs((echo?.lossDb ?? Number.NaN) - lossDb)).toBeLessThan(1.5);
}

/** One sample of Gaussian noise of variance 1. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The same, later on its clock; by whole samples in the array, by the rest in its start. */
function shifted(audio: PlacedAudio, byMs: number): PlacedAudio {
  const samples = Math.floor((byMs * audio.sampleRateHz) / 1000);
  const later = new Int16Array(audio.samples.length + samples);
  later.set(audio.samples, samples);
  const restMs = byMs - (samples * 1000) / audio.sampleRateHz;
  return {
    samples: resample(later, audio.sampleRateHz, 8000),
    sampleRateHz: 8000,
    startMs: audio.startMs + restMs,
  };
}

function withEcho(
  heard: Int16Array,
  sent: Int16Array,
  { lossDb, delayMs }: { readonly lossDb: number; readonly delayMs: number },
): Int16Array {
  const gain = 10 ** (-lossDb / 20);
  const late = delayMs * 8;
  return heard.map((sample, index) => Math.round(sample + gain * (sent[index - late] ?? 0)));
}
