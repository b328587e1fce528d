import { resample, type Voice } from "../audio/index.ts";
import type { Harness, RemoteAgent, WatchedCall } from "../call/index.ts";
import { after } from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import { type CallMetrics, instrumentConcerns } from "../measure/index.ts";
import type { MediaSettings } from "../media/index.ts";
import {
  type CalibratedCondition,
  distributionsOf,
  type FigureError,
  type MachineHealth,
} from "../report/index.ts";
import {
  judgeReferenceCall,
  placeReferenceCall,
  type ReferenceParts,
  type ReferenceResult,
} from "./reference-call.ts";
import { type CallerSpeech, planReferenceCall, type ReferenceVoices } from "./reference-plan.ts";
import { openToolBot, toolErrors } from "./reference-tools.ts";

/** A network to calibrate on. */
export interface Condition {
  readonly name: string;
  /** Before the caller's socket: what it does to the bot's packets is what changes figures. */
  readonly network?: NetworkPlan;
}

/** How to calibrate. */
export interface CalibrateOptions {
  readonly harness: Harness;
  readonly conditions: readonly Condition[];
  readonly callsPerCondition: number;
  /** Calls at the same time; default 10. */
  readonly concurrency?: number;
  /** The script `reference` for the bot's AI; without it, tool calls are left out. */
  readonly toolScript?: string;
  /** Told after each group of calls. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Whether the calls' folders are kept. */
  readonly keepsFolders?: boolean;
}

/** Without loss, and with one packet in twenty lost: what docs/measurements.md has goals for. */
export const CONDITIONS: readonly Condition[] = [
  { name: "no loss" },
  {
    name: "5 % loss",
    network: { received: { loss: { kind: "bernoulli", lossRatio: 0.05 } } },
  },
];

const DEFAULT_CONCURRENCY = 10;
/** Between the beginnings of calls; no multiple of a frame, so that their phases differ. */
const STAGGER_MS = 87;
const RING_MS = 120;
const SAMPLE_RATE_HZ = 8000;
/** A call for each tool with so many reference calls. */
const CALLS_PER_TOOL_ROUND = 10;

/** The conditions one after the other, so that they do not disturb each other. */
export async function calibrate(options: CalibrateOptions): Promise<CalibratedCondition[]> {
  const { harness, conditions, callsPerCondition } = options;
  const voices = referenceVoices(harness);
  const total = conditions.length * callsPerCondition;
  const bot = await harness.addAgent({
    party: "bot",
    user: "reference",
    local: LOCAL,
    media: MEDIA,
    answer: { kind: "answer", ringMs: RING_MS },
  });
  const { toolScript } = options;
  const tools = toolScript === undefined ? undefined : await openToolBot(harness, toolScript);
  const results: CalibratedCondition[] = [];
  try {
    for (const condition of conditions) {
      // oxlint-disable-next-line no-await-in-loop -- on purpose, see above.
      const caller = await harness.addAgent({
        party: "caller",
        user: "caller",
        local: LOCAL,
        media: {
          ...MEDIA,
          ...(condition.network === undefined ? {} : { network: condition.network }),
        },
      });
      const parts = { harness, caller, bot, keepsFolder: options.keepsFolders ?? false };
      const before = results.length * callsPerCondition;
      // oxlint-disable-next-line no-await-in-loop -- on purpose, see above.
      const found = await runCondition(parts, condition, voices, {
        ...options,
        onProgress: (done) => options.onProgress?.(before + done, total),
      });
      const toolsFound =
        // oxlint-disable-next-line no-await-in-loop -- on purpose, see above.
        tools === undefined ? [] : await callTools(parts, tools.bot, callsPerCondition);
      results.push(
        summariseCondition(condition, found, { seed: harness.seed, others: toolsFound }),
      );
      // oxlint-disable-next-line no-await-in-loop -- on purpose, see above.
      await caller.close();
    }
  } finally {
    await tools?.close();
    await bot.close();
  }
  return results;
}

/** Some rounds of them, up to three at once. */
async function callTools(
  { harness, caller }: ReferenceParts,
  bot: RemoteAgent,
  callsPerCondition: number,
): Promise<FigureError[]> {
  const errors: FigureError[] = [];
  for (let left = Math.ceil(callsPerCondition / CALLS_PER_TOOL_ROUND); left > 0; left -= 3) {
    if (harness.isAborted) break;
    // oxlint-disable-next-line no-await-in-loop -- more at once would load the machine.
    errors.push(...(await toolErrors({ harness, caller, bot }, Math.min(3, left))));
  }
  return errors;
}

const LOCAL = { address: "127.0.0.1", port: 0 };
/** A fixed delay: an adaptive one moves what is heard within a call, which is no error of ours. */
const MEDIA: MediaSettings = {
  codecs: ["PCMU"],
  jitterBuffer: { kind: "fixed", delayMs: 60 },
};

