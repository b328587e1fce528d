import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AiNetwork,
  type CallMetrics,
  type DialOptions,
  type EmbeddedAi,
  expectAnswer,
  expectAnswered,
  expectDigits,
  expectHangUpByBot,
  expectStop,
  expectToolCall,
  type Harness,
  openHarness,
  type RemoteAgent,
  type Speech,
  scriptPath,
  type WatchedCall,
} from "../../src/index.ts";

const WORLDS = ["real", "virtual"] as const;
type World = (typeof WORLDS)[number];

const LOOPBACK = { address: "127.0.0.1", port: 0 } as const;
const LIMIT_MS = 8000;
/** What the bot says of breakfast takes so long. */
const BREAKFAST_MS = 4276;
const QUIET_MS = 2500;
/** Lost each way in the call over a bad line. */
const LOSS = { loss: { kind: "bernoulli", lossRatio: 0.05 } } as const;
/**
 * How far a figure on real sockets may be from the same in virtual time: two packets' phases of
 * 20 ms and a frame of the AI's. A busy host adds what its own clocks say of it.
 */
const PHASES_MS = 60;

/** What is done in each world, all at once: a call each. */
const CALLS = {
  answer: async (harness: Harness, call: WatchedCall): Promise<void> => {
    await speak(harness, call, { phrase: "what-time-is-breakfast" });
    await expectAnswer(call, LIMIT_MS);
  },
  bargeIn: async (harness: Harness, call: WatchedCall): Promise<void> => {
    await speak(harness, call, { phrase: "tell-me-about-the-hotel" });
    const start = { kind: "intoHeardSpeech", delayMs: 1500 } as const;
    const phrase = "excuse-me-may-i-ask-something";
    await speak(harness, call, { phrase, purpose: "interruption", start });
    await expectStop(call, 2000);
  },
  hangUp: async (harness: Harness, call: WatchedCall): Promise<void> => {
    await speak(harness, call, { phrase: "please-hang-up" });
    await expectToolCall(call, { name: "hangup_call", limitMs: LIMIT_MS });
    await expectHangUpByBot(call, LIMIT_MS);
  },
  digits: async (_harness: Harness, call: WatchedCall): Promise<void> => {
    await call.press("42#");
    await expectDigits(call, "42#", LIMIT_MS, { party: "bot" });
  },
  loss: async (harness: Harness, call: WatchedCall): Promise<void> => {
    await speak(harness, call, { phrase: "what-time-is-breakfast" });
    await expectAnswer(call, LIMIT_MS);
  },
  aiByTcp: askTwice,
  aiByUdp: askTwice,
  silence: async (_harness: Harness, call: WatchedCall): Promise<void> => {
    await call.waitFor(() => false, QUIET_MS);
  },
} as const;
type Name = keyof typeof CALLS;
const DIALLED: Partial<Readonly<Record<Name, DialOptions>>> = {
  loss: { media: { network: { sent: LOSS, received: LOSS } } },
};

/** What lies between bot and AI. */
const AI_WAY = { delay: { delayMs: 40 }, ...LOSS } as const;
const AI_NETWORKS: Partial<Readonly<Record<Name, AiNetwork>>> = {
  aiByTcp: { transport: "tcp-modelled", seed: "p", sent: AI_WAY, received: AI_WAY },
  aiByUdp: { transport: "udp", seed: "p", sent: AI_WAY, received: AI_WAY },
};

async function askTwice(harness: Harness, call: WatchedCall): Promise<void> {
  for (let question = 0; question < 2; question += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other.
    await speak(harness, call, { phrase: "what-time-is-breakfast" });
    // oxlint-disable-next-line no-await-in-loop -- as above.
    await expectAnswer(call, LIMIT_MS);
    // oxlint-disable-next-line no-await-in-loop -- as above.
    expect(await harness.heardToEnd(call, LIMIT_MS)).toBe(true);
  }
}

async function speak(harness: Harness, call: WatchedCall, speech: Speech): Promise<void> {
  const said = await harness.say(call, speech);
  expect(await harness.spoken(call, said, LIMIT_MS)).toBe(true);
}

const figures: Partial<Record<World, Readonly<Record<Name, CallMetrics>>>> = {};

