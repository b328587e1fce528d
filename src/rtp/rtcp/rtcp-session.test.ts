import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, seededRandom } from "../../environment/index.ts";
import { randomCname } from "./cname.ts";
import { decodeRtcp } from "./decode-rtcp.ts";
import { encodeRtcp } from "./encode-rtcp.ts";
import type { RtcpEvent, RtcpReportEvent } from "./rtcp-event.ts";
import type { ReportBlock, RtcpPacket, SenderReport } from "./rtcp-packet.ts";
import { RtcpSession, type RtcpSessionOptions, type RtcpSources } from "./rtcp-session.ts";
import type { VoipMetrics } from "./voip-metrics.ts";

const OUR_SSRC = 0x11111111;
const PEER_SSRC = 0x22222222;
/** 2026-11-22T15:04:05.5Z. */
const WALL_CLOCK_MS = 1_795_359_845_500;
const RECEPTION = {
  ssrc: PEER_SSRC,
  extendedHighestSequenceNumber: 0x1_0063,
  expected: 100,
  received: 90,
  interarrivalJitterMs: 2.5,
};
const VOIP: VoipMetrics = {
  lossRate: 0.125,
  discardRate: 0,
  burstDensity: 0,
  gapDensity: 0,
  burstDurationMs: 0,
  gapDurationMs: 2000,
  roundTripDelayMs: 31,
  endSystemDelayMs: 60,
  signalLevelDbm0: -18,
  noiseLevelDbm0: undefined,
  residualEchoReturnLossDb: undefined,
  gmin: 16,
  rFactor: undefined,
  externalRFactor: undefined,
  mosLq: undefined,
  mosCq: undefined,
  packetLossConcealment: "standard",
  jitterBuffer: "adaptive",
  jitterBufferRate: 2,
  jitterBufferNominalMs: 40,
  jitterBufferMaximumMs: 80,
  jitterBufferAbsoluteMaximumMs: 200,
};

function sessionOf(options: Partial<RtcpSessionOptions> = {}): RtcpSession {
  return new RtcpSession({
    ssrc: OUR_SSRC,
    cname: "ours",
    random: seededRandom(1),
    clockRateHz: 8000,
    ...options,
  });
}

/** Lets the session's timers come until it has a report. */
function nextReport(session: RtcpSession, sources: Partial<RtcpSources> = {}) {
  for (;;) {
    const now = session.nextTimeout as Instant;
    session.handleTimeout(now, { wallClockMs: WALL_CLOCK_MS + now, ...sources });
    const output = session.takeOutput();
    if (output !== undefined) return { now, packets: decodeRtcp(output.slice()) as RtcpPacket[] };
  }
}

function compound(...packets: RtcpPacket[]): Uint8Array {
  const output = new Uint8Array(1500);
  return output.slice(0, encodeRtcp(packets, output));
}

function receiverReport(block: Partial<ReportBlock>, ssrc: number = PEER_SSRC): RtcpPacket {
  const whole: ReportBlock = {
    ssrc: OUR_SSRC,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighestSequenceNumber: 0,
    jitterTicks: 0,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
    ...block,
  };
  return { kind: "receiverReport", ssrc, blocks: [whole] };
}

function senderReport(ssrc: number): SenderReport {
  return {
    kind: "senderReport",
    ssrc,
    ntp: { seconds: 0xaaaa_1234, fraction: 0x5678_bbbb },
    rtpTimestamp: 1,
    packetCount: 2,
    octetCount: 3,
    blocks: [],
  };
}

