import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instant, type SocketAddress } from "../../../src/environment/index.ts";
import { encodeRtp, ReceptionStatistics, type RtpPacket } from "../../../src/rtp/index.ts";
import { PcapWriter } from "../../../src/timeline/index.ts";

const hasTshark = spawnSync("tshark", ["--version"]).status === 0;

interface Flow {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly ssrc: number;
}

const IPV4: Flow = {
  from: { address: "127.0.0.1", port: 40_000 },
  to: { address: "127.0.0.1", port: 50_000 },
  ssrc: 0x1111_1111,
};
const IPV6: Flow = {
  from: { address: "2001:db8::1", port: 40_002 },
  to: { address: "2001:db8::2", port: 50_002 },
  ssrc: 0x2222_2222,
};

const OPTIONS_REQUEST = [
  "OPTIONS sip:bot@127.0.0.1:5070 SIP/2.0",
  "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabc",
  "Max-Forwards: 70",
  "From: <sip:caller@127.0.0.1>;tag=1",
  "To: <sip:bot@127.0.0.1>",
  "Call-ID: pcap-interop",
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

const PACKETS = 250;
const LOST = new Set([60, 61, 130]);

/** Ten ms of path delay, every fourth packet 7 ms more. */
function arrivalMs(index: number): number {
  return index * 20 + 10 + (index % 4 === 0 ? 7 : 0);
}

function addFlow(writer: PcapWriter, flow: Flow, statistics: ReceptionStatistics): void {
  const output = new Uint8Array(172);
  const payload = new Uint8Array(160).fill(0xff);
  for (let index = 0; index < PACKETS; index += 1) {
    if (LOST.has(index)) continue;
    const header = {
      marker: index === 0,
      payloadType: 0,
      sequenceNumber: (65_400 + index) & 0xffff,
      timestamp: (0xffff_0000 + index * 160) >>> 0,
      ssrc: flow.ssrc,
    };
    encodeRtp(header, payload, output);
    const at = instant(5000 + arrivalMs(index));
    const { from, to } = flow;
    writer.add({ at, wallClockMs: 1_700_000_000_000 + at, from, to, payload: output });
    const packet: RtpPacket = { kind: "rtp", ...header, payload };
    statistics.handlePacket(packet, at);
  }
}

describe.skipIf(!hasTshark)("a capture read by tshark (skipped where tshark is missing)", () => {
  const folder = mkdtempSync(join(tmpdir(), "sidetone-pcap-"));
  const file = join(folder, "call.pcap");
  const statistics = new ReceptionStatistics({ clockRateHz: 8000 });

  const tshark = (...more: string[]): string =>
    execFileSync("tshark", ["-r", file, "-o", "udp.check_checksum:TRUE", ...more], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });

  beforeAll(() => {
    const writer = new PcapWriter();
    const sip = {
      from: { address: "127.0.0.1", port: 5060 },
      to: { address: "127.0.0.1", port: 5070 },
    };
    const payload = new TextEncoder().encode(OPTIONS_REQUEST);
    writer.add({ at: instant(4000), wallClockMs: 1_700_000_004_000, ...sip, payload });
    addFlow(writer, IPV4, statistics);
    addFlow(writer, IPV6, new ReceptionStatistics({ clockRateHz: 8000 }));
    writeFileSync(file, writer.bytes());
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has no malformed packet, no expert error and no wrong checksum", () => {
    const filter = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0";
    expect(tshark("-o", "ip.check_checksum:TRUE", "-Y", filter)).toBe("");
    expect(tshark("-Y", "_ws.expert.severity >= 6291456")).toBe("");
    expect(tshark().trim().split("\n")).toHaveLength(1 + 2 * (PACKETS - LOST.size));
  });

  it("shows the SIP message", () => {
    const fields = tshark("-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Call-ID");

    expect(fields.trim()).toBe("OPTIONS\tpcap-interop");
  });

  it("shows both RTP streams with the loss and jitter that we compute", () => {
    const rows = tshark("-q", "-o", "rtp.heuristic_rtp:TRUE", "-z", "rtp,streams")
      .split("\n")
      .filter((line) => line.includes("g711U"));
    const { lost, interarrivalJitterMsMax } = statistics.snapshot();

    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatch(/0x(11111111|22222222)/u);
      // "… Pkts Lost … Max Jitter(ms) …": see the header of the table.
      expect(row).toContain(` ${PACKETS - LOST.size} `);
      expect(row).toContain(`${lost} (1.2%)`);
    }
    expect(lost).toBe(LOST.size);
    const jitters = rows.map((row) => (row.match(/\d+\.\d+/gu) ?? []).map(Number));
    for (const numbers of jitters) {
      const closest = Math.min(...numbers.map((each) => Math.abs(each - interarrivalJitterMsMax)));
      expect(closest).toBeLessThan(0.01);
    }
  });
});
