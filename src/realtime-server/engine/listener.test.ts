import { describe, expect, it } from "vitest";
import { InputBuffer } from "./input-buffer.ts";
import { Listener, type ListenerEvent } from "./listener.ts";

const RATE_HZ = 8000;
const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500, minSpeechMs: 30 };

function level(ms: number, amplitude: number): Int16Array {
  return Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, index) => {
    return index % 2 === 0 ? amplitude : -amplitude;
  });
}

function appendAll(listener: Listener, ...parts: readonly Int16Array[]): ListenerEvent[] {
  return parts.flatMap((part) => {
    const events: ListenerEvent[] = [];
    for (let at = 0; at < part.length; at += 160) {
      events.push(...listener.append(part.subarray(at, at + 160)));
    }
    return events;
  });
}

describe("Listener", () => {
  it("tells a turn's times with prefix and silence, and cuts its audio out", () => {
    const listener = new Listener(RATE_HZ, DETECTION);

    const events = appendAll(listener, level(2000, 0), level(600, 5000), level(700, 0));

    expect(events).toMatchObject([
      { kind: "started", audioMs: 1700 },
      { kind: "paused", audioMs: 2850, speechEndMs: 2600 },
      { kind: "stopped", audioMs: 3100, speechEndMs: 2600 },
    ]);
    const [, paused, stopped] = events;
    if (paused?.kind !== "paused" || stopped?.kind !== "stopped") throw new Error("not reached");
    expect(paused.turn.speech).toEqual(stopped.turn.speech);
    expect(stopped.turn.samples).toHaveLength(1400 * 8);
    expect(stopped.turn.speech).toHaveLength(700 * 8);
    expect(Array.from(stopped.turn.speech.subarray(0, 400)).every((each) => each === 0)).toBe(true);
    expect(stopped.turn.speech[400]).toBe(5000);
  });

  it("keeps only what may still be needed while there is silence", () => {
    const listener = new Listener(RATE_HZ, DETECTION);

    appendAll(listener, level(20_000, 0));

    expect(listener.pendingMs).toBe(300);
  });

  it("keeps everything for the client to commit where it finds no turns itself", () => {
    const listener = new Listener(RATE_HZ, undefined);

    const events = appendAll(listener, level(300, 0), level(400, 5000), level(300, 0));

    expect(events).toEqual([]);
    expect(listener.pendingMs).toBe(1000);
    expect(listener.commit().speech).toHaveLength(500 * 8);
    expect(listener.pendingMs).toBe(0);
  });

  it("counts audio time on through a change of format", () => {
    const listener = new Listener(RATE_HZ, DETECTION);
    appendAll(listener, level(1000, 0));

    listener.configure(16_000, DETECTION);
    // 8 kHz samples taken for 16 kHz: half as long.
    const events = appendAll(listener, level(2000, 0), level(1200, 5000));

    expect(events).toMatchObject([{ kind: "started", audioMs: 1700 }]);
  });

  it("forgets a turn under way when it is cleared", () => {
    const listener = new Listener(RATE_HZ, DETECTION);
    appendAll(listener, level(500, 0), level(400, 5000));

    listener.clear();

    expect(appendAll(listener, level(900, 0))).toEqual([]);
  });
});

describe("InputBuffer", () => {
  it("addresses samples since the beginning, whatever was let go of", () => {
    const buffer = new InputBuffer(RATE_HZ);
    for (let block = 0; block < 1000; block += 1) {
      buffer.append(new Int16Array(160).fill(block));
      buffer.discardBefore(buffer.endSample - 800);
    }

    expect(buffer.endSample).toBe(160_000);
    expect(buffer.startSample).toBe(159_200);
    expect([...new Set(buffer.slice(0, 160_000))]).toEqual([995, 996, 997, 998, 999]);
  });

  it("keeps two minutes at most", () => {
    const buffer = new InputBuffer(RATE_HZ);
    for (let second = 0; second < 130; second += 1) buffer.append(new Int16Array(RATE_HZ));

    expect(buffer.endSample - buffer.startSample).toBe(120 * RATE_HZ);
  });
});
