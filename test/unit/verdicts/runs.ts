import { type JudgedRun, judgeRun } from "./scenarios.ts";

/** All of them together: `PARTS` files of tests, so that workers share them. */
const RUNS = 1000;
const PARTS = 4;
/** Seeds are fixed, so that CI repeats itself; another word here (or there) makes other runs. */
const SEED = process.env["SIDETONE_VERDICTS_SEED"] ?? "verdict";
/** A busy machine may take its time. */
export const VERDICTS_TIMEOUT_MS = 600_000;

/** Makes and judges one part of the runs, prints what came out, and returns what was judged wrongly. */
export async function falseVerdicts(part: number): Promise<readonly JudgedRun[]> {
  const runs: JudgedRun[] = [];
  for (let index = (part * RUNS) / PARTS; index < ((part + 1) * RUNS) / PARTS; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each has a clock of its own; two at once gain nothing.
    runs.push(await judgeRun(`${SEED}-${index}`));
  }
  const counts = new Map<string, number>();
  for (const { scenario, bot } of runs) {
    const kind = `${scenario}/${bot}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].map(([kind, count]) => `${kind} ${count}`);
  process.stdout.write(
    `verdicts, seeds ${SEED}-…, part ${part + 1}: ${kinds.toSorted((a, b) => a.localeCompare(b)).join(" · ")}\n`,
  );
  const wrong = runs.filter(({ isFalse }) => isFalse);
  for (const run of wrong) process.stdout.write(`FALSE VERDICT: ${JSON.stringify(run)}\n`);
  return wrong;
}
