import { execFile } from "node:child_process";
import { promisify } from "node:util";

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
export async function tsharkRows(
  file: string,
  filter: string,
  fields: readonly string[],
  options: readonly string[] = [],
): Promise<string[][]> {
  const wanted = fields.flatMap((field) => ["-e", field]);
  const args = ["-2", "-r", file, ...options, "-Y", filter, "-T", "fields", ...wanted];
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

/** The step of the timestamps from each packet to the next, in the order of the capture. */
export function timestampSteps(packets: readonly CapturedRtp[]): number[] {
  return packets.slice(1).map(({ timestamp, sequence }, index) => {
    const before = packets[index];
    if (before === undefined || sequence !== ((before.sequence + 1) & 0xff_ff)) return Number.NaN;
    return (timestamp - before.timestamp) >>> 0;
  });
}
