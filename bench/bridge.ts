/**
 * `npm run bench:bridge`: how long the bot's own media path takes, both ways, with both protocols,
 * at 1 and at 50 calls; and what a bridged call costs.
 *
 * The bot (SIP, RTP, G.711, resampling, WebSocket) is a process of its own. Callers and AI are
 * nothing but sockets in this one, so that instants are taken on one clock where packets and
 * messages leave and arrive; the network of this host, and lag of this process, are in the figures.
 *
 * Calls are no choir: each begins at an instant of its own within a round, and goes on in its own
 * time. The row marked * is the worst case beside that: all AIs answer in the
 * same frame.
 *
 * - to the AI: a loud packet leaves the caller → the message that it caused has come to the AI.
 * - from the AI: the first message with audio leaves the AI → the first loud packet has come.
 * - flush: the interruption leaves the AI → the last loud packet has come; 0 where none came.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { Resampler } from "../src/audio/index.ts";
import { seededRandom } from "../src/environment/index.ts";
import { type Harness, openHarness } from "../src/index.ts";
import { quantile } from "../src/measure/index.ts";
import {
  compiledModule,
  createEnvironment,
  hostInfo,
  startProcess,
} from "../src/platform/index.ts";
import { type AiConnection, AiEndpoint, type Face } from "./bridge/ai-endpoint.ts";
import { RawCaller } from "./bridge/raw-caller.ts";
import { processorWaitMsOf } from "./media/host.ts";

const FACES: readonly Face[] = ["openai", "gemini"];
/** As they are given on the command line, or these. */
const CALL_COUNTS = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 50];
/** What has not come by then is counted as missing. */
const LIMIT_MS = 2000;
/** So many values of each kind, over all calls of a row; 50 calls give 300. */
const VALUES_MIN = 50;
const FRAME_MS = 20;
/** A caller's packet that leaves so late may rightly be given up by the bot, which waits 60 ms. */
const LATE_MS = 40;
const LOCAL = { address: "127.0.0.1", port: 0 };
const SPEECH_MS = 1000;
/** A round takes so long, about. */
const ROUND_MS = 1000;

/** Repeatable, as far as instants on a real host are. */
const random = seededRandom("bench bridge");

/** Issue 5: beyond the delay of frames and filters. */
const GOALS = { p50Ms: 9, p99Ms: 20, flushP99Ms: 20 };

/** One call: its two ends outside the bot. */
interface Ends {
  readonly caller: RawCaller;
  readonly ai: AiConnection;
}

/** A row's figures. */
interface Row {
  readonly face: Face;
  readonly calls: string;
  readonly values: Values;
  /** Of the bot, for one call in one second. */
  readonly cpuMs: number;
  /** Of this process, p99. */
  readonly lagMs: number;
  /** How long the bot's thread was ready to run and did not, per second. */
  readonly waitMs: number;
}

interface Values {
  missing: number;
  /** Packets of callers that left too late to be heard: of this process, not of the bot. */
  unasked: number;
  readonly toAi: number[];
  readonly fromAi: number[];
  readonly flush: number[];
}

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-bench-"));
  const harness = await openHarness({ seed: "bench", reportFolder: folder });
  write(`bench:bridge · ${hostInfo().node} ${hostInfo().platform} · G.711 ↔ 24 or 16 kHz`);
  write("path: ms beyond frames and filters, p50 / p99; flush: ms, p50 / p99 / most");
  write("face    calls  values       to the AI     from the AI              flush  CPU ms/call-s");
  let isMet = true;
  try {
    for (const face of FACES) {
      for (const calls of CALL_COUNTS) isMet = (await measure(harness, face, calls)) && isMet;
    }
  } finally {
    await harness.close();
    await rm(folder, { recursive: true });
  }
  printGoals(isMet);
}

