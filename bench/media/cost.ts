/**
 * What a call costs, in processor time alone: a figure that a busy machine disturbs least, and, with
 * `--against FOLDER`, compared with another build of this program that carries
 * the same calls at the same time.
 *
 * Nothing is observed from outside, so departure jitter is not seen here: `plain` and `bridged`.
 */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { AgentOptions } from "../../src/call/index.ts";
import { type Harness, openHarness, scriptPath } from "../../src/index.ts";
import type { BenchContext } from "./bench-context.ts";
import { aiOptions } from "./bridged.ts";
import { busyMs, cpuMsOf, type Program, type ThreadTimes, threadTimesOf } from "./host.ts";
import { startLoad, stopAll, warnIfEnded } from "./sipp.ts";
import { figure, median, Table, write } from "./table.ts";
import { openOwn, type Target } from "./targets.ts";

const WARM_UP_MS = 5000;
const WINDOW_MS = 1000;
/** Windows that count: the quietest ones. */
const WINDOWS = 8;
const WINDOWS_MAX = 20;
/**
 * Of one processor, used by programs that are no part of the benchmark. They share caches, and
 * often a core, with ours: the same work was seen to cost twice as much beside them.
 */
const QUIET_SHARE_MAX = 0.1;
const PLAIN_CALLS_PER_SECOND = 100;
const BRIDGED_CALLS_PER_SECOND = 25;

/** What is carried. */
interface CostCase {
  readonly name: string;
  readonly calls: number;
  readonly options: Partial<AgentOptions>;
  readonly audioFormat?: "pcm" | "pcmu";
}

const CASES: readonly CostCase[] = [
  { name: "plain", calls: 100, options: {} },
  { name: "plain", calls: 300, options: {} },
  { name: "recorded", calls: 100, options: { keepsRecordings: true } },
  { name: "passed", calls: 50, options: {}, audioFormat: "pcmu" },
  { name: "resampled", calls: 50, options: {}, audioFormat: "pcm" },
];

/** Which of the program's builds, and what is measured of it. */
export interface CostOptions {
  /** The root folder of another build. */
  readonly against: string | undefined;
  /** The names of cases to run, "plain/300" or "plain"; all where there are none. */
  readonly only: readonly string[];
}

/** What one window showed, in ms per call-second. */
interface Window {
  readonly main: number;
  readonly system: number;
  readonly others: number;
  /** What programs that are no part of the benchmark used of one processor. */
  readonly foreignShare: number;
}

export async function cost(context: BenchContext, options: CostOptions): Promise<void> {
  write(
    `the median of the ${WINDOWS} quietest windows of ${WINDOW_MS / 1000} s; ms of processor time per call-second`,
  );
  write("'foreign': what other programs used of one processor meanwhile, which makes ours dearer");
  const head = ["", "calls", "all", "JavaScript", "(system)", "other thr.", "foreign", "ratio"];
  const table = new Table(head);
  const { against, only } = options;
  const builds = against === undefined ? [undefined] : [undefined, against];
  for (const each of CASES) {
    const { name, calls } = each;
    if (only.length > 0 && !only.includes(name) && !only.includes(`${name}/${calls}`)) continue;
    const [own = [], other] = await measure(context, each, builds);
    if (other !== undefined) print(table, `${name}, other build`, { calls, windows: other });
    print(table, name, { calls, windows: own, ratio: total(own) / total(other ?? []) });
  }
}

function total(windows: readonly Window[]): number {
  return median(windows.map(({ main, others }) => main + others));
}

function print(
  table: Table,
  name: string,
  row: { readonly calls: number; readonly windows: readonly Window[]; readonly ratio?: number },
): void {
  const { calls, windows, ratio } = row;
  table.row([
    name,
    String(calls),
    figure(total(windows)),
    figure(median(windows.map(({ main }) => main))),
    figure(median(windows.map(({ system }) => system))),
    figure(median(windows.map(({ others }) => others))),
    figure(median(windows.map(({ foreignShare }) => foreignShare))),
    figure(ratio),
  ]);
}

