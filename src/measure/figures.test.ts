import { describe, expect, it } from "vitest";
import { by, syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { UNEVENTFUL_MEDIA } from "../../test/unit/report/uneventful-media.ts";
import { instant, seededRandom } from "../environment/index.ts";
import type { CallMetrics } from "./call-metrics.ts";
import { describeEvidence, formatMs, formatPosition } from "./evidence.ts";
import { figuresOf } from "./figures.ts";
import { instrumentConcerns } from "./instrument-health.ts";
import { measureCall } from "./measure-call.ts";
import { ratesOf } from "./rates.ts";

/** A call in which the bot answers one question after `latencyMs` (sent; heard 70 ms later). */
function answeredAfter(latencyMs: number): CallMetrics {
  return measureCall(
    syntheticCall({
      endMs: 4000,
      utterances: [{ id: "q", fromMs: 500, toMs: 1500 }],
      responses: [
        {
          id: "r",
          createdMs: 1510,
          playoutStartedMs: 1500 + latencyMs,
          speech: [{ fromMs: 1500 + latencyMs, toMs: 3600 }],
        },
      ],
    }),
  );
}

describe("figuresOf", () => {
  it("shows n and percentiles over calls, and what was discarded", () => {
    const missed = measureCall(
      syntheticCall({
        endMs: 4000,
        utterances: [{ id: "q", fromMs: 500, toMs: 1500 }],
        responses: [],
      }),
    );
    const figures = figuresOf([answeredAfter(400), answeredAfter(600), missed], seededRandom(1));
    const latency = figures.find(({ id }) => id === "responseLatency");

    expect(latency?.statistics?.n).toBe(2);
    expect(Math.abs((latency?.statistics?.p50 ?? 0) - 570)).toBeLessThan(4);
    expect(latency?.discarded).toEqual([{ reason: "not answered", count: 1 }]);
  });

  it("has no statistics for what never happened", () => {
    const stop = figuresOf([answeredAfter(400)]).find(({ id }) => id === "bargeInStopLatency");

    expect(stop?.statistics).toBeUndefined();
    expect(stop?.definition).toContain("2.0 s");
  });
});

describe("ratesOf", () => {
  it("counts answered turns with an interval", () => {
    const answered = ratesOf([answeredAfter(400)]).find(({ id }) => id === "answered");

    expect(answered).toMatchObject({ count: 1, total: 1 });
    expect(answered?.interval?.low).toBeLessThan(0.5);
  });
});

describe("describeEvidence", () => {
  it("says what was allowed, what was heard, and where to listen", () => {
    const call = answeredAfter(1000);

    expect(
      describeEvidence(
        {
          figure: "response latency",
          limitMs: 1500,
          observedMs: 1829.6,
          at: instant((call.recording?.startedAt ?? 0) + 3412),
        },
        call,
      ),
    ).toBe(
      "response latency: expected ≤ 1,500 ms, heard 1,830 ms at 00:03.412 in the recording " +
        "(calls/001-synthetic/audio.wav)",
    );
  });

  it("says when nothing was heard", () => {
    expect(describeEvidence({ figure: "answer", limitMs: 900 }, answeredAfter(1000))).toBe(
      "answer: expected ≤ 900 ms, nothing was heard",
    );
  });

  it("formats milliseconds and positions", () => {
    expect([0, -0.2, 999.5, -1234, 1_234_567].map(formatMs)).toEqual([
      "0 ms",
      "0 ms",
      "1,000 ms",
      "−1,234 ms",
      "1,234,567 ms",
    ]);
    expect([0, 3412, 61_000.4, -200].map(formatPosition)).toEqual([
      "00:00.000",
      "00:03.412",
      "01:01.000",
      "−00:00.200",
    ]);
  });
});

describe("instrumentConcerns", () => {
  it("is silent of a healthy instrument and names what is wrong of another", () => {
    expect(instrumentConcerns(withStatistics(1, 0))).toEqual([]);
    expect(instrumentConcerns(withStatistics(12, 20))).toEqual([
      "caller: departure jitter p99 12 ms (limit 5 ms)",
      "caller: missed deadlines 10 % (limit 1 %)",
    ]);
  });
});

function withStatistics(departureJitterMsP99: number, missedDeadlines: number): CallMetrics {
  return measureCall(
    syntheticCall({
      endMs: 4000,
      utterances: [],
      responses: [],
      facts: (at) => [
        by("caller", {
          kind: "mediaStatistics",
          ...UNEVENTFUL_MEDIA,
          at: at(4000),
          packetsSent: 200,
          bytesSent: 32_000,
          packetsReceived: 198,
          packetsExpected: 200,
          lost: 2,
          late: 0,
          discarded: 0,
          duplicate: 0,
          outOfOrder: 0,
          malformed: 0,
          foreign: 0,
          interarrivalJitterMs: 0.4,
          concealedMs: 40,
          departureJitterMsP50: 0.1,
          departureJitterMsP99,
          departureJitterMsMax: 15,
          missedDeadlines,
        }),
      ],
    }),
  );
}
