import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONDITIONS, calibrate } from "../../src/lab/index.ts";
import { openTestHarness } from "../loopback/bench-bot.ts";
import { because, missingReason } from "./support/tools.ts";

/**
 * An instrument that shares nothing with ours but the wire: tshark takes the packets apart, a
 * µ-law table of its own decodes them, a threshold finds where sound begins, and the end of the
 * caller's speech is the fixture's annotation, counted from there.
 */
const MISSING = missingReason(["tshark"]);
const CALLS = 20;
/** The caller's jitter buffer is fixed at 60 ms, and plays from the next frame on. */
const PLAYOUT_MS = [60, 80] as const;
/** By which docs/measurements.md says that a time may be off on a healthy machine. */
const STATED_MS = 20;
const FRAME_MS = 20;
const PER_MS = 8;

interface WirePacket {
  readonly atMs: number;
  readonly sourcePort: number;
  readonly payload: Buffer;
}

interface Metrics {
  readonly turns: readonly {
    readonly utteranceId: string;
    readonly responseLatencyMs?: number;
  }[];
  readonly callerTurns: readonly { readonly utteranceId: string; readonly fixture: string }[];
  readonly instrument: readonly {
    readonly departureJitterMsMax: number;
    readonly eventLoopLagMsMax: number;
  }[];
}

describe.skipIf(MISSING !== undefined)(
  `Response latency by tshark and by a threshold${because(MISSING)}`,
  () => {
    let test: Awaited<ReturnType<typeof openTestHarness>>;

    beforeAll(async () => {
      test = await openTestHarness("by-tshark");
    });

    afterAll(() => test.close());

    it(`is what Sidetone says, in ${CALLS} calls`, async () => {
      const { harness, folder } = test;
      const conditions = CONDITIONS.slice(0, 1);
      await calibrate({ harness, conditions, callsPerCondition: CALLS, keepsFolders: true });
      const calls = readdirSync(join(folder, "calls"));
      expect(calls).toHaveLength(CALLS);
      const differences = calls.map((id) => compare(join(folder, "calls", id)));
      const shown = differences.map(({ differenceMs }) => differenceMs.toFixed(1)).join(" ");
      process.stdout.write(`ours − tshark's in ms, of which 60 to 80 are playout: ${shown}\n`);
      const [least, most] = PLAYOUT_MS;
      for (const { id, differenceMs, barMs } of differences) {
        const beyondMs = Math.max(least - differenceMs, differenceMs - most, 0);
        expect([id, beyondMs <= barMs]).toEqual([id, true]);
      }
    }, 180_000);
  },
);

/** Ours less tshark's, of the first turn of a call. */
function compare(folder: string): {
  readonly id: string;
  readonly differenceMs: number;
  readonly barMs: number;
} {
  const metrics = JSON.parse(readFileSync(join(folder, "metrics.json"), "utf8")) as Metrics;
  const turn = metrics.turns.find(({ utteranceId }) => utteranceId === "question");
  const said = metrics.callerTurns.find(({ utteranceId }) => utteranceId === "question");
  const annotated = annotationOf(said?.fixture ?? "");
  const packets = rtpOf(join(folder, "call.pcap"));
  const callerPort = callerPortOf(folder);
  const sent = packets.filter(({ sourcePort }) => sourcePort === callerPort);
  const received = packets.filter(({ sourcePort }) => sourcePort !== callerPort);
  // A sample leaves with its packet, after the last one of it was spoken.
  const offsetMs = onsetMs(sent) - FRAME_MS + annotated.offsetMs - annotated.onsetMs;
  const wireMs = onsetMs(received) - offsetMs;
  const unsteady = metrics.instrument.flatMap((own) => [
    own.departureJitterMsMax,
    own.eventLoopLagMsMax,
  ]);
  return {
    id: folder.slice(-3),
    differenceMs: (turn?.responseLatencyMs ?? Number.NaN) - wireMs,
    barMs: Math.max(STATED_MS, ...unsteady),
  };
}

/** The first 5 ms in which the level is above −40 dBov, as time on the wire. */
function onsetMs(packets: readonly WirePacket[]): number {
  const window = 5 * PER_MS;
  for (const { atMs, payload } of packets) {
    const samples = [...payload].map(expandMuLaw);
    for (let begin = 0; begin + window <= samples.length; begin += PER_MS) {
      const power = samples.slice(begin, begin + window).reduce((sum, x) => sum + x * x, 0);
      if (Math.sqrt(power / window) > 328) return atMs + begin / PER_MS;
    }
  }
  return Number.NaN;
}

/** ITU-T G.711 as in the textbooks: sign, three bits of exponent, four of mantissa, all inverted. */
function expandMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

function rtpOf(file: string): WirePacket[] {
  const fields = ["frame.time_epoch", "udp.srcport", "rtp.p_type", "rtp.payload"];
  const output = execFileSync(
    "tshark",
    ["-r", file, "-Y", "rtp", "-T", "fields", ...fields.flatMap((field) => ["-e", field])],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 26 },
  );
  return output.split("\n").flatMap((line) => {
    const [at = "", port = "", type = "", payload = ""] = line.split("\t");
    if (type !== "0") return [];
    const bytes = Buffer.from(payload.replaceAll(":", ""), "hex");
    return [{ atMs: Number(at) * 1000, sourcePort: Number(port), payload: bytes }];
  });
}

/** By the SDP of the INVITE, the first message of the capture. */
function callerPortOf(folder: string): number {
  const text = readFileSync(join(folder, "call.pcap")).toString("latin1");
  return Number(/m=audio (\d+) /u.exec(text)?.[1]);
}

function annotationOf(id: string): { readonly onsetMs: number; readonly offsetMs: number } {
  const catalogue = JSON.parse(
    readFileSync("fixtures/voices/caller/voices.json", "utf8"),
  ) as readonly { readonly id: string; readonly onsetMs: number; readonly offsetMs: number }[];
  const found = catalogue.find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`No annotation of ${id}.`);
  return found;
}
