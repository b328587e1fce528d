/** Departure jitter of SIPp, ours and the peers at the same time, seen by one receiver. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "./bench-context.ts";
import { missing, type Program } from "./host.ts";
import { Receiver } from "./receiver.ts";
import { startAnswerer, startLoad, stopAll } from "./sipp.ts";
import { figure, Table, write } from "./table.ts";
import { openBaresip, openOwn, openPjsua, type Target } from "./targets.ts";

const CALLS = [20, 100];
/** baresip takes a thread for each call: with more, it would measure itself. */
const PEER_CALLS_MAX = 20;
const CALLS_PER_SECOND = 50;
const SETTLE_MS = 2000;
const WINDOW_MS = 10_000;

export async function sideBySide(context: BenchContext): Promise<void> {
  write("at the same time, window 10 s, all calls observed by the one receiver:");
  const table = new Table(["", "calls", "jitter p50", "p95", "p99", "max", "missing"]);
  for (const calls of CALLS) await measure(context, table, calls);
}

async function measure(context: BenchContext, table: Table, calls: number): Promise<void> {
  const receiver = await Receiver.open(["SIPp", "ours", "baresip", "pjsua"]);
  const { folder, audioFile } = context;
  const sipp = await startAnswerer(folder, receiver.ports["SIPp"] ?? 0);
  const targets = await openTargets(context, calls);
  const load: Program[] = [sipp.program];
  const common = { folder, audioFile, calls, callsPerSecond: CALLS_PER_SECOND };
  load.push(await startLoad({ ...common, target: sipp.address }));
  for (const target of targets) {
    const mediaPort = receiver.ports[target.name] ?? 0;
    load.push(await startLoad({ ...common, target: target.address, mediaPort }));
  }
  await delay((calls * 1000) / CALLS_PER_SECOND + SETTLE_MS);
  const window = await receiver.measure(() => delay(WINDOW_MS));
  for (const [name, jitter] of Object.entries(window.deviations)) {
    if (jitter.packets === 0) continue;
    const { streams, p50Ms, p95Ms, p99Ms, maxMs } = jitter;
    const figures = [p50Ms, p95Ms, p99Ms, maxMs].map((each) => figure(each));
    table.row([name, String(streams), ...figures, `${jitter.missing}/${jitter.packets}`]);
  }
  const { p50, p99 } = window.ownDelayMs;
  write(`  (the receiver's own delay: p50 ${figure(p50)} ms, p99 ${figure(p99)} ms)`);
  await Promise.all(targets.map((target) => target.stop()));
  await stopAll(load);
  await receiver.close();
}

async function openTargets(context: BenchContext, calls: number): Promise<Target[]> {
  const targets: Target[] = [await openOwn("ours")];
  if (calls > PEER_CALLS_MAX) return targets;
  const { folder, speech } = context;
  if (missing("baresip") === undefined) targets.push(await openBaresip(folder, speech));
  if (missing("pjsua") === undefined) targets.push(await openPjsua(folder, speech));
  return targets;
}
