import type { VoiceLibrary } from "../audio/index.ts";
import { PhraseRecogniser } from "../audio/index.ts";
import type { WatchedCall } from "../call/index.ts";
import {
  EnvironmentError,
  ExpectationError,
  elapsedMs,
  type Instant,
  UsageError,
} from "../environment/index.ts";
import {
  type AsidePurpose,
  type BackchannelMetrics,
  type BotTurn,
  type CallMetrics,
  type CallRecord,
  DOUBT_WORDS,
  FALSE_ANSWER_LIMIT_MS,
  FALSE_STOP_LIMIT_MS,
  type FigureEvidence,
  formatMs,
  placeOf,
} from "../measure/index.ts";
import { doubtIn, expectWithin, throwIfDoubtful } from "./verdict-on-figure.ts";
import {
  endedEarly,
  isEnd,
  isHeard,
  lastUtterance,
  measureNow,
  SETTLE_MS,
  settle,
} from "./watch.ts";

/** Patience beyond a limit: to hear late answers and say how late they were. */
const PATIENCE_MS = 2000;
/** The longest that one answer of a bot is listened to. */
const ANSWER_LIMIT_MS = 30_000;
/** Audio around a bot turn that the recogniser gets. */
const MARGIN_MS = 150;

/**
 * The bot speaks first, within `limitMs` of its 200 OK.
 * @throws ExpectationError ERR_ABOVE_LIMIT, ERR_NOTHING_HEARD; RemoteError ERR_CALL_ENDED_EARLY;
 *   EnvironmentError as `throwIfDoubtful`.
 */
export async function expectGreeting(call: WatchedCall, limitMs: number): Promise<string> {
  const answered = call.timeline.of("callPhase").find(({ phase }) => phase === "answered");
  const hasEnded = await awaitSpeech(call, answered?.at, limitMs);
  const { metrics } = await measureNow(call);
  const [first] = metrics.botTurns;
  const observedMs = metrics.setup.greetingLatencyMs;
  if (hasEnded && observedMs === undefined) throw await endedEarly(call, "the bot's greeting");
  return expectWithin(
    {
      figure: "greeting latency",
      limitMs,
      ...(observedMs === undefined ? {} : { observedMs }),
      ...doubtIn(metrics.setup.greetingCertainty),
      ...(first === undefined ? {} : { at: first.startAt }),
    },
    metrics,
  );
}

/**
 * The bot answers the caller's last utterance within `limitMs`, as heard.
 * @throws ExpectationError ERR_ABOVE_LIMIT, ERR_NOTHING_HEARD; RemoteError ERR_CALL_ENDED_EARLY;
 *   EnvironmentError as `throwIfDoubtful`.
 */
export async function expectAnswer(call: WatchedCall, limitMs: number): Promise<string> {
  const utterance = requireUtterance(call);
  const hasEnded = await awaitSpeech(call, utterance.offsetAt, limitMs);
  const { metrics } = await measureNow(call);
  const turn = metrics.turns.find(({ utteranceId }) => utteranceId === utterance.utteranceId);
  // An answer that began before the caller had finished began before what was waited for.
  if (hasEnded && turn?.responseLatencyMs === undefined) {
    throw await endedEarly(call, "the bot's answer");
  }
  return expectWithin(
    {
      figure: "response latency",
      limitMs,
      ...(turn?.responseLatencyMs === undefined ? {} : { observedMs: turn.responseLatencyMs }),
      ...doubtIn(turn),
      at: turn?.botOnsetAt ?? utterance.offsetAt,
    },
    metrics,
  );
}

/**
 * The bot stops within `limitMs` of the onset of the caller's last interruption.
 * @throws ExpectationError ERR_ABOVE_LIMIT, ERR_DID_NOT_YIELD; EnvironmentError as
 *   `throwIfDoubtful`.
 */
