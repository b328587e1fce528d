import type { WatchedCall } from "../call/index.ts";
import { EnvironmentError, ExpectationError, UsageError } from "../environment/index.ts";
import {
  type CallMetrics,
  formatMs,
  instrumentConcerns,
  placeOf,
  type RatingMetrics,
  type SignalFault,
  type SignalMetrics,
} from "../measure/index.ts";
import type { Party } from "../timeline/index.ts";
import { endedEarly, measureNow, settle } from "./watch.ts";

/** How long a call that is being hung up may take to state its counts. */
const END_LIMIT_MS = 5000;
/** Below this an estimate differs from its limit by less than anybody can tell. */
const DECIMALS = 2;

/**
 * The E-model's estimate of what the caller heard (the bot, where only that is ours) is at least this
 * MOS, on the scale of the call's codec. The call must be over: packets are counted up to its end.
 * @throws ExpectationError ERR_QUALITY_POOR, ERR_NOTHING_HEARD; EnvironmentError
 *   ERR_INSTRUMENT_UNHEALTHY; UsageError ERR_CALL_STILL_UP.
 */
export async function expectEstimatedMos(call: WatchedCall, leastMos: number): Promise<string> {
  if (!(await call.whenEnded(END_LIMIT_MS))) {
    throw new UsageError(
      "ERR_CALL_STILL_UP",
      "The estimate rests on packets counted up to the end of a call, and this one is still up. Let one side hang up before this step.",
      { context: { callId: call.callId } },
    );
  }
  if (call.timeline.of("mediaStatistics").length === 0) {
    throw await endedEarly(call, "media were agreed on");
  }
  const { metrics } = await measureNow(call);
  const party: Party = call.parties.includes("caller") ? "caller" : "bot";
  const rating = metrics.quality?.ratings.find((each) => each.party === party);
  if (rating === undefined) {
    throw new ExpectationError(
      "ERR_NOTHING_HEARD",
      `Expected an estimated MOS of at least ${leastMos}, but no packet came to the ${party}, so there is none.`,
      { context: { leastMos, party } },
    );
  }
  const text = `estimated MOS (E-model, ${rating.scale} scale): expected ≥ ${leastMos}, ${ratingWords(rating)}`;
  if (rating.mos >= leastMos) return text;
  throw poorBecauseOf(text, metrics, { leastMos, mos: rating.mos, party });
}

/**
 * The active level of one side's speech (ITU-T P.56), as recorded where speech is heard, in dBov.
 * @throws ExpectationError ERR_QUALITY_POOR, ERR_NOTHING_HEARD; UsageError ERR_LEVELS_SWAPPED.
 */
export async function expectSpeechLevel(
  call: WatchedCall,
  speaker: Party,
  [leastDbov, mostDbov]: readonly [number, number],
): Promise<string> {
  if (leastDbov > mostDbov) {
    throw new UsageError(
      "ERR_LEVELS_SWAPPED",
      `No level is between ${leastDbov} and ${mostDbov} dBov. Name the softer one first: between ${mostDbov} and ${leastDbov} dBov.`,
      { context: { leastDbov, mostDbov } },
    );
  }
  const { signal } = await heard(call, speaker, "speech level");
  const level = signal.speechDbov;
  const text = `the ${speaker}'s speech level: expected ${leastDbov} to ${mostDbov} dBov, measured ${level.toFixed(1)} dBov`;
  if (level >= leastDbov && level <= mostDbov) return text;
  throw poor(text, { speaker, leastDbov, mostDbov, level });
}

/**
 * The noise in the pauses of one side's speech is at most this, in dBov.
 * @throws ExpectationError ERR_QUALITY_POOR, ERR_NOTHING_HEARD.
 */
export async function expectNoiseAtMost(
  call: WatchedCall,
  speaker: Party,
  mostDbov: number,
): Promise<string> {
  const { signal } = await heard(call, speaker, "noise floor");
  const level = signal.noiseFloorDbov;
  const text = `the ${speaker}'s noise floor: expected ≤ ${mostDbov} dBov, measured ${level.toFixed(1)} dBov`;
  if (level <= mostDbov) return text;
  throw poor(text, { speaker, mostDbov, level });
}

/** What of a signal can be heard to be wrong. */
export type AudibleFault = "clipping" | "gaps" | "clicks";