async function runCondition(
  parts: ReferenceParts,
  { name }: Condition,
  voices: ReferenceVoices,
  options: CalibrateOptions,
): Promise<ReferenceResult[]> {
  const { callsPerCondition, concurrency = DEFAULT_CONCURRENCY, onProgress, harness } = options;
  const results: ReferenceResult[] = [];
  while (results.length < callsPerCondition && !harness.isAborted) {
    const first = results.length;
    const count = Math.min(concurrency, callsPerCondition - first);
    const plans = Array.from({ length: count }, (_, index) =>
      planReferenceCall(voices, `${harness.seed}/${name}/${first + index}`),
    );
    // oxlint-disable-next-line no-await-in-loop -- one group after the other.
    const calls = await Promise.all(
      plans.map(async (plan, index) => {
        await pause(harness, index * STAGGER_MS);
        return placeReferenceCall(parts, plan);
      }),
    );
    // Only now: what measuring takes of the processor would disturb calls that go on.
    for (const [index, plan] of plans.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- as above.
      results.push(await judgeReferenceCall(parts, calls[index] as WatchedCall, plan));
    }
    onProgress?.(results.length, callsPerCondition);
  }
  return results;
}

function pause({ switchboard: { clock } }: Harness, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(after(clock.now(), ms), resolve);
  });
}

function summariseCondition(
  { name }: Condition,
  results: readonly ReferenceResult[],
  { seed, others }: { readonly seed: string; readonly others: readonly FigureError[] },
): CalibratedCondition {
  const carried = results.filter(({ errors }) => errors !== undefined);
  const errors: FigureError[] = [...carried.flatMap((result) => result.errors ?? []), ...others];
  return {
    name,
    calls: results.length,
    discarded: results.length - carried.length,
    lossPercent: lossPercentOf(results),
    figures: distributionsOf(errors, `${seed}/${name}`),
    ...playoutDelayOf(carried),
    machine: healthOf(results.map(({ metrics }) => metrics)),
  };
}

/** Of the bot's packets, at the caller. */
function lossPercentOf(results: readonly ReferenceResult[]): number {
  const media = results.flatMap(({ metrics }) =>
    metrics.media.filter(({ party }) => party === "caller"),
  );
  const lost = media.reduce((sum, each) => sum + each.lost, 0);
  const expected = media.reduce((sum, each) => sum + each.packetsExpected, 0);
  return expected === 0 ? 0 : (100 * lost) / expected;
}

function playoutDelayOf(
  results: readonly ReferenceResult[],
): Pick<CalibratedCondition, "playoutDelayMs"> {
  const all = results.flatMap(({ delivery }) => (delivery === undefined ? [] : [delivery]));
  if (all.length === 0) return {};
  const medians = all.map(({ medianMs }) => medianMs);
  return {
    playoutDelayMs: {
      min: Math.min(...medians),
      max: Math.max(...medians),
      moved: worst(all.map(({ movedMs }) => movedMs)),
    },
  };
}

function healthOf(calls: readonly CallMetrics[]): MachineHealth {
  const all = calls.flatMap(({ instrument }) => instrument);
  return {
    departureJitterMsP99: worst(all.map((own) => own.departureJitterMsP99)),
    departureJitterMsMax: worst(all.map((own) => own.departureJitterMsMax)),
    eventLoopLagMsP99: worst(all.map((own) => own.eventLoopLagMsP99)),
    eventLoopLagMsMax: worst(all.map((own) => own.eventLoopLagMsMax)),
    missedDeadlines: all.reduce((sum, own) => sum + own.missedDeadlines, 0),
    unhealthyCalls: calls.filter((call) => instrumentConcerns(call).length > 0).length,
  };
}

function worst(values: readonly number[]): number {
  return Math.max(0, ...values);
}

/** What the reference bot says and what its caller does, at the rate of G.711. */
function referenceVoices({ voices }: Harness): ReferenceVoices {
  const speechOf = (voice: Voice): CallerSpeech => ({
    fixture: voice.id,
    samples: resample(voice.samples, voice.sampleRateHz, SAMPLE_RATE_HZ),
    onsetMs: voice.onsetMs,
    offsetMs: voice.offsetMs,
  });
  return {
    sampleRateHz: SAMPLE_RATE_HZ,
    bot: BOT_STOCK.map((id) => speechOf(voices.find("bot", id))),
    questions: QUESTIONS.map((id) => speechOf(voices.find("caller", id))),
    interruption: speechOf(voices.find("caller", INTERRUPTION)),
  };
}

/** Of the fixtures that come with Sidetone; long enough to be cut. */
const BOT_STOCK = ["greeting", "breakfast", "long"];
const QUESTIONS = ["what-time-is-breakfast", "do-you-sell-bicycles", "tell-me-about-the-hotel"];
const INTERRUPTION = "excuse-me-may-i-ask-something";