export async function expectStop(call: WatchedCall, limitMs: number): Promise<string> {
  const utterance = requireUtterance(call, ["interruption"]);
  await call.waitFor(
    (fact) => isEnd(fact) || isHeard("stopped", utterance.onsetAt)(fact),
    limitMs + PATIENCE_MS,
    utterance.onsetAt,
  );
  const { metrics } = await measureNow(call);
  const bargeIn = metrics.bargeIns.find((each) => each.utteranceId === utterance.utteranceId);
  const { stopLatencyMs, stoppedAt } = bargeIn ?? {};
  const evidence: FigureEvidence = {
    figure: "barge-in stop latency",
    limitMs,
    ...(stopLatencyMs === undefined ? {} : { observedMs: stopLatencyMs }),
    ...doubtIn(bargeIn),
    ...(stoppedAt === undefined ? {} : { at: stoppedAt }),
  };
  if (bargeIn?.outcome === "yielded") return expectWithin(evidence, metrics);
  if (bargeIn?.outcome === "noYield") throwIfDoubtful(evidence, metrics);
  throw new ExpectationError(
    "ERR_DID_NOT_YIELD",
    `barge-in: expected the bot to stop within ${formatMs(limitMs)} of the interruption, but ${STOP_OUTCOMES[bargeIn?.outcome ?? "notSpeaking"]}${placeOf(utterance.onsetAt, metrics)}`,
    { context: { limitMs, outcome: bargeIn?.outcome } },
  );
}

const STOP_OUTCOMES: Readonly<Record<string, string>> = {
  noYield: "it went on speaking",
  finished: "it had already said all it had to say",
  callEnded: "the call ended first",
  notSpeaking: "it was not speaking",
};

const ASIDES: readonly AsidePurpose[] = ["backchannel", "vocalTic", "sideSpeech"];

/**
 * The caller's last backchannel, cough or words for somebody else did not make the bot stop.
 * @throws ExpectationError ERR_FALSE_STOP; UsageError ERR_NOTHING_SAID; EnvironmentError
 *   ERR_MEASUREMENT_UNCERTAIN.
 */
export function expectKeepsSpeaking(call: WatchedCall): Promise<string> {
  return expectAside(call, {
    // A false stop counts within 1.0 s of the onset; hear that out.
    settleMs: FALSE_STOP_LIMIT_MS + SETTLE_MS,
    purposes: ASIDES,
    outcome: "keptTalking",
    wish: "to go on speaking",
    code: "ERR_FALSE_STOP",
  });
}

/**
 * The bot, which was silent, did not answer the caller's last words for somebody else.
 * @throws ExpectationError ERR_FALSE_ANSWER; UsageError ERR_NOTHING_SAID; EnvironmentError
 *   ERR_MEASUREMENT_UNCERTAIN.
 */
export function expectKeepsQuiet(call: WatchedCall): Promise<string> {
  return expectAside(call, {
    settleMs: FALSE_ANSWER_LIMIT_MS + SETTLE_MS,
    purposes: ["sideSpeech"],
    outcome: "ignored",
    wish: "to keep quiet",
    code: "ERR_FALSE_ANSWER",
  });
}

async function expectAside(
  call: WatchedCall,
  wanted: {
    readonly settleMs: number;
    readonly purposes: readonly AsidePurpose[];
    readonly outcome: "keptTalking" | "ignored";
    readonly wish: string;
    readonly code: string;
  },
): Promise<string> {
  const utterance = requireUtterance(call, wanted.purposes);
  await settle(call, wanted.settleMs);
  const { metrics } = await measureNow(call);
  const found = metrics.backchannels.find((each) => each.utteranceId === utterance.utteranceId);
  throwIfOpen(found, metrics);
  if (found?.outcome === wanted.outcome) return ASIDE_OUTCOMES[wanted.outcome];
  const outcome = found === undefined ? "it was not heard" : ASIDE_OUTCOMES[found.outcome];
  throw new ExpectationError(
    wanted.code,
    `${ASIDE_WORDS[found?.purpose ?? "backchannel"]}: expected the bot ${wanted.wish}, but ${outcome}${placeOf(utterance.onsetAt, metrics)}`,
    { context: { outcome: found?.outcome } },
  );
}

/** A doubtful outcome may be the other one. */
function throwIfOpen(found: BackchannelMetrics | undefined, metrics: CallMetrics): void {
  if (found?.doubt === undefined) return;
  const { purpose, doubt, outcome, onsetAt } = found;
  throw new EnvironmentError(
    "ERR_MEASUREMENT_UNCERTAIN",
    `Inconclusive: ${ASIDE_WORDS[purpose]}: ${ASIDE_OUTCOMES[outcome]}${placeOf(onsetAt, metrics)} (${DOUBT_WORDS[doubt]}). Listen to the recording there.`,
    { context: { outcome, doubt } },
  );
}

const ASIDE_WORDS: Readonly<Record<AsidePurpose, string>> = {
  backchannel: "backchannel",
  vocalTic: "cough or the like",
  sideSpeech: "words for somebody else",
};

