import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instant, seededRandom } from "../../../src/environment/index.ts";
import { RtcpSession, type VoipMetrics } from "../../../src/rtp/index.ts";
import { PcapWriter } from "../../../src/timeline/index.ts";
import { because, missingReason } from "../support/tools.ts";

const reason = missingReason(["tshark"]);

const CALLER_SSRC = 0x1111_1111;
const BOT_SSRC = 0x2222_2222;
/** 2026-11-22T15:04:05.5Z. */
const WALL_CLOCK_MS = 1_795_359_845_500;
const ONE_WAY_MS = 35;
const CALL_MS = 60_000;

const READ_RTCP = ["-d", "udp.port==40001,rtcp", "-o", "rtcp.show_roundtrip_calculation:TRUE"];

const VOIP: VoipMetrics = {
  lossRate: 0.125,
  discardRate: 0.0625,
  burstDensity: 0.5,
  gapDensity: 0.03125,
  burstDurationMs: 1000,
  gapDurationMs: 4000,
  roundTripDelayMs: 70,
  endSystemDelayMs: 120,
  signalLevelDbm0: -20,
  noiseLevelDbm0: -45,
  residualEchoReturnLossDb: undefined,
  gmin: 16,
  rFactor: 93,
  externalRFactor: undefined,
  mosLq: 4.2,
  mosCq: 4.1,
  packetLossConcealment: "standard",
  jitterBuffer: "adaptive",
  jitterBufferRate: 4,
  jitterBufferNominalMs: 40,
  jitterBufferMaximumMs: 60,
  jitterBufferAbsoluteMaximumMs: 400,
};

const ADDRESSES = [
  { address: "192.0.2.1", port: 40_001 },
  { address: "192.0.2.2", port: 50_001 },
] as const;

function sessionOf(ssrc: number): RtcpSession {
  return new RtcpSession({
    ssrc,
    cname: `name-${ssrc.toString(16)}`,
    random: seededRandom(ssrc),
    clockRateHz: 8000,
    xr: true,
  });
}