async function measure(harness: Harness, face: Face, calls: number): Promise<boolean> {
  const endpoint = await AiEndpoint.listen(createEnvironment().network, face);
  const botProcess = startProcess(compiledModule("bench/agent-process.js"));
  const bot = await harness.switchboard.addAgent(botProcess, {
    party: "bot",
    user: "bot",
    local: LOCAL,
    keepsRecordings: false,
    callDurationLimitMs: 600_000,
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: face,
      url: face === "openai" ? `${endpoint.url}/v1/realtime` : endpoint.url,
      apiKey: "bench-key-0123456789",
      model: "bench",
      greets: false,
    },
  });
  const ends: Ends[] = [];
  for (let index = 0; index < calls; index += 1) {
    const connection = endpoint.next();
    // One after the other: that is how a connection is known to be a call's.
    // oxlint-disable-next-line no-await-in-loop
    const [caller, ai] = await Promise.all([RawCaller.dial(bot.uri), connection]);
    ends.push({ caller, ai });
  }
  const rounds = Math.max(6, Math.ceil(VALUES_MIN / calls));
  // What is charged and measured is carrying calls, not compiling code for the first of them.
  await staggered(ends, 2, noValues());
  const row = { face, calls: String(calls) };
  const isMet = printRow({
    ...row,
    ...(await observe(botProcess, calls, (values) => staggered(ends, rounds, values))),
  });
  if (calls > 1) {
    const worst = await observe(botProcess, calls, (values) => atOnce(ends, rounds, values));
    printRow({ ...row, calls: `${calls}*`, ...worst });
  }
  await Promise.all(ends.map(({ caller }) => caller.hangUp()));
  await bot.close();
  await endpoint.close();
  return isMet;
}

async function observe(
  bot: ReturnType<typeof startProcess>,
  calls: number,
  converseAll: (values: Values) => Promise<unknown>,
): Promise<Pick<Row, "values" | "cpuMs" | "lagMs" | "waitMs">> {
  const values = noValues();
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const sample = (): { at: number; cpuMs: number; waitMs: number } => ({
    at: performance.now(),
    cpuMs: bot.cpuMs() ?? Number.NaN,
    waitMs: processorWaitMsOf(bot.pid),
  });
  const before = sample();
  await converseAll(values);
  const after = sample();
  lag.disable();
  const seconds = (after.at - before.at) / 1000;
  return {
    values,
    cpuMs: (after.cpuMs - before.cpuMs) / (calls * seconds),
    waitMs: (after.waitMs - before.waitMs) / seconds,
    lagMs: lag.percentile(99) / 1e6,
  };
}

function noValues(): Values {
  return { missing: 0, unasked: 0, toAi: [], fromAi: [], flush: [] };
}

/** Each call in its own time. */
function staggered(ends: readonly Ends[], rounds: number, values: Values): Promise<unknown> {
  return Promise.all(
    ends.map(async (each) => {
      await delay(random() * ROUND_MS);
      await converse(each, rounds, values);
    }),
  );
}

/** All calls do the same at the same time. */
async function atOnce(ends: readonly Ends[], rounds: number, values: Values): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await delay(100 + random() * 400);
    const pauses = [100 + random() * FRAME_MS, 200 + random() * FRAME_MS] as const;
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(ends.map((each) => oneRound(each, pauses, values)));
  }
}

async function converse(ends: Ends, rounds: number, values: Values): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // Anywhere between two frames.
    // oxlint-disable-next-line no-await-in-loop
    await delay(100 + random() * 400);
    const pauses = [100 + random() * FRAME_MS, 200 + random() * FRAME_MS] as const;
    // oxlint-disable-next-line no-await-in-loop
    await oneRound(ends, pauses, values);
  }
}

async function oneRound(
  { caller, ai }: Ends,
  [beforeSpeech, beforeInterruption]: readonly [number, number],
  values: Values,
): Promise<void> {
  const [arrivedAt, { sentAt, lateMs }] = await Promise.all([inTime(ai.loud()), caller.mark()]);
  if (lateMs > LATE_MS) values.unasked += 1;
  else if (arrivedAt === undefined) values.missing += 1;
  else values.toAi.push(arrivedAt - sentAt);
  await delay(beforeSpeech);
  const heard = inTime(firstLoud(caller));
  const spokenAt = ai.speak(SPEECH_MS);
  const heardAt = await heard;
  if (heardAt === undefined) values.missing += 1;
  else values.fromAi.push(heardAt - spokenAt);
  await delay(beforeInterruption);
  let lastLoudAt = 0;
  caller.onPacket = (at, isLoud) => {
    if (isLoud) lastLoudAt = at;
  };
  const interruptedAt = ai.interrupt();
  await delay(150);
  caller.onPacket = undefined;
  values.flush.push(Math.max(0, lastLoudAt - interruptedAt));
}

