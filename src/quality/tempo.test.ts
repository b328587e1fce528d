import { describe, expect, it } from "vitest";
import {
  joined,
  mixed,
  muted,
  noise,
  silence,
  voice,
} from "../../test/unit/quality/known-sound.ts";
import { TimeScaler } from "../audio/index.ts";
import { findTempoChanges, type TempoChange } from "./tempo.ts";

const FROM_S = 4;
const TO_S = 7;
const RATES = [8000, 16_000] as const;

/** Speech that is hurried (or stretched, below 0) by a share between 4 and 7 s; and what came of it. */
function scaled(rate: number, share: number): { sound: Int16Array; shiftMs: number } {
  const speech = voice("bot/long", rate);
  const scaler = new TimeScaler({ sampleRateHz: rate });
  const frame = rate / 25;
  const parts = [speech.slice(0, FROM_S * rate)];
  let due = 0;
  let shift = 0;
  for (let at = FROM_S * rate; at < TO_S * rate; at += frame) {
    due += Math.round(frame * Math.abs(share));
    const part = speech.slice(at, at + frame);
    const output = new Int16Array(frame + due);
    const length = share > 0 ? scaler.shorten(part, due) : scaler.lengthen(part, output, due);
    due -= Math.abs(length - frame);
    shift += length - frame;
    parts.push((share > 0 ? part : output).slice(0, length));
  }
  return {
    sound: joined(...parts, speech.slice(TO_S * rate)),
    shiftMs: (shift * 1000) / rate,
  };
}

function changesOf(heard: Int16Array, rate: number, delayMs = 80): TempoChange[] {
  const sent = { samples: voice("bot/long", rate), sampleRateHz: rate, startMs: 1000 };
  const late = joined(silence(Math.round((delayMs * rate) / 1000)), heard);
  return findTempoChanges(sent, { samples: late, sampleRateHz: rate, startMs: 1000 }, [
    { atMs: 1500, delayMs },
  ]);
}

describe("tempo", () => {
  it.each(RATES)("is found where speech is hurried by a tenth at %i Hz", (rate) => {
    const { sound, shiftMs } = scaled(rate, 0.1);
    const changes = changesOf(sound, rate);
    const total = changes.reduce((sum, each) => sum + each.shiftMs, 0);
    expect(shiftMs).toBeLessThan(-150);
    expect(Math.abs(total - shiftMs)).toBeLessThan(0.35 * Math.abs(shiftMs));
    for (const { fromMs, toMs, ratio } of changes) {
      expect(fromMs).toBeGreaterThan(1000 + 1000 * FROM_S - 300);
      expect(toMs).toBeLessThan(1000 + 1000 * TO_S + 300);
      expect(ratio).toBeGreaterThan(1.03);
      expect(ratio).toBeLessThan(1.25);
    }
  });

  it("is found where speech is stretched", () => {
    const { sound, shiftMs } = scaled(8000, -0.1);
    const changes = changesOf(sound, 8000);
    const total = changes.reduce((sum, each) => sum + each.shiftMs, 0);
    expect(shiftMs).toBeGreaterThan(150);
    expect(Math.abs(total - shiftMs)).toBeLessThan(0.35 * shiftMs);
    for (const { ratio } of changes) expect(ratio).toBeLessThan(0.97);
  });

  it.each(RATES)("does not change by delay, noise, loss, a jump, or drift at %i Hz", (rate) => {
    const speech = voice("bot/long", rate);
    const jump = joined(speech.slice(0, 5 * rate), silence(rate / 20), speech.slice(5 * rate));
    const drifting = speech.filter((_, index) => index % 5000 !== 4999);
    const lossy = [2, 3.3, 5.1, 8].reduce(
      (sound, at) => muted(sound, at * rate, rate / 25),
      speech,
    );
    for (const heard of [
      speech,
      mixed(speech, noise(speech.length, -40, "tempo")),
      lossy,
      jump,
      drifting,
    ]) {
      expect(changesOf(heard, rate)).toEqual([]);
    }
  });

  it("is not guessed where no delay is known, or nothing is the same", () => {
    const speech = { samples: voice("bot/long", 8000), sampleRateHz: 8000, startMs: 0 };
    expect(findTempoChanges(speech, speech, [])).toEqual([]);
    const other = { samples: noise(96_000, -20, "other"), sampleRateHz: 8000, startMs: 0 };
    expect(findTempoChanges(speech, other, [{ atMs: 0, delayMs: 0 }])).toEqual([]);
  });
});
