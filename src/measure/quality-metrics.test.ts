import { describe, expect, it } from "vitest";
import { amplified, joined, silence, voice } from "../../test/unit/quality/known-sound.ts";
import { by, syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { UNEVENTFUL_MEDIA } from "../../test/unit/report/uneventful-media.ts";
import { TimeScaler } from "../audio/index.ts";
import { type Instant, instant } from "../environment/index.ts";
import type { Fact } from "../timeline/index.ts";
import type { CallMetrics } from "./call-metrics.ts";
import type { CallRecord } from "./call-record.ts";
import { measureCall } from "./measure-call.ts";

interface Counts {
  readonly lost?: number;
  readonly lossRuns?: number;
  readonly late?: number;
  readonly roundTripMsMean?: number;
  readonly fecRecoveredMs?: number;
  readonly codec?: string;
}

/** A call of 1,000 packets at the caller's end. */
function callWith(counts: Counts): CallMetrics {
  const record = syntheticCall({ endMs: 20_000, utterances: [], responses: [] });
  return measureCall({ ...record, facts: [...record.facts, ...callFacts(counts)] });
}

function instantOf(ms: number): Instant {
  return instant(1_000_000 + ms);
}

function callFacts({ codec = "PCMU", ...counts }: Counts): Fact[] {
  return [
    by("caller", {
      kind: "mediaChanged",
      at: instantOf(2),
      codec,
      payloadType: 0,
      ptimeMs: 20,
      direction: "sendrecv",
    }),
    by("caller", {
      kind: "mediaStatistics",
      at: instantOf(19_999),
      ...UNEVENTFUL_MEDIA,
      packetsSent: 1000,
      bytesSent: 160_000,
      packetsReceived: 1000,
      packetsExpected: 1000,
      lost: 0,
      late: 0,
      discarded: 0,
      duplicate: 0,
      outOfOrder: 0,
      malformed: 0,
      foreign: 0,
      interarrivalJitterMs: 0,
      concealedMs: 0,
      departureJitterMsP50: 0,
      departureJitterMsP99: 0,
      departureJitterMsMax: 0,
      missedDeadlines: 0,
      ...counts,
    }),
  ];
}

function ratingOf(counts: Counts): NonNullable<CallMetrics["quality"]>["ratings"][number] {
  const rating = callWith(counts).quality?.ratings[0];
  if (rating === undefined) throw new Error("the call has a rating");
  return rating;
}

describe("the estimated rating of a call", () => {
  it("is that of the codec where nothing went wrong", () => {
    expect(ratingOf({ roundTripMsMean: 20 })).toMatchObject({
      party: "caller",
      codec: "PCMU",
      scale: "narrowband",
      basis: "published",
      lossRatio: 0,
      burstRatio: 1,
      delayMs: 20 + 10 + 40,
      delayFrom: "roundTrip",
      bestMos: 4.41,
    });
    expect(ratingOf({}).delayFrom).toBe("incomplete");
  });

  it("falls with loss and lateness, and more so where they come in bursts", () => {
    const single = ratingOf({ lost: 30, lossRuns: 50, late: 20 });
    const bursty = ratingOf({ lost: 30, lossRuns: 10, late: 20 });
    // 5 % of random loss with concealment, and 70 ms of delay.
    expect(single.lossRatio).toBe(0.05);
    expect(Math.abs(single.mos - 3.9)).toBeLessThan(0.1);
    expect(bursty.burstRatio).toBeCloseTo(5 * 0.95, 9);
    expect(bursty.mos).toBeLessThan(single.mos - 0.05);
  });

  it("does not count what FEC brought back", () => {
    expect(ratingOf({ lost: 50, lossRuns: 50, fecRecoveredMs: 800, codec: "opus" }).lossRatio).toBe(
      0.01,
    );
  });

  it("is on the scale of the codec agreed on last, and missing for one that nobody rated", () => {
    expect(ratingOf({ codec: "G722" }).scale).toBe("wideband");
    expect(callWith({ codec: "GSM" }).quality?.ratings).toEqual([]);
  });
});

describe("the signal of a call", () => {
  const rate = 8000;
  const speech = voice("bot/long", rate);
  const plain = syntheticCall({ endMs: 1000, utterances: [], responses: [] });
  const record: CallRecord = {
    ...plain,
    ...(plain.audio === undefined
      ? {}
      : {
          audio: {
            ...plain.audio,
            left: silence(speech.length + rate),
            right: joined(silence(rate), amplified(speech, 18)),
          },
        }),
  };

  it("is measured for each speaker, with faults placed on the clock of the call", () => {
    const [caller, bot] = measureCall(record).quality?.signals ?? [];
    expect(caller).toMatchObject({ speaker: "caller", activityFactor: 0, clipping: { count: 0 } });
    expect(caller).not.toHaveProperty("speechDbov");
    expect(bot?.clipping.count).toBeGreaterThan(10);
    expect(bot?.clipping.places).toHaveLength(20);
    const first = bot?.clipping.places[0];
    const startedAt = plain.audio?.startedAt ?? Number.NaN;
    expect((first?.startAt ?? 0) - startedAt).toBeGreaterThan(1000);
    expect(bot?.bandwidth?.verdict).toBe("narrowband");
  });

  it("is missing without a recording", () => {
    const bare = syntheticCall({ endMs: 1000, utterances: [], responses: [], withAudio: false });
    expect(measureCall(bare).quality?.signals).toEqual([]);
  });
});

describe("with both ends recorded", () => {
  const rate = 8000;
  const speech = voice("bot/long", rate);
  const recorded = (heard: Int16Array, facts: CallRecord["facts"] = []): CallRecord => {
    const plain = syntheticCall({ endMs: 14_000, utterances: [], responses: [] });
    if (plain.audio === undefined || plain.botAudio === undefined)
      throw new Error("it is recorded");
    const right = joined(silence(rate), heard);
    return {
      ...plain,
      facts: [...plain.facts, ...facts],
      audio: { ...plain.audio, left: silence(right.length), right },
      botAudio: {
        ...plain.botAudio,
        left: silence(right.length),
        right: joined(silence(rate), speech),
      },
    };
  };

  it("the delay of the estimate is the measured one, and the packet's own time", () => {
    const counted = callFacts({ roundTripMsMean: 600 });
    const heard = joined(silence((90 * rate) / 1000), speech);
    const [rating] = measureCall(recorded(heard, counted)).quality?.ratings ?? [];
    expect(rating?.delayFrom).toBe("measured");
    expect(Math.abs((rating?.delayMs ?? 0) - 110)).toBeLessThan(2);
  });

  it("speech that was hurried after a stall is found, with its place", () => {
    const scaler = new TimeScaler({ sampleRateHz: rate });
    const frames: Int16Array[] = [];
    let due = 0;
    for (let at = 0; at < speech.length; at += 320) {
      const frame = speech.slice(at, at + 320);
      const isHurried = at >= 5 * rate && at < 8 * rate;
      due = isHurried ? due + 32 : 0;
      const length = isHurried ? scaler.shorten(frame, due) : frame.length;
      due -= frame.length - length;
      frames.push(frame.slice(0, length));
    }
    const record = recorded(joined(silence(2400), ...frames));
    const { startedAt = Number.NaN } = record.audio ?? {};
    const tempo = measureCall(record).quality?.tempo ?? [];
    expect(tempo.length).toBeGreaterThan(0);
    for (const { startAt, endAt, ratio, shiftMs } of tempo) {
      expect(startAt - startedAt).toBeGreaterThan(5600);
      expect(endAt - startedAt).toBeLessThan(9400);
      expect(ratio).toBeGreaterThan(1.03);
      expect(shiftMs).toBeLessThan(-15);
    }
    expect(measureCall(recorded(joined(silence(2400), speech))).quality?.tempo).toEqual([]);
  });
});
