/**
 * `npm run bench:bridge`: what a bridged call costs and how steady it is, at 1, 10 and 50 calls.
 *
 * The bot (SIP, RTP, G.711, resampling, WebSocket) is a process of its own and alone is charged;
 * the callers and the embedded AI are real, too, and run beside it on the same machine.
 *
 * "Own share of a turn" is the AI's first audio → the first RTP packet with it, frame time
 * included. The other way a packet's audio is handed to the AI in the turn of the event loop in
 * which it arrives, 3 ms of filter delay later in audio time. "Flush" is the AI's speech-started →
 * the last frame of the old answer that left afterwards; 0 means that none did.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WatchedCall } from "../src/call/index.ts";
import { type Harness, openHarness, type RemoteAgent, scriptPath } from "../src/index.ts";
import { type CallMetrics, type CallRecord, measureCall, quantile } from "../src/measure/index.ts";
import {
  compiledModule,
  hostInfo,
  type ProcessChannel,
  SystemClock,
  startProcess,
} from "../src/platform/index.ts";
import type { FactOf } from "../src/timeline/index.ts";

const CALL_COUNTS = [1, 10, 50];
/** Calls are placed at this rate, so that their set-up does not collide. */
const DIAL_INTERVAL_MS = 100;
const LOCAL = { address: "127.0.0.1", port: 0 };

interface Row {
  readonly calls: number;
  readonly cpuMsPerCallSecond: number | undefined;
  readonly departure: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly ownShareMs: readonly number[];
  readonly flushMs: readonly number[];
  readonly failed: number;
}

interface CallResult {
  readonly record: CallRecord;
  /** The bot's own account of its media. */
  readonly departures: readonly FactOf<"mediaStatistics">[];
}

const clock = new SystemClock();
const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-bench-"));
  const harness = await openHarness({ seed: "bench", reportFolder: folder });
  write(`bench:bridge · ${hostInfo().node} ${hostInfo().platform} · G.711 ↔ 24 kHz over WebSocket`);
  write(
    "calls   CPU ms/call-s   departure p50/p99/max ms   own share of a turn   flush p50/max ms",
  );
  try {
    for (const calls of CALL_COUNTS) printRow(await measure(harness, calls));
  } finally {
    await harness.close();
    await rm(folder, { recursive: true });
  }
}

async function measure(harness: Harness, calls: number): Promise<Row> {
  const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const process = startProcess(compiledModule("bench/agent-process.js"));
  const caller = await harness.addAgent({
    party: "caller",
    user: "caller",
    local: LOCAL,
  });
  const bot = await harness.switchboard.addAgent(process, {
    party: "bot",
    user: "bot",
    local: LOCAL,
    keepsRecordings: false,
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: "openai",
      url: ai.url,
      apiKey: ai.apiKey,
      model: "gpt-realtime",
      turnDetection: { type: "server_vad", silenceDurationMs: 200 },
      greets: false,
    },
  });
  const row = await converse(harness, { caller, bot, process, calls });
  await bot.close();
  await caller.close();
  await ai.close();
  return row;
}

