/**
 * `npm run bench:virtual [-- --calls N] [--seconds S] [--seed SEED] [--loss PERCENT] [--figures]`:
 * how fast virtual time runs for a bridged call of G.711 whose RTP is lost, and whether the same seed
 * gives the same bits: every call is made twice, in two worlds. Exit code 1 where one differs.
 * `--figures` measures each call as well; `--once` makes them once, to compare the hash of two
 * processes.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  type Harness,
  measureCall,
  openHarness,
  type RemoteAgent,
  scriptPath,
  type WatchedCall,
} from "../src/index.ts";
import { hostInfo } from "../src/platform/index.ts";
import { encodeFacts } from "../src/timeline/index.ts";

const LOOPBACK = { address: "127.0.0.1", port: 0 } as const;
const PHRASES = ["tell-me-about-the-hotel", "what-time-is-breakfast", "do-you-sell-bicycles"];
/** Long enough for every answer to be heard out, on most turns. */
const TURN_MS = 9000;
const LIMIT_MS = 30_000;
/** Calls between two lines of progress. */
const EVERY = 50;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20" },
    seconds: { type: "string", default: "60" },
    loss: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    figures: { type: "boolean", default: false },
    once: { type: "boolean", default: false },
  },
});
const wanted = {
  calls: Number(values.calls),
  callMs: Number(values.seconds) * 1000,
  lossRatio: Number(values.loss) / 100,
};

/** What a series of calls came to. */
interface Series {
  /** Of each call's `timeline.jsonl` and recording. */
  readonly hashes: readonly string[];
  readonly virtualMs: number;
  /** Processor time of the calls themselves, and of their figures. */
  readonly callsCpuMs: number;
  readonly figuresCpuMs: number;
  readonly turns: number;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function openAgents(
  harness: Harness,
): Promise<{ readonly bot: RemoteAgent; readonly caller: RemoteAgent }> {
  const { url, apiKey } = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const bot = await harness.addAgent({
    party: "bot",
    user: "bot",
    local: LOOPBACK,
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: "openai",
      url,
      apiKey,
      model: "gpt-realtime",
      greets: true,
      turnDetection: { type: "server_vad" },
    },
  });
  const loss = { loss: { kind: "bernoulli", lossRatio: wanted.lossRatio } } as const;
  const caller = await harness.addAgent({
    party: "caller",
    user: "caller",
    local: LOOPBACK,
    media: { codecs: ["PCMU"], network: { sent: loss, received: loss } },
  });
  return { bot, caller };
}

async function converse(harness: Harness, call: WatchedCall): Promise<void> {
  const { clock } = call;
  const begunAt = clock.now();
  await harness.heardToEnd(call, LIMIT_MS);
  for (let turn = 0; clock.now() - begunAt + TURN_MS < wanted.callMs; turn += 1) {
    const phrase = PHRASES[turn % PHRASES.length] ?? "";
    await harness.say(call, { phrase });
    await call.waitFor(() => false, TURN_MS);
  }
  await call.waitFor(() => false, wanted.callMs - (clock.now() - begunAt));
  await harness.endCalls([call]);
}

async function makeSeries(seed: string, folder: string): Promise<Series> {
  const harness = await openHarness({ seed, reportFolder: folder, virtual: true });
  const { clock } = harness.switchboard;
  const { bot, caller } = await openAgents(harness);
  const hashes: string[] = [];
  const begunAt = clock.now();
  const sum = { callsCpuMs: 0, figuresCpuMs: 0, turns: 0 };
  for (let index = 0; index < wanted.calls; index += 1) {
    const begunCpuMs = cpuMs();
    const call = await caller.dial(bot.uri);
    await converse(harness, call);
    const record = await call.record();
    sum.callsCpuMs += cpuMs() - begunCpuMs;
    const { audio, facts } = record;
    const hash = createHash("sha256").update(encodeFacts(facts));
    if (audio !== undefined) hash.update(audio.left).update(audio.right);
    hashes.push(hash.digest("hex"));
    const figuresFromMs = cpuMs();
    if (values.figures) sum.turns += measureCall(record).turns.length;
    sum.figuresCpuMs += cpuMs() - figuresFromMs;
    await call.release();
    if ((index + 1) % EVERY === 0) write(`  ${index + 1} of ${wanted.calls} calls`);
  }
  const virtualMs = clock.now() - begunAt;
  await harness.close();
  return { hashes, virtualMs, ...sum };
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

function summaryOf({ hashes, virtualMs, callsCpuMs, figuresCpuMs, turns }: Series): string {
  const minutes = (virtualMs / 60_000).toFixed(1);
  const speed = (virtualMs / callsCpuMs).toFixed(0);
  const calls = `${hashes.length} calls, ${minutes} minutes: ${speed} × real time on one core`;
  if (!values.figures) return calls;
  const withFigures = (virtualMs / (callsCpuMs + figuresCpuMs)).toFixed(0);
  return `${calls}, ${withFigures} × with the figures of ${turns} turns`;
}

const { node, platform } = hostInfo();
write(`bench:virtual · ${node} ${platform} · seed ${values.seed} · ${values.loss} % of RTP lost`);
const folder = await mkdtemp(join(tmpdir(), "sidetone-virtual-"));
try {
  const first = await makeSeries(values.seed, folder);
  write(summaryOf(first));
  const all = createHash("sha256").update(first.hashes.join("\n")).digest("hex");
  write(`All together: ${all}`);
  if (!values.once) {
    const again = await makeSeries(values.seed, folder);
    write(summaryOf(again));
    const different = first.hashes.filter((hash, index) => hash !== again.hashes[index]);
    write(`${different.length} of ${first.hashes.length} calls differ the second time`);
    if (different.length > 0) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
