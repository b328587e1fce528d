import { describe, expect, it } from "vitest";
import {
  coded,
  joined,
  mixed,
  noise,
  silence,
  voice,
} from "../../test/unit/quality/known-sound.ts";
import { syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { PCMU } from "../codec/index.ts";
import type { CallRecord } from "./call-record.ts";
import { measureListening, withListening } from "./listening.ts";
import { measureCall } from "./measure-call.ts";

const RATE = 8000;
const SENT = joined(
  silence(RATE),
  voice("bot/greeting", RATE),
  silence(3 * RATE),
  voice("bot/breakfast", RATE),
  silence(RATE),
);

/** A call in which the bot sent `SENT` and the caller heard this. */
function callHearing(heard: Int16Array): CallRecord {
  const plain = syntheticCall({ endMs: 1000, utterances: [], responses: [] });
  if (plain.audio === undefined || plain.botAudio === undefined) throw new Error("it is recorded");
  return {
    ...plain,
    audio: { ...plain.audio, left: silence(heard.length), right: heard },
    botAudio: { ...plain.botAudio, left: silence(SENT.length), right: SENT },
  };
}

/** 90 ms later, as after a network and a jitter buffer. */
function delayed(sound: Int16Array): Int16Array {
  return joined(silence(720), sound);
}

describe("the listening quality of a call", () => {
  it("is near 5 where the caller heard what the bot sent", () => {
    const found = measureListening(callHearing(delayed(SENT)));
    expect(found?.mosLqo).toBeGreaterThan(4.9);
    expect(found?.stretches).toHaveLength(2);
    expect(Math.abs((found?.comparedMs ?? 0) - 7400)).toBeLessThan(300);
  });

  it("falls by coding and noise, and names the stretch that was worst", () => {
    const clean = measureListening(callHearing(delayed(coded(SENT, PCMU))));
    const noisy = mixed(SENT, joined(silence(6 * RATE), noise(SENT.length, -35, "late")));
    const heard = measureListening(callHearing(delayed(coded(noisy, PCMU))));
    const [first, second] = heard?.stretches ?? [];
    expect(clean?.mosLqo).toBeGreaterThan(3.8);
    expect(heard?.mosLqo).toBeLessThan((clean?.mosLqo ?? 0) - 0.5);
    expect(second?.mosLqo).toBeLessThan((first?.mosLqo ?? 0) - 1);
    expect(heard?.lowestMosLqo).toBe(second?.mosLqo);
  });

  it("is missing where one end was not recorded, or nothing was said", () => {
    const { botAudio, ...heardOnly } = callHearing(delayed(SENT));
    expect(botAudio).toBeDefined();
    expect(measureListening(heardOnly)).toBeUndefined();
    const silent = syntheticCall({ endMs: 3000, utterances: [], responses: [] });
    expect(measureListening(silent)).toBeUndefined();
  });

  it("is no part of what steps measure, and stands beside it in a report", () => {
    const record = callHearing(delayed(SENT));
    const metrics = measureCall(record);
    expect(metrics.quality).not.toHaveProperty("listening");
    expect(withListening(metrics, record).quality?.listening?.mosLqo).toBeGreaterThan(4.9);
  });
});