describe.skipIf(reason !== undefined)(`RTCP read by tshark${because(reason)}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "sidetone-rtcp-"));
  const file = join(folder, "rtcp.pcap");
  const caller = sessionOf(CALLER_SSRC);
  const bot = sessionOf(BOT_SSRC);

  const rows = (filter: string, ...fields: string[]): string[] => {
    const wanted = fields.flatMap((field) => ["-e", field]);
    const output = execFileSync(
      "tshark",
      [...READ_RTCP, "-r", file, "-Y", filter, "-T", "fields", ...wanted],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    return output.split("\n").filter((line) => line !== "");
  };

  beforeAll(() => {
    const writer = new PcapWriter();
    const inFlight: { to: number; atMs: number; data: Uint8Array }[] = [];
    const sessions = [caller, bot] as const;
    const deliver = (session: RtcpSession, from: 0 | 1, ms: number): void => {
      const payload = session.takeOutput()?.slice();
      if (payload === undefined) return;
      inFlight.push({ to: 1 - from, atMs: ms + ONE_WAY_MS, data: payload });
      // As a capture beside the caller shows it.
      const shownAt = instant(from === 0 ? ms : ms + ONE_WAY_MS);
      const wallClockMs = WALL_CLOCK_MS + shownAt;
      const [from_, to] = [ADDRESSES[from], ADDRESSES[1 - from]] as const;
      writer.add({ at: shownAt, wallClockMs, from: from_, to: to ?? from_, payload });
    };
    for (const session of sessions) session.start(instant(0));
    for (let ms = 0; ms <= CALL_MS; ms += 1) {
      const now = instant(ms);
      const wallClockMs = WALL_CLOCK_MS + ms;
      if (ms % 20 === 0) caller.handleSent(ms * 8, 160, now);
      const received = Math.floor(ms / 20) + 1 - Math.floor(ms / 1000);
      const reception = {
        ssrc: CALLER_SSRC,
        extendedHighestSequenceNumber: 0x1_0000 + Math.floor(ms / 20),
        expected: Math.floor(ms / 20) + 1,
        received,
        interarrivalJitterMs: 2.5,
      };
      caller.handleTimeout(now, { wallClockMs });
      deliver(caller, 0, ms);
      bot.handleTimeout(now, { wallClockMs: wallClockMs + 5e9, reception, voip: VOIP });
      deliver(bot, 1, ms);
      while (inFlight[0] !== undefined && inFlight[0].atMs <= ms) {
        const packet = inFlight.shift();
        if (packet !== undefined) sessions[packet.to as 0 | 1].handlePacket(packet.data, now);
      }
    }
    caller.bye(instant(CALL_MS), "call over", { wallClockMs: WALL_CLOCK_MS + CALL_MS });
    deliver(caller, 0, CALL_MS);
    writeFileSync(file, writer.bytes());
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is well-formed", () => {
    expect(rows("rtcp", "frame.number")).toHaveLength(caller.counts.sent + bot.counts.sent);
    expect(rows("_ws.malformed || rtcp.length_check == 0", "frame.number")).toEqual([]);
    expect(rows("_ws.expert.severity >= 6291456", "frame.number")).toEqual([]);
  });

  it("shows the sender's NTP and RTP time, its counts and its name", () => {
    const [row] = rows(
      `rtcp.pt == 200 && rtcp.senderssrc == ${CALLER_SSRC}`,
      "frame.time_epoch",
      "rtcp.timestamp.ntp",
      "rtcp.timestamp.rtp",
      "rtcp.sender.packetcount",
      "rtcp.sender.octetcount",
      "rtcp.sdes.text",
    );
    const [epoch, ntp, rtp, packets, octets, name] = (row ?? "").split("\t");
    const ms = Math.round(Number(epoch) * 1000) - WALL_CLOCK_MS;

    const sent = Math.floor(ms / 20) + 1;
    expect(Date.parse((ntp ?? "").replace(/(\.\d{3})\d*/u, "$1"))).toBeCloseTo(
      WALL_CLOCK_MS + ms,
      -1,
    );
    expect([rtp, packets, octets]).toEqual([ms * 8, sent, sent * 160].map(String));
    expect(name).toContain("name-11111111");
  });

  it("shows the round trip that we measure", () => {
    const roundTrips = rows("rtcp.roundtrip-delay && rtcp.pt == 201", "rtcp.roundtrip-delay");

    expect(caller.roundTrips.count).toBeGreaterThan(5);
    expect(caller.roundTrips.minMs).toBeCloseTo(2 * ONE_WAY_MS, 1);
    expect(caller.roundTrips.maxMs).toBeCloseTo(2 * ONE_WAY_MS, 1);
    expect(roundTrips).toHaveLength(caller.roundTrips.count);
    for (const roundTrip of roundTrips) {
      expect(Math.abs(Number(roundTrip) - 2 * ONE_WAY_MS)).toBeLessThanOrEqual(1);
    }
    // The bot sends no RTP: its round trips are measured with reference times (RFC 3611 §4.4).
    expect(bot.roundTrips.count).toBeGreaterThan(5);
    expect(bot.roundTrips.meanMs).toBeCloseTo(2 * ONE_WAY_MS, 1);
  });

  it("shows each figure of the VoIP metrics block", () => {
    const names = [
      ["rtcp.ssrc.fraction", "32"],
      ["rtcp.ssrc.discarded", "16"],
      ["burstdensity", "128"],
      ["gapdensity", "8"],
      ["burstduration", "1000"],
      ["gapduration", "4000"],
      ["rtdelay", "70"],
      ["esdelay", "120"],
      ["signallevel", "-20"],
      ["noiselevel", "-45"],
      ["rerl", "127"],
      ["gmin", "16"],
      ["rfactor", "93"],
      ["extrfactor", "127"],
      ["moslq", "4.2"],
      ["moscq", "4.1"],
      ["plc", "3"],
      ["jba", "3"],
      ["jbrate", "4"],
      ["jbnominal", "40"],
      ["jbmax", "60"],
      ["jbabsmax", "400"],
    ] as const;
    const fields = names.map(([name]) =>
      name.startsWith("rtcp.") ? name : `rtcp.xr.voipmetrics.${name}`,
    );

    const [row] = rows("rtcp.xr.bt == 7", ...fields);

    // The fraction stands in the report block too, before the metrics.
    const shown = (row ?? "").split("\t").map((field) => field.split(",").at(-1));
    expect(shown).toEqual(names.map(([, value]) => value));
  });

  it("shows the good-bye and its reason", () => {
    const text = execFileSync("tshark", [...READ_RTCP, "-r", file, "-Y", "rtcp.pt == 203", "-V"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(text).toContain("call over");
  });
});
