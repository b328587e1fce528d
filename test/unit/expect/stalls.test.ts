import { describe, expect, it } from "vitest";
import { TimeScaler } from "../../../src/audio/index.ts";
import type { WatchedCall } from "../../../src/call/index.ts";
import { instant } from "../../../src/environment/index.ts";
import {
  awaitSpeechEnd,
  expectGapsAtMost,
  expectHeldAtMost,
  expectNoCatchUp,
  expectStallAtMost,
  expectStallsAtLeast,
  expectStallsAtMost,
} from "../../../src/expect/index.ts";
import type { CallRecord } from "../../../src/measure/index.ts";
import type { FactOf } from "../../../src/timeline/index.ts";
import { voice } from "../quality/known-sound.ts";
import { codeOf, counted, recordedCall } from "./recorded-call.ts";

type Playout = FactOf<"playout">;

function playout(event: Playout["event"], atMs: number, more: Partial<Playout> = {}): Playout {
  const base = { kind: "playout", party: "bot", responseId: "r", playedMs: 800 } as const;
  return { ...base, event, at: instant(atMs), ...more };
}

/** Stalls of 300 and 100 ms; held back for 120 ms. */
const STALLING = [
  playout("started", 1200, { playedMs: 0, heldMs: 120 }),
  playout("underrun", 1500),
  playout("resumed", 1800),
  playout("underrun", 2000),
  playout("resumed", 2100),
  playout("ended", 2600, { playedMs: 1400 }),
];

describe("expectations of the bot's playout", () => {
  it("count its stalls and look at the longest", async () => {
    const call = recordedCall(STALLING);
    await expect(expectStallsAtMost(call, 2)).resolves.toContain("found 2, the longest 300 ms");
    await expect(expectStallAtMost(call, 300)).resolves.toContain("expected ≤ 300 ms");
    expect(await codeOf(expectStallsAtMost(call, 1))).toBe("ERR_SPEECH_STALLED");
    expect(await codeOf(expectStallAtMost(call, 299))).toBe("ERR_SPEECH_STALLED");
    await expect(expectStallsAtLeast(call, 2)).resolves.toContain("found 2");
    expect(await codeOf(expectStallsAtLeast(call, 3))).toBe("ERR_NETWORK_HARMLESS");
  });

  it("look at how long it was held back", async () => {
    const call = recordedCall(STALLING);
    await expect(expectHeldAtMost(call, 120)).resolves.toContain("at most 120 ms");
    expect(await codeOf(expectHeldAtMost(call, 119))).toBe("ERR_SPEECH_HELD");
  });

  it("decide nothing where our own side was not steady", async () => {
    const call = recordedCall([...STALLING, counted("bot", { departureJitterMs: 45 })]);
    await expect(expectStallsAtMost(call, 2)).resolves.toContain("found 2");
    expect(await codeOf(expectStallsAtMost(call, 1))).toBe("ERR_INSTRUMENT_UNHEALTHY");
  });

  it("need a bot of ours that spoke", async () => {
    const silent = recordedCall([]);
    for (const judge of [expectStallsAtMost, expectStallAtMost, expectHeldAtMost]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other reads better.
      expect(await codeOf(judge(silent, 9))).toBe("ERR_NOTHING_HEARD");
    }
    const foreign = recordedCall(STALLING, ["caller"]);
    expect(await codeOf(expectStallsAtMost(foreign, 9))).toBe("ERR_BOT_NOT_OURS");
    expect(await codeOf(awaitSpeechEnd(silent, 0))).toBe("ERR_NOTHING_HEARD");
    await expect(awaitSpeechEnd(recordedCall(STALLING), 0)).resolves.toBeUndefined();
  });
});

const RATE_HZ = 8000;

/** The caller hears `heard` 100 ms after the bot sent `sent`, but for what a test does to it. */
function heardCall(sent: Int16Array, heard: Int16Array, facts = STALLING): WatchedCall {
  const call = recordedCall(facts);
  const record = call.record.bind(call);
  const side = { sampleRateHz: RATE_HZ, startedAt: instant(1000) };
  call.record = async (): Promise<CallRecord> => {
    const known = await record();
    const left = new Int16Array(heard.length);
    return {
      ...known,
      audio: { ...side, startedAt: instant(1100), left, right: heard },
      botAudio: { ...side, left: new Int16Array(sent.length), right: sent },
    };
  };
  return call;
}

describe("expectations of what the caller heard of it", () => {
  const sent = voice("bot/long", RATE_HZ);

  it("measure what was cut out", async () => {
    await expect(expectGapsAtMost(heardCall(sent, sent), 50)).resolves.toContain("heard");
    const cut = sent.map((value, index) => (index % 8000 < 800 ? 0 : value));
    expect(await codeOf(expectGapsAtMost(heardCall(sent, cut), 50))).toBe("ERR_SPEECH_STALLED");
    const silent = new Int16Array(sent.length);
    expect(await codeOf(expectGapsAtMost(heardCall(sent, silent), 50))).toBe("ERR_NOTHING_HEARD");
  });

  it("find speech that hurries after a stall", async () => {
    await expect(expectNoCatchUp(heardCall(sent, sent))).resolves.toContain("found 0");
    const hurried = hurriedFrom(sent, 5, 8);
    const stalled = [...STALLING, playout("underrun", 5400), playout("resumed", 5900)];
    expect(await codeOf(expectNoCatchUp(heardCall(sent, hurried, stalled)))).toBe(
      "ERR_SPEECH_HURRIED",
    );
    // Hurried, but not because of a stall.
    await expect(expectNoCatchUp(heardCall(sent, hurried))).resolves.toContain("found 0");
  });
});

/** A tenth faster between these seconds. */
function hurriedFrom(samples: Int16Array, fromS: number, toS: number): Int16Array {
  const scaler = new TimeScaler({ sampleRateHz: RATE_HZ });
  const heard: number[] = [];
  let due = 0;
  for (let at = 0; at < samples.length; at += 160) {
    const frame = samples.slice(at, at + 160);
    const isHurried = at >= fromS * RATE_HZ && at < toS * RATE_HZ;
    due = isHurried ? due + 16 : 0;
    const length = isHurried ? scaler.shorten(frame, due) : frame.length;
    due -= frame.length - length;
    heard.push(...frame.subarray(0, length));
  }
  return Int16Array.from(heard);
}
