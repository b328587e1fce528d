import { levelDbov, loadVoices, resample, type VoiceLibrary } from "../../../src/audio/index.ts";
import type { WatchedCall } from "../../../src/call/index.ts";
import { type CodecId, codecOf, loadCodecs } from "../../../src/codec/index.ts";
import {
  isSidetoneError,
  type Random,
  randomInteger,
  seededRandom,
} from "../../../src/environment/index.ts";
import {
  expectAnswer,
  expectDigits,
  expectGreeting,
  expectHangUpByBot,
  expectHeard,
  expectKeepsSpeaking,
  expectStop,
} from "../../../src/expect/index.ts";
import type { NetworkPlan } from "../../../src/impairment/index.ts";
import { NodeFileStore } from "../../../src/platform/index.ts";
import { type CallToMake, makeCall, type Words } from "./accelerated-call.ts";

/** One run: what was so, and what was said of it. */
export interface JudgedRun {
  readonly seed: string;
  readonly scenario: string;
  /** "right", or in which respect the bot is wrong. */
  readonly bot: string;
  readonly network: string;
  readonly verdict: "pass" | "fail" | "inconclusive" | "broken";
  readonly why: string;
  readonly isFalse: boolean;
}

/** What a scenario makes of chance: the call, and how it is judged. */
interface Run {
  readonly bot: string;
  readonly call: Pick<CallToMake, "caller" | "bot" | "keys" | "endMs"> &
    Partial<Pick<CallToMake, "endedBy" | "isBotOurs">>;
  readonly judge: (call: WatchedCall) => Promise<string>;
}

interface Chance {
  readonly random: Random;
  readonly isRight: boolean;
  readonly codec: CodecId;
  readonly voices: VoiceLibrary;
  /** What lies between a departure and the ear at the least, and at the most. */
  readonly heardAfterMs: readonly [number, number];
}

type Scenario = (chance: Chance) => Run;

