/**
 * `npm run bench:hol [-- KEY=VALUE…]`: how near the model of TCP comes to the kernel's own: excess
 * delay and stalls of the same traffic over the same network, cell by cell. The kernel's half needs
 * Linux, and root or unprivileged user namespaces; without, the model's is shown alone.
 *
 * Keys: `rtt` (ms), `loss` (percent, Bernoulli, both ways), `traffic` (frames, bursts), each with one
 * value or several with commas; `seconds` of each run, `runs` of each cell (kernel: so many at once),
 * `seed`; `kernel=0` leaves the kernel out.
 */
import { isSidetoneError } from "../src/environment/index.ts";
import { quantile } from "../src/measure/index.ts";
import { SystemClock } from "../src/platform/index.ts";
import { type ModelFigures, modelCell } from "./hol/model-cell.ts";
import { type Cell, runCell } from "./kernel-tcp/cell.ts";

const DEFAULTS = {
  rtt: "20,80,160",
  loss: "0.5,1,2,5",
  traffic: "frames,bursts",
  seconds: "120",
  runs: "6",
  seed: "hol",
  kernel: "1",
};

const settings: Readonly<Record<keyof typeof DEFAULTS, string>> = {
  ...DEFAULTS,
  ...Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=", 2))),
};

/** Issue 7: within 10 % or 5 ms of the kernel; of stalls, within 10 %, or one in two minutes. */
const NEAR_SHARE = 0.1;
const NEAR_MS = 5;
const NEAR_STALLS_PER_MINUTE = 0.5;

type Figures = Readonly<Record<"p50" | "p95" | "p99" | "stalls", number>>;
const COLUMNS = ["p50", "p95", "p99", "stalls"] as const;

function cells(): Cell[][] {
  return settings.traffic.split(",").flatMap((traffic) =>
    numbers(settings.rtt).flatMap((rttMs) =>
      numbers(settings.loss).map((lossPercent) =>
        Array.from({ length: Number(settings.runs) }, (_, run) => ({
          rttMs,
          lossRatio: lossPercent / 100,
          congestionControl: "cubic",
          traffic: traffic === "bursts" ? ("bursts" as const) : ("frames" as const),
          durationMs: Number(settings.seconds) * 1000,
          seed: `${settings.seed}/${rttMs}/${lossPercent}/${run}`,
        })),
      ),
    ),
  );
}

function numbers(list: string): number[] {
  return list.split(",").map(Number);
}

/** All runs of a cell together. */
function figuresOf(runs: readonly ModelFigures[]): Figures {
  const excessMs = runs.flatMap((run) => run.excessMs).toSorted((one, other) => one - other);
  const stalls = runs.reduce((sum, run) => sum + run.stallsPerMinute, 0) / runs.length;
  const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((share) => quantile(excessMs, share));
  return { p50, p95, p99, stalls };
}

function isNear(column: (typeof COLUMNS)[number], model: number, kernel: number): boolean {
  const slack = column === "stalls" ? NEAR_STALLS_PER_MINUTE : NEAR_MS;
  return Math.abs(model - kernel) <= Math.max(slack, NEAR_SHARE * kernel);
}

function row(cell: Cell, model: Figures, kernel: Figures | undefined): string {
  const values = COLUMNS.map((column) => {
    const modelled = model[column].toFixed(1);
    if (kernel === undefined) return modelled;
    const mark = isNear(column, model[column], kernel[column]) ? "" : " *";
    return `${modelled} / ${kernel[column].toFixed(1)}${mark}`;
  });
  return `| ${[cell.traffic, cell.rttMs, `${cell.lossRatio * 100} %`, ...values].join(" | ")} |`;
}

/** Undefined, with the reason on the terminal, where this host has no kernel TCP to measure. */
async function kernelFigures(runs: readonly Cell[]): Promise<Figures | undefined> {
  const clock = new SystemClock();
  try {
    return figuresOf(await Promise.all(runs.map((run) => runCell(clock, run))));
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    console.log(`The kernel's half is left out: ${error.message}`);
    return undefined;
  }
}

async function main(): Promise<void> {
  let withKernel = settings.kernel === "1";
  console.log("Modelled / kernel; ms of excess delay, stalls of more than 100 ms per minute.");
  console.log("| traffic | RTT ms | loss | p50 | p95 | p99 | stalls/min |");
  console.log("| - | - | - | - | - | - | - |");
  for (const runs of cells()) {
    const [cell] = runs;
    if (cell === undefined) continue;
    const model = figuresOf(runs.map((run) => modelCell(run)));
    const kernel = withKernel ? await kernelFigures(runs) : undefined;
    withKernel &&= kernel !== undefined;
    console.log(row(cell, model, kernel));
  }
}

await main();
