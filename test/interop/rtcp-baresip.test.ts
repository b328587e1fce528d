import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import type { FactOf } from "../../src/timeline/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import type { Baresip } from "./support/baresip.ts";
import { report } from "./support/report.ts";
import { settle } from "./support/settle.ts";
import { callWith, endCall, mediaOf, startBaresip, stopBaresips } from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";
import { rtcpPortOffsets } from "./support/tshark.ts";

const MISSING = missingReason(["baresip", "tshark"]);
/** baresip reports every 5 s; a round trip takes a report each way. */
const CALL_MS = 11_500;

describe.skipIf(MISSING !== undefined)(`RTCP with baresip${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let caller: RemoteAgent;
  let bot: RemoteAgent;

  beforeAll(async () => {
    test = await openTestHarness("rtcp");
    harness = test.harness;
    const media = { codecs: ["PCMU"], rtcpIntervalMs: 1000 } as const;
    const common = { local: LOCAL, media };
    caller = await harness.addAgent({ ...common, party: "caller", user: "caller" });
    const answer = { kind: "answer", ringMs: 0 } as const;
    bot = await harness.addAgent({ ...common, party: "bot", user: "bot", answer });
    // A thread's first call is late, by what it has to compile.
    const call = await caller.dial(bot.uri);
    await mediaOf(call, "bot");
    await endCall(call);
  });

  afterAll(async () => {
    await stopBaresips();
    await test.close();
  });

  /** What we offer × what baresip is set to, and what must come of it. */
  it.concurrent.each([
    { ours: "mux", rtcpMux: true, used: "mux" },
    { ours: "mux", rtcpMux: false, used: "separate" },
    { ours: "separate", rtcpMux: true, used: "separate" },
  ] as const)("we offer $ours, baresip has rtcp_mux $rtcpMux", async ({ ours, rtcpMux, used }) => {
    const user = `${ours}-${rtcpMux}`;
    const baresip = await startBaresip(harness, { user, rtcpMux });
    const call = await caller.dial(baresip.uri, { media: { rtcp: ours } });
    expect((await mediaOf(call, "caller")).rtcp).toBe(used);
    await expectReports(call, baresip);
    expect(await rtcpPortOffsets(call)).toEqual([used === "mux" ? 0 : 1]);
  });

  it.concurrent.each([
    { rtcpMux: true, used: "mux" },
    { rtcpMux: false, used: "separate" },
  ] as const)("baresip calls with rtcp_mux $rtcpMux", async ({ rtcpMux, used }) => {
    const user = `calls-${rtcpMux}`;
    const baresip = await startBaresip(harness, { user, rtcpMux });
    const coming = callWith(harness, user);
    baresip.dial(bot.uri);
    const call = await coming;
    expect((await mediaOf(call, "bot")).rtcp).toBe(used);
    await expectReports(call, baresip);
    expect(await rtcpPortOffsets(call)).toEqual([used === "mux" ? 0 : 1]);
  });

  it.concurrent("sends and expects none where it is off", async () => {
    const baresip = await startBaresip(harness, { user: "off" });
    const call = await caller.dial(baresip.uri, { media: { rtcp: "off" } });
    await mediaOf(call, "caller");
    await delay(6000);
    await endCall(call);
    await baresip.stop();
    expect(call.timeline.of("rtcpReport")).toEqual([]);
    expect(statisticsOf(call)).toMatchObject({ rtcpSent: 0, rtcpReceived: 0 });
  });
});

/** Stays for two of baresip's reports; both sides must know of each other what is true. */
async function expectReports(call: WatchedCall, baresip: Baresip): Promise<void> {
  await delay(CALL_MS);
  await endCall(call);
  const { value: summary } = await settle(() => summaryOf(baresip), isComplete, 3000);
  await baresip.stop();

  const reports = call.timeline.of("rtcpReport");
  const { packetsSent, packetsReceived, ...rest } = statisticsOf(call);
  const { rtcpSent, rtcpReceived, rtcpMalformed, foreign } = rest;
  const { roundTripMsMin, roundTripMsMean, roundTripMsMax } = rest;
  report("RTCP with baresip", {
    summary,
    packetsSent,
    packetsReceived,
    roundTripMsMin,
    roundTripMsMean,
    roundTripMsMax,
    rtcpSent,
    rtcpReceived,
    reports: reports.length,
  });
  expect({ rtcpMalformed, foreign }).toEqual({ rtcpMalformed: 0, foreign: 0 });
  expect(rtcpSent).toBeGreaterThan(8);
  expect(rtcpReceived).toBeGreaterThanOrEqual(2);
  const senderReports = reports.filter((each) => each.report === "SR");
  expect(senderReports.length).toBeGreaterThanOrEqual(2);
  for (const { cumulativeLost, fractionLost, interarrivalJitterMs } of senderReports) {
    if (cumulativeLost === undefined) continue;
    expect({ cumulativeLost, fractionLost }).toEqual({ cumulativeLost: 0, fractionLost: 0 });
    expect(interarrivalJitterMs).toBeLessThan(100);
  }
  expect(senderReports.some((each) => each.cumulativeLost !== undefined)).toBe(true);
  // Over loopback; the processor is shared.
  expect(roundTripMsMean).toBeGreaterThanOrEqual(0);
  expect(roundTripMsMean).toBeLessThan(100);
  // As of its last report, up to 5 s before the end, at 50 packets a second.
  expect(summary.packetsSent).toBeGreaterThan(packetsReceived - 350);
  expect(summary.packetsSent).toBeLessThanOrEqual(packetsReceived + 5);
  expect(summary.packetsReceived).toBeGreaterThan(packetsSent - 350);
  expect(summary.packetsReceived).toBeLessThanOrEqual(packetsSent);
  expect(summary).toMatchObject({ lostSent: 0, lostReceived: 0 });
  expect(summary.roundTripMs).toBeLessThan(100);
}

/** What baresip says of a call by RTCP. */
interface Summary {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly lostSent: number;
  readonly lostReceived: number;
  readonly roundTripMs: number;
}

/** `EX=BareSip;…;PR=381;PS=381;PL=0,0;PD=0,0;JI=0.6,1.3;DL=0.0;…` of its module rtcpsummary. */
function summaryOf(baresip: Baresip): Summary {
  const found = /PR=(\d+);PS=(\d+);PL=(-?\d+),(-?\d+);.*?DL=([\d.]+);/u.exec(
    baresip.process.output,
  );
  const number = (index: number): number => Number(found?.[index] ?? Number.NaN);
  return {
    packetsReceived: number(1),
    packetsSent: number(2),
    lostSent: number(3),
    lostReceived: number(4),
    roundTripMs: number(5),
  };
}

function isComplete(summary: Summary): boolean {
  return !Number.isNaN(summary.packetsReceived);
}

function statisticsOf(call: WatchedCall): FactOf<"mediaStatistics"> {
  const [statistics] = call.timeline.of("mediaStatistics");
  if (statistics === undefined) throw new Error("The call had no media.");
  return statistics;
}
