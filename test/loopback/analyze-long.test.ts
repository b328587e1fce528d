import { expect, it } from "vitest";
import { analyseRecording, WavReader } from "../../src/analysis/index.ts";
import { inBlocks, interleaved, madeWav, speech } from "../unit/analysis/made-wav.ts";

const HOURS = 2;
const MINUTE_MS = 60_000;
const MB = 1_000_000;

/**
 * A question and its answer, once a minute; silence in between.
 * @yields the bytes of a WAV file as it is written to a pipe.
 */
async function* file(): AsyncGenerator<Uint8Array, void, undefined> {
  const left = speech([[5000, 7000]], MINUTE_MS, { seed: "left" });
  const right = speech([[7800, 11_000]], MINUTE_MS, { seed: "right" });
  const minute = interleaved(left, right);
  yield* inBlocks(madeWav({ data: new Uint8Array(0), statedBytes: 0xffff_ffff }));
  for (let count = 0; count < HOURS * 60; count += 1) yield* inBlocks(minute, minute.length);
}

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

// Beside the tests over real calls, because it takes as long as they do.
it("analyses hours in bounded memory, with every turn in its place", {
  timeout: 240_000,
}, async () => {
  const before = usedBytes();
  let most = 0;
  const reader = await WavReader.open(file(), "hours.wav");
  const { metrics } = await analyseRecording(
    { stereo: { name: "hours.wav", reader } },
    {
      onProgress: () => {
        most = Math.max(most, usedBytes());
      },
    },
  );

  expect(metrics.turns).toHaveLength(HOURS * 60);
  for (const [minute, { callerOffsetAt, responseLatencyMs = 0 }] of metrics.turns.entries()) {
    expect(Math.abs(callerOffsetAt - minute * MINUTE_MS - 7000)).toBeLessThan(6);
    expect(Math.abs(responseLatencyMs - 800)).toBeLessThan(8);
  }
  // As samples alone it has 230 MB, as floating point, as the detector takes it, 920 MB.
  expect((most - before) / MB).toBeLessThan(150);
});