describe("RtcpSession: what it sends", () => {
  it("begins with an empty RR and its CNAME where nothing flows, and goes on so (hold)", () => {
    const session = sessionOf();
    session.start(instant(0));

    for (let report = 0; report < 3; report += 1) {
      expect(nextReport(session).packets).toEqual([
        { kind: "receiverReport", ssrc: OUR_SSRC, blocks: [] },
        {
          kind: "sourceDescription",
          chunks: [{ ssrc: OUR_SSRC, items: [{ type: 1, text: "ours" }] }],
        },
      ]);
    }
    expect(session.counts).toMatchObject({ sent: 3, received: 0, malformed: 0 });
  });

  it("sends an SR with NTP time, RTP time and counts when it sent RTP", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handleSent(0xffff_ff00, 160, instant(0));
    session.handleSent(0xffff_ffa0, 160, instant(20));

    const { now, packets } = nextReport(session);

    const wallClockMs = WALL_CLOCK_MS + now;
    const [report] = packets as [SenderReport];
    expect(report).toMatchObject({ kind: "senderReport", packetCount: 2, octetCount: 320 });
    expect(report.ntp.seconds).toBe(Math.floor(wallClockMs / 1000) + 2_208_988_800);
    expect(report.ntp.fraction / 2 ** 32).toBeCloseTo((wallClockMs % 1000) / 1000, 6);
    // The RTP clock goes on between packets, over its wrap.
    expect(report.rtpTimestamp).toBe(Math.round((now - 20) * 8) - 0x60);
  });

  it("is a sender for two intervals after its last RTP packet (RFC 3550 §6.4)", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handleSent(0, 160, instant(0));

    const kinds = [1, 2, 3, 4].map(() => nextReport(session).packets[0]?.kind);

    expect(kinds).toEqual(["senderReport", "senderReport", "receiverReport", "receiverReport"]);
  });

  it("takes what was sent from its sources where they tell", () => {
    const session = sessionOf();
    session.start(instant(0));

    const { packets } = nextReport(session, {
      sent: { packets: 7, octets: 700, rtpTimestampAt: () => 4711 },
    });

    expect(packets[0]).toMatchObject({
      kind: "senderReport",
      packetCount: 7,
      octetCount: 700,
      rtpTimestamp: 4711,
    });
  });

  it("reports what was lost since the last report and in all, and the jitter in ticks", () => {
    const session = sessionOf({ clockRateHz: 48_000, receiveClockRateHz: 8000 });
    session.start(instant(0));
    const first = nextReport(session, { reception: RECEPTION }).packets[0];
    const better = { ...RECEPTION, expected: 200, received: 192 };
    const second = nextReport(session, { reception: better }).packets[0];

    expect(first).toMatchObject({
      blocks: [
        {
          ssrc: PEER_SSRC,
          fractionLost: 25 / 256,
          cumulativeLost: 10,
          extendedHighestSequenceNumber: 0x1_0063,
          jitterTicks: 20,
          lastSenderReport: 0,
          delaySinceLastSenderReport: 0,
        },
      ],
    });
    // Two late packets came: less lost than before.
    expect(second).toMatchObject({ blocks: [{ fractionLost: 0, cumulativeLost: 8 }] });
  });

  it("has no block about a source that fell silent, and begins anew with another source", () => {
    const session = sessionOf();
    session.start(instant(0));
    nextReport(session, { reception: RECEPTION });

    const silent = nextReport(session, { reception: RECEPTION }).packets[0];
    const other = { ...RECEPTION, ssrc: 0x33333333, expected: 8, received: 4 };
    const changed = nextReport(session, { reception: other }).packets[0];

    expect(silent).toMatchObject({ kind: "receiverReport", blocks: [] });
    expect(changed).toMatchObject({
      blocks: [{ ssrc: 0x33333333, fractionLost: 0.5, cumulativeLost: 4 }],
    });
  });

  it("gives back the middle of the NTP time of the source's last SR, and its age", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handlePacket(compound(senderReport(PEER_SSRC)), instant(100));
    session.handlePacket(compound(senderReport(0x33333333)), instant(900));

    const { now, packets } = nextReport(session, { reception: RECEPTION });

    const [block] = (packets[0] as SenderReport).blocks;
    expect(block?.lastSenderReport).toBe(0x1234_5678);
    expect(block?.delaySinceLastSenderReport).toBe(Math.round((now - 100) * 65.536));
  });

  it("sends VoIP metrics only with XR, and a reference time only where it sends no SR", () => {
    const plain = sessionOf();
    const session = sessionOf({ xr: true });
    plain.start(instant(0));
    session.start(instant(0));
    const sources = { reception: RECEPTION, voip: VOIP };

    const without = nextReport(plain, sources).packets;
    const asReceiver = nextReport(session, sources).packets;
    session.handleSent(0, 160, instant(9000));
    const asSender = nextReport(session, sources).packets;

    expect(without.map((packet) => packet.kind)).toEqual(["receiverReport", "sourceDescription"]);
    const voip = { kind: "voipMetrics", ssrc: PEER_SSRC, metrics: VOIP };
    expect(asReceiver[2]).toMatchObject({ blocks: [{ kind: "receiverReferenceTime" }, voip] });
    expect(asSender[2]).toEqual({ kind: "extendedReport", ssrc: OUR_SSRC, blocks: [voip] });
  });

  it("ends with a report and BYE, once, and then has no timeout", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handleSent(0, 160, instant(0));

    session.bye(instant(500), "hangup", { wallClockMs: WALL_CLOCK_MS, reception: RECEPTION });

    const packets = decodeRtcp(session.takeOutput() as Uint8Array) as RtcpPacket[];
    expect(packets.map((packet) => packet.kind)).toEqual([
      "senderReport",
      "sourceDescription",
      "bye",
    ]);
    expect(packets[2]).toEqual({ kind: "bye", ssrcs: [OUR_SSRC], reason: "hangup" });
    expect(session.nextTimeout).toBeUndefined();
    session.bye(instant(600));
    session.start(instant(700));
    expect(session.takeOutput()).toBeUndefined();
    expect(session.nextTimeout).toBeUndefined();
  });

  it("says good-bye with an empty report where no sources are given", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handleSent(0, 160, instant(0));

    session.bye(instant(500));

    expect(decodeRtcp(session.takeOutput() as Uint8Array)).toMatchObject([
      { kind: "receiverReport", blocks: [] },
      { kind: "sourceDescription" },
      { kind: "bye", ssrcs: [OUR_SSRC] },
    ]);
  });

  it("says no good-bye where it never sent anything (RFC 3550 §6.3.7)", () => {
    const session = sessionOf();
    session.start(instant(0));

    session.bye(instant(500), "hangup");

    expect(session.takeOutput()).toBeUndefined();
  });

  it("gives each report out once", () => {
    const session = sessionOf();
    session.start(instant(0));
    nextReport(session);

    expect(session.takeOutput()).toBeUndefined();
    session.handleTimeout(instant(0), { wallClockMs: 0 });
    expect(session.takeOutput()).toBeUndefined();
  });

  it("makes the longest compound that it can without running out of space", () => {
    const session = sessionOf({ cname: "ü".repeat(200), xr: true });
    session.start(instant(0));
    nextReport(session);
    for (let ssrc = 1; ssrc <= 20; ssrc += 1) {
      const ntp = { seconds: ssrc, fraction: 0 };
      const blocks = [{ kind: "receiverReferenceTime", ntp } as const];
      session.handlePacket(compound({ kind: "extendedReport", ssrc, blocks }), instant(1));
    }

    const sources = { wallClockMs: WALL_CLOCK_MS, reception: RECEPTION, voip: VOIP };
    session.bye(instant(9000), "é".repeat(200), sources);

    const packets = decodeRtcp(session.takeOutput() as Uint8Array) as RtcpPacket[];
    expect(packets.map((packet) => packet.kind)).toEqual([
      "receiverReport",
      "sourceDescription",
      "extendedReport",
      "bye",
    ]);
  });
});

