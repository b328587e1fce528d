import { describe, expect, it } from "vitest";
import { tone } from "../audio/index.ts";
import { instant } from "../environment/index.ts";
import { InjectionBuffer, type PlayoutEvent } from "./injection-buffer.ts";
import type { PlayoutSettings } from "./playout-settings.ts";

const RATE_HZ = 8000;
const FRAME = 160;
/** A voiced sound: 100 Hz and its harmonics. */
const VOICE = voice(4000);

function voice(ms: number): Int16Array {
  const sounds = [100, 200, 300, 400].map((frequencyHz) =>
    tone({ frequencyHz, durationMs: ms, sampleRateHz: RATE_HZ, levelDbov: -20 }),
  );
  return Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, (_value, index) =>
    sounds.reduce((sum, sound) => sum + (sound[index] ?? 0), 0),
  );
}

/** One response of `VOICE`: pieces of it arrive at these instants; a frame leaves every 20 ms. */
function play(
  playout: PlayoutSettings,
  arrivals: readonly { readonly atMs: number; readonly ms: number }[],
  untilMs: number,
): { readonly heard: Int16Array; readonly events: PlayoutEvent[]; readonly speaking: boolean[] } {
  const buffer = new InjectionBuffer({ sampleRateHz: RATE_HZ, playout });
  const heard = new Int16Array((untilMs * RATE_HZ) / 1000);
  const speaking: boolean[] = [];
  let next = 0;
  let from = 0;
  for (let nowMs = 0; nowMs < untilMs; nowMs += 20) {
    for (; (arrivals[next]?.atMs ?? Infinity) <= nowMs; next += 1) {
      const { atMs, ms } = arrivals[next] as { atMs: number; ms: number };
      const count = (ms * RATE_HZ) / 1000;
      buffer.handleAudio("r", "i", VOICE.subarray(from, from + count), instant(atMs));
      from += count;
      if (next === arrivals.length - 1) buffer.handleResponseDone("r");
    }
    const frame = heard.subarray((nowMs * RATE_HZ) / 1000, (nowMs * RATE_HZ) / 1000 + FRAME);
    speaking.push(buffer.takeFrame(frame, instant(nowMs)));
  }
  const events: PlayoutEvent[] = [];
  for (let each = buffer.takeOutput(); each !== undefined; each = buffer.takeOutput()) {
    events.push(each);
  }
  const { receivedSamples, playedSamples, discardedSamples } = buffer.totals;
  expect(receivedSamples).toBe(playedSamples + discardedSamples);
  return { heard, events, speaking };
}

/** 100 ms at once, then nothing for 200 ms, then the rest as fast as it is spoken. */
const STALLED = [
  { atMs: 0, ms: 100 },
  { atMs: 300, ms: 100 },
  { atMs: 400, ms: 100 },
];

function types(events: readonly PlayoutEvent[]): string[] {
  return events.map(({ type, at }) => `${at} ${type}`);
}

function levelOf(samples: Int16Array, fromMs: number, toMs: number): number {
  const part = samples.subarray((fromMs * RATE_HZ) / 1000, (toMs * RATE_HZ) / 1000);
  return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
}

describe("InjectionBuffer's playout", () => {
  it("plays at once where nothing is said, and stalls", () => {
    const { events, heard } = play({}, STALLED, 700);
    expect(types(events)).toEqual(["0 started", "100 underrun", "300 resumed", "480 ended"]);
    expect(events[0]).toMatchObject({ heldMs: 0 });
    expect(events[2]).not.toHaveProperty("concealedMs");
    expect(levelOf(heard, 100, 300)).toBe(0);
  });

  it("holds a response back so long, and then does not stall", () => {
    const { events, speaking } = play({ preBuffer: { kind: "fixed", delayMs: 200 } }, STALLED, 700);
    expect(types(events)).toEqual(["200 started", "480 ended"]);
    expect(events[0]).toMatchObject({ heldMs: 200 });
    expect(speaking.slice(0, 10)).toEqual(Array(10).fill(false));
  });

  it("does not hold back what is complete", () => {
    const arrivals = [
      { atMs: 0, ms: 60 },
      { atMs: 35, ms: 60 },
    ];
    const { events } = play({ preBuffer: { kind: "fixed", delayMs: 200 } }, arrivals, 400);
    expect(types(events)).toEqual(["40 started", "140 ended"]);
    expect(events[0]).toMatchObject({ heldMs: 40 });
  });

  it("repeats the last sound into a stall, and fades within 60 ms", () => {
    const { events, heard, speaking } = play({ concealment: { kind: "repeat" } }, STALLED, 700);
    expect(types(events)).toEqual(["0 started", "100 underrun", "300 resumed", "480 ended"]);
    expect(events[2]).toMatchObject({ concealedMs: 60 });
    const full = levelOf(heard, 0, 100);
    expect(levelOf(heard, 100, 110)).toBeGreaterThan(0.8 * full);
    expect(levelOf(heard, 130, 160)).toBeLessThan(0.6 * full);
    expect(levelOf(heard, 160, 300)).toBe(0);
    expect(speaking.slice(4, 10)).toEqual([true, true, true, true, false, false]);
  });

  it("leaves sound as it came where nothing stalls, whatever conceals", () => {
    const whole = [{ atMs: 0, ms: 400 }];
    const { heard } = play({}, whole, 500);
    for (const kind of ["repeat", "stretch"] as const) {
      expect(play({ concealment: { kind } }, whole, 500).heard).toEqual(heard);
    }
  });

  it("speaks slower while little is there, so that stalls are shorter, and says by how much", () => {
    const paced = Array.from({ length: 20 }, (_value, index) => ({ atMs: index * 100, ms: 100 }));
    // One piece and all behind it is 60 ms late.
    const late = paced.map((each, index) =>
      index < 12 ? each : { ...each, atMs: each.atMs + 60 },
    );
    const stalls = (settings: PlayoutSettings): number =>
      play(settings, late, 2600).events.filter(({ type }) => type === "underrun").length;
    expect(stalls({})).toBe(1);
    expect(stalls({ concealment: { kind: "stretch" } })).toBe(0);
    const { events, heard } = play({ concealment: { kind: "stretch" } }, late, 2600);
    const end = events.at(-1);
    expect(end?.type).toBe("ended");
    expect(end?.playedMs).toBe(2000);
    expect(end?.stretchedMs).toBeGreaterThanOrEqual(60);
    expect(end?.stretchedMs).toBeLessThanOrEqual(0.2 * 2000);
    // All of it is heard: what is played and what it grew by.
    const sounding = heard.findLastIndex((value) => value !== 0) / (RATE_HZ / 1000);
    expect(sounding).toBeCloseTo(2000 + (end?.stretchedMs ?? 0), -1);
    expect(end?.at).toBeGreaterThanOrEqual(sounding - 20);
  });

  it("forgets slower speech that was not played when it is flushed", () => {
    const buffer = new InjectionBuffer({
      sampleRateHz: RATE_HZ,
      playout: { concealment: { kind: "stretch" } },
    });
    buffer.handleAudio("r", "i", VOICE.subarray(0, 480), instant(0));
    const frame = new Int16Array(FRAME);
    buffer.takeFrame(frame, instant(0));
    buffer.flush(instant(5));
    expect(buffer.takeFrame(frame, instant(20))).toBe(false);
    expect(frame.every((value) => value === 0)).toBe(true);
    expect(buffer.totals.bufferedSamples).toBe(0);
  });
});