/**
 * Carries the same calls with each build at the same time, so that whatever disturbs the machine
 * disturbs them alike.
 */
async function measure(
  context: BenchContext,
  { name, calls, options, audioFormat }: CostCase,
  builds: readonly (string | undefined)[],
): Promise<readonly (readonly Window[])[]> {
  const harness = await openHarness({ seed: "bench", reportFolder: context.folder });
  const targets: Target[] = [];
  const load: Program[] = [];
  const callsPerSecond =
    audioFormat === undefined ? PLAIN_CALLS_PER_SECOND : BRIDGED_CALLS_PER_SECOND;
  for (const build of builds) {
    const ai =
      audioFormat === undefined
        ? {}
        : { ai: { ...aiOptions(await startAi(harness)), audioFormat } };
    const program = build === undefined ? undefined : agentOf(build);
    const target = await openOwn(name, { ...options, ...ai }, program);
    targets.push(target);
    load.push(await startLoad({ ...context, target: target.address, calls, callsPerSecond }));
  }
  await delay((calls * 1000) / callsPerSecond + WARM_UP_MS);
  const windows = await quietest(targets, load, calls);
  warnIfEnded(load);
  await Promise.all(targets.map((target) => target.stop()));
  await stopAll(load);
  await harness.close();
  return windows;
}

function startAi(harness: Harness): ReturnType<Harness["startEmbeddedAi"]> {
  return harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
}

/** Measures until there are enough quiet windows, or for so long as is reasonable. */
async function quietest(
  targets: readonly Target[],
  load: readonly Program[],
  calls: number,
): Promise<readonly (readonly Window[])[]> {
  const all: Window[][] = [];
  const isQuiet = ([window]: Window[]): boolean => (window?.foreignShare ?? 1) <= QUIET_SHARE_MAX;
  while (all.length < WINDOWS_MAX && all.filter(isQuiet).length < WINDOWS) {
    const before = readings(targets, load);
    await delay(WINDOW_MS);
    all.push(windowBetween(before, readings(targets, load), calls));
  }
  const foreign = ([window]: Window[]): number => window?.foreignShare ?? 1;
  const quiet = all.toSorted((a, b) => foreign(a) - foreign(b)).slice(0, WINDOWS);
  return targets.map((_, index) => quiet.map((each) => each[index] as Window));
}

interface Readings {
  readonly atMs: number;
  readonly busyMs: number;
  readonly benchMs: number;
  readonly threads: readonly ThreadTimes[];
}

function readings(targets: readonly Target[], load: readonly Program[]): Readings {
  return {
    atMs: performance.now(),
    busyMs: busyMs(),
    benchMs: cpuMsOf(process.pid) + load.reduce((sum, program) => sum + program.cpuMs(), 0),
    threads: targets.map(({ pid }) => threadTimesOf(pid)),
  };
}

function windowBetween(before: Readings, after: Readings, calls: number): Window[] {
  const seconds = (after.atMs - before.atMs) / 1000;
  const spent = after.threads.map((times, index) => {
    const earlier = before.threads[index] as ThreadTimes;
    return {
      main: times.mainMs - earlier.mainMs,
      system: times.mainSystemMs - earlier.mainSystemMs,
      others: times.othersMs - earlier.othersMs,
    };
  });
  const own = spent.reduce((sum, { main, others }) => sum + main + others, 0);
  const foreignMs = after.busyMs - before.busyMs - (after.benchMs - before.benchMs) - own;
  return spent.map(({ main, system, others }) => ({
    main: main / seconds / calls,
    system: system / seconds / calls,
    others: others / seconds / calls,
    foreignShare: foreignMs / seconds / 1000,
  }));
}

/** The agent's program of another build. */
function agentOf(build: string): URL {
  return pathToFileURL(resolve(build, "dist/bench/agent-process.js"));
}