async function converse(
  harness: Harness,
  load: {
    readonly caller: RemoteAgent;
    readonly bot: RemoteAgent;
    readonly process: ProcessChannel;
    readonly calls: number;
  },
): Promise<Row> {
  // One call first: what is charged is carrying calls, not compiling code for the first of them.
  await oneCall(harness, load, 0);
  const cpuBefore = load.process.cpuMs();
  const results = await Promise.all(
    Array.from({ length: load.calls }, (_, index) => oneCall(harness, load, index)),
  );
  const cpuAfter = load.process.cpuMs();
  // Measured only now: it would take the processor from the calls that are still up.
  const done = results.flatMap((result) =>
    result === undefined
      ? []
      : [{ metrics: measureCall(result.record), departures: result.departures }],
  );
  const callSeconds =
    done.reduce((sum, { metrics }) => sum + (metrics.setup.durationMs ?? 0), 0) / 1000;
  const own = done.flatMap(({ departures }) => departures);
  return {
    calls: load.calls,
    cpuMsPerCallSecond:
      cpuBefore === undefined || cpuAfter === undefined
        ? undefined
        : (cpuAfter - cpuBefore) / callSeconds,
    departure: {
      p50: middle(own.map(({ departureJitterMsP50 }) => departureJitterMsP50)),
      p99: middle(own.map(({ departureJitterMsP99 }) => departureJitterMsP99)),
      max: Math.max(...own.map(({ departureJitterMsMax }) => departureJitterMsMax)),
    },
    ownShareMs: done.flatMap(({ metrics }) => ownShares(metrics)),
    flushMs: done.flatMap(({ metrics }) => flushTimes(metrics)),
    failed: results.length - done.length,
  };
}

/** A question, an answer that is interrupted, a second answer. */
async function oneCall(
  harness: Harness,
  load: { readonly caller: RemoteAgent; readonly bot: RemoteAgent },
  index: number,
): Promise<CallResult | undefined> {
  await new Promise<void>((resolve) => {
    clock.setTimer((clock.now() + index * DIAL_INTERVAL_MS) as never, resolve);
  });
  const call = await load.caller.dial(load.bot.uri);
  const answered = await call.waitFor(
    (fact) => fact.kind === "callPhase" && fact.phase === "confirmed",
    10_000,
  );
  if (answered === undefined) return undefined;
  await speak(harness, call, { phrase: "Tell me about the hotel." });
  await speak(harness, call, {
    phrase: "Excuse me, may I ask something?",
    purpose: "interruption",
    start: { kind: "intoHeardSpeech", delayMs: 2000 },
  });
  await call.waitFor((fact) => fact.kind === "heardSpeech" && fact.event === "stopped", 20_000);
  await call.waitFor(() => false, 3000);
  await call.hangUp();
  await call.whenEnded(10_000);
  const record = await call.record();
  const departures = call.timeline.of("mediaStatistics").filter(({ party }) => party === "bot");
  await call.release();
  return { record, departures };
}

async function speak(
  harness: Harness,
  call: WatchedCall,
  speech: Parameters<Harness["say"]>[1],
): Promise<void> {
  await harness.spoken(call, await harness.say(call, speech), 30_000);
}

/** From the AI's first audio to the first RTP packet with it: the part that is only the bridge's. */
function ownShares(metrics: CallMetrics): number[] {
  return metrics.turns.flatMap(({ parts }) =>
    parts.flatMap(({ covers, ms }) => (covers.includes("injection") ? [ms] : [])),
  );
}

/** From the AI's speech-started to the last frame of the old answer that left. */
function flushTimes(metrics: CallMetrics): number[] {
  return metrics.bargeIns.flatMap(({ parts }) =>
    parts.flatMap(({ covers, ms }) => (covers.includes("flush") ? [ms] : [])),
  );
}

function middle(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function printRow(row: Row): void {
  const own = row.ownShareMs.toSorted((a, b) => a - b);
  const flush = row.flushMs.toSorted((a, b) => a - b);
  const { p50, p99, max } = row.departure;
  write(
    [
      String(row.calls).padStart(5),
      text(row.cpuMsPerCallSecond, 1).padStart(15),
      `${text(p50)} / ${text(p99)} / ${text(max)}`.padStart(26),
      `p50 ${text(quantile(own, 0.5), 1)} p99 ${text(quantile(own, 0.99), 1)} ms`.padStart(22),
      `${text(quantile(flush, 0.5), 1)} / ${text(flush.at(-1), 1)}`.padStart(17),
      row.failed === 0 ? "" : `  ${row.failed} calls failed`,
    ].join(" "),
  );
}

function text(value: number | undefined, digits = 2): string {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}

await main();
