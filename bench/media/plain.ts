/**
 * Plain G.711 calls: what one costs, how many fit, and how steady packets leave.
 *
 * SIPp calls and plays; twenty of the calls have their answer sent to the independent receiver,
 * the others to SIPp, which drops it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { AgentOptions } from "../../src/call/index.ts";
import type { BenchContext } from "./bench-context.ts";
import { cpuMsOf, missing, type Program, residentBytesOf } from "./host.ts";
import { Receiver, type Window } from "./receiver.ts";
import { startLoad, stopAll, warnIfEnded } from "./sipp.ts";
import { figure, Table, write } from "./table.ts";
import { openBaresip, openOwn, openPjsua, type Target } from "./targets.ts";

const STEPS = [1, 20, 100, 300, 500, 700, 1000, 1300];
/** Calls whose packets the receiver gets. */
const OBSERVED_CALLS = 20;
const CALLS_PER_SECOND = 100;
const SETTLE_MS = 1500;
/** Before the first window: what is charged is carrying calls, not compiling code for them. */
const WARM_UP_MS = 4000;
const WINDOW_MS = 4000;
const FRAME_MS = 20;
/** Where a process is full. */
const P99_LIMIT_MS = 5;
/** So many calls are always tried, however unsteady. */
const ALWAYS_TRIED = 1000;

/** One step's figures. */
interface Step {
  readonly calls: number;
  readonly cpuMsPerCallSecond: number;
  readonly sippCpuMsPerCallSecond: number;
  readonly memoryMbPerCall: number;
  readonly window: Window;
}

const OURS = "ours, 1 thread";
/** CPU per call-second by target and number of calls. */
const costs = new Map<string, number>();

export async function plain(context: BenchContext): Promise<void> {
  write("window 4 s per row; 'jitter': departure against an absolute schedule, 20 calls observed");
  const table = new Table([
    "",
    "calls",
    "CPU ms/call-s",
    "SIPp CPU",
    "RSS MB/call",
    "jitter p50",
    "p95",
    "p99",
    "max",
    "missing",
    "of due",
    "receiver p50/p99",
  ]);
  await climb(context, table, own(OURS, {}), STEPS);
  await climb(context, table, own("ours, 2 threads", { threads: 2 }), STEPS);
  await climb(context, table, own("ours, recorded", { keepsRecordings: true }), [100]);
  await climb(context, table, own("ours, hears no tones", { media: { hearsTones: false } }), [100]);
  await climbPeers(context, table);
}

/** Prints what was said to be compared. */
export function plainRatios(): void {
  for (const peer of ["baresip", "pjsua"]) {
    const theirs = costs.get(`${peer}/100`) ?? costs.get(`${peer}/20`);
    const at = costs.has(`${peer}/100`) ? 100 : 20;
    const ours = costs.get(`${OURS}/${at}`);
    if (theirs === undefined || ours === undefined) continue;
    write(`CPU per call at ${at} calls, ours / ${peer}: ${figure(ours / theirs)}`);
  }
}

/** What answers the calls of a climb. */
type Opener = () => Promise<Target>;

function own(name: string, options: Partial<AgentOptions>): Opener {
  return () => openOwn(name, options);
}

async function climbPeers(context: BenchContext, table: Table): Promise<void> {
  const peers = [
    {
      name: "baresip",
      open: () => openBaresip(context.folder, context.speech),
      steps: [1, 20, 100],
    },
    { name: "pjsua", open: () => openPjsua(context.folder, context.speech), steps: [1, 20] },
  ];
  for (const { name, open, steps } of peers) {
    const reason = missing(name);
    if (reason === undefined) await climb(context, table, open, steps);
    else write(`${name}: skipped, ${reason}`);
  }
}