async function openBot(
  harness: Harness,
  { url, apiKey }: EmbeddedAi,
  network: AiNetwork | undefined,
): Promise<RemoteAgent> {
  return harness.addAgent({
    party: "bot",
    user: "bot",
    local: LOOPBACK,
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: "openai",
      url,
      apiKey,
      model: "gpt-realtime",
      greets: false,
      turnDetection: { type: "semantic_vad" },
      ...(network === undefined ? {} : { network }),
    },
  });
}

async function makeCalls(harness: Harness): Promise<Readonly<Record<Name, CallMetrics>>> {
  const server = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const bot = await openBot(harness, server, undefined);
  const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOOPBACK });
  const made = Object.entries(CALLS).map(async ([name, converse]) => {
    const network = AI_NETWORKS[name as Name];
    const called = network === undefined ? bot : await openBot(harness, server, network);
    const call = await caller.dial(called.uri, DIALLED[name as Name] ?? {});
    await expectAnswered(call, LIMIT_MS);
    await converse(harness, call);
    await harness.endCalls([call]);
    const { metrics } = await harness.leave(call);
    return [name, metrics] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Record<Name, CallMetrics>;
}

describe.each(WORLDS)("a call in a %s world", (world) => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidetone-parity-"));
    const isVirtual = world === "virtual";
    const harness = await openHarness({ seed: "p", reportFolder: folder, virtual: isVirtual });
    try {
      figures[world] = await makeCalls(harness);
    } finally {
      await harness.close();
    }
  });

  afterAll(() => rm(folder, { recursive: true }));

  it("is answered in turn", () => {
    const { turns, conversation } = of(world, "answer");
    expect(turns.map(({ outcome }) => outcome)).toEqual(["answered"]);
    expect(conversation.agentInterruptions).toBe(0);
  });

  it("has the bot yield to an interruption", () => {
    expect(of(world, "bargeIn").bargeIns.map(({ outcome }) => outcome)).toEqual(["yielded"]);
  });

  it("ends where the bot's tool hangs up", () => {
    expect(of(world, "hangUp").setup).toMatchObject({ endedBy: "remote" });
  });

  it("loses and conceals what its network injures, and nothing else", () => {
    for (const { lossRatio, concealedMs } of of(world, "loss").media) {
      expect(lossRatio).toBeGreaterThan(0.005);
      expect(lossRatio).toBeLessThan(0.15);
      expect(concealedMs).toBeGreaterThan(0);
    }
    for (const { lost } of of(world, "silence").media) expect(lost).toBe(0);
  });

  it("carries every answer of its AI whole, over UDP as over TCP, in spite of losses", () => {
    for (const name of ["aiByTcp", "aiByUdp"] as const) {
      const { turns, conversation, aiPath } = of(world, name);
      expect(turns.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
      expect(conversation.botSpeechMs).toBeGreaterThan(2 * 0.9 * BREAKFAST_MS);
      expect(conversation.botSpeechMs).toBeLessThan(2 * 1.1 * BREAKFAST_MS);
      expect(aiPath?.received.packets?.lost).toBeGreaterThan(0);
    }
  });

  it("is silent where nobody says anything", () => {
    const { turns, botTurns } = of(world, "silence");
    expect({ turns, botTurns }).toEqual({ turns: [], botTurns: [] });
  });
});

describe("both worlds", () => {
  it("agree on response and stop latencies", () => {
    const [real, virtual] = WORLDS.map((world) => [
      of(world, "answer").turns[0]?.responseLatencyMs ?? Number.NaN,
      of(world, "bargeIn").bargeIns[0]?.stopLatencyMs ?? Number.NaN,
    ]) as [number[], number[]];
    const lagMs = Math.max(
      ...[...of("real", "answer").instrument, ...of("real", "bargeIn").instrument].map(
        ({ eventLoopLagMsMax, departureJitterMsMax }) => eventLoopLagMsMax + departureJitterMsMax,
      ),
    );
    for (const [index, ms] of virtual.entries()) {
      expect(ms).toBeGreaterThan(100);
      expect(Math.abs(ms - (real[index] ?? Number.NaN))).toBeLessThan(PHASES_MS + 2 * lagMs);
    }
  });
});

function of(world: World, name: Name): CallMetrics {
  const metrics = figures[world]?.[name];
  if (metrics === undefined) throw new Error(`No call "${name}" was made in the ${world} world.`);
  return metrics;
}