const CODECS: readonly CodecId[] = ["PCMU", "PCMA", "G722"];
const PLAYOUT_MS = 60;
const FRAME_MS = 20;
/** Three packets in a row, concealed or not, and what a detector may be off by. */
const INJURY_MS = 60;
/** Nearer to its limit, a bot is neither right nor wrong: the stated error of a time is 20 ms. */
const MARGIN_MS = 25;
const QUIET_MS = 1500;
const ASK_AT_MS = 400;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  answer: (chance) => {
    const question = words(chance, "caller", pick(chance, QUESTIONS), ASK_AT_MS);
    const limitMs = pick(chance, [800, 1200, 2000]);
    const fault = chance.isRight ? "right" : pick(chance, ["late", "silent", "hangs up"]);
    const isLate = fault === "late";
    const latencyMs = within(chance, limitMs, isLate, -300);
    const askedMs = ASK_AT_MS + question.offsetMs;
    const answer = words(chance, "bot", pick(chance, ANSWERS), 0);
    const atMs = askedMs + latencyMs - answer.onsetMs;
    const speaks = chance.isRight || isLate;
    return {
      bot: fault,
      call: {
        caller: [question],
        bot: speaks ? [{ ...answer, atMs }] : [],
        endMs: fault === "hangs up" ? askedMs + 300 : atMs + answer.offsetMs + QUIET_MS,
        endedBy: fault === "hangs up" ? "bot" : "caller",
      },
      judge: (call) => expectAnswer(call, limitMs),
    };
  },

  greeting: (chance) => {
    const limitMs = pick(chance, [1000, 2000]);
    const fault = chance.isRight ? "right" : pick(chance, ["late", "silent"]);
    const atMs = within(chance, limitMs, fault === "late", 60);
    const greeting = words(chance, "bot", "greeting", 0);
    return {
      bot: fault,
      call: {
        caller: [],
        bot: fault === "silent" ? [] : [{ ...greeting, atMs: atMs - greeting.onsetMs }],
        endMs: atMs + greeting.offsetMs + QUIET_MS,
      },
      judge: (call) => expectGreeting(call, limitMs),
    };
  },

  stop: (chance) => {
    const limitMs = pick(chance, [600, 1000, 1500]);
    const fault = chance.isRight ? "right" : pick(chance, ["late", "stubborn"]);
    const stopMs = fault === "stubborn" ? 4000 : within(chance, limitMs, fault === "late", 150);
    const onsetMs = 1000 + between(chance, 800, 3500);
    const interruption = words(chance, "caller", INTERRUPTION, onsetMs);
    const speech = cutLoud(words(chance, "bot", "long", 1000), onsetMs + 30 + stopMs);
    return {
      bot: fault,
      call: {
        caller: [{ ...interruption, purpose: "interruption" }],
        bot: [speech],
        endMs: onsetMs + Math.max(stopMs, interruption.offsetMs) + QUIET_MS,
      },
      judge: (call) => expectStop(call, limitMs),
    };
  },

  backchannel: (chance) => {
    const onsetMs = 1000 + between(chance, 800, 3500);
    const [, mostMs] = chance.heardAfterMs;
    const stopMs = chance.isRight ? 4000 : between(chance, 150, 1000 - MARGIN_MS - mostMs);
    const speech = cutLoud(words(chance, "bot", "long", 1000), onsetMs + 30 + stopMs);
    return {
      bot: chance.isRight ? "right" : "jumpy",
      call: {
        caller: [{ ...words(chance, "caller", "mm-hmm", onsetMs), purpose: "backchannel" }],
        bot: [speech],
        endMs: onsetMs + stopMs + QUIET_MS,
        // Without its facts, a pause between two sentences cannot be told from a stop.
        isBotOurs: true,
      },
      judge: expectKeepsSpeaking,
    };
  },

  phrase: (chance) => {
    const question = words(chance, "caller", pick(chance, QUESTIONS), ASK_AT_MS);
    const wanted = pick(chance, ANSWERS);
    const other = pick(
      chance,
      ANSWERS.filter((id) => id !== wanted),
    );
    const atMs = ASK_AT_MS + question.offsetMs + between(chance, 100, 1500);
    const answer = words(chance, "bot", chance.isRight ? wanted : other, atMs);
    return {
      bot: chance.isRight ? "right" : "says the wrong words",
      call: { caller: [question], bot: [answer], endMs: atMs + answer.offsetMs + QUIET_MS },
      judge: (call) => expectHeard(call, wanted, chance.voices),
    };
  },

  keys: (chance) => {
    const wanted = keysOf(chance, 2 + randomInteger(chance.random, 4));
    const [bot, digits] = chance.isRight ? ["right", wanted] : wrongKeys(chance, wanted);
    return {
      bot,
      call: {
        caller: [],
        bot: [],
        keys: { atMs: between(chance, 300, 600), digits },
        endMs: 1500 + digits.length * 250,
      },
      judge: (call) => expectDigits(call, wanted, 1000),
    };
  },

  hangUp: (chance) => {
    const goodbye = words(chance, "bot", "goodbye", 500);
    return {
      bot: chance.isRight ? "right" : "does not hang up",
      call: {
        caller: [],
        bot: [goodbye],
        endMs: 500 + goodbye.offsetMs + between(chance, 200, 1500),
        endedBy: chance.isRight ? "bot" : "caller",
      },
      judge: (call) => expectHangUpByBot(call, 1000),
    };
  },
};

const KEYS = "0123456789*#".split("");
const QUESTIONS = [
  "what-time-is-breakfast",
  "do-you-sell-bicycles",
  "tell-me-about-the-hotel",
  "front-desk-please",
];
const ANSWERS = ["breakfast", "greeting", "goodbye", "not-understood", "putting-through"];
const INTERRUPTION = "excuse-me-may-i-ask-something";

let loaded: Promise<VoiceLibrary> | undefined;