async function climb(
  context: BenchContext,
  table: Table,
  open: Opener,
  steps: readonly number[],
): Promise<void> {
  const target = await open();
  const receiver = await Receiver.open(["rtp"]);
  const load: Program[] = [];
  const idleBytes = residentBytesOf(target.pid);
  let full: number | undefined;
  let fits = 0;
  let calls = 0;
  for (const step of steps) {
    await grow(context, target, { load, from: calls, to: step, mediaPort: receiver.ports["rtp"] });
    calls = step;
    const state = { load, calls, idleBytes };
    let measured = await measureStep(target, receiver, state);
    print(table, target.name, measured);
    if (p99Of(measured) > P99_LIMIT_MS) {
      // What else the machine does can be the reason, so it has a second chance.
      measured = await measureStep(target, receiver, state);
      print(table, `${target.name} (again)`, measured);
    }
    warnIfEnded(load);
    costs.set(`${target.name}/${calls}`, measured.cpuMsPerCallSecond);
    if (p99Of(measured) <= P99_LIMIT_MS) fits = calls;
    else full ??= calls;
    if (full !== undefined && calls >= ALWAYS_TRIED) break;
  }
  if (steps.length > 3) {
    const limit = full === undefined ? "never exceeded" : `first exceeded at ${full}`;
    write(`${target.name}: jitter p99 ≤ ${P99_LIMIT_MS} ms at up to ${fits} calls (${limit})`);
  }
  await target.stop();
  await stopAll(load);
  await receiver.close();
}

function p99Of({ window }: Step): number {
  return window.deviations["rtp"]?.p99Ms ?? Number.NaN;
}

/** More calls on top of those that are up. */
async function grow(
  { folder, audioFile }: BenchContext,
  target: Target,
  step: {
    readonly load: Program[];
    readonly from: number;
    readonly to: number;
    readonly mediaPort: number | undefined;
  },
): Promise<void> {
  const { load, from, to, mediaPort } = step;
  const common = { folder, audioFile, target: target.address, callsPerSecond: CALLS_PER_SECOND };
  const observed = Math.min(OBSERVED_CALLS, to) - Math.min(OBSERVED_CALLS, from);
  if (observed > 0 && mediaPort !== undefined) {
    load.push(await startLoad({ ...common, calls: observed, mediaPort }));
  }
  const others = to - from - observed;
  if (others > 0) load.push(await startLoad({ ...common, calls: others }));
  await delay(((to - from) * 1000) / CALLS_PER_SECOND + SETTLE_MS + (from === 0 ? WARM_UP_MS : 0));
}

async function measureStep(
  target: Target,
  receiver: Receiver,
  state: { readonly load: readonly Program[]; readonly calls: number; readonly idleBytes: number },
): Promise<Step> {
  const { load, calls, idleBytes } = state;
  const sippCpuMs = (): number => load.reduce((sum, program) => sum + program.cpuMs(), 0);
  const before = { at: performance.now(), own: cpuMsOf(target.pid), sipp: sippCpuMs() };
  const window = await receiver.measure(() => delay(WINDOW_MS));
  const callSeconds = (calls * (performance.now() - before.at)) / 1000;
  return {
    calls,
    cpuMsPerCallSecond: (cpuMsOf(target.pid) - before.own) / callSeconds,
    sippCpuMsPerCallSecond: (sippCpuMs() - before.sipp) / callSeconds,
    memoryMbPerCall: (residentBytesOf(target.pid) - idleBytes) / calls / 1e6,
    window,
  };
}

/** What came of the packets that were due; frames that a sender skips are not missing. */
function percentOfDue({ calls, window }: Step): number {
  const due = (Math.min(calls, OBSERVED_CALLS) * WINDOW_MS) / FRAME_MS;
  return ((window.deviations["rtp"]?.packets ?? 0) * 100) / due;
}

function print(table: Table, name: string, step: Step): void {
  const { deviations, ownDelayMs } = step.window;
  const jitter = deviations["rtp"];
  table.row([
    name,
    String(step.calls),
    figure(step.cpuMsPerCallSecond),
    figure(step.sippCpuMsPerCallSecond),
    figure(step.memoryMbPerCall),
    figure(jitter?.p50Ms),
    figure(jitter?.p95Ms),
    figure(jitter?.p99Ms),
    figure(jitter?.maxMs, 1),
    String(jitter?.missing ?? "–"),
    `${figure(percentOfDue(step), 0)} %`,
    `${figure(ownDelayMs.p50)}/${figure(ownDelayMs.p99)}`,
  ]);
}
