// Sums up the test runs of `.ci/run`: node scripts/ci-summary.mjs FOLDER [FAILED-STAGE …]
//
// Reads the JSON report and the log of each run in FOLDER. Prints each run's closing lines and, as
// the last line, the sum of all. Fails when a stage or a test failed, or when no test ran.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

const CLOSING_LINE = /^\s*(Test Files|Tests|Duration)\s/;

const [folder = "reports/ci", ...failedStages] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .toSorted()) {
  const run = basename(file, ".json");
  const counts = countsOf(JSON.parse(readFileSync(join(folder, file), "utf8")));
  console.log([`${run}:`, ...closingLines(join(folder, `${run}.log`))].join("\n"));
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}

if (failedStages.length > 0) console.log(`\nFailed stages: ${failedStages.join(", ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = failedStages.length > 0 || total.failed > 0 || total.passed === 0 ? 1 : 0;

/**
 * A file that could not be loaded has no test that failed; it counts as one.
 *
 * @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: TestFile[] }} report
 */
function countsOf(report) {
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** @param {string} path */
function closingLines(path) {
  const lines = stripVTControlCharacters(readFileSync(path, "utf8")).split("\n");
  return lines.filter((line) => CLOSING_LINE.test(line)).slice(-3);
}