const FAULT_WORDS: Readonly<Record<AudibleFault, string>> = {
  clipping: "clipping",
  gaps: "stretches cut out",
  clicks: "clicks",
};

/**
 * The bot's speech as recorded has none of these.
 * @throws ExpectationError ERR_QUALITY_POOR, ERR_NOTHING_HEARD; EnvironmentError
 *   ERR_INSTRUMENT_UNHEALTHY where our own timing may have cut the sound.
 */
export async function expectNoFault(call: WatchedCall, fault: AudibleFault): Promise<string> {
  const { signal, metrics } = await heard(call, "bot", FAULT_WORDS[fault]);
  const found: Omit<SignalFault, "ms"> & { readonly ms?: number } = signal[fault];
  const text = `${FAULT_WORDS[fault]} in the bot's speech: expected none, found ${found.count}`;
  if (found.count === 0) return text;
  const duration = found.ms === undefined ? "" : `, ${formatMs(found.ms)} in all`;
  const place = placeOf(found.places[0]?.startAt, metrics);
  const context = { fault, count: found.count };
  const whole = `${text}${duration}, the first${place}`;
  if (fault === "clipping") throw poor(whole, context);
  throw poorBecauseOf(whole, metrics, context);
}

/**
 * The bot's speech reaches beyond what a narrow-band line passes, whatever the codec's sample rate.
 * @throws ExpectationError ERR_QUALITY_POOR, ERR_NOTHING_HEARD.
 */
export async function expectWideband(call: WatchedCall): Promise<string> {
  const { signal } = await heard(call, "bot", "bandwidth");
  const { bandwidth, sampleRateHz } = signal;
  if (bandwidth === undefined) throw nothingHeard("bot", "bandwidth");
  const text = `bandwidth of the bot's speech: expected wideband (≥ 5,000 Hz), it reaches ${bandwidth.upperHz} Hz at a sample rate of ${sampleRateHz} Hz (${bandwidth.verdict})`;
  if (bandwidth.verdict === "wideband") return text;
  throw poor(text, { upperHz: bandwidth.upperHz, sampleRateHz });
}

/** A speaker's signal with speech in it, once what was said just now is recorded. */
async function heard(
  call: WatchedCall,
  speaker: Party,
  figure: string,
): Promise<{
  readonly signal: SignalMetrics & { readonly speechDbov: number };
  readonly metrics: CallMetrics;
}> {
  await settle(call);
  const { metrics } = await measureNow(call);
  const signal = metrics.quality?.signals.find((each) => each.speaker === speaker);
  const speechDbov = signal?.speechDbov;
  if (signal === undefined || speechDbov === undefined) throw nothingHeard(speaker, figure);
  return { signal: { ...signal, speechDbov }, metrics };
}

function ratingWords({ mos, party, codec, lossRatio, delayMs, basis }: RatingMetrics): string {
  const assumed = basis === "assumed" ? ", with assumed values of the codec" : "";
  return (
    `estimated ${mos.toFixed(DECIMALS)} for what the ${party} received ` +
    `(${codec}, ${(100 * lossRatio).toFixed(1)} % not heard, ${formatMs(delayMs)} of delay${assumed})`
  );
}

/** Poor by our own doing, perhaps: then nobody can say. */
function poorBecauseOf(
  text: string,
  metrics: CallMetrics,
  context: Readonly<Record<string, unknown>>,
): Error {
  const concerns = instrumentConcerns(metrics);
  if (concerns.length === 0) return poor(text, context);
  return new EnvironmentError(
    "ERR_INSTRUMENT_UNHEALTHY",
    `Inconclusive: ${text}, but our own timing may be the cause (${concerns.join("; ")}). Run it again on a quieter machine.`,
    { context },
  );
}

function poor(text: string, context: Readonly<Record<string, unknown>>): ExpectationError {
  return new ExpectationError("ERR_QUALITY_POOR", `${text}.`, { context });
}

function nothingHeard(speaker: Party, figure: string): ExpectationError {
  return new ExpectationError(
    "ERR_NOTHING_HEARD",
    `Expected the ${speaker}'s ${figure} to be measured, but too little speech of the ${speaker} was recorded.`,
    { context: { speaker, figure } },
  );
}
