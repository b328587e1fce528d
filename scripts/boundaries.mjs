// Checks the import map (.dependency-cruiser.cjs) and that dependency-cruiser saw the sources:
// with a compiler that it cannot use it reports "no violations (0 modules)" and succeeds.

import { spawnSync } from "node:child_process";

const SOURCES = ["src", "steps"];
const CRUISER = "node_modules/dependency-cruiser/bin/dependency-cruise.mjs";
const JSON_BYTES_MAX = 256 * 1024 * 1024;

const { stdout, stderr, status } = spawnSync(
  process.execPath,
  [CRUISER, ...SOURCES, "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
  { encoding: "utf8", maxBuffer: JSON_BYTES_MAX },
);

if (stdout === "") {
  console.error(`dependency-cruiser did not run (exit code ${status}):\n${stderr}`);
  process.exitCode = 1;
} else {
  const { violations, totalCruised } = JSON.parse(stdout).summary;
  for (const { rule, from, to } of violations) {
    console.error(`${rule.severity} ${rule.name}: ${from} → ${to}`);
  }
  console.log(`${violations.length} violations in ${totalCruised} modules`);
  if (totalCruised === 0) console.error("No module was seen: the check says nothing.");
  process.exitCode = violations.length > 0 || totalCruised === 0 ? 1 : 0;
}
