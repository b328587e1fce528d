import type { WatchedCall } from "../call/index.ts";
import {
  EnvironmentError,
  ExpectationError,
  elapsedMs,
  type Instant,
} from "../environment/index.ts";
import {
  type CallMetrics,
  formatMs,
  instrumentConcerns,
  type PlayoutMetrics,
  placeOf,
} from "../measure/index.ts";
import { lastUtterance, measureNow, requireParty, settle } from "./watch.ts";

/**
 * Waits until our bot has played what it had to say last.
 * @throws ExpectationError ERR_NOTHING_HEARD; UsageError ERR_BOT_NOT_OURS.
 */
export async function awaitSpeechEnd(call: WatchedCall, limitMs: number): Promise<void> {
  requireParty(call, "bot");
  const saidAt = lastUtterance(call)?.at ?? (0 as Instant);
  const end = await call.waitFor(
    (fact) =>
      fact.kind === "playout" &&
      (fact.event === "ended" || fact.event === "flushed") &&
      elapsedMs(saidAt, fact.at) >= 0,
    limitMs,
  );
  if (end === undefined) throw nothingHeard("end");
}

/**
 * The playout of our bot's speech ran dry at most so often.
 * @throws ExpectationError ERR_SPEECH_STALLED, ERR_NOTHING_HEARD; EnvironmentError
 *   ERR_INSTRUMENT_UNHEALTHY; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectStallsAtMost(call: WatchedCall, most: number): Promise<string> {
  const { playout, metrics } = await played(call, "stalls");
  const { stalls } = playout;
  const text = `stalls of the bot's speech: expected ≤ ${most}, found ${stallWords(playout, metrics)}`;
  if (stalls.length <= most) return text;
  throw stalled(text, metrics, { most, stalls: stalls.length });
}

/**
 * It ran dry at least so often, so that a scenario knows its fault.
 * @throws ExpectationError ERR_NETWORK_HARMLESS, ERR_NOTHING_HEARD; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectStallsAtLeast(call: WatchedCall, least: number): Promise<string> {
  const { playout, metrics } = await played(call, "stalls");
  const { stalls } = playout;
  const text = `stalls of the bot's speech: expected ≥ ${least}, found ${stallWords(playout, metrics)}`;
  if (stalls.length >= least) return text;
  throw new ExpectationError("ERR_NETWORK_HARMLESS", `${text}.`, {
    context: { least, stalls: stalls.length },
  });
}

/**
 * None of the stalls of our bot's speech was longer than this.
 * @throws as `expectStallsAtMost`.
 */
export async function expectStallAtMost(call: WatchedCall, limitMs: number): Promise<string> {
  const { playout, metrics } = await played(call, "stalls");
  const { stallMsMax } = playout;
  const text = `longest stall of the bot's speech: expected ≤ ${formatMs(limitMs)}, found ${stallWords(playout, metrics)}`;
  if (stallMsMax <= limitMs) return text;
  throw stalled(text, metrics, { limitMs, stallMsMax });
}

/**
 * What was cut out of the bot's speech, as the caller heard it, lasts at most so long in all.
 * @throws ExpectationError ERR_SPEECH_STALLED, ERR_NOTHING_HEARD; EnvironmentError
 *   ERR_INSTRUMENT_UNHEALTHY.
 */
export async function expectGapsAtMost(call: WatchedCall, limitMs: number): Promise<string> {
  await settle(call);
  const { metrics } = await measureNow(call);
  const signal = metrics.quality?.signals.find(({ speaker }) => speaker === "bot");
  if (signal?.speechDbov === undefined) throw nothingHeard("gaps");
  const { count, ms, places } = signal.gaps;
  const text = `gaps in the bot's speech: expected ≤ ${formatMs(limitMs)} in all, heard ${count}, ${formatMs(ms)} in all`;
  if (ms <= limitMs) return text;
  const where = `${text}, the first${placeOf(places[0]?.startAt, metrics)}`;
  throw stalled(where, metrics, { limitMs, observedMs: ms, count });
}

/**
 * Our bot's speech was held back before it was played, by its pre-buffer, for at most so long.
 * @throws ExpectationError ERR_SPEECH_HELD, ERR_NOTHING_HEARD; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectHeldAtMost(call: WatchedCall, limitMs: number): Promise<string> {
  const { playout } = await played(call, "time held back");
  const { heldMsMax, heldMsMean } = playout;
  const text = `the bot's speech held back: expected ≤ ${formatMs(limitMs)}, at most ${formatMs(heldMsMax)} (mean ${formatMs(heldMsMean)})`;
  if (heldMsMax <= limitMs) return text;
  throw new ExpectationError("ERR_SPEECH_HELD", `${text}.`, { context: { limitMs, heldMsMax } });
}

/**
 * Nowhere was the bot's speech hurried to make up for a stall, as the caller heard it.
 * @throws ExpectationError ERR_SPEECH_HURRIED, ERR_NOTHING_HEARD; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectNoCatchUp(call: WatchedCall): Promise<string> {
  const { metrics } = await played(call, "tempo");
  const hurried = metrics.quality?.tempo.filter(({ afterStallMs }) => afterStallMs !== undefined);
  const text = `the bot's speech hurried after a stall: expected nowhere, found ${hurried?.length ?? 0}`;
  const [first] = hurried ?? [];
  if (first === undefined) return text;
  throw new ExpectationError(
    "ERR_SPEECH_HURRIED",
    `${text}, the first × ${first.ratio.toFixed(2)}${placeOf(first.startAt, metrics)}.`,
    { context: { count: hurried?.length, ratio: first.ratio, shiftMs: first.shiftMs } },
  );
}

/** The bot's playout up to now, once it has played anything. */
async function played(
  call: WatchedCall,
  figure: string,
): Promise<{ readonly playout: PlayoutMetrics; readonly metrics: CallMetrics }> {
  requireParty(call, "bot");
  await settle(call);
  const { metrics } = await measureNow(call);
  const playout = metrics.bridge?.playout;
  if (playout === undefined || playout.playedMs === 0) throw nothingHeard(figure);
  return { playout, metrics };
}

function stallWords({ stalls, stallMsMax }: PlayoutMetrics, metrics: CallMetrics): string {
  const longest = stalls.find(({ ms }) => ms === stallMsMax);
  if (longest === undefined) return "none";
  return `${stalls.length}, the longest ${formatMs(stallMsMax)}${placeOf(longest.startAt, metrics)}`;
}

/** Stalled by our own doing, perhaps: then nobody can say. */
function stalled(
  text: string,
  metrics: CallMetrics,
  context: Readonly<Record<string, unknown>>,
): Error {
  const concerns = instrumentConcerns(metrics);
  if (concerns.length === 0)
    return new ExpectationError("ERR_SPEECH_STALLED", `${text}.`, { context });
  return new EnvironmentError(
    "ERR_INSTRUMENT_UNHEALTHY",
    `Inconclusive: ${text}, but our own timing may be the cause (${concerns.join("; ")}). Run it again on a quieter machine.`,
    { context },
  );
}

function nothingHeard(figure: string): ExpectationError {
  return new ExpectationError(
    "ERR_NOTHING_HEARD",
    `Expected the ${figure} of the bot's speech to be measured, but the bot did not speak.`,
    { context: { figure } },
  );
}
