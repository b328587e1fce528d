import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levelDbov } from "../../src/audio/index.ts";
import { type Harness, type RemoteAgent, scriptPath, type WatchedCall } from "../../src/index.ts";
import { quantile, type RecordedAudio } from "../../src/measure/index.ts";
import { compiledModule } from "../../src/platform/index.ts";
import type { FactOf, Party } from "../../src/timeline/index.ts";
import { openTestHarness } from "../loopback/bench-bot.ts";
import {
  type AgentInNamespace,
  type Resources,
  startAgentInNamespace,
} from "./support/agent-in-namespace.ts";
import { findPhrase } from "./support/known-speech.ts";
import { type Namespace, NamespacePair } from "./support/namespaces.ts";
import { LoggedProcess } from "./support/processes.ts";
import { report } from "./support/report.ts";
import { settle } from "./support/settle.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["ip", "nft"], { root: true });
const LOSS_RATIO = 0.1;
/** About 30,000 datagrams each way: the ratio strays by 0.002 (one standard deviation). */
const LOSS_ERROR_MAX = 0.02;
const CALLS = 100;
/** A call takes about 6 s, so a dozen are up at a time. */
const DIAL_INTERVAL_MS = 500;
/** Of each other kind, spread over the same time. */
const OTHER_CALLS = 20;
const PHRASE = "excuse-me-may-i-ask-something";
/** A request is given up 32 s after it was sent first (Timers B and F, RFC 3261 §17.1). */
const TRANSACTION_LIMIT_MS = 33_000;
const ANSWER_LIMIT_MS = 15_000;
const LIFE_LIMIT_MS = 35_000;
const SPEECH_DBOV = -40;

/** What one call came to; plain, so that the assertion names what was wrong with which. */
interface Outcome {
  readonly setUp: boolean;
  readonly spoken: boolean;
  readonly heardByBot: boolean;
  readonly heardByCaller: boolean;
  readonly ends: readonly string[];
}

const GOOD: Outcome = {
  setUp: true,
  spoken: true,
  heardByBot: true,
  heardByCaller: true,
  ends: ["bot remote bye", "caller local bye"],
};

/** How calls end that are not talked in: what is done about one, and its ends. */
const OTHER_KINDS = {
  rejected: { ends: ["bot local rejected 486", "caller remote rejected 486"] },
  cancelled: { ends: ["bot remote cancel", "caller local cancel"] },
  "hung up by the bot": { ends: ["bot local bye", "caller remote bye"] },
} as const;
type OtherKind = keyof typeof OTHER_KINDS;

const TITLE = `${CALLS} calls, and ${3 * OTHER_CALLS} that are refused, cancelled or hung up by the bot, over a network that loses ${LOSS_RATIO * 100} % each way`;