/** Makes the call of this seed and judges it as a step would. */
export async function judgeRun(seed: string): Promise<JudgedRun> {
  loaded ??= prepare();
  const voices = await loaded;
  const random = seededRandom(seed);
  const names = Object.keys(SCENARIOS);
  const name = names[randomInteger(random, names.length)] as string;
  const isRight = random() < 0.5;
  const codec = CODECS[randomInteger(random, CODECS.length)] as CodecId;
  const net = networkOf(random);
  const leastMs = net.delayMs + PLAYOUT_MS;
  const chance: Chance = {
    random,
    isRight,
    codec,
    voices,
    heardAfterMs: [leastMs - net.jitterMs, leastMs + net.jitterMs + FRAME_MS + INJURY_MS],
  };
  const run = (SCENARIOS[name] as Scenario)(chance);
  const call = await makeCall({
    seed,
    codec,
    network: net.plan,
    playoutDelayMs: PLAYOUT_MS,
    isBotOurs: random() < 0.5,
    endedBy: "caller",
    ...run.call,
  });
  const { verdict, why } = await verdictOf(run, call);
  const isFalse = verdict !== (isRight ? "pass" : "fail");
  return { seed, scenario: name, bot: run.bot, network: net.text, verdict, why, isFalse };
}

async function prepare(): Promise<VoiceLibrary> {
  await loadCodecs(CODECS);
  return loadVoices(new NodeFileStore(), "fixtures/voices");
}

async function verdictOf(run: Run, call: WatchedCall): Promise<Pick<JudgedRun, "verdict" | "why">> {
  try {
    return { verdict: "pass", why: await run.judge(call) };
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    const why = `${error.code}: ${error.message}`;
    if (error.fault === "environment") return { verdict: "inconclusive", why };
    return { verdict: error.fault === "usage" ? "broken" : "fail", why };
  }
}

/** Up to 5 % loss, up to 15 ms of jitter. */
function networkOf(random: Random): {
  readonly plan: NetworkPlan;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly text: string;
} {
  const lossRatio = random() < 0.4 ? 0 : random() * 0.05;
  const delayMs = 20 + random() * 60;
  const jitterMs = random() < 0.4 ? 0 : random() * 15;
  const text = `loss ${(lossRatio * 100).toFixed(1)} %, delay ${delayMs.toFixed(0)} ± ${jitterMs.toFixed(0)} ms`;
  return {
    plan: {
      received: {
        loss: { kind: "bernoulli", lossRatio },
        delay: { delayMs, jitterMs, distribution: "uniform" },
      },
    },
    delayMs,
    jitterMs,
    text,
  };
}

/** A time in the bot's own account with which what is heard is clearly within, or beyond, the limit. */
function within(chance: Chance, limitMs: number, isLate: boolean, earliestMs: number): number {
  const [leastMs, mostMs] = chance.heardAfterMs;
  return isLate
    ? between(chance, limitMs + MARGIN_MS - leastMs, limitMs + 480 - leastMs)
    : between(chance, earliestMs, limitMs - MARGIN_MS - mostMs);
}

function words(chance: Chance, by: "caller" | "bot", id: string, atMs: number): Words {
  const { sampleRateHz } = codecOf(chance.codec);
  const voice = chance.voices.find(by, id);
  return {
    id: voice.id,
    atMs,
    samples: resample(voice.samples, voice.sampleRateHz, sampleRateHz),
    sampleRateHz,
    onsetMs: voice.onsetMs,
    offsetMs: voice.offsetMs,
  };
}

/** Cut off at the last loud place up to `untilMs`, as one who is interrupted is. */
function cutLoud(speech: Words, untilMs: number): Words {
  const perMs = speech.sampleRateHz / 1000;
  let end = Math.round((untilMs - speech.atMs) * perMs);
  const step = 20 * perMs;
  while (levelDbov(speech.samples.subarray(end - step, end)) < -30) end += step;
  return { ...speech, samples: speech.samples.slice(0, end), offsetMs: end / perMs, isCut: true };
}

function between({ random }: Chance, low: number, high: number): number {
  return low + random() * (high - low);
}

function pick<Item>({ random }: Chance, items: readonly Item[]): Item {
  return items[randomInteger(random, items.length)] as Item;
}

function keysOf(chance: Chance, count: number): string {
  return Array.from({ length: count }, () => pick(chance, KEYS)).join("");
}

function wrongKeys(chance: Chance, wanted: string): [string, string] {
  const kind = pick(chance, ["a key too few", "a key too many", "another key"]);
  if (kind === "a key too few") return [kind, wanted.slice(1)];
  if (kind === "a key too many") return [kind, `${wanted}${wanted[0]}`];
  const other = wanted.startsWith("5") ? "6" : "5";
  return [kind, `${other}${wanted.slice(1)}`];
}
