/**
 * `npm run bench:media [-- SECTION …] [OPTIONS]`: what media cost, how steady they are and how many
 * calls fit, with ratios to peers of the same run on the same machine. Options:
 *
 * - `--churn MINUTES`: calls that come and go for so long.
 * - `--only CASE` (repeatable): of the section `cost`, "plain" or "plain/300".
 * - `--against FOLDER`: the section `cost` compares with the build in another checkout.
 *
 * Nothing is asserted: figures depend on the machine and on what else it does. Compare ratios.
 */
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { hostInfo } from "../src/platform/index.ts";
import { type BenchContext, prepare } from "./media/bench-context.ts";
import { bridged } from "./media/bridged.ts";
import { churn } from "./media/churn.ts";
import { type CostOptions, cost } from "./media/cost.ts";
import { dsp } from "./media/dsp.ts";
import { machineLoad, missing, watchStolenTime } from "./media/host.ts";
import { plain, plainRatios } from "./media/plain.ts";
import { sideBySide } from "./media/side-by-side.ts";
import { write } from "./media/table.ts";

/** Of `churn` where it is asked for by name. */
const CHURN_MINUTES = "10";

type Section = (context: BenchContext, options: CostOptions) => Promise<void>;

const SECTIONS: Readonly<Record<string, Section>> = {
  dsp: () => dsp(),
  cost,
  plain: async (context) => {
    await plain(context);
    plainRatios();
  },
  jitter: sideBySide,
  bridged,
};

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    churn: { type: "string" },
    only: { type: "string", multiple: true },
    against: { type: "string" },
  },
});
const churnMinutes = values.churn ?? (positionals.includes("churn") ? CHURN_MINUTES : undefined);
const names = positionals.filter((each) => each !== "churn");
if (names.some((each) => SECTIONS[each] === undefined)) {
  write(
    `usage: npm run bench:media -- [${[...Object.keys(SECTIONS), "churn"].join("] [")}] [--churn MINUTES] [--only CASE] [--against FOLDER]`,
  );
  process.exitCode = 2;
} else {
  const isAll = names.length === 0 && churnMinutes === undefined;
  await run(isAll ? Object.keys(SECTIONS) : names, Number(churnMinutes ?? 0));
}

async function run(sections: readonly string[], minutes: number): Promise<void> {
  const { node, platform } = hostInfo();
  write(`bench:media · ${node} ${platform}`);
  const sipp = missing("sipp");
  const context = await prepare();
  const options = { against: values.against, only: values.only ?? [] };
  try {
    for (const name of sections) {
      const stolenTime = watchStolenTime();
      write(`\n== ${name} · ${machineLoad()}`);
      if (sipp !== undefined && name !== "dsp") write(`skipped: ${sipp} (Debian: sip-tester)`);
      else await SECTIONS[name]?.(context, options);
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
