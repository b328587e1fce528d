import { describe, expect, it } from "vitest";
import {
  type AnalysisOptions,
  analyseRecording,
  type RecordingFile,
  WavReader,
} from "../../../src/analysis/index.ts";
import { isSidetoneError } from "../../../src/environment/index.ts";
import { inBlocks, interleaved, madeWav, speech } from "./made-wav.ts";

const LENGTH_MS = 20_000;
/** The bot greets; answers 700 ms after the caller; is broken in upon at 9,000; answers again. */
const BOT: readonly (readonly [number, number])[] = [
  [500, 2500],
  [5700, 9450],
  [11_900, 14_000],
];
const CALLER: readonly (readonly [number, number])[] = [
  [3000, 4000],
  [4500, 5000],
  [9000, 11_200],
];

async function file(bytes: Uint8Array, name = "call.wav"): Promise<RecordingFile> {
  return { name, reader: await WavReader.open(inBlocks(bytes), name) };
}

function mono(samples: Int16Array, sampleRateHz = 8000): Uint8Array {
  return madeWav({ channels: 1, sampleRateHz, data: new Uint8Array(samples.buffer) });
}

function side(spans: typeof BOT, sampleRateHz = 8000, lengthMs = LENGTH_MS): Int16Array {
  return speech(spans, lengthMs, {
    sampleRateHz,
    seed: String(spans.length + (spans[0]?.[0] ?? 0)),
  });
}

async function stereo(options: AnalysisOptions = {}, left = side(CALLER), right = side(BOT)) {
  return analyseRecording(
    { stereo: await file(madeWav({ data: interleaved(left, right) })) },
    options,
  );
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "none";
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    return error.code;
  }
}

/** Finds what it is told to, whatever it hears. */
function finding(found: unknown): AnalysisOptions {
  const detector = { push: () => undefined, finish: () => Promise.resolve(found as never) };
  return { detector: { name: "told.mjs", createDetector: () => detector } };
}