describe("RtcpSession: what it receives", () => {
  it("tells how our stream arrives, with the jitter in the clock that we send with", () => {
    const session = sessionOf({ clockRateHz: 48_000 });
    const block = { fractionLost: 0.5, cumulativeLost: -3, jitterTicks: 480 };

    const events = session.handlePacket(compound(receiverReport(block)), instant(0));
    session.setClockRates(8000, 8000);
    const later = session.handlePacket(compound(receiverReport(block)), instant(1));

    expect(events).toEqual([
      {
        kind: "report",
        report: "RR",
        ssrc: PEER_SSRC,
        fractionLost: 0.5,
        cumulativeLost: -3,
        jitterMs: 10,
        extendedHighestSequenceNumber: 0,
      },
    ]);
    expect(later).toMatchObject([{ jitterMs: 60 }]);
  });

  it("ignores and counts what is said about others", () => {
    const session = sessionOf();
    const about = { ssrc: 0x99 };

    const events = session.handlePacket(
      compound(receiverReport(about), {
        kind: "extendedReport",
        ssrc: PEER_SSRC,
        blocks: [
          { kind: "voipMetrics", ssrc: 0x99, metrics: VOIP },
          {
            kind: "delaySinceLastRr",
            reports: [{ ssrc: 0x99, lastReceiverReport: 1, delaySinceLastReceiverReport: 1 }],
          },
        ],
      }),
      instant(0),
    );

    expect(events).toEqual([]);
    expect(session.counts).toMatchObject({ received: 1, foreignBlocks: 3 });
  });

  it("tells VoIP metrics, BYE, sender info, and a CNAME when it is new", () => {
    const session = sessionOf();
    const cname = {
      kind: "sourceDescription",
      chunks: [{ ssrc: PEER_SSRC, items: [{ type: 1, text: "theirs" }] }],
    } as const;
    const metrics = { kind: "voipMetrics", ssrc: OUR_SSRC, metrics: VOIP } as const;
    const datagram = compound(
      senderReport(PEER_SSRC),
      cname,
      { kind: "extendedReport", ssrc: PEER_SSRC, blocks: [metrics] },
      { kind: "bye", ssrcs: [PEER_SSRC], reason: "done" },
    );

    const kinds = session.handlePacket(datagram, instant(0)).map((event) => event.kind);
    const again = session.handlePacket(datagram, instant(1));

    expect(kinds).toEqual(["senderInfo", "description", "voipMetrics", "bye"]);
    expect(again).toEqual([
      { kind: "senderInfo", ssrc: PEER_SSRC, packetCount: 2, octetCount: 3, rtpTimestamp: 1 },
      { kind: "voipMetrics", ssrc: PEER_SSRC, metrics: VOIP },
      { kind: "bye", ssrcs: [PEER_SSRC], reason: "done" },
    ]);
  });

  it("notices its own SSRC in others' packets, and whether they are its own (RFC 3550 §8.2)", () => {
    const session = sessionOf();
    session.start(instant(0));
    const { packets } = nextReport(session);

    const echo = session.handlePacket(compound(...packets), instant(9000));
    const collision = session.handlePacket(
      compound(receiverReport({}, OUR_SSRC), { kind: "bye", ssrcs: [PEER_SSRC] }),
      instant(9001),
    );

    expect(echo).toEqual([{ kind: "ssrcCollision", ssrc: OUR_SSRC, isEcho: true }]);
    expect(collision).toEqual([{ kind: "ssrcCollision", ssrc: OUR_SSRC, isEcho: false }]);
    expect(session.counts.collisions).toBe(2);
  });

  it("uses the good packets before a malformed one, and counts what it cannot read", () => {
    const session = sessionOf();
    const partly = Uint8Array.from([...compound(receiverReport({})), 0x80, 0xcb]);
    const app = { kind: "application", subtype: 0, ssrc: 5, name: "abcd" } as const;

    const events = session.handlePacket(partly, instant(0));
    const noise = session.handlePacket(Uint8Array.from([1, 2, 3]), instant(0));
    session.handlePacket(compound({ ...app, payload: new Uint8Array(0) }), instant(0));

    expect(events).toMatchObject([{ kind: "report" }, { kind: "malformed" }]);
    expect(noise).toMatchObject([{ kind: "malformed", reason: expect.any(String) }]);
    expect(session.counts).toMatchObject({ received: 3, malformed: 2, unread: 1 });
  });
});

