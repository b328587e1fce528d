/** Short calls that come and go for minutes: does anything grow? */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "./bench-context.ts";
import { descriptorsOf, residentBytesOf } from "./host.ts";
import { startLoad, stopAll } from "./sipp.ts";
import { figure, Table, write } from "./table.ts";
import { type OwnTarget, openOwn } from "./targets.ts";

const CALLS_PER_SECOND = 20;
const HOLD_MS = 2000;
const SAMPLE_MS = 10_000;
/** Timer J and its like (RFC 3261 §17.2.2), after which no transaction of an ended call is left. */
const TIMER_J_MS = 33_000;

/** What was there at one moment. */
interface Sample {
  readonly atSeconds: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly buffersMb: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly timers: number;
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
}

export async function churn(context: BenchContext, minutes: number): Promise<void> {
  write(
    `${CALLS_PER_SECOND} calls per second of ${HOLD_MS / 1000} s each; recordings are kept and forgotten`,
  );
  const target = await openOwn("churn", { keepsRecordings: true });
  const table = new Table(
    [
      "after",
      "RSS MB",
      "heap MB",
      "buffers",
      "fds",
      "sockets",
      "timers",
      "calls",
      "dialogs",
      "transactions",
    ],
    8,
  );
  const samples: Sample[] = [await sample(target, 0)];
  print(table, samples[0]);
  const callsInAll = Math.round(minutes * 60 * CALLS_PER_SECOND);
  const load = await startLoad({
    ...context,
    target: target.address,
    calls: CALLS_PER_SECOND * 10,
    callsPerSecond: CALLS_PER_SECOND,
    holdMs: HOLD_MS,
    callsInAll,
  });
  const startedAt = performance.now();
  while (performance.now() - startedAt < minutes * 60_000) {
    await delay(SAMPLE_MS);
    const next = await sample(target, (performance.now() - startedAt) / 1000);
    samples.push(next);
    print(table, next);
  }
  await load.end(HOLD_MS * 3);
  await delay(TIMER_J_MS);
  write("afterwards, garbage collected:");
  print(table, await sample(target, (performance.now() - startedAt) / 1000, true));
  judge(samples.filter(({ atSeconds }) => atSeconds * 1000 > TIMER_J_MS));
  await stopAll([load]);
  await target.stop();
}

async function sample(
  target: OwnTarget,
  atSeconds: number,
  collects: boolean = false,
): Promise<Sample> {
  const { calls, dialogs, transactions } = await target.agent.liveState();
  const resources = await target.resources({ collects });
  const { timers, udpSockets, heapUsedBytes, bufferBytes } = resources;
  return {
    atSeconds,
    rssMb: residentBytesOf(target.pid) / 1e6,
    heapMb: heapUsedBytes / 1e6,
    buffersMb: bufferBytes / 1e6,
    descriptors: descriptorsOf(target.pid),
    sockets: udpSockets,
    timers,
    calls,
    dialogs,
    transactions,
  };
}

/** Growth of what should be flat, from the first to the last third of the steady part. */
function judge(steady: readonly Sample[]): void {
  const third = Math.floor(steady.length / 3);
  if (third === 0) {
    write("too short to judge: two minutes at least");
    return;
  }
  const names = ["rssMb", "heapMb", "buffersMb", "descriptors", "timers", "transactions"] as const;
  for (const name of names) {
    const first = mean(steady.slice(0, third).map((each) => each[name]));
    const last = mean(steady.slice(-third).map((each) => each[name]));
    const percent = (last / first - 1) * 100;
    const verdict = Math.abs(percent) < 10 ? "flat" : percent > 0 ? "grows" : "shrinks";
    write(
      `${name}: ${figure(first, 1)} → ${figure(last, 1)} (${figure(percent, 1)} %): ${verdict}`,
    );
  }
}

function print(table: Table, row: Sample | undefined): void {
  if (row === undefined) return;
  const { atSeconds, rssMb, heapMb, buffersMb, ...counts } = row;
  const memory = [rssMb, heapMb, buffersMb].map((each) => figure(each, 1));
  table.row([`${figure(atSeconds, 0)} s`, ...memory, ...Object.values(counts).map(String)]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
