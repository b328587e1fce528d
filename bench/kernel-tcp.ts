/**
 * `npm run bench:kernel-tcp [-- KEY=VALUE…]`: what the kernel's own TCP makes of a lossy network.
 * Needs Linux, and root or unprivileged user namespaces.
 *
 * Keys, each with one value or several with commas; every combination is a cell: `rtt` (ms), `loss`
 * (percent, Bernoulli, both ways), `cc` (congestion control), `traffic` (g711, frames, bursts). `seconds`
 * is how long each cell runs, `seed` what its packets' fate is made from; `json=1` prints a line of
 * JSON per cell, with all values, instead of a row.
 */
import { type Statistics, summarise } from "../src/measure/index.ts";
import { SystemClock } from "../src/platform/index.ts";
import { type Cell, type CellResult, runCell } from "./kernel-tcp/cell.ts";

const DEFAULTS = {
  rtt: "80",
  loss: "1",
  cc: "cubic",
  traffic: "frames,bursts",
  seconds: "60",
  seed: "kernel",
  json: "0",
};

const settings: Readonly<Record<keyof typeof DEFAULTS, string>> = {
  ...DEFAULTS,
  ...Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=", 2))),
};

function cells(): Cell[] {
  return settings.traffic.split(",").flatMap((traffic) =>
    settings.cc.split(",").flatMap((congestionControl) =>
      numbers(settings.rtt).flatMap((rttMs) =>
        numbers(settings.loss).map((lossPercent) => ({
          rttMs,
          lossRatio: lossPercent / 100,
          congestionControl,
          traffic: traffic as Cell["traffic"],
          durationMs: Number(settings.seconds) * 1000,
          seed: `${settings.seed}/${rttMs}/${lossPercent}`,
        })),
      ),
    ),
  );
}

function numbers(list: string): number[] {
  return list.split(",").map(Number);
}

function show(cell: Cell, { connections: [result], hub }: CellResult): void {
  if (result === undefined) return;
  const { excessMs } = result;
  const { p50, p95, p99, max } = summarise(excessMs) ?? ({} as Partial<Statistics>);
  const columns = [
    cell.traffic,
    cell.congestionControl,
    cell.rttMs,
    `${cell.lossRatio * 100} %`,
    excessMs.length,
    result.missing,
    ...[p50, p95, p99, max, result.stallsPerMinute].map((value) => value?.toFixed(1) ?? "-"),
    result.sentLateMsMax.toFixed(2),
    ...[hub?.lateness.p50Ms, hub?.lateness.p99Ms, hub?.lateness.maxMs].map(
      (value) => value?.toFixed(2) ?? "-",
    ),
  ];
  console.log(`| ${columns.join(" | ")} |`);
}

const HEAD = [
  ["traffic", "cc", "RTT ms", "loss", "n", "missing", "excess p50", "p95", "p99", "max"],
  ["stalls/min", "sent late max", "hub late p50", "p99", "max"],
].flat();

async function main(): Promise<void> {
  const clock = new SystemClock();
  const isJson = settings.json === "1";
  let isFirst = true;
  for (const cell of cells()) {
    const result = await runCell(clock, cell);
    if (isFirst && !isJson) {
      console.log(`Linux ${result.facts.release}: ${JSON.stringify(result.facts.sysctls)}`);
      console.log(`| ${HEAD.join(" | ")} |\n|${" - |".repeat(HEAD.length)}`);
    }
    isFirst = false;
    if (isJson) console.log(JSON.stringify({ cell, ...result }));
    else show(cell, result);
  }
}

await main();