async function inTime(instant: Promise<number>): Promise<number | undefined> {
  return Promise.race([instant, delay(LIMIT_MS, undefined)]);
}

function firstLoud(caller: RawCaller): Promise<number> {
  return new Promise((resolve) => {
    caller.onPacket = (at, isLoud) => {
      if (!isLoud) return;
      caller.onPacket = undefined;
      resolve(at);
    };
  });
}

/** @returns whether every goal is met. */
function printRow(row: Row): boolean {
  const { toAi, fromAi, flush, missing, unasked } = row.values;
  const there = { p50: percentile(toAi, 0.5), p99: percentile(toAi, 0.99) };
  // A frame waits for the departure of its packet: half a frame mostly, a whole one at most.
  const back = {
    p50: Math.max(0, percentile(fromAi, 0.5) - FRAME_MS / 2),
    p99: Math.max(0, percentile(fromAi, 0.99) - FRAME_MS),
  };
  const flushed = {
    p50: percentile(flush, 0.5),
    p99: percentile(flush, 0.99),
    most: Math.max(...flush),
  };
  const isMet =
    missing === 0 &&
    Math.max(there.p50, back.p50) <= GOALS.p50Ms &&
    Math.max(there.p99, back.p99) <= GOALS.p99Ms &&
    flushed.p99 <= GOALS.flushP99Ms;
  const late = unasked === 0 ? "" : `, ${unasked} not asked in time`;
  const word = row.calls.endsWith("*") ? "beyond the goals" : "MISSED";
  const missed = isMet ? "" : `  ${word}${missing === 0 ? "" : `, ${missing} never came`}`;
  write(
    [
      row.face.padEnd(7),
      row.calls.padStart(5),
      String(toAi.length).padStart(7),
      pair(there).padStart(15),
      pair(back).padStart(15),
      `${pair(flushed)} / ${flushed.most.toFixed(1)}`.padStart(18),
      row.cpuMs.toFixed(1).padStart(14),
      ` bot waited ${row.waitMs.toFixed(0)} ms/s, lag here p99 ${row.lagMs.toFixed(1)} ms${late}${missed}`,
    ].join(" "),
  );
  return isMet;
}

function printGoals(isMet: boolean): void {
  const { p50Ms, p99Ms, flushP99Ms } = GOALS;
  write("");
  write(
    `goals: p50 ≤ ${p50Ms}, p99 ≤ ${p99Ms}; flush p99 ≤ ${flushP99Ms}: ${isMet ? "met" : "MISSED"}`,
  );
  write("* the worst case: all AIs answer, and all callers speak, in the same frame; has no goal");
  write("waited: the bot's thread was ready to run and got no processor, because others had them");
  write("not in the figures of the path, because it is not the bridge's to choose:");
  write(
    `  to the AI: the packet's own ${FRAME_MS} ms, and the filter's ${filterMs(8000, 24_000, "lowDelay")} ms (24 kHz) or ${filterMs(8000, 16_000, "lowDelay")} ms (16 kHz)`,
  );
  write(
    `  from the AI: until the next packet's departure, ${FRAME_MS / 2} ms in the median, ${FRAME_MS} ms at most;`,
  );
  write(
    `    the filter's ${filterMs(24_000, 8000)} ms look-ahead comes with the AI's own burst, and delays nothing`,
  );
}

function filterMs(fromHz: number, toHz: number, profile?: "lowDelay"): string {
  const resampler = new Resampler({ fromHz, toHz, ...(profile === undefined ? {} : { profile }) });
  return resampler.delayMs.toFixed(1);
}

function pair({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function percentile(values: readonly number[], at: number): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    at,
  );
}

await main();
