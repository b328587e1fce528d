import { symlink, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Writable } from "node:stream";
import { loadConfiguration, runCucumber } from "@cucumber/cucumber/api";
import { errorText, isoText, isSidetoneError } from "../environment/index.ts";
import { abortAllHarnesses, type CallRecord, onEveryCall } from "../index.ts";
import { measureCall } from "../measure/index.ts";
import { hostInfo, NodeFileStore, packageInfo, SystemClock } from "../platform/index.ts";
import {
  type CallSummary,
  type ErrorSummary,
  type RunSummary,
  readCallFolder,
  renderSummary,
  writeReport,
} from "../report/index.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { Progress } from "./progress.ts";
import { ScenarioCollector } from "./scenario-collector.ts";

/** What to run and where to leave what came of it. */
export interface RunOptions {
  /** Feature files, folders or globs. */
  readonly features: readonly string[];
  /** Further step files; those of Sidetone are always there. */
  readonly imports: readonly string[];
  readonly tags: string;
  readonly seed: string;
  /** The folder that gets a folder per run. */
  readonly reports: string;
  readonly write: (text: string) => void;
}

/** Runs scenarios, shows progress, leaves the report; returns the process's exit code. */
export async function runFeatures(options: RunOptions): Promise<number> {
  const clock = new SystemClock();
  const startedMs = clock.wallClockMs();
  const runId = isoText(startedMs).replaceAll(/[:.]/gu, "-").slice(0, 19);
  const folder = resolve(options.reports, runId);
  const { version } = packageInfo();
  options.write(`Sidetone ${version} · seed ${options.seed} · report ${folder}`);
  const progress = new Progress(options.write);
  const collector = new ScenarioCollector(progress);
  onEveryCall((call) => progress.watch(call));
  const interruption = watchSignals(options.write);
  try {
    await runScenarios(options, folder, collector);
  } catch (error) {
    collector.problems.push(problemOf(error));
  }
  const run = {
    ...(await summarise(folder, collector)),
    runId,
    startedAt: isoText(startedMs),
    durationMs: clock.wallClockMs() - startedMs,
    seed: options.seed,
    versions: { sidetone: version, node: hostInfo().node },
    environment: { platform: hostInfo().platform },
  };
  await leaveReport(run, folder, options);
  for (const { code, message } of collector.problems) {
    options.write(`${code === undefined ? "" : `${code}: `}${message}`);
  }
  interruption.stop();
  return interruption.happened ? EXIT_CODES.interrupted : exitCodeOf(run, collector.problems);
}

async function runScenarios(
  options: RunOptions,
  folder: string,
  collector: ScenarioCollector,
): Promise<void> {
  const { root } = packageInfo();
  const { runConfiguration } = await loadConfiguration(
    {
      file: false,
      provided: {
        paths: [...options.features],
        import: [join(root, "dist/steps/index.js"), ...options.imports],
        tags: options.tags,
        strict: true,
        format: [
          ["junit", join(folder, "junit.xml")],
          ["message", join(folder, "messages.ndjson")],
          ["allure-cucumberjs/reporter", join(folder, "allure-reporter.log")],
        ],
        formatOptions: { resultsDir: join(folder, "allure-results") },
        worldParameters: { seed: options.seed, reportFolder: folder },
      },
    },
    { cwd: process.cwd() },
  );
  // Cucumber's own progress dots would run through ours.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  await runCucumber(runConfiguration, { cwd: process.cwd(), stdout: silent }, collector.receive);
}

async function summarise(
  folder: string,
  collector: ScenarioCollector,
): Promise<Pick<RunSummary, "scenarios" | "calls"> & { readonly records: readonly CallRecord[] }> {
  const files = new NodeFileStore();
  const ids = await files.list(join(folder, "calls"));
  const records = await Promise.all(
    ids.map((id) => readCallFolder(files, join(folder, "calls", id))),
  );
  const calls = records.map(
    (record): CallSummary => ({
      id: record.description.id,
      description: record.description,
      metrics: measureCall(record),
    }),
  );
  return { scenarios: collector.scenarios, calls, records };
}

async function leaveReport(
  { records, ...run }: RunSummary & { readonly records: readonly CallRecord[] },
  folder: string,
  options: RunOptions,
): Promise<void> {
  const paths = await writeReport(new NodeFileStore(), folder, { run, records });
  await pointLatestTo(folder);
  options.write(`\n${renderSummary(run)}`);
  options.write(`Report: ${paths.page}`);
}

/** `reports/latest` always leads to the newest run. */
async function pointLatestTo(folder: string): Promise<void> {
  const latest = join(dirname(folder), "latest");
  try {
    await unlink(latest);
  } catch {
    // There was none yet.
  }
  try {
    await symlink(basename(folder), latest);
  } catch {
    // A host without symbolic links; the run's own folder was named above.
  }
}

function problemOf(error: unknown): ErrorSummary {
  if (isSidetoneError(error)) return { code: error.code, message: error.message };
  return { code: "ERR_RUN_FAILED", message: errorText(error) };
}

interface Interruption {
  readonly happened: boolean;
  stop(): void;
}

/** The first Ctrl-C hangs up and lets the report be written; the second ends at once. */
function watchSignals(write: (text: string) => void): Interruption {
  let happened = false;
  const handle = (): void => {
    if (happened) process.exit(EXIT_CODES.interrupted);
    happened = true;
    write("\nInterrupted: hanging up every call, then writing the report. Again to quit at once.");
    void abortAllHarnesses();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return {
    get happened() {
      return happened;
    },
    stop: () => {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
