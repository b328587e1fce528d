import { UsageError } from "../environment/index.ts";
import { NodeFileStore } from "../platform/index.ts";
import { compareRuns, isWorse, readResults, renderComparison } from "../report/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";

/** Which two runs, and how to say what differs. */
export interface CompareOptions {
  /** Two run folders, or their results.json. */
  readonly runs: readonly string[];
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/**
 * Says what changed from one run to another, by how much, and whether it is more than noise.
 *
 * @returns exit code 1 where something got worse by more than noise.
 * @throws UsageError ERR_COMPARE_RUNS, and those of `readResults`.
 */
export async function compare({ runs, json, write }: CompareOptions): Promise<number> {
  const [a, b] = runs;
  if (a === undefined || b === undefined || runs.length > 2) {
    throw new UsageError(
      "ERR_COMPARE_RUNS",
      `sidetone compare takes two run folders, and got ${runs.length}. For example: sidetone compare reports/before reports/latest`,
    );
  }
  const files = new NodeFileStore();
  const comparison = compareRuns(await readResults(files, a), await readResults(files, b));
  write(json ? JSON.stringify(comparison, undefined, 2) : renderComparison(comparison));
  return isWorse(comparison) ? EXIT_CODES.failed : EXIT_CODES.passed;
}
