import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../testing/index.ts";
import type { TcpState } from "../ai-path.ts";
import { parseSocketStatistics } from "./socket-statistics.ts";
import { NO_TCP, type TcpCounters, type TcpSample } from "./tcp-counters.ts";
import { TcpRecord } from "./tcp-record.ts";

const SOCKETS = parseSocketStatistics(
  "ESTAB 0 0 10.78.0.1:1 10.78.0.2:443 cubic rto:232 rtt:28.2/12 mss:1448 cwnd:7 unacked:3 retrans:0/2 notsent:1448",
);

function recorder(read = () => Promise.resolve(SOCKETS)): {
  readonly told: TcpState[];
  readonly count: (counters: Partial<TcpCounters>) => void;
  readonly pass: (ms: number) => Promise<void>;
  readonly stop: () => void;
} {
  const clock = new ManualClock();
  const told: TcpState[] = [];
  const record = new TcpRecord(clock, "received", { read, tell: (state) => told.push(state) });
  return {
    told,
    count: (counters) => {
      const sample: TcpSample = { at: clock.now(), counters: { ...NO_TCP, ...counters } };
      record.handleSample(sample);
    },
    pass: async (ms) => {
      clock.advance(ms);
      await turn();
    },
    stop: () => record.stop(),
  };
}

describe("TcpRecord", () => {
  it("tells how the sender stood once something was sent again, and of nothing else", async () => {
    const { told, count, pass } = recorder();
    count({ segments: 40 });
    await pass(1000);
    expect(told).toEqual([]);

    count({ segments: 50, retransmissions: 2, timeouts: 1 });
    await pass(0);

    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      direction: "received",
      at: 1000,
      retransmissions: 2,
      timeouts: 1,
      socket: { cwndSegments: 7, rtoMs: 232, rttMs: 28.2, notSentBytes: 1448, unackedSegments: 3 },
    });
    // What is not known is left out, and so is whose socket it was.
    expect(Object.keys(told[0]?.socket ?? {})).not.toContain("ssthreshSegments");
    expect(JSON.stringify(told)).not.toContain("10.78");
  });

  it("tells at most twice a second, the last of all in any case", async () => {
    const { told, count, pass } = recorder();
    for (let index = 1; index <= 60; index += 1) {
      count({ retransmissions: index });
      // oxlint-disable-next-line no-await-in-loop -- one moment after the other.
      await pass(20);
    }
    await pass(1000);

    expect(told.map(({ at }) => at)).toEqual([0, 500, 1000, 1500]);
    expect(told.at(-1)?.retransmissions).toBe(60);
  });

  it("keeps the counters where the sockets cannot be read", async () => {
    const { told, count, pass } = recorder(() => Promise.reject(new Error("no ss")));
    count({ tailLossProbes: 1 });
    await pass(0);

    expect(told).toMatchObject([{ tailLossProbes: 1 }]);
    expect(told[0]?.socket).toBeUndefined();
  });

  it("is silent once it is stopped, whatever is under way", async () => {
    const { told, count, pass, stop } = recorder();
    count({ timeouts: 1 });
    stop();
    await pass(1000);
    count({ timeouts: 2 });
    await pass(1000);

    expect(told).toEqual([]);
  });
});