describe.skipIf(MISSING !== undefined)(`${TITLE}${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let pair: NamespacePair;
  let caller: AgentInNamespace;
  let bot: AgentInNamespace;
  let busy: AgentInNamespace;
  let ringing: AgentInNamespace;
  const closers: (() => Promise<unknown> | void)[] = [];

  beforeAll(async () => {
    pair = await NamespacePair.open();
    closers.push(() => pair.close());
    test = await openTestHarness("loss");
    closers.push(() => test.close());
    const { process, access } = await startAi(pair.right);
    closers.push(() => process.stop());
    caller = await startAgentInNamespace(test.harness, pair.left, {
      party: "caller",
      user: "caller",
    });
    closers.push(() => caller.close());
    bot = await startAgentInNamespace(test.harness, pair.right, {
      party: "bot",
      user: "bot",
      answer: { kind: "answer", ringMs: 0 },
      ai: {
        ...access,
        provider: "openai",
        model: "gpt-realtime",
        turnDetection: { type: "semantic_vad" },
        greets: false,
      },
    });
    closers.push(() => bot.close());
    busy = await startAgentInNamespace(test.harness, pair.right, {
      party: "bot",
      user: "busy",
      answer: { kind: "reject", statusCode: 486 },
    });
    closers.push(() => busy.close());
    ringing = await startAgentInNamespace(test.harness, pair.right, {
      party: "bot",
      user: "ringing",
      answer: { kind: "ringForever" },
    });
    closers.push(() => ringing.close());
  });

  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  it("sets up, carries and releases every call, and leaves nothing behind", async () => {
    await pair.setLoss(LOSS_RATIO);

    // Proves that what is counted at the end is seen at all.
    const whileUp = delay(12 * DIAL_INTERVAL_MS).then(() => stateOf({ caller, bot }));
    const others = otherCalls(caller, {
      rejected: busy,
      cancelled: ringing,
      "hung up by the bot": bot,
    });
    const results = await Promise.all(
      Array.from({ length: CALLS }, async (_, index) => {
        await delay(index * DIAL_INTERVAL_MS);
        return converse(test.harness, caller, bot);
      }),
    );
    const otherEnds = await others;
    const left = await settle(
      () => stateOf({ caller, bot, busy, ringing }),
      (state) => isDeepStrictEqual(state, ALL_IDLE),
      LIFE_LIMIT_MS,
    );

    const figures = summary(results);
    report(TITLE, { ...figures, releasedAfterMs: left.tookMs });
    report("While they were up", await whileUp);
    report("Datagrams", {
      atCaller: await pair.lossCounts(pair.left),
      atBot: await pair.lossCounts(pair.right),
    });
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => GOOD));
    expect(otherEnds).toEqual(expectedEnds());
    expect((await whileUp).bot.resources.udpSockets).toBeGreaterThan(IDLE.resources.udpSockets);
    expect((await whileUp).bot.resources.tcpSockets).toBeGreaterThan(0);
    expect((await whileUp).bot.resources.timers).toBeGreaterThan(IDLE.resources.timers);
    expect(left.value).toEqual(ALL_IDLE);
    // The network did lose what it was told to, and we counted what it lost.
    for (const side of [pair.left, pair.right]) {
      const { passed, dropped } = await pair.lossCounts(side);
      expect(Math.abs(dropped / (passed + dropped) - LOSS_RATIO)).toBeLessThan(LOSS_ERROR_MAX);
    }
    expect(Math.abs(figures.lostRatio.p50 - LOSS_RATIO)).toBeLessThan(LOSS_ERROR_MAX);
  }, 180_000);
});

interface AgentState {
  readonly live: Awaited<ReturnType<RemoteAgent["liveState"]>>;
  readonly resources: Resources;
}

/** An agent without calls: its SIP socket, and the timer that reads its event loop's lag. */
const IDLE: AgentState = {
  live: { calls: 0, dialogs: 0, transactions: 0, retransmissions: 0, connections: 0 },
  resources: { udpSockets: 1, tcpSockets: 0, timers: 1 },
};
const ALL_IDLE = { caller: IDLE, bot: IDLE, busy: IDLE, ringing: IDLE };

/** The embedded AI where the bot is: a WebSocket does not cross the border of a namespace. */
async function startAi(
  namespace: Namespace,
): Promise<{ process: LoggedProcess; access: { url: string; apiKey: string } }> {
  const main = compiledModule("src/cli/main.js").pathname;
  const child = LoggedProcess.start({
    program: process.execPath,
    args: [main, "realtime-server", "--port", "0", "--script", scriptPath("reception")],
    namespace,
  });
  const [, url = "", apiKey = ""] = await child.waitForOutput(
    /listens at (\S+)\s+API key: (\S+)/u,
    20_000,
  );
  return { process: child, access: { url, apiKey } };
}

async function stateOf<Name extends string>(
  agents: Readonly<Record<Name, AgentInNamespace>>,
): Promise<Readonly<Record<Name, AgentState>>> {
  const states = Object.entries<AgentInNamespace>(agents).map(async ([name, agent]) => [
    name,
    await agentState(agent),
  ]);
  return Object.fromEntries(await Promise.all(states)) as Record<Name, AgentState>;
}

async function agentState(inNamespace: AgentInNamespace): Promise<AgentState> {
  return {
    live: await inNamespace.agent.liveState(),
    resources: await inNamespace.resources(),
  };
}

/** Places the calls of all other kinds, between those that are talked in; how each kind's ended. */
async function otherCalls(
  caller: AgentInNamespace,
  answerers: Readonly<Record<OtherKind, AgentInNamespace>>,
): Promise<Record<string, readonly string[][]>> {
  const intervalMs = (CALLS * DIAL_INTERVAL_MS) / OTHER_CALLS;
  const ends = Object.entries(answerers).map(async ([kind, answerer], offset) => {
    const calls = Array.from({ length: OTHER_CALLS }, async (_, index) => {
      await delay(index * intervalMs + (offset + 0.5) * DIAL_INTERVAL_MS);
      return endedCall(kind as OtherKind, await caller.agent.dial(answerer.agent.uri));
    });
    return [kind, await Promise.all(calls)] as const;
  });
  return Object.fromEntries(await Promise.all(ends));
}

function expectedEnds(): Record<string, readonly unknown[]> {
  const kinds = Object.entries(OTHER_KINDS);
  return Object.fromEntries(
    kinds.map(([kind, { ends }]) => [kind, Array.from({ length: OTHER_CALLS }, () => ends)]),
  );
}

/** Sees a call to its end, and brings that about unless the other side does; how each end ended. */
async function endedCall(kind: OtherKind, call: WatchedCall): Promise<string[]> {
  if (kind === "cancelled") {
    await phaseOf(call, "bot", "ringing");
    await call.hangUp();
  }
  if (kind === "hung up by the bot") {
    await phaseOf(call, "caller", "confirmed");
    await call.hangUp("bot");
  }
  for (const party of ["caller", "bot"] as const) await phaseOf(call, party, "ended");
  await call.whenEnded(TRANSACTION_LIMIT_MS);
  const ends = endsOf(call);
  await call.release();
  return ends;
}

/** Waits until one end of a call has come so far, or the time for that is over. */
async function phaseOf(call: WatchedCall, party: Party, phase: string): Promise<void> {
  await call.waitFor(
    (fact) => fact.kind === "callPhase" && fact.party === party && fact.phase === phase,
    TRANSACTION_LIMIT_MS,
  );
}

/** Dials, says something, hears an answer, hangs up. */
async function converse(
  harness: Harness,
  caller: AgentInNamespace,
  bot: AgentInNamespace,
): Promise<{ readonly outcome: Outcome; readonly figures: Figures }> {
  const call = await caller.agent.dial(bot.agent.uri);
  const confirmed = await call.waitFor(
    (fact) => fact.kind === "callPhase" && fact.phase === "confirmed" && fact.party === "caller",
    TRANSACTION_LIMIT_MS,
  );
  const spoken = confirmed !== undefined && (await speak(harness, call));
  // One call in a thousand has lost every ACK by now; the next repetition of the 200 brings another.
  await phaseOf(call, "bot", "confirmed");
  await call.hangUp();
  await call.whenEnded(TRANSACTION_LIMIT_MS);
  const { audio, botAudio } = await call.record();
  await call.release();
  const heard = spokenPart(call, botAudio);
  const outcome = {
    setUp: confirmedAt(call, "caller") && confirmedAt(call, "bot"),
    spoken,
    heardByBot: heard.levelDbov > SPEECH_DBOV,
    heardByCaller: call.timeline.of("heardSpeech").length > 0,
    ends: endsOf(call),
  };
  return { outcome, figures: figuresOf(harness, call, { heard, audio }) };
}

async function speak(harness: Harness, call: WatchedCall): Promise<boolean> {
  const utteranceId = await harness.say(call, { phrase: PHRASE });
  const spoken = await harness.spoken(call, utteranceId, ANSWER_LIMIT_MS);
  await call.waitFor(
    (fact) => fact.kind === "heardSpeech" && fact.event === "stopped",
    ANSWER_LIMIT_MS,
  );
  return spoken;
}

/** What is worth knowing of one call but not asserted. */
interface Figures {
  readonly setupMs: number;
  /** From the first BYE until both ends were done. */
  readonly releaseMs: number;
  readonly retransmissions: number;
  readonly lostRatio: number;
  /** Whether the recogniser, too, knows the phrase again at the bot and the answer at the caller. */
  readonly recognisedAtBot: boolean;
  readonly recognisedAtCaller: boolean;
}

function figuresOf(
  harness: Harness,
  { timeline }: WatchedCall,
  audio: { readonly heard: Heard; readonly audio: RecordedAudio | undefined },
): Figures {
  const { voices } = harness;
  const phases = timeline.of("callPhase").filter(({ party }) => party === "caller");
  const instantOf = (wanted: string): number =>
    phases.find(({ phase }) => phase === wanted)?.at ?? Number.NaN;
  const messages = timeline.of("sipMessage");
  const bye = messages.find(({ startLine }) => startLine.startsWith("BYE "))?.at ?? Number.NaN;
  const released = Math.max(
    ...timeline.of("callPhase").flatMap(({ phase, at }) => (phase === "ended" ? [at] : [])),
  );
  const statistics = timeline.of("mediaStatistics");
  const sum = (count: (each: FactOf<"mediaStatistics">) => number): number =>
    statistics.reduce((total, each) => total + count(each), 0);
  const answer = { sampleRateHz: 8000, samples: audio.audio?.right ?? new Int16Array(8000) };
  return {
    setupMs: instantOf("answered") - instantOf("dialed"),
    releaseMs: released - bye,
    retransmissions: messages.filter(({ direction, retransmission }) => {
      return direction === "sent" && retransmission === true;
    }).length,
    lostRatio: sum(({ lost }) => lost) / sum(({ packetsExpected }) => packetsExpected),
    recognisedAtBot: findPhrase(voices.all("caller"), PHRASE, audio.heard).found,
    recognisedAtCaller: findPhrase(voices.all("bot"), "interrupted", answer).found,
  };
}

interface Heard {
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
  readonly levelDbov: number;
}

/** What arrived at the bot while the caller spoke. */
function spokenPart(call: WatchedCall, recording: RecordedAudio | undefined): Heard {
  const utterance = call.timeline.of("utterance").find(({ event }) => event === "ended");
  if (utterance === undefined || recording === undefined) {
    return { sampleRateHz: 8000, samples: new Int16Array(8000), levelDbov: -Infinity };
  }
  const { sampleRateHz, startedAt, left } = recording;
  const sampleAt = (at: number): number =>
    Math.max(0, Math.round(((at - startedAt) * sampleRateHz) / 1000));
  const samples = left.slice(sampleAt(utterance.onsetAt), sampleAt(utterance.offsetAt));
  return { sampleRateHz, samples, levelDbov: levelDbov(samples) };
}

/**
 * "bot remote bye": how the call ended at each end of it, with the status of a refusal. A caller that
 * heard nothing yet when it cancels does not wait for the 487 (RFC 3261 §9.1).
 */
function endsOf({ timeline }: WatchedCall): string[] {
  return timeline
    .of("callPhase")
    .filter(({ phase }) => phase === "ended")
    .map(({ party, endedBy, reason, statusCode }) =>
      [party, endedBy, reason, reason === "rejected" ? statusCode : ""].join(" ").trim(),
    )
    .toSorted();
}

function confirmedAt(call: WatchedCall, wanted: Party): boolean {
  return call.timeline
    .of("callPhase")
    .some(({ party, phase }) => party === wanted && phase === "confirmed");
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

function summary(results: readonly { readonly figures: Figures }[]): {
  readonly lostRatio: Spread;
  readonly [figure: string]: Spread | number;
} {
  const figures = results.map((each) => each.figures);
  const spread = (value: (each: Figures) => number): Spread => {
    const sorted = figures.map(value).toSorted((a, b) => a - b);
    return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: quantile(sorted, 1) };
  };
  return {
    setupMs: spread((each) => each.setupMs),
    releaseMs: spread((each) => each.releaseMs),
    retransmissions: spread((each) => each.retransmissions),
    lostRatio: spread((each) => each.lostRatio),
    recognisedAtBot: figures.filter((each) => each.recognisedAtBot).length,
    recognisedAtCaller: figures.filter((each) => each.recognisedAtCaller).length,
  };
}
