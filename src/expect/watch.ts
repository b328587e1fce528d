import type { WatchedCall } from "../call/index.ts";
import {
  EnvironmentError,
  elapsedMs,
  type Instant,
  RemoteError,
  UsageError,
} from "../environment/index.ts";
import { type CallMetrics, type CallRecord, measureCall } from "../measure/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";
import { describeEnd } from "./end.ts";
import { injectedText } from "./injected.ts";
import { aiNetworkError } from "./require-ai-network.ts";
import { unsupportedError } from "./unsupported.ts";

/** What the detector needs to hear after an onset before it can place it. */
export const SETTLE_MS: number = 500;
/** How long one end may know of the call's end before the other. */
const ENDS_LIMIT_MS = 1000;

/** Waits `ms` without measuring anything: for audio to be recorded. */
export async function settle(call: WatchedCall, ms: number = SETTLE_MS): Promise<void> {
  await call.waitFor(() => false, ms);
}

/** Record and figures of the call as it is now. */
export async function measureNow(
  call: WatchedCall,
): Promise<{ readonly record: CallRecord; readonly metrics: CallMetrics }> {
  const record = await call.record();
  return { record, metrics: measureCall(record) };
}

/** The last utterance that the caller finished; what a bot's answer follows. */
export function lastUtterance(
  call: WatchedCall,
  purposes: readonly FactOf<"utterance">["purpose"][] = ["speech", "interruption"],
): FactOf<"utterance"> | undefined {
  return call.timeline
    .of("utterance")
    .findLast((fact) => fact.event === "ended" && purposes.includes(fact.purpose));
}

/** True for the fact that the other side began to speak, as heard by the caller. */
export function isHeard(
  event: FactOf<"heardSpeech">["event"],
  from: Instant,
): (fact: Fact) => boolean {
  return (fact) =>
    fact.kind === "heardSpeech" &&
    fact.party === "caller" &&
    fact.event === event &&
    elapsedMs(from, fact.at) >= 0;
}

/** True for the end of the call at either of our ends. */
export function isEnd(fact: Fact): boolean {
  return fact.kind === "callPhase" && fact.phase === "ended";
}

/**
 * Waits until the other end of ours, too, has said why the call is over: the two speak over
 * different channels. Does nothing in a call that is up.
 */
export async function awaitEnds(call: WatchedCall): Promise<void> {
  if (call.timeline.facts.some(isEnd)) await call.whenEnded(ENDS_LIMIT_MS);
}

/**
 * A call that ended before what was awaited: says how it ended.
 * @param awaited e.g. "the bot's greeting".
 */
export async function endedEarly(
  call: WatchedCall,
  awaited: string,
): Promise<RemoteError | EnvironmentError> {
  await awaitEnds(call);
  const unsupported = unsupportedError(call);
  if (unsupported !== undefined) return unsupported;
  const end = call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
  const broken = aiNetworkError(call);
  if (broken !== undefined) return broken;
  const faults = call.timeline.of("fault");
  const ours = faults.find(({ party, fault }) => party === "caller" && fault === "environment");
  if (ours !== undefined) return new EnvironmentError(ours.code, ours.message);
  const why = faults.map(({ code, message }) => `${code}: ${message}`).join(" ");
  const how = end === undefined ? "" : ` (${describeEnd(end)})`;
  const context = { awaited, faults: faults.map(({ code }) => code), end };
  return new RemoteError(
    "ERR_CALL_ENDED_EARLY",
    `The call ended${how} before ${awaited}.${why === "" ? "" : ` ${why}`}${injectedText(call)}`,
    { context },
  );
}

/** @throws UsageError ERR_BOT_NOT_OURS where that end of the call cannot be seen. */
export function requireParty(call: WatchedCall, party: Party): void {
  if (call.parties.includes(party)) return;
  throw new UsageError(
    "ERR_BOT_NOT_OURS",
    `This step looks at what the ${party} received, but the ${party} of this call is not one of ours.`,
    { context: { callId: call.callId, party } },
  );
}
