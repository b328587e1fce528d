/**
 * `npm run bench:media [-- SECTION …] [--churn MINUTES]`: what media cost, how steady they are and
 * how many calls fit, with ratios to peers of the same run on the same machine.
 *
 * Nothing is asserted: figures depend on the machine and on what else it does. Compare ratios.
 */
import { rm } from "node:fs/promises";
import { hostInfo } from "../src/platform/index.ts";
import { type BenchContext, prepare } from "./media/bench-context.ts";
import { bridged } from "./media/bridged.ts";
import { churn } from "./media/churn.ts";
import { dsp } from "./media/dsp.ts";
import { machineLoad, missing, watchStolenTime } from "./media/host.ts";
import { plain, plainRatios } from "./media/plain.ts";
import { sideBySide } from "./media/side-by-side.ts";
import { write } from "./media/table.ts";

/** Of `churn` where it is asked for by name. */
const CHURN_MINUTES = 10;

const SECTIONS: Readonly<Record<string, (context: BenchContext) => Promise<void>>> = {
  dsp: () => dsp(),
  plain: async (context) => {
    await plain(context);
    plainRatios();
  },
  jitter: sideBySide,
  bridged,
};

const args = process.argv.slice(2);
const names = sectionsOf(args);
if (names === undefined) {
  write(
    `usage: npm run bench:media -- [${[...Object.keys(SECTIONS), "churn"].join("] [")}] [--churn MINUTES]`,
  );
  process.exitCode = 2;
} else await run(names, churnMinutes(args));

async function run(sections: readonly string[], minutes: number): Promise<void> {
  const { node, platform } = hostInfo();
  write(`bench:media · ${node} ${platform}`);
  const sipp = missing("sipp");
  const context = await prepare();
  try {
    for (const name of sections) {
      const stolenTime = watchStolenTime();
      write(`\n== ${name} · ${machineLoad()}`);
      if (sipp !== undefined && name !== "dsp") write(`skipped: ${sipp} (Debian: sip-tester)`);
      else await SECTIONS[name]?.(context);
      write(stolenTime());
    }
    if (minutes > 0) {
      write(`\n== churn, ${minutes} min · ${machineLoad()}`);
      await churn(context, minutes);
    }
  } finally {
    await rm(context.folder, { recursive: true, force: true });
  }
  // Waits for calls that will never end may still be pending.
  process.exit();
}

/** The sections asked for, all but `churn` by default; `undefined` where there is no such section. */
function sectionsOf(wanted: readonly string[]): readonly string[] | undefined {
  const named = wanted.filter(
    (each, index) => !each.startsWith("--") && wanted[index - 1] !== "--churn",
  );
  if (named.some((each) => each !== "churn" && SECTIONS[each] === undefined)) return undefined;
  if (named.length === 0 && !wanted.includes("--churn")) return Object.keys(SECTIONS);
  return named.filter((each) => each !== "churn");
}

function churnMinutes(wanted: readonly string[]): number {
  const at = wanted.indexOf("--churn");
  if (at >= 0) return Number(wanted[at + 1] ?? CHURN_MINUTES);
  return wanted.includes("churn") ? CHURN_MINUTES : 0;
}