describe("analyseRecording", () => {
  it("finds turns, latencies, an interruption and silences without a timeline", async () => {
    const { metrics, concerns } = await stereo();

    expect(concerns).toEqual([]);
    expect(metrics.callerTurns).toHaveLength(2);
    expect(metrics.turns.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
    const latencies = metrics.turns.map(({ responseLatencyMs = 0 }) => responseLatencyMs);
    expect(Math.abs((latencies[0] ?? 0) - 700)).toBeLessThan(6);
    expect(Math.abs((latencies[1] ?? 0) - 700)).toBeLessThan(6);
    expect(metrics.bargeIns.map(({ outcome }) => outcome)).toEqual(["yielded"]);
    expect(Math.abs((metrics.bargeIns[0]?.stopLatencyMs ?? 0) - 450)).toBeLessThan(6);
    const { callerSpeechMs, botSpeechMs, talkOverMs, longestGapMs } = metrics.conversation;
    expect(Math.abs(callerSpeechMs - 3700)).toBeLessThan(20);
    expect(Math.abs(botSpeechMs - 7850)).toBeLessThan(20);
    expect(Math.abs(talkOverMs - 450)).toBeLessThan(8);
    expect(Math.abs(longestGapMs - 700)).toBeLessThan(6);
  });

  it("leaves out what takes a timeline: it is absent, not zero", async () => {
    const { metrics } = await stereo();

    expect(metrics.setup).toEqual({});
    expect(metrics).not.toHaveProperty("heardAt");
    expect(metrics).not.toHaveProperty("bridge");
    expect([metrics.media, metrics.instrument, metrics.toolCalls]).toEqual([[], [], []]);
    expect(metrics.conversation).not.toHaveProperty("botInterrupted");
    for (const turn of metrics.turns) {
      expect(turn).not.toHaveProperty("claimedLatencyMs");
      expect(turn.parts).toEqual([]);
    }
  });

  it("takes short words of the caller over the bot for a sign of listening", async () => {
    const { metrics } = await stereo(
      {},
      side([
        [3000, 4000],
        [7000, 7400],
      ]),
      side([
        [500, 2500],
        [5000, 9000],
      ]),
    );

    expect(metrics.callerTurns.map(({ purpose }) => purpose)).toEqual(["speech", "backchannel"]);
    expect(metrics.backchannels.map(({ outcome }) => outcome)).toEqual(["keptTalking"]);
    expect(metrics.turns).toHaveLength(1);
  });

  it("gives the same of two files as of one, and of both the other way round", async () => {
    const one = await stereo();
    const two = await analyseRecording({
      caller: await file(mono(side(CALLER)), "caller.wav"),
      bot: await file(mono(side(BOT)), "bot.wav"),
    });
    const swapped = await stereo({ swap: true }, side(BOT), side(CALLER));

    expect(two.metrics.turns).toEqual(one.metrics.turns);
    expect(swapped.metrics.turns).toEqual(one.metrics.turns);
    expect(two.sides.bot.file).toBe("bot.wav");
    expect(swapped.sides.bot.channel).toBe("left");
  });

  it("measures at every rate of telephony and recorders", async () => {
    for (const sampleRateHz of [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]) {
      const { metrics } = await analyseRecording({
        caller: await file(mono(side(CALLER, sampleRateHz), sampleRateHz)),
        bot: await file(mono(side(BOT, sampleRateHz), sampleRateHz)),
      });
      const latencies = metrics.turns.map(({ responseLatencyMs = 0 }) => responseLatencyMs);

      expect(latencies, `at ${sampleRateHz} Hz`).toHaveLength(2);
      for (const ms of latencies) expect(Math.abs(ms - 700), `${sampleRateHz} Hz`).toBeLessThan(8);
    }
  });

  it("looks at a part only, with positions of the whole", async () => {
    const { metrics } = await stereo({ fromMs: 8000, toMs: 13_000 });

    expect(metrics.recording).toMatchObject({ startedAt: 8000, durationMs: 5000 });
    expect(metrics.callerTurns).toHaveLength(1);
    expect(Math.abs((metrics.callerTurns[0]?.onsetAt ?? 0) - 9000)).toBeLessThan(5);
    expect(await codeOf(() => stereo({ fromMs: 99_000 }))).toBe("ERR_RECORDING_RANGE");
  });

  it("tells how loud each side is", async () => {
    const loud = side(CALLER).map((sample) => Math.max(-32_768, Math.min(32_767, sample * 12)));
    const { metrics } = await stereo({}, loud);
    const [caller, bot] = metrics.quality?.signals ?? [];

    expect(caller?.clipping.count).toBeGreaterThan(10);
    expect(caller?.peakDbov).toBeCloseTo(0, 1);
    expect(bot?.clipping.count).toBe(0);
    expect(bot?.speechDbov ?? 0).toBeGreaterThan(-25);
    expect(bot?.noiseFloorDbov ?? 0).toBeLessThan(-70);
    expect(metrics.quality?.ratings).toEqual([]);
  });

  it("goes through a file that was cut short, and says so", async () => {
    const bytes = madeWav({ data: interleaved(side(CALLER), side(BOT)) });
    const cut = await file(bytes.subarray(0, bytes.length - 4 * 8040 - 1));
    const { concerns, metrics } = await analyseRecording({ stereo: cut });

    expect(metrics.turns).toHaveLength(2);
    expect(concerns).toMatchObject([{ code: "ERR_RECORDING_TRUNCATED", isDoubtful: false }]);
    expect(concerns[0]?.message).toContain("20.000 s");
    expect(concerns[0]?.message).toMatch(/ 18\.995 s are there/u);
  });

  it("suspects that the sides are swapped where the caller speaks first and most", async () => {
    const { concerns } = await stereo({}, side(BOT), side(CALLER));

    expect(concerns).toMatchObject([{ code: "ERR_RECORDING_SWAPPED", isDoubtful: true }]);
    expect(concerns[0]?.message).toContain("--swap");
  });

  it("says which side is silent", async () => {
    const { concerns } = await stereo({}, side(CALLER), new Int16Array(LENGTH_MS * 8));

    expect(concerns).toMatchObject([{ code: "ERR_RECORDING_SIDE_SILENT", isDoubtful: true }]);
    expect(concerns[0]?.message).toContain("right channel of call.wav");
  });

  it("says that two files were not begun together", async () => {
    const { concerns } = await analyseRecording({
      caller: await file(mono(side(CALLER)), "caller.wav"),
      bot: await file(mono(side(BOT, 8000, 17_000)), "bot.wav"),
    });

    expect(concerns).toMatchObject([{ code: "ERR_RECORDING_LENGTHS" }]);
  });

  it("refuses what cannot be measured, each with its own code", async () => {
    const silent = new Int16Array(8000);
    const refused = {
      ERR_RECORDING_MONO: async () => analyseRecording({ stereo: await file(mono(silent)) }),
      ERR_RECORDING_CHANNELS: async () =>
        analyseRecording({
          stereo: await file(madeWav({ channels: 6, data: new Uint8Array(1200) })),
        }),
      ERR_RECORDING_SILENT: async () => stereo({}, silent, silent),
      ERR_RECORDING_RATE: async () =>
        analyseRecording({
          stereo: await file(madeWav({ sampleRateHz: 6000, data: new Uint8Array(1200) })),
        }),
      ERR_SAMPLE_RATE_UNSUPPORTED: async () =>
        analyseRecording({
          stereo: await file(madeWav({ sampleRateHz: 44_101, data: new Uint8Array(1200) })),
        }),
    };
    for (const [code, run] of Object.entries(refused)) expect(await codeOf(run)).toBe(code);
  });
});

describe("a detector that is plugged in", () => {
  it("decides what is speech, and how far it is known", async () => {
    const { detector, metrics } = await stereo(
      finding([
        { startMs: 1000, endMs: 2000, uncertaintyMs: 64 },
        { startMs: 4000, endMs: 5000.5, uncertaintyMs: 64 },
      ]),
    );

    expect(detector).toBe("told.mjs");
    const spans = metrics.botTurns.flatMap(({ segments }) => segments);
    expect(
      spans.map(({ startAt, endAt, uncertaintyMs }) => [startAt, endAt, uncertaintyMs]),
    ).toEqual([
      [1000, 2000, 64],
      [4000, 5000.5, 64],
    ]);
  });

  it("is given each sample once, at a rate that it was made for", async () => {
    const heard: { readonly sampleRateHz: number; count: number }[] = [];
    const createDetector: NonNullable<AnalysisOptions["detector"]>["createDetector"] = ({
      sampleRateHz,
    }) => {
      const own = { sampleRateHz, count: 0 };
      heard.push(own);
      return {
        push: ({ length }) => {
          own.count += length;
        },
        finish: () => [],
      };
    };
    const detector = { name: "counting.mjs", createDetector };

    expect(await codeOf(() => stereo({ detector }))).toBe("ERR_RECORDING_SILENT");
    expect(heard).toEqual([
      { sampleRateHz: 8000, count: 8 * LENGTH_MS },
      { sampleRateHz: 8000, count: 8 * LENGTH_MS },
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["text", [{ startMs: "a", endMs: 2, uncertaintyMs: 1 }]],
    ["no uncertainty", [{ startMs: 1, endMs: 2 }]],
    ["what ends before it begins", [{ startMs: 5, endMs: 2, uncertaintyMs: 1 }]],
    ["what lies beyond the end", [{ startMs: 5, endMs: LENGTH_MS + 200, uncertaintyMs: 1 }]],
    [
      "what overlaps",
      [
        { startMs: 5, endMs: 20, uncertaintyMs: 1 },
        { startMs: 10, endMs: 30, uncertaintyMs: 1 },
      ],
    ],
  ])("is refused where it finds %s", async (_, found) => {
    expect(await codeOf(() => stereo(finding(found)))).toBe("ERR_DETECTOR");
  });
});
