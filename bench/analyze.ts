/**
 * `npm run bench:analyze [-- --minutes N] [--rate HZ] [--noise=DBOV] [--section NAME]`: how long it
 * takes to analyse an hour of stereo, and how much memory. Goal: 1/100 of its length on one core.
 *
 * Each section is a process of its own, whose processor time (all its threads) counts: that is what
 * it takes on one core, whatever else the machine does. Sections: `recording` (`sidetone analyze
 * call.wav`: a dialogue of the fixtures with pauses, overlaps and noise, written to a file first),
 * `folder` (`measureCall` of a call of that length with both its recordings).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostInfo } from "../src/platform/index.ts";
import { writeDialogue } from "./analyze/dialogue-file.ts";
import { machineLoad } from "./media/host.ts";
import { figure, Table, write } from "./media/table.ts";

const GOAL = 1 / 100;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "8000" },
    noise: { type: "string", default: "-65" },
    section: { type: "string", multiple: true },
  },
});

interface WorkerResult {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakMb: number;
  readonly turns: number;
}

const { node, platform } = hostInfo();
write(`bench:analyze · ${node} ${platform} · ${machineLoad()}`);
const folder = await mkdtemp(join(tmpdir(), "sidetone-bench-analyze-"));
try {
  const path = join(folder, "call.wav");
  const lengthMs = Number(values.minutes) * 60_000;
  const dialogue = { lengthMs, sampleRateHz: Number(values.rate), noiseDbov: Number(values.noise) };
  await writeDialogue(path, dialogue);
  write(`${values.minutes} min of stereo at ${values.rate} Hz, noise of ${values.noise} dBov`);
  const table = new Table([
    "section",
    "turns",
    "CPU s",
    "wall s",
    "1/n of length",
    "peak MB",
    "goal",
  ]);
  for (const section of values.section ?? ["recording", "folder"]) {
    const result = await runSection(section, path);
    const share = result.cpuMs / lengthMs;
    table.row([
      section,
      String(result.turns),
      figure(result.cpuMs / 1000, 1),
      figure(result.wallMs / 1000, 1),
      `1/${figure(1 / share, 0)}`,
      figure(result.peakMb, 0),
      share <= GOAL ? "met" : "MISSED",
    ]);
  }
} finally {
  await rm(folder, { recursive: true });
}

async function runSection(section: string, path: string): Promise<WorkerResult> {
  const worker = fileURLToPath(new URL("analyze/worker.js", import.meta.url));
  const child = spawn(process.execPath, [worker, section, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child, "close");
  return JSON.parse(said) as WorkerResult;
}
