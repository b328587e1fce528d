import type { Harness, RemoteAgent, WatchedCall } from "../call/index.ts";
import { after, type Clock, type Instant } from "../environment/index.ts";
import { type CallMetrics, measureCall } from "../measure/index.ts";
import type { FigureError } from "../report/index.ts";
import type { UtteranceFact } from "../timeline/index.ts";
import { errorsOf, INTERRUPTION_ID, QUESTION_ID } from "./reference-errors.ts";
import type { CallerSpeech, PlannedSpeech, ReferencePlan } from "./reference-plan.ts";
import type { SpeechStock } from "./reference-speech.ts";
import { truthOf } from "./reference-truth.ts";

/** What a reference call told. */
export interface ReferenceResult {
  readonly metrics: CallMetrics;
  /** `undefined` where the call did not go by its plan: it tells nothing of the figures. */
  readonly errors: readonly FigureError[] | undefined;
  /** Departure → heard, and how far that moved within the call. */
  readonly delivery: { readonly medianMs: number; readonly movedMs: number } | undefined;
}

/** Both ends, and where to keep the call's folder, if anywhere. */
export interface ReferenceParts {
  readonly harness: Harness;
  readonly caller: RemoteAgent;
  readonly bot: RemoteAgent;
  readonly keepsFolder: boolean;
}

const ANSWER_LIMIT_MS = 5000;
const MEDIA_LIMIT_MS = 2000;
const END_LIMIT_MS = 5000;
/** Between the beginning of the media and that of the plan: orders have to reach the threads. */
const LEAD_MS = 300;

/** Places one call and lets both ends follow the plan; resolves when it has ended. */
export async function placeReferenceCall(
  parts: ReferenceParts,
  plan: ReferencePlan,
): Promise<WatchedCall> {
  const call = await parts.caller.dial(parts.bot.uri, { ringTimeoutMs: ANSWER_LIMIT_MS });
  const { clock } = call;
  const isCarried = await mediaRun(call);
  if (!isCarried) {
    await parts.harness.endCalls([call]);
    return call;
  }
  const beginAt = after(clock.now(), LEAD_MS);
  await Promise.all([
    sayAs(call, "caller", { beginAt, planned: plan.question, utteranceId: QUESTION_ID }),
    sayAs(call, "bot", { beginAt, planned: plan.answer, utteranceId: "answer" }),
  ]);
  await Promise.all([
    sayAs(call, "caller", { beginAt, planned: plan.interruption, utteranceId: INTERRUPTION_ID }),
    sayAs(call, "bot", { beginAt, planned: plan.secondAnswer, utteranceId: "second" }),
  ]);
  await until(clock, after(beginAt, plan.digitsAtMs));
  // A call that broke off shows in its facts; what is ordered of it then is refused.
  await Promise.allSettled([call.press(plan.digits, {}, "bot")]);
  await until(clock, after(beginAt, plan.byeAtMs));
  await Promise.allSettled([call.hangUp("bot")]);
  if (!(await call.whenEnded(END_LIMIT_MS))) await parts.harness.endCalls([call]);
  return call;
}

/** Measures a call that has ended and holds each figure against the truth. */
export async function judgeReferenceCall(
  { harness, keepsFolder }: ReferenceParts,
  call: WatchedCall,
  plan: ReferencePlan,
): Promise<ReferenceResult> {
  const artifacts = await call.artifacts();
  const record = call.recordOf(artifacts);
  const metrics = keepsFolder ? (await harness.leave(call)).metrics : measureCall(record);
  const truth = truthOf(plan, record, artifacts);
  await call.release();
  return {
    metrics,
    errors: truth && errorsOf(plan, truth, record, metrics),
    delivery: truth?.delivery,
  };
}

/** Both ends answered and have media. */
async function mediaRun(call: WatchedCall): Promise<boolean> {
  const found = await Promise.all(
    (["caller", "bot"] as const).map((party) =>
      call.waitFor(
        (fact) => fact.kind === "mediaStarted" && fact.party === party,
        ANSWER_LIMIT_MS + MEDIA_LIMIT_MS,
      ),
    ),
  );
  return !found.includes(undefined) && !call.hasEnded;
}

async function sayAs(
  call: WatchedCall,
  party: "caller" | "bot",
  order: {
    readonly beginAt: Instant;
    readonly planned: PlannedSpeech<SpeechStock | CallerSpeech>;
    readonly utteranceId: string;
  },
): Promise<void> {
  const { beginAt, planned, utteranceId } = order;
  const { speech, atMs } = planned;
  const { fixture, samples } = speech;
  const purpose: UtteranceFact["purpose"] =
    utteranceId === INTERRUPTION_ID ? "interruption" : "speech";
  const edges = "onsetMs" in speech ? speech : { onsetMs: 0, offsetMs: samples.length / 8 };
  const { onsetMs, offsetMs } = edges;
  await call.say(
    {
      utteranceId,
      fixture,
      purpose,
      samples,
      onsetMs,
      offsetMs,
      start: { kind: "at", at: after(beginAt, atMs) },
    },
    party,
  );
}

function until(clock: Clock, at: Instant): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(at, resolve);
  });
}
