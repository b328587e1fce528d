// oxlint-disable unicorn/no-array-fill-with-reference-type -- an AudioSource is no array.
import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { LineEcho } from "./line-echo.ts";

const FRAME = 160;

/** What is sent in each tick of a line that hears `heard`, one frame per tick. */
function sent(heard: readonly Int16Array[], levelDb: number, delayMs: number): number[] {
  const echo = new LineEcho({ fill: (frame) => (frame.fill(0), false) }, { levelDb, delayMs });
  echo.begin({ sampleRateHz: 8000, frameMs: 20 });
  const all: number[] = [];
  for (const frame of heard) {
    const out = new Int16Array(FRAME);
    echo.fill(out, instant(0), instant(0));
    all.push(...out);
    echo.handleHeard(frame);
  }
  return all;
}

function frames(count: number, pulseAt: number): Int16Array[] {
  return Array.from({ length: count }, (_, index) => {
    const frame = new Int16Array(FRAME);
    const at = pulseAt - index * FRAME;
    if (at >= 0 && at < FRAME) frame[at] = 10_000;
    return frame;
  });
}

describe("LineEcho", () => {
  it.each([
    [0, 0],
    [40, 320],
    [33, 264],
    [1000, 8000],
  ])("gives back what is heard, %i ms later to the sample", (delayMs, samples) => {
    // What is heard from a tick on is sent in the tick after it, which is when it was spoken.
    const echo = sent(frames(60, 200), -20, delayMs);
    expect(echo.indexOf(1000)).toBe(200 + FRAME + samples);
    expect(echo.filter((sample) => sample !== 0)).toEqual([1000]);
  });

  it("adds it to what is said, and never wraps round", () => {
    const echo = new LineEcho(
      { fill: (frame) => (frame.fill(30_000), true) },
      { levelDb: 0, delayMs: 0 },
    );
    echo.begin({ sampleRateHz: 8000, frameMs: 20 });
    echo.handleHeard(new Int16Array(FRAME).fill(10_000));
    const out = new Int16Array(FRAME);
    expect(echo.fill(out, instant(0), instant(0))).toBe(true);
    expect(new Set(out)).toEqual(new Set([32_767]));
  });

  it("says whether there is anything to send", () => {
    const echo = new LineEcho(
      { fill: (frame) => (frame.fill(0), false) },
      { levelDb: -20, delayMs: 0 },
    );
    echo.begin({ sampleRateHz: 8000, frameMs: 20 });
    const out = new Int16Array(FRAME);
    expect(echo.fill(out, instant(0), instant(0))).toBe(false);
    echo.handleHeard(new Int16Array(FRAME).fill(1000));
    expect(echo.fill(out, instant(0), instant(0))).toBe(true);
  });
});
