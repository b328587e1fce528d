/**
 * `npm run bench:sip [-- --rounds N] [--calls N] [--rate CALLS_PER_SECOND]`: what the signalling of
 * a call costs, as caller and as bot, beside SIPp at the other end of the same calls; and the same
 * with the whole agent, which binds ports and sends media for as long as the call is up.
 *
 * Each run is a process of its own, so that it starts cold, as SIPp does. Rounds are interleaved,
 * and medians are shown, because the machine is never quiet. Nothing is asserted: compare ratios.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hostInfo } from "../src/platform/index.ts";
import { machineLoad, missing } from "./media/host.ts";
import { figure, median, Table, write } from "./media/table.ts";
import type { Load, RunResult } from "./sip/load.ts";
import { RUNS } from "./sip/runs.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    calls: { type: "string", default: "1000" },
    rate: { type: "string", default: "200" },
  },
});
const load: Load = {
  calls: Number(values.calls),
  callsPerSecond: Number(values.rate),
  holdMs: 1000,
};
const unusable = missing("sipp");
if (unusable === undefined) await bench(load, Number(values.rounds));
else {
  write(`bench:sip needs SIPp at the other end: ${unusable}.`);
  process.exitCode = 3;
}

async function bench(wanted: Load, rounds: number): Promise<void> {
  const { node, platform } = hostInfo();
  write(`bench:sip · ${node} ${platform} · ${machineLoad()}`);
  write(
    `${wanted.calls} calls at ${wanted.callsPerSecond} a second, each up for ${wanted.holdMs / 1000} s; median of ${rounds} rounds`,
  );
  const folder = await mkdtemp(join(tmpdir(), "sidetone-bench-sip-"));
  const results = new Map<string, RunResult[]>();
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, run] of Object.entries(RUNS)) {
        results.set(name, [...(results.get(name) ?? []), await run(wanted, folder)]);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  show(results);
}

function show(results: ReadonlyMap<string, readonly RunResult[]>): void {
  const table = new Table([
    "",
    "failed",
    "CPU ms/call",
    "SIPp's",
    "ratio",
    "set-up p50/p95/p99 ms",
    "repeated",
    "loop lag p99/max ms",
    "RSS MiB",
  ]);
  for (const [name, runs] of results) {
    const of = (value: (run: RunResult) => number): number => median(runs.map(value));
    const own = of(({ cpuMsPerCall }) => cpuMsPerCall);
    const sipp = of(({ sippCpuMsPerCall }) => sippCpuMsPerCall);
    const setUp = [of((run) => run.setupMs.p50), of((run) => run.setupMs.p95)];
    const lag = [of((run) => run.loopLagMs.p99), of((run) => run.loopLagMs.max)];
    table.row([
      name,
      String(runs.reduce((sum, { failed }) => sum + failed, 0)),
      figure(own),
      figure(sipp),
      figure(
        of((run) => run.cpuMsPerCall / run.sippCpuMsPerCall),
        1,
      ),
      [...setUp, of((run) => run.setupMs.p99)].map((ms) => figure(ms, 1)).join(" / "),
      String(of(({ retransmissions }) => retransmissions)),
      lag.map((ms) => figure(ms, 1)).join(" / "),
      figure(
        of(({ residentMiB }) => residentMiB),
        0,
      ),
    ]);
  }
}
