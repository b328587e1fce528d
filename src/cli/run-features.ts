import { join, resolve } from "node:path";
import { Writable } from "node:stream";
import { loadConfiguration, runCucumber } from "@cucumber/cucumber/api";
import { errorText, isoText, isSidetoneError } from "../environment/index.ts";
import { abortAllHarnesses, type CallRecord, onEveryCall, takeLeftCalls } from "../index.ts";
import { type CallMetrics, measureCall, withListening } from "../measure/index.ts";
import { hostInfo, NodeFileStore, packageInfo, SystemClock } from "../platform/index.ts";
import {
  type CallSummary,
  type ErrorSummary,
  type RunSummary,
  readCallFolder,
  renderSummary,
  writeReport,
} from "../report/index.ts";
import { correctAllureResults } from "./allure-results.ts";
import { noteOfMachine } from "./calibration-path.ts";
import type { DiallingParameters } from "./dialling-options.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { requirePaths } from "./feature-paths.ts";
import { Interruption } from "./interruption.ts";
import { Progress } from "./progress.ts";
import { claimRunFolder, pointLatestTo } from "./run-folder.ts";
import { ScenarioCollector } from "./scenario-collector.ts";

const ALLURE_RESULTS = "allure-results";

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
  readonly localAddress: string | undefined;
  /** "openai", "azure-openai" or "gemini". */
  readonly ai: string | undefined;
  /** Modules of tools for embedded bots. */
  readonly tools: readonly string[];
  /** A file that says what models cost. */
  readonly prices: string | undefined;
  readonly voicesFolder: string | undefined;
  /** Permitted hosts beside loopback, and how much may be called. */
  readonly dialling: DiallingParameters;
  /** Whether the report has ViSQOL's opinion, which takes long. */
  readonly visqol: boolean;
  /** Whether calls are made in virtual time. */
  readonly virtual: boolean;
  readonly write: (text: string) => void;
}

/**
 * Runs scenarios, shows progress, leaves the report; returns the process's exit code.
 *
 * @throws UsageError ERR_FILE_MISSING where a path leads nowhere; no report is left then.
 */
export async function runFeatures(options: RunOptions): Promise<number> {
  requirePaths(options.features, "features");
  requirePaths(options.imports, "step file");
  requirePaths(options.tools, "module of tools");
  const clock = new SystemClock();
  const startedMs = clock.wallClockMs();
  const startedAt = isoText(startedMs);
  const name = startedAt.replaceAll(/[:.]/gu, "-").slice(0, 19);
  const { runId, folder } = await claimRunFolder(resolve(options.reports), name);
  const { version } = packageInfo();
  const time = options.virtual ? " · virtual time" : "";
  options.write(`Sidetone ${version} · seed ${options.seed}${time} · report ${folder}`);
  const left = takeLeftCalls(folder);
  if (left !== undefined) options.write(left);
  const interruption = interruptionOf(clock, options.write);
  const stopListening = interruption.listen();
  const collector = await collect(options, folder, interruption);
  const run = {
    ...(await summarise(folder, collector, options)),
    runId,
    startedAt,
    durationMs: clock.wallClockMs() - startedMs,
    seed: options.seed,
    versions: { sidetone: version, node: hostInfo().node },
    ...(await circumstances(options, startedMs)),
  };
  await leaveReport(run, folder, options);
  for (const { code, message } of collector.problems) {
    options.write(`${code === undefined ? "" : `${code}: `}${message}`);
  }
  stopListening();
  if (interruption.hasHappened) return EXIT_CODES.interrupted;
  return exitCodeOf(run.scenarios, collector.problems);
}

/** What the figures depend on. A virtual world has no errors of a machine's. */
async function circumstances(
  { virtual }: RunOptions,
  startedMs: number,
): Promise<Pick<RunSummary, "environment" | "calibration">> {
  const { platform } = hostInfo();
  if (virtual) return { environment: { platform, time: "virtual" } };
  return {
    environment: { platform },
    calibration: await noteOfMachine(new NodeFileStore(), startedMs),
  };
}