const ASIDE_OUTCOMES: Readonly<Record<BackchannelMetrics["outcome"], string>> = {
  keptTalking: "the bot kept talking",
  ignored: "the bot kept quiet",
  falseStop: "it stopped",
  answered: "it answered",
  finished: "it had already said all it had to say",
  callEnded: "the call ended first",
  notSpeaking: "it was not speaking",
};

/**
 * The caller hears this phrase of the bot's: recognised in the audio that arrived, after the
 * caller's last words.
 * @throws ExpectationError ERR_PHRASE_NOT_HEARD; UsageError ERR_FIXTURE_MISSING.
 */
export async function expectHeard(
  call: WatchedCall,
  phrase: string,
  voices: VoiceLibrary,
): Promise<string> {
  const wanted = voices.find("bot", phrase);
  const after = lastUtterance(call)?.offsetAt;
  await awaitTurnEnd(call, after);
  const { record, metrics } = await measureNow(call);
  const recogniser = new PhraseRecogniser([...voices.all("bot")]);
  const turns = metrics.botTurns.filter(
    (turn) => after === undefined || elapsedMs(after, turn.endAt) > 0,
  );
  const heard = turns.map((turn) => recogniseTurn(recogniser, record, turn));
  if (heard.includes(wanted.id)) return `heard "${wanted.id}"`;
  const what = heard.map((id) => (id === undefined ? "something else" : `"${id}"`)).join(", then ");
  throw new ExpectationError(
    "ERR_PHRASE_NOT_HEARD",
    `Expected to hear the phrase "${wanted.id}", ${heard.length === 0 ? "but nothing was heard" : `heard ${what}`}${placeOf(turns.at(-1)?.startAt ?? after, metrics)}`,
    { context: { phrase: wanted.id, heard } },
  );
}

function recogniseTurn(
  recogniser: PhraseRecogniser,
  record: CallRecord,
  turn: BotTurn,
): string | undefined {
  const { audio } = record;
  if (audio === undefined) return undefined;
  const sampleAt = (at: Instant, marginMs: number): number =>
    Math.max(
      0,
      Math.round(((elapsedMs(audio.startedAt, at) + marginMs) * audio.sampleRateHz) / 1000),
    );
  const samples = audio.right.subarray(
    sampleAt(turn.startAt, -MARGIN_MS),
    sampleAt(turn.endAt, MARGIN_MS),
  );
  return recogniser.recognise(samples, audio.sampleRateHz).id;
}

/**
 * Waits until the bot speaks after `from`, and then until its onset can be placed.
 * @returns whether the call ended first.
 */
async function awaitSpeech(
  call: WatchedCall,
  from: Instant | undefined,
  limitMs: number,
): Promise<boolean> {
  const origin = from ?? call.clock.now();
  const fact = await call.waitFor(
    (each) => isEnd(each) || isHeard("started", origin)(each),
    limitMs + PATIENCE_MS,
    origin,
  );
  if (fact !== undefined && isEnd(fact)) return true;
  await settle(call);
  return false;
}

/** Waits until what the bot says after `from` (default: at all) has been said. */
async function awaitTurnEnd(call: WatchedCall, from: Instant | undefined): Promise<void> {
  const origin = from ?? call.timeline.facts[0]?.at ?? call.clock.now();
  const started = await call.waitFor(
    (each) => isEnd(each) || isHeard("started", origin)(each),
    ANSWER_LIMIT_MS,
  );
  if (started === undefined || isEnd(started)) return;
  await call.waitFor(
    (each) => isEnd(each) || isHeard("stopped", started.at)(each),
    ANSWER_LIMIT_MS,
  );
}

function requireUtterance(
  call: WatchedCall,
  purposes?: readonly ("interruption" | AsidePurpose)[],
): NonNullable<ReturnType<typeof lastUtterance>> {
  const found = lastUtterance(call, purposes);
  if (found !== undefined) return found;
  throw new UsageError(
    "ERR_NOTHING_SAID",
    purposes === undefined
      ? "The caller has not said anything yet, so there is nothing to answer. Let it say something first."
      : `The caller has spoken no ${purposes.map((each) => PURPOSE_WORDS[each]).join(", no ")} yet. Let it do that first.`,
  );
}

const PURPOSE_WORDS = {
  interruption: "interruption",
  backchannel: "backchannel",
  vocalTic: "cough",
  sideSpeech: "words for somebody else",
} as const;
