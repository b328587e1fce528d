import { describe, expect, it } from "vitest";
import { instant } from "../../environment/index.ts";
import { ManualClock } from "../../testing/index.ts";
import { stallCauses } from "./stall-causes.ts";
import { NO_TCP, parseTcpCounters, type TcpCounters, type TcpSample } from "./tcp-counters.ts";
import { TcpWatch } from "./tcp-watch.ts";

/** As Linux 6.18 writes them, with fewer columns. */
function procText(figures: { segments?: number; probes?: number; timeouts?: number }): string {
  const { segments = 0, probes = 0, timeouts = 0 } = figures;
  return [
    "Ip: Forwarding DefaultTTL InReceives",
    "Ip: 2 64 100",
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens InSegs OutSegs RetransSegs InErrs",
    `Tcp: 1 200 120000 -1 1 63 ${segments} 9 0`,
    "TcpExt: SyncookiesSent TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPSpuriousRTOs",
    `TcpExt: 0 4 2 ${timeouts} ${probes} 1`,
    "IpExt: InNoRoutes InTruncatedPkts",
    "IpExt: 0 0",
    "",
  ].join("\n");
}

function sample(atMs: number, counters: Partial<TcpCounters>): TcpSample {
  return { at: instant(atMs), counters: { ...NO_TCP, ...counters } };
}

describe("parseTcpCounters", () => {
  it("finds each figure by its name, whatever stands before it", () => {
    expect(parseTcpCounters(procText({ segments: 71, probes: 3, timeouts: 5 }))).toEqual({
      segments: 71,
      retransmissions: 9,
      fastRetransmissions: 4,
      slowStartRetransmissions: 2,
      tailLossProbes: 3,
      timeouts: 5,
      spuriousTimeouts: 1,
    });
  });

  it("says 0 for what a kernel does not count", () => {
    expect(parseTcpCounters("")).toEqual(NO_TCP);
    expect(parseTcpCounters("TcpExt: A B\nTcpExt: 1\n")).toEqual(NO_TCP);
  });
});

describe("TcpWatch", () => {
  it("tells at once of a retransmission, and rarely of segments alone", () => {
    const clock = new ManualClock();
    const told: number[] = [];
    let figures = { segments: 0, timeouts: 0 };
    const watch = new TcpWatch(
      clock,
      () => procText(figures),
      ({ at }) => told.push(at),
    );
    watch.start();
    told.length = 0;

    for (let turn = 0; turn < 20; turn += 1) {
      figures = { ...figures, segments: figures.segments + 1 };
      clock.advance(20);
    }
    expect(told).toHaveLength(2);

    figures = { ...figures, timeouts: 1 };
    clock.advance(20);
    expect(told.at(-1)).toBe(420);

    watch.stop();
    expect(clock.timerCount).toBe(0);
  });
});

describe("stallCauses", () => {
  const stall = {
    writtenAt: instant(1000),
    offeredAt: instant(1000),
    at: instant(1400),
    overdueMs: 360,
    wasSentAgain: true,
  };

  it("names what the sender counted between the first sending and the arrival", () => {
    const samples = [
      sample(500, { timeouts: 1, fastRetransmissions: 2 }),
      sample(1100, { timeouts: 1, fastRetransmissions: 2, tailLossProbes: 1 }),
      sample(1320, { timeouts: 2, fastRetransmissions: 2, tailLossProbes: 1 }),
      sample(1900, { timeouts: 2, fastRetransmissions: 3, tailLossProbes: 1 }),
    ];

    expect(stallCauses(stall, samples)).toEqual(["tailLossProbe", "retransmissionTimeout"]);
  });

  it("counts from nothing where the first sample is later", () => {
    expect(stallCauses(stall, [sample(1300, { fastRetransmissions: 1 })])).toEqual([
      "fastRetransmission",
    ]);
  });

  it("says that bytes waited to be sent at all, and what the sender did meanwhile", () => {
    const waited = { ...stall, writtenAt: instant(900), wasSentAgain: false };

    expect(stallCauses(waited, [])).toEqual(["congestionWindow"]);
    expect(stallCauses(waited, [sample(950, { timeouts: 1 })])).toEqual([
      "congestionWindow",
      "retransmissionTimeout",
    ]);
    expect(stallCauses({ ...waited, writtenAt: instant(981) }, [])).toEqual(["link"]);
  });

  it("blames the link where nothing was sent again", () => {
    expect(stallCauses({ ...stall, wasSentAgain: false }, [])).toEqual(["link"]);
  });
});