/** Runs the scenarios; what they came to, and what went wrong outside of them. */
async function collect(
  options: RunOptions,
  folder: string,
  interruption: Interruption,
): Promise<ScenarioCollector> {
  const progress = new Progress(options.write);
  const collector = new ScenarioCollector(progress, () => interruption.hasHappened);
  onEveryCall((call) => progress.watch(call));
  try {
    await runScenarios(options, folder, collector);
  } catch (error) {
    // Where a hook of the run failed, its message has told more than what is thrown after it.
    if (collector.problems.length === 0) collector.problems.push(problemOf(error));
  }
  const isEmpty = collector.scenarios.length === 0 && collector.problems.length === 0;
  if (isEmpty && !interruption.hasHappened) collector.problems.push(noScenario(options));
  return collector;
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
        formatOptions: { resultsDir: join(folder, ALLURE_RESULTS) },
        worldParameters: worldParameters(options, folder),
      },
    },
    { cwd: process.cwd() },
  );
  // Cucumber's own progress dots would run through ours.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  await runCucumber(runConfiguration, { cwd: process.cwd(), stdout: silent }, collector.receive);
}

/** What the step library is told; absent where the user chose nothing. */
function worldParameters(
  { seed, localAddress, ai, tools, prices, voicesFolder, dialling, virtual }: RunOptions,
  folder: string,
): Record<string, string | number | boolean | string[]> {
  return {
    seed,
    reportFolder: folder,
    ...dialling,
    ...(virtual ? { virtual } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(ai === undefined ? {} : { ai }),
    ...(tools.length === 0 ? {} : { tools: tools.map((path) => resolve(path)) }),
    ...(prices === undefined ? {} : { prices: resolve(prices) }),
    ...(voicesFolder === undefined ? {} : { voicesFolder: resolve(voicesFolder) }),
  };
}

async function summarise(
  folder: string,
  collector: ScenarioCollector,
  options: RunOptions,
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
      metrics: figuresOf(record, options),
    }),
  );
  return { scenarios: collector.scenarios, calls, records };
}

function figuresOf(record: CallRecord, { visqol, write }: RunOptions): CallMetrics {
  const metrics = measureCall(record);
  if (!visqol) return metrics;
  const clock = new SystemClock();
  const startedMs = clock.wallClockMs();
  const withOpinion = withListening(metrics, record);
  const listening = withOpinion.quality?.listening;
  const seconds = ((clock.wallClockMs() - startedMs) / 1000).toFixed(1);
  write(
    listening === undefined
      ? `ViSQOL of call ${record.description.id}: none (both ends must be recorded, and the bot speak)`
      : `ViSQOL of call ${record.description.id}: ${listening.mosLqo.toFixed(2)} over ${(listening.comparedMs / 1000).toFixed(1)} s of speech, in ${seconds} s`,
  );
  return withOpinion;
}

async function leaveReport(
  { records, ...run }: RunSummary & { readonly records: readonly CallRecord[] },
  folder: string,
  options: RunOptions,
): Promise<void> {
  const files = new NodeFileStore();
  const paths = await writeReport(files, folder, { run, records });
  await correctAllureResults(files, join(folder, ALLURE_RESULTS));
  const unlinked = await pointLatestTo(folder);
  options.write(`\n${renderSummary(run)}`);
  options.write(`Report: ${paths.page}`);
  if (unlinked !== undefined) options.write(unlinked);
}

function noScenario({ features, tags }: RunOptions): ErrorSummary {
  const wanted = tags === "" ? "no scenario" : `no scenario with the tags ${tags}`;
  return {
    code: "ERR_NO_SCENARIO",
    fault: "usage",
    message: `Nothing ran: ${features.join(", ")} has ${wanted}.`,
  };
}

function problemOf(error: unknown): ErrorSummary {
  if (isSidetoneError(error)) {
    return { code: error.code, fault: error.fault, message: error.message };
  }
  return { code: "ERR_RUN_FAILED", message: textWithCauses(error) };
}

/** Cucumber wraps what happened: "Cucumber errored when trying to do …", and the reason as cause. */
function textWithCauses(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? errorText(error) : `${errorText(error)}: ${textWithCauses(cause)}`;
}

/** The first Ctrl-C hangs up and lets the report be written; the second ends at once. */
function interruptionOf(clock: SystemClock, write: (text: string) => void): Interruption {
  return new Interruption(clock, {
    onFirst: () => {
      write(
        "\nInterrupted: hanging up every call, then writing the report. Again to quit at once.",
      );
      void abortAllHarnesses();
    },
    onSecond: () => process.exit(EXIT_CODES.interrupted),
  });
}
