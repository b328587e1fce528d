/** SIPp as load generator: calls that stay up, with RTP both ways. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../../src/environment/index.ts";
import { Program } from "./host.ts";
import { answererScenario, callerScenario } from "./sipp-scenarios.ts";
import { write } from "./table.ts";

const ADDRESS = "127.0.0.1";
const FIRST_SIP_PORT = 15_200;
/** Above the agents' own (16384 to 32767). */
const FIRST_RTP_PORT = 33_000;
const HOLD_MS = 600_000;

let started = 0;
let nextRtpPort = FIRST_RTP_PORT;

/** What a load is. */
export interface LoadOptions {
  readonly folder: string;
  /** Raw PCMU that it plays. */
  readonly audioFile: string;
  readonly target: SocketAddress;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** Where its peer sends RTP to; default: back to SIPp. */
  readonly mediaPort?: number;
  /** Of each call; default: until it is stopped. */
  readonly holdMs?: number;
  /** Calls in all where they come and go; default `calls`. */
  readonly callsInAll?: number;
}

/** A SIPp that calls. */
export async function startLoad(options: LoadOptions): Promise<Program> {
  const { folder, target, calls, callsPerSecond, audioFile, mediaPort } = options;
  const { holdMs = HOLD_MS, callsInAll = calls } = options;
  const text = callerScenario({ audioFile, mediaPort, holdMs });
  const rtpPort = nextRtpPort;
  nextRtpPort += calls * 4 + 4;
  // One test run after another: by then the first ports are free again.
  if (nextRtpPort > 60_000) nextRtpPort = FIRST_RTP_PORT;
  return start(folder, text, [
    `${target.address}:${target.port}`,
    ...`-s bot -r ${callsPerSecond} -l ${calls} -m ${callsInAll} -mp ${rtpPort}`.split(" "),
  ]);
}

/** A SIPp that answers any number of calls and has their RTP sent to `mediaPort`. */
export async function startAnswerer(
  folder: string,
  mediaPort: number,
): Promise<{ readonly program: Program; readonly address: SocketAddress }> {
  const program = await start(folder, answererScenario(mediaPort), []);
  await delay(500);
  return { program, address: { address: ADDRESS, port: FIRST_SIP_PORT + started } };
}

/** A load that is gone makes a row worthless: says so below it. */
export function warnIfEnded(programs: readonly Program[]): void {
  const ended = programs.filter(({ hasEnded }) => hasEnded).length;
  if (ended > 0)
    write(`  ${ended} of ${programs.length} SIPp have ended early: do not trust this row`);
}

/** Ends them at once. */
export async function stopAll(programs: readonly Program[]): Promise<void> {
  for (const program of programs) program.signal("SIGKILL");
  await Promise.all(programs.map((program) => program.end()));
}

async function start(folder: string, text: string, args: readonly string[]): Promise<Program> {
  started += 1;
  const file = join(folder, `sipp-${started}.xml`);
  await writeFile(file, text);
  const port = FIRST_SIP_PORT + started;
  return new Program(
    "sipp",
    [
      ...args,
      ...`-sf ${file} -i ${ADDRESS} -p ${port} -mi ${ADDRESS} -nostdin -nd`.split(" "),
      ...(args.length === 0 ? [] : ["-trace_err", "-error_file", `${file}.err`]),
    ],
    folder,
  );
}
