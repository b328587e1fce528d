import { elapsedMs, type Instant } from "../environment/index.ts";
import {
  type CallMetrics,
  type CallRecord,
  doubtOfTiming,
  errorBoundMs,
  STATED_ERROR_MS,
  spanBetween,
  type TimeSpan,
  type TurnMetrics,
} from "../measure/index.ts";
import type { FigureError, FigureName } from "../report/index.ts";
import type { FactOf } from "../timeline/index.ts";
import type { ReferencePlan } from "./reference-plan.ts";
import type { HeardTruth, ReferenceTruth } from "./reference-truth.ts";

/** The question's, the interruption's utterance in every reference call. */
export const QUESTION_ID = "question";
export const INTERRUPTION_ID = "interruption";

/** Every figure of one reference call against the truth. */
export function errorsOf(
  plan: ReferencePlan,
  truth: ReferenceTruth,
  record: CallRecord,
  metrics: CallMetrics,
): FigureError[] {
  const { question, answer, interruption, secondAnswer } = truth;
  const call = new JudgedCall(metrics);
  const turnOf = (id: string): TurnMetrics | undefined =>
    metrics.turns.find(({ utteranceId }) => utteranceId === id);
  call.latency(turnOf(QUESTION_ID), question.offsetAt, answer);
  call.latency(turnOf(INTERRUPTION_ID), interruption.offsetAt, secondAnswer);
  call.edges(answer);
  call.edges(secondAnswer);
  call.add("recordingClock", {
    measured: truth.recordingClockMs,
    truth: 0,
    span: spanBetween(answer.startAt, answer.startAt),
  });
  const bargeIn = metrics.bargeIns.find(({ utteranceId }) => utteranceId === INTERRUPTION_ID);
  call.add("bargeInStop", {
    measured: bargeIn?.outcome === "yielded" ? bargeIn.stopLatencyMs : undefined,
    truth: elapsedMs(interruption.onsetAt, answer.endAt),
    truthUntil: elapsedMs(interruption.onsetAt, answer.endUntilAt),
    span: spanBetween(interruption.onsetAt, answer.endUntilAt),
    isUncertain: bargeIn?.uncertain ?? false,
    hasLostEdge: answer.hasLostEdge,
  });
  const { setup } = metrics;
  call.add("postDialDelay", {
    measured: setup.postDialDelayMs,
    truth: elapsedMs(truth.invitedAt, truth.rangAt),
    span: spanBetween(truth.invitedAt, truth.rangAt),
  });
  call.add("answerTime", {
    measured: setup.answerTimeMs,
    truth: elapsedMs(truth.invitedAt, truth.answeredAt),
    span: spanBetween(truth.invitedAt, truth.answeredAt),
  });
  const byePhase = setup.endedBy === "remote" && setup.endReason === "bye" ? setup : undefined;
  call.add("bye", {
    measured: byePhase?.endedAt,
    truth: truth.byeAt,
    span: spanBetween(truth.byeAt, truth.byeAt),
  });
  call.exact("digits", digitsHeard(record) === plan.digits);
  call.exact("byeSeen", byePhase !== undefined);
  return call.errors;
}

interface Comparison {
  readonly measured: number | undefined;
  readonly truth: number;
  /** Where the truth is no point: up to here. */
  readonly truthUntil?: number;
  /** From the event that it counts from to the one that it counts to. */
  readonly span: TimeSpan;
  readonly isUncertain?: boolean;
  readonly hasLostEdge?: boolean;
}

/** Collects the errors of one call with what the call says of itself. */
class JudgedCall {
  readonly errors: FigureError[] = [];
  readonly #metrics: CallMetrics;

  constructor(metrics: CallMetrics) {
    this.#metrics = metrics;
  }

  add(figure: FigureName, comparison: Comparison): void {
    const { measured, span, isUncertain, hasLostEdge } = comparison;
    const statedErrorMs = errorBoundMs(this.#metrics, span);
    this.errors.push({
      figure,
      ...(measured === undefined ? {} : { errorMs: errorOf(measured, comparison) }),
      statedErrorMs,
      isHealthy: statedErrorMs <= STATED_ERROR_MS,
      // Figures without a doubt of their own are told by their bar alone.
      isUncertain: isUncertain === true || doubtOfTiming(statedErrorMs) !== undefined,
      hasLostEdge: hasLostEdge ?? false,
    });
  }

  /** What is no matter of time, and so of no machine that keeps it badly. */
  exact(figure: FigureName, isExact: boolean): void {
    this.errors.push({
      figure,
      ...(isExact ? { errorMs: 0 } : {}),
      statedErrorMs: STATED_ERROR_MS,
      isHealthy: true,
      isUncertain: false,
      hasLostEdge: false,
    });
  }

  latency(turn: TurnMetrics | undefined, offsetAt: Instant, heard: HeardTruth): void {
    this.add("responseLatency", {
      measured: turn?.responseLatencyMs,
      truth: elapsedMs(offsetAt, heard.startAt),
      span: spanBetween(offsetAt, heard.startAt),
      isUncertain: turn?.uncertain ?? false,
      hasLostEdge: heard.hasLostEdge,
    });
  }

  edges(heard: HeardTruth): void {
    const { startAt, endAt, endUntilAt, hasLostEdge } = heard;
    const heardThen = this.#metrics.botTurns
      .flatMap(({ segments }) => segments)
      .filter((segment) => segment.startAt < endUntilAt && segment.endAt > startAt);
    this.add("onset", {
      measured: nearest(
        heardThen.map((segment) => segment.startAt),
        startAt,
      ),
      truth: startAt,
      span: spanBetween(startAt, startAt),
      hasLostEdge,
    });
    this.add("offset", {
      measured: nearest(
        heardThen.map((segment) => segment.endAt),
        endAt,
      ),
      truth: endAt,
      truthUntil: endUntilAt,
      span: spanBetween(endAt, endUntilAt),
      hasLostEdge,
    });
  }
}

/** From the nearest place at which the truth may be. */
function errorOf(measured: number, { truth, truthUntil = truth }: Comparison): number {
  return measured - Math.min(Math.max(measured, truth), truthUntil);
}

/** Of what was heard while it was said: a host that stood still may have torn it apart. */
function nearest(edges: readonly Instant[], truth: Instant): Instant | undefined {
  return edges.toSorted((a, b) => Math.abs(a - truth) - Math.abs(b - truth))[0];
}

function digitsHeard(record: CallRecord): string {
  return record.facts
    .filter((fact): fact is FactOf<"digit"> => fact.kind === "digit")
    .filter(({ party, direction }) => party === "caller" && direction === "received")
    .map(({ digit }) => digit)
    .join("");
}
