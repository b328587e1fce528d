/**
 * Bridged calls: G.711 on the telephone's side, 24 kHz over WebSocket on the AI's. SIPp asks the
 * same question again and again, and so interrupts the answer of the embedded AI.
 *
 * The bot's process alone is charged; the AI works in a thread of this one.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { AiOptions } from "../../src/call/index.ts";
import { type Harness, openHarness, scriptPath } from "../../src/index.ts";
import type { BenchContext } from "./bench-context.ts";
import { cpuMsOf, type Program, residentBytesOf } from "./host.ts";
import { Receiver } from "./receiver.ts";
import { startLoad, stopAll, warnIfEnded } from "./sipp.ts";
import { figure, Table, write } from "./table.ts";
import { openOwn, type Target } from "./targets.ts";

const OBSERVED_CALLS = 20;
const CALLS_PER_SECOND = 20;
const SETTLE_MS = 3000;
const WINDOW_MS = 6000;

/** What is measured, one after the other. */
interface Variant {
  readonly name: string;
  readonly threads: number;
  readonly audioFormat: "pcm" | "pcmu";
  readonly steps: readonly number[];
}

const VARIANTS: readonly Variant[] = [
  { name: "24 kHz, 1 thread", threads: 1, audioFormat: "pcm", steps: [20, 50, 100, 150] },
  { name: "24 kHz, 2 threads", threads: 2, audioFormat: "pcm", steps: [100, 150] },
  { name: "G.711 passed through", threads: 1, audioFormat: "pcmu", steps: [20, 100] },
];

export async function bridged(context: BenchContext): Promise<void> {
  write("window 6 s per row; 'AI + bench': the embedded AI and this process");
  const table = new Table([
    "",
    "calls",
    "CPU ms/call-s",
    "AI + bench",
    "RSS MB/call",
    "jitter p50",
    "p95",
    "p99",
    "max",
    "missing",
  ]);
  const harness = await openHarness({ seed: "bench", reportFolder: context.folder });
  for (const variant of VARIANTS) await climb(context, harness, table, variant);
  await harness.close();
}

async function climb(
  context: BenchContext,
  harness: Harness,
  table: Table,
  { name, threads, audioFormat, steps }: Variant,
): Promise<void> {
  const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const target = await openOwn(name, { threads, ai: { ...aiOptions(ai), audioFormat } });
  const receiver = await Receiver.open(["rtp"]);
  const load: Program[] = [];
  const idleBytes = residentBytesOf(target.pid);
  const common = { ...context, target: target.address, callsPerSecond: CALLS_PER_SECOND };
  const mediaPort = receiver.ports["rtp"] ?? 0;
  let calls = 0;
  for (const step of steps) {
    if (calls === 0) load.push(await startLoad({ ...common, calls: OBSERVED_CALLS, mediaPort }));
    const others = step - Math.max(calls, OBSERVED_CALLS);
    if (others > 0) load.push(await startLoad({ ...common, calls: others }));
    await delay(((step - calls) * 1000) / CALLS_PER_SECOND + SETTLE_MS);
    calls = step;
    await measureStep(target, receiver, { table, calls, idleBytes });
    warnIfEnded(load);
  }
  await target.stop();
  await stopAll(load);
  await receiver.close();
  await ai.close();
}

/** The embedded AI, as a bot reaches it. */
export function aiOptions(ai: { readonly url: string; readonly apiKey: string }): AiOptions {
  return {
    provider: "openai",
    url: ai.url,
    apiKey: ai.apiKey,
    model: "gpt-realtime",
    turnDetection: { type: "server_vad", silenceDurationMs: 200 },
    greets: false,
  };
}

async function measureStep(
  target: Target,
  receiver: Receiver,
  row: { readonly table: Table; readonly calls: number; readonly idleBytes: number },
): Promise<void> {
  const { table, calls, idleBytes } = row;
  const before = { at: performance.now(), own: cpuMsOf(target.pid), ai: cpuMsOf(process.pid) };
  const window = await receiver.measure(() => delay(WINDOW_MS));
  const callSeconds = (calls * (performance.now() - before.at)) / 1000;
  const jitter = window.deviations["rtp"];
  table.row([
    target.name,
    String(calls),
    figure((cpuMsOf(target.pid) - before.own) / callSeconds),
    figure((cpuMsOf(process.pid) - before.ai) / callSeconds),
    figure((residentBytesOf(target.pid) - idleBytes) / calls / 1e6),
    figure(jitter?.p50Ms),
    figure(jitter?.p95Ms),
    figure(jitter?.p99Ms),
    figure(jitter?.maxMs, 1),
    `${jitter?.missing ?? "–"}/${jitter?.packets ?? "–"}`,
  ]);
}
