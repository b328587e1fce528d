import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { codecOf } from "../../../src/codec/index.ts";
import type { WatchedCall } from "../../../src/index.ts";
import type { TelephoneAudio } from "./known-speech.ts";
import { mediaOf } from "./spoken-calls.ts";

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 1 << 26;

/** One RTP packet as tshark reads it. */
export interface CapturedRtp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** Seconds since 1970. */
  readonly at: number;
  readonly payload: Buffer;
}

const FIELDS = [
  "udp.srcport",
  "udp.dstport",
  "rtp.p_type",
  "rtp.seq",
  "rtp.timestamp",
  "frame.time_epoch",
  "rtp.payload",
];

/** The named fields of all packets that pass a display filter; tab-separated in tshark's output. */
async function tsharkRows(
  file: string,
  filter: string,
  fields: readonly string[],
  options: readonly string[] = [],
): Promise<string[][]> {
  const wanted = fields.flatMap((field) => ["-e", field]);
  const args = ["-r", file, ...options, "-Y", filter, "-T", "fields", ...wanted];
  const { stdout } = await run("tshark", args, { maxBuffer: OUTPUT_BYTES_MAX });
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split("\t"));
}

/** All RTP packets of a capture that holds the SIP messages which announce them. */
export async function rtpPackets(file: string): Promise<CapturedRtp[]> {
  const rows = await tsharkRows(file, "rtp", FIELDS);
  return rows.map((row) => ({
    sourcePort: Number(row[0]),
    destinationPort: Number(row[1]),
    payloadType: Number(row[2]),
    sequence: Number(row[3]),
    timestamp: Number(row[4]),
    at: Number(row[5]),
    payload: Buffer.from((row[6] ?? "").replaceAll(":", ""), "hex"),
  }));
}

/** The method or status code of each SIP message that tshark finds in a capture. */
export async function sipFrames(file: string): Promise<string[]> {
  const rows = await tsharkRows(file, "sip", ["sip.Method", "sip.Status-Code"]);
  return rows.map(([method = "", status = ""]) => method || status);
}

/** One direction of a call's media as they were on the wire. */
export interface WireSide {
  readonly payloadTypes: readonly number[];
  /** Of nearly all packets, by their timestamps; `NaN` where it varied. */
  readonly ptimeMs: number;
}

/** Skipped deadlines on a busy machine make no wrong packet length. */
const REGULAR_SHARE_MIN = 0.95;

/** A call's RTP in each direction by its own capture, seen from its first end of ours. */
export async function callPackets(call: WatchedCall): Promise<{
  readonly sent: readonly CapturedRtp[];
  readonly received: readonly CapturedRtp[];
}> {
  const localPort = await rtpPortOf(call);
  const packets = await withCapture(call, rtpPackets);
  return {
    sent: packets.filter(({ sourcePort }) => sourcePort === localPort),
    received: packets.filter(({ destinationPort }) => destinationPort === localPort),
  };
}

/** How far above our RTP port the ports are from which we sent RTCP, and at which we got it. */
export async function rtcpPortOffsets(call: WatchedCall): Promise<number[]> {
  const localPort = await rtpPortOf(call);
  const rows = await withCapture(call, (file) =>
    tsharkRows(file, "rtcp", ["udp.srcport", "udp.dstport"]),
  );
  const offsets = rows.flat().map((port) => Number(port) - localPort);
  return [...new Set(offsets.filter((offset) => offset === 0 || offset === 1))];
}

async function rtpPortOf(call: WatchedCall): Promise<number> {
  const [party = "caller"] = call.parties;
  const { local } = await mediaOf(call, party);
  return Number(/:(\d+)$/u.exec(local)?.[1]);
}

/** Lets something read the capture of a call's first end of ours. */
async function withCapture<Result>(
  call: WatchedCall,
  read: (file: string) => Promise<Result>,
): Promise<Result> {
  const [party = "caller"] = call.parties;
  const folder = await mkdtemp(join(tmpdir(), "sidetone-wire-"));
  try {
    const file = join(folder, "call.pcap");
    await writeFile(file, (await call.artifacts()).get(party)?.pcap ?? new Uint8Array());
    return await read(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a direction looked like. */
export function wireSide(packets: readonly CapturedRtp[], clockRateHz: number): WireSide {
  const payloadTypes = [...new Set(packets.map(({ payloadType }) => payloadType))];
  return { payloadTypes, ptimeMs: (usualStep(packets) * 1000) / clockRateHz };
}

/** What packets of PCMU sound like, one after the other. */
export function ulawAudio(packets: readonly CapturedRtp[]): TelephoneAudio {
  const payload = Buffer.concat(packets.map((packet) => packet.payload));
  const samples = new Int16Array(payload.length);
  codecOf("PCMU").createDecoder().decode(payload, samples);
  return { sampleRateHz: 8000, samples };
}

function usualStep(packets: readonly CapturedRtp[]): number {
  const steps = timestampSteps(packets);
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? Number.NaN;
  const share = steps.filter((step) => step === usual).length / steps.length;
  return share >= REGULAR_SHARE_MIN ? usual : Number.NaN;
}

/** The step of the timestamps from each packet to the next, in the order of the capture. */
function timestampSteps(packets: readonly CapturedRtp[]): number[] {
  return packets.slice(1).map(({ timestamp, sequence }, index) => {
    const before = packets[index];
    if (before === undefined || sequence !== ((before.sequence + 1) & 0xff_ff)) return Number.NaN;
    return (timestamp - before.timestamp) >>> 0;
  });
}