/** One end with clocks of its own: `ppm` fast or slow, and a wall clock that may be set. */
class Host {
  wallClockMs: number;
  readonly #ppm: number;

  constructor(wallClockMs: number, ppm: number) {
    this.wallClockMs = wallClockMs;
    this.#ppm = ppm;
  }

  /** Its monotonic clock, at a true time. */
  at(trueMs: number): Instant {
    return instant(5e6 + trueMs * (1 + this.#ppm / 1e6));
  }
}

interface World {
  readonly seed: number;
  readonly oneWayMs: number;
  readonly ppm: number;
  readonly wallClockStepMs: number;
  readonly weSend: boolean;
}

/** Lets two sessions talk for four minutes; gives the events of the first. */
function conversation(world: World): { events: RtcpEvent[]; session: RtcpSession } {
  const hosts = [new Host(WALL_CLOCK_MS, world.ppm), new Host(1e12, -world.ppm)];
  const sessions = [OUR_SSRC, PEER_SSRC].map(
    (ssrc) =>
      new RtcpSession({
        ssrc,
        cname: String(ssrc),
        random: seededRandom(`${world.seed}/${ssrc}`),
        clockRateHz: 8000,
        xr: true,
      }),
  );
  const events: RtcpEvent[] = [];
  const inFlight: { to: number; atMs: number; data: Uint8Array }[] = [];
  sessions.forEach((session, index) => session.start((hosts[index] as Host).at(0)));
  let received = 0;
  for (let trueMs = 0; trueMs < 240_000; trueMs += 1) {
    received += 1;
    sessions.forEach((session, index) => {
      const host = hosts[index] as Host;
      const now = host.at(trueMs);
      if (trueMs === 100_000) host.wallClockMs += world.wallClockStepMs;
      if (index === 1 || world.weSend) session.handleSent(trueMs * 8, 160, now);
      const reception = {
        ssrc: index === 0 ? PEER_SSRC : OUR_SSRC,
        extendedHighestSequenceNumber: received,
        expected: received,
        received,
        interarrivalJitterMs: 0,
      };
      const isHeard = index === 0 || world.weSend;
      session.handleTimeout(now, {
        wallClockMs: host.wallClockMs + now,
        ...(isHeard && { reception }),
      });
      const output = session.takeOutput();
      if (output === undefined) return;
      inFlight.push({ to: 1 - index, atMs: trueMs + world.oneWayMs, data: output.slice() });
    });
    while (inFlight[0] !== undefined && inFlight[0].atMs <= trueMs) {
      const { to, atMs, data } = inFlight.shift() as (typeof inFlight)[0];
      const arrived = (sessions[to] as RtcpSession).handlePacket(
        data,
        (hosts[to] as Host).at(atMs),
      );
      if (to === 0) events.push(...arrived);
    }
  }
  return { events, session: sessions[0] as RtcpSession };
}

describe("RtcpSession: round trips", () => {
  it("are true to a millisecond with drifting, wrong and stepping clocks (property)", () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          oneWayMs: fc.double({ min: 0, max: 400, noNaN: true }),
          ppm: fc.integer({ min: -50, max: 50 }),
          wallClockStepMs: fc.integer({ min: -100_000, max: 100_000 }),
          weSend: fc.boolean(),
        }),
        (world) => {
          const { events, session } = conversation(world);

          const roundTrips = events.flatMap((event) =>
            event.kind === "report" || event.kind === "roundTrip" ? (event.rttMs ?? []) : [],
          );
          expect(roundTrips.length).toBeGreaterThan(30);
          for (const rttMs of roundTrips) {
            expect(Math.abs(rttMs - 2 * world.oneWayMs)).toBeLessThan(1);
          }
          const { count, minMs, meanMs, maxMs, lastMs } = session.roundTrips;
          expect(count).toBe(roundTrips.length);
          expect(minMs).toBe(Math.min(...roundTrips));
          expect(maxMs).toBe(Math.max(...roundTrips));
          expect(lastMs).toBe(roundTrips.at(-1));
          expect(session.rttMs).toBe(lastMs);
          expect(Math.abs((meanMs ?? 0) - 2 * world.oneWayMs)).toBeLessThan(1);
          expect(session.counts.unmatchedMarks).toBe(0);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("are not made of marks that are not ours, nor of holds that cannot be true", () => {
    const session = sessionOf();
    session.start(instant(0));
    session.handleSent(0, 160, instant(0));
    const { now, packets } = nextReport(session);
    const { ntp } = packets[0] as SenderReport;
    const mark = ((ntp.seconds << 16) | (ntp.fraction >>> 16)) >>> 0;
    const answer = (lastSenderReport: number, heldMs: number, afterMs: number) => {
      const delaySinceLastSenderReport = Math.round(heldMs * 65.536);
      const report = receiverReport({ lastSenderReport, delaySinceLastSenderReport });
      const [event] = session.handlePacket(compound(report), instant(now + afterMs));
      return (event as RtcpReportEvent).rttMs;
    };

    expect(answer(mark + 1, 0, 30)).toBeUndefined();
    expect(answer(mark, 100, 30)).toBeUndefined();
    expect(answer(0, 0, 30)).toBeUndefined();
    expect(session.counts.unmatchedMarks).toBe(2);
    expect(answer(mark, 40, 30)).toBe(0);
    expect(answer(mark, 10, 30)).toBeCloseTo(20, 1);
    expect(session.roundTrips).toMatchObject({ count: 2, minMs: 0 });
  });

  it("are unknown at first", () => {
    expect(sessionOf().rttMs).toBeUndefined();
    expect(sessionOf().roundTrips).toEqual({
      count: 0,
      lastMs: undefined,
      minMs: undefined,
      meanMs: undefined,
      maxMs: undefined,
    });
  });
});

describe("randomCname", () => {
  it("is random, of 16 characters, and the same for the same seed (RFC 7022)", () => {
    expect(randomCname(seededRandom(1))).toMatch(/^[0-9A-Za-z]{16}$/);
    expect(randomCname(seededRandom(1))).toBe(randomCname(seededRandom(1)));
    expect(randomCname(seededRandom(1))).not.toBe(randomCname(seededRandom(2)));
  });
});
