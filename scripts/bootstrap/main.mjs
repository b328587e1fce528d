import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "./build.mjs";
import { runNode } from "./child.mjs";
import { BootstrapFailure, EXIT_USAGE, say } from "./failure.mjs";
import { ensureInstalled } from "./install.mjs";
import { withLock } from "./lock.mjs";
import { runNpm } from "./npm.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const CLI = ["--enable-source-maps", "dist/src/cli/main.js"];

/** The static checks, in the order of how soon they tell something. */
const CHECKS = ["format:check", "lint", "typecheck", "lint:boundaries", "knip"];

/** @type {Record<string, { what: string, run: (args: string[]) => Promise<number> }>} */
const COMMANDS = {
  start: {
    what: "run the demonstration: sidetone demo [arguments]",
    run: (args) => runNode([...CLI, "demo", ...args], { cwd: ROOT }),
  },
  features: {
    what: "run feature files: sidetone run [arguments]",
    run: (args) => runNode([...CLI, "run", ...args], { cwd: ROOT }),
  },
  test: {
    what: "run all tests that need no Debian package and no root",
    run: (args) => runTests("test", ["unit", "loopback", "side-by-side", "sdk"], args),
  },
  "test:interop": {
    what: "run the tests against baresip, SIPp and tshark",
    run: (args) => runTests("interop", ["interop", "interop-side-by-side"], args),
  },
  bench: {
    what: "run one benchmark: bench NAME [arguments]",
    run: ([name, ...args]) => runBench(name, args),
  },
  check: { what: "run all static checks", run: runChecks },
  build: { what: "install and compile, nothing else", run: () => Promise.resolve(0) },
};

/**
 * Installs and compiles what is needed, then runs one command; its exit code becomes ours.
 *
 * @param {string[]} argv
 */
export async function main(argv) {
  process.exitCode = await run(argv);
}

/**
 * @param {string[]} argv
 * @returns {Promise<number>} The exit code.
 */
async function run([name = "", ...args]) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return showUsage(name);
  try {
    await withLock(join(ROOT, ".bootstrap.lock"), async () => {
      await ensureInstalled(ROOT);
      await ensureBuilt(ROOT);
    });
    return await command.run(args);
  } catch (error) {
    if (!(error instanceof BootstrapFailure)) throw error;
    say(error.message);
    return error.exitCode;
  }
}

/**
 * Runs projects of vitest and makes sure that some test did run: a filter that matches nothing, or
 * a broken configuration, must not pass for success.
 *
 * @param {string} label Names the JSON report in reports/tests/.
 * @param {readonly string[]} projects
 * @param {readonly string[]} args
 */
async function runTests(label, projects, args) {
  const report =
    process.env["SIDETONE_TEST_REPORT"] ?? join(ROOT, "reports", "tests", `${label}.json`);
  await rm(report, { force: true });
  const exitCode = await runNode(
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...args,
    ],
    { cwd: ROOT },
  );
  if (exitCode !== 0) return exitCode;
  const { numPassedTests = 0 } = JSON.parse(await readFile(report, "utf8").catch(() => "{}"));
  if (numPassedTests > 0) return 0;
  say("no test ran. Either the filter matches none, or vitest.config.ts finds no test file.");
  return EXIT_USAGE;
}

/**
 * @param {string | undefined} name
 * @param {readonly string[]} args
 */
async function runBench(name, args) {
  if (name === undefined || !/^[a-z-]+$/.test(name)) return showUsage("bench");
  return runNode(["--enable-source-maps", `dist/bench/${name}.js`, ...args], { cwd: ROOT });
}

/** Runs every check, also after one has failed, and names the failed ones at the end. */
async function runChecks() {
  const failed = [];
  for (const check of CHECKS) {
    say(`check: ${check}`);
    const { exitCode } = await runNpm(["run", "--silent", check], ROOT);
    if (exitCode !== 0) failed.push(check);
  }
  if (failed.length === 0) return 0;
  say(`failed: ${failed.join(", ")}`);
  return 1;
}

/** @param {string} name */
function showUsage(name) {
  const lines = Object.entries(COMMANDS).map(([key, { what }]) => `  ${key.padEnd(13)} ${what}`);
  say(`${name === "" ? "a command is missing" : `"${name}" does not work like that`}. Commands:`);
  process.stderr.write(`${lines.join("\n")}\n`);
  return EXIT_USAGE;
}
