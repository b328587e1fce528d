import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeWav, resample } from "../audio/index.ts";
import { instant } from "../environment/index.ts";
import { LocalBargeIn, type LocalBargeInOptions } from "./local-barge-in.ts";

const FRAME = 160;

function voice(name: string): Int16Array {
  const url = new URL(`../../fixtures/voices/${name}.wav`, import.meta.url);
  const { channels, sampleRateHz } = decodeWav(readFileSync(url));
  return resample(channels[0] as Int16Array, sampleRateHz, 8000);
}

const LONG = voice("bot/long");
const WORDS = voice("caller/excuse-me-may-i-ask-something");

function scaled(samples: Int16Array, db: number): Int16Array {
  return samples.map((sample) => sample * 10 ** (db / 20));
}

/** Where (ms) the caller was found in `line`, while the bot says `said`. */
function found(said: Int16Array, line: Int16Array, options: LocalBargeInOptions = {}): number[] {
  const detector = new LocalBargeIn(8000, options);
  const hits: number[] = [];
  for (let from = 0; from + FRAME <= line.length; from += FRAME) {
    const now = instant(from / 8);
    detector.handleBotAudio(said.subarray(from, from + FRAME), now);
    const spokenMs = detector.handleCallerAudio(line.subarray(from, from + FRAME), now);
    if (spokenMs !== undefined) hits.push(from / 8);
  }
  return hits;
}

function delayed(samples: Int16Array, ms: number, length: number): Int16Array {
  const line = new Int16Array(length);
  line.set(samples.subarray(0, Math.max(0, length - ms * 8)), ms * 8);
  return line;
}

function mixed(left: Int16Array, right: Int16Array): Int16Array {
  return left.map((sample, index) => sample + (right[index] ?? 0));
}

const SAID = LONG.subarray(0, 8 * 9000);
const SILENCE = new Int16Array(SAID.length);

describe("LocalBargeIn", () => {
  it("finds a caller who speaks over the bot, soon after the first words", () => {
    const [first] = found(SAID, mixed(SILENCE, delayed(WORDS, 3000, SAID.length)));
    expect(first).toBeGreaterThan(3100);
    expect(first).toBeLessThan(3500);
  });

  it.each([
    [-20, 40],
    [-20, 250],
    [-26, 500],
    [-16, 80],
  ])("takes no echo of %i dB after %i ms for the caller", (db, ms) => {
    expect(found(SAID, delayed(scaled(SAID, db), ms, SAID.length))).toEqual([]);
  });

  it("finds the caller beside an echo", () => {
    const echo = delayed(scaled(SAID, -20), 40, SAID.length);
    const [first] = found(SAID, mixed(echo, delayed(WORDS, 3000, SAID.length)));
    expect(first).toBeGreaterThan(3000);
    expect(first).toBeLessThan(3600);
  });

  it("would take an echo as loud as the bot for the caller, as it must", () => {
    expect(found(SAID, delayed(SAID, 40, SAID.length)).length).toBeGreaterThan(0);
  });

  it("would take any echo for the caller if it did not listen to the bot", () => {
    const echo = delayed(scaled(SAID, -20), 40, SAID.length);
    expect(found(SILENCE, echo).length).toBeGreaterThan(0);
    expect(found(SAID, echo, { echoLossDb: 60 }).length).toBeGreaterThan(0);
  });

  it("takes neither clicks nor the noise of a line for the caller", () => {
    const clicks = SILENCE.map((_, index) => (index % 4000 < 200 ? 8000 : 0));
    expect(found(SILENCE, clicks)).toEqual([]);
    let seed = 1;
    const noise = SILENCE.map(() => {
      seed = (seed * 16_807) % 2_147_483_647;
      return (seed / 2_147_483_647 - 0.5) * 200;
    });
    expect(found(SILENCE, noise)).toEqual([]);
  });
});
