// The fuzz suite at length, for a night: `npm run fuzz -- [inputs per target] [seed]`. Every input
// can be made again from the seed, which a failure names.

import { spawnSync } from "node:child_process";

const [inputs = "1000000", seed = String(Date.now())] = process.argv.slice(2);
console.log(`fuzz: up to ${inputs} inputs per target, seed ${seed}`);
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    "unit",
    "--testTimeout=36000000",
    "test/unit/fuzz",
  ],
  {
    stdio: "inherit",
    env: { ...process.env, SIDETONE_FUZZ_RUNS: inputs, SIDETONE_FUZZ_SEED: seed },
  },
);
process.exitCode = status ?? 1;
