import { elapsedMs } from "../environment/index.ts";
import {
  type BotTurn,
  type CallMetrics,
  type CallRecord,
  errorBoundMs,
  instrumentConcerns,
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
  call.latency(turnOf(QUESTION_ID), elapsedMs(question.offsetAt, answer.startAt), answer);
  call.latency(
    turnOf(INTERRUPTION_ID),
    elapsedMs(interruption.offsetAt, secondAnswer.startAt),
    secondAnswer,
  );
  call.edges(answer);
  call.edges(secondAnswer);
  call.add("recordingClock", { measured: truth.recordingClockMs, truth: 0 });
  const bargeIn = metrics.bargeIns.find(({ utteranceId }) => utteranceId === INTERRUPTION_ID);
  call.add("bargeInStop", {
    measured: bargeIn?.outcome === "yielded" ? bargeIn.stopLatencyMs : undefined,
    truth: elapsedMs(interruption.onsetAt, answer.endAt),
    truthUntil: elapsedMs(interruption.onsetAt, answer.endUntilAt),
    isUncertain: bargeIn?.uncertain ?? false,
    hasLostEdge: answer.hasLostEdge,
  });
  const { setup } = metrics;
  call.add("postDialDelay", {
    measured: setup.postDialDelayMs,
    truth: elapsedMs(truth.invitedAt, truth.rangAt),
  });
  call.add("answerTime", {
    measured: setup.answerTimeMs,
    truth: elapsedMs(truth.invitedAt, truth.answeredAt),
  });
  const byePhase = setup.endedBy === "remote" && setup.endReason === "bye" ? setup : undefined;
  call.add("bye", { measured: byePhase?.endedAt, truth: truth.byeAt });
  call.exact("digits", digitsHeard(record) === plan.digits);
  call.exact("byeSeen", byePhase !== undefined);
  return call.errors;
}

interface Comparison {
  readonly measured: number | undefined;
  readonly truth: number;
  /** Where the truth is no point: up to here. */
  readonly truthUntil?: number;
  readonly isUncertain?: boolean;
  readonly hasLostEdge?: boolean;
}

/** Collects the errors of one call with what the call says of itself. */
class JudgedCall {
  readonly errors: FigureError[] = [];
  readonly #metrics: CallMetrics;
  readonly #statedMs: number;
  readonly #isHealthy: boolean;

  constructor(metrics: CallMetrics) {
    this.#metrics = metrics;
    this.#statedMs = errorBoundMs(metrics);
    this.#isHealthy = instrumentConcerns(metrics).length === 0;
  }

  add(figure: FigureName, comparison: Comparison): void {
    const { measured, isUncertain, hasLostEdge } = comparison;
    this.errors.push({
      figure,
      ...(measured === undefined ? {} : { errorMs: errorOf(measured, comparison) }),
      statedErrorMs: this.#statedMs,
      isHealthy: this.#isHealthy,
      isUncertain: isUncertain ?? false,
      hasLostEdge: hasLostEdge ?? false,
    });
  }

  /** What is no matter of time, and so of no machine that keeps it badly. */
  exact(figure: FigureName, isExact: boolean): void {
    this.errors.push({
      figure,
      ...(isExact ? { errorMs: 0 } : {}),
      statedErrorMs: this.#statedMs,
      isHealthy: true,
      isUncertain: false,
      hasLostEdge: false,
    });
  }

  latency(turn: TurnMetrics | undefined, truth: number, heard: HeardTruth): void {
    this.add("responseLatency", {
      measured: turn?.responseLatencyMs,
      truth,
      isUncertain: turn?.uncertain ?? false,
      hasLostEdge: heard.hasLostEdge,
    });
  }

  edges(heard: HeardTruth): void {
    const turn = nearest(this.#metrics.botTurns, heard);
    const { hasLostEdge } = heard;
    this.add("onset", { measured: turn?.startAt, truth: heard.startAt, hasLostEdge });
    this.add("offset", {
      measured: turn?.endAt,
      truth: heard.endAt,
      truthUntil: heard.endUntilAt,
      hasLostEdge,
    });
  }
}

/** From the nearest place at which the truth may be. */
function errorOf(measured: number, { truth, truthUntil = truth }: Comparison): number {
  return measured - Math.min(Math.max(measured, truth), truthUntil);
}

/** The bot turn that shares the most time with what was said. */
function nearest(turns: readonly BotTurn[], heard: HeardTruth): BotTurn | undefined {
  const shared = ({ startAt, endAt }: BotTurn): number =>
    Math.min(endAt, heard.endAt) - Math.max(startAt, heard.startAt);
  const best = turns.toSorted((a, b) => shared(b) - shared(a))[0];
  return best !== undefined && shared(best) > 0 ? best : undefined;
}

function digitsHeard(record: CallRecord): string {
  return record.facts
    .filter((fact): fact is FactOf<"digit"> => fact.kind === "digit")
    .filter(({ party, direction }) => party === "caller" && direction === "received")
    .map(({ digit }) => digit)
    .join("");
}
