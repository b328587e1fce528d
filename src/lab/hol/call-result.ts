import { type CallMetrics, instrumentConcerns } from "../../measure/index.ts";
import type { Fact, FactOf, TcpWork } from "../../timeline/index.ts";
import type { PlannedCall } from "./sweep.ts";

/** One question and its answer. */
export interface TurnResult {
  /** Which question of the call, from 0: the same question in every cell. */
  readonly index: number;
  /** docs/measurements.md; missing where no answer came, or its edges are uncertain. */
  readonly responseLatencyMs?: number;
  /** No answer was heard before the next question. */
  readonly isMissed: boolean;
  readonly isUncertain: boolean;
}

/** One interruption of an answer. */
export interface StopResult {
  readonly index: number;
  readonly outcome: CallMetrics["bargeIns"][number]["outcome"];
  /** docs/measurements.md; missing where the bot did not stop, or its edges are uncertain. */
  readonly stopLatencyMs?: number;
}

/** Bytes from or to the AI that came late by what the network did (`AiStall` of `impairment/`). */
export interface PathStall {
  readonly direction: "sent" | "received";
  readonly overdueMs: number;
  readonly causes: readonly string[];
}

/** A line of `results.jsonl`: what one call came to. */
export interface CallResult {
  readonly cell: string;
  readonly repeat: number;
  readonly seed: string;
  /** The code of what went wrong, where the call told nothing. */
  readonly failure?: string;
  /** Answered → ended. */
  readonly durationMs: number;
  /** What the bot said, as heard. */
  readonly botSpeechMs: number;
  readonly turns: readonly TurnResult[];
  readonly stops: readonly StopResult[];
  /** Playout ran dry though more of the answer was to come: how long, each. */
  readonly playoutStallsMs: readonly number[];
  /** Cut out of the bot's speech, as the caller heard it. */
  readonly gaps: { readonly count: number; readonly ms: number };
  readonly pathStalls: readonly PathStall[];
  /** MOS-CQE by the E-model, at the caller: knows loss and delay of the telephone's leg alone. */
  readonly mos?: number;
  /** MOS-LQO by ViSQOL, where it was asked for. */
  readonly mosLqo?: number;
  /** Packets of the AI's leg, from the AI. */
  readonly packets?: { readonly offered: number; readonly lost: number };
  /** What the AI's TCP did, where the transport is TCP and tells. */
  readonly tcp?: TcpWork;
  /** The instrument did not keep time: its figures are left out of the analysis. */
  readonly isUnhealthy: boolean;
  /** In what it did not. */
  readonly concerns?: readonly string[];
}

/** A call that came to nothing. */
export function failedCall({ cell, repeat, seed }: PlannedCall, code: string): CallResult {
  return {
    cell: cell.id,
    repeat,
    seed,
    failure: code,
    durationMs: 0,
    botSpeechMs: 0,
    turns: [],
    stops: [],
    playoutStallsMs: [],
    gaps: { count: 0, ms: 0 },
    pathStalls: [],
    isUnhealthy: false,
  };
}

/** What a call's figures and facts tell, as a line. */
export function resultOf(
  { cell, repeat, seed }: PlannedCall,
  metrics: CallMetrics,
  { facts, indexOf }: { readonly facts: readonly Fact[]; readonly indexOf: IndexOf },
): CallResult {
  const failure = metrics.faults[0]?.code;
  const concerns = instrumentConcerns(metrics);
  return {
    cell: cell.id,
    repeat,
    seed,
    ...(failure === undefined ? {} : { failure }),
    durationMs: metrics.setup.durationMs ?? 0,
    botSpeechMs: metrics.conversation.botSpeechMs,
    turns: turnsOf(metrics, indexOf),
    stops: stopsOf(metrics, indexOf),
    playoutStallsMs: playoutStallsOf(metrics),
    ...soundOf(metrics),
    pathStalls: pathStallsOf(facts),
    ...pathEntry(facts),
    isUnhealthy: concerns.length > 0,
    ...(concerns.length > 0 ? { concerns } : {}),
  };
}

function playoutStallsOf({ bridge }: CallMetrics): number[] {
  return (bridge?.playout?.stalls ?? []).map(({ ms }) => ms);
}

/** What the caller heard of the bot. */
function soundOf({ quality }: CallMetrics): Pick<CallResult, "gaps" | "mos" | "mosLqo"> {
  const none = { count: 0, ms: 0 };
  if (quality === undefined) return { gaps: none };
  const { signals, ratings, listening } = quality;
  const { count, ms } = signals.find(({ speaker }) => speaker === "bot")?.gaps ?? none;
  const rating = ratings.find(({ party }) => party === "caller");
  return {
    gaps: { count, ms },
    ...(rating === undefined ? {} : { mos: rating.mos }),
    ...(listening === undefined ? {} : { mosLqo: listening.mosLqo }),
  };
}

function pathStallsOf(facts: readonly Fact[]): PathStall[] {
  return facts.flatMap((fact) =>
    fact.kind === "aiStall"
      ? [{ direction: fact.direction, overdueMs: rounded(fact.overdueMs), causes: fact.causes }]
      : [],
  );
}

type IndexOf = ReadonlyMap<string, number>;

function turnsOf({ turns }: CallMetrics, indexOf: IndexOf): TurnResult[] {
  return turns.flatMap(({ utteranceId, purpose, outcome, uncertain, responseLatencyMs }) => {
    const index = indexOf.get(utteranceId);
    if (index === undefined || purpose !== "speech") return [];
    const result = { index, isMissed: outcome === "missed", isUncertain: uncertain };
    if (uncertain || responseLatencyMs === undefined) return [result];
    return [{ ...result, responseLatencyMs }];
  });
}

function stopsOf({ bargeIns }: CallMetrics, indexOf: IndexOf): StopResult[] {
  return bargeIns.flatMap(({ utteranceId, outcome, uncertain, stopLatencyMs }) => {
    const index = indexOf.get(utteranceId);
    if (index === undefined) return [];
    const counts = outcome === "yielded" && !uncertain && stopLatencyMs !== undefined;
    return [{ index, outcome, ...(counts ? { stopLatencyMs } : {}) }];
  });
}

/** To a tenth: finer than any clock of a host. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** What became of the packets from the AI, and what its TCP did. */
function pathEntry(facts: readonly Fact[]): Pick<CallResult, "packets" | "tcp"> {
  const counts = facts.find(
    (fact): fact is FactOf<"networkCounts"> => fact.kind === "networkCounts" && fact.leg === "ai",
  );
  if (counts === undefined) return {};
  const { received, tcp } = counts;
  const packets = { offered: received.offered, lost: received.lost };
  return tcp === undefined ? { packets } : { packets, tcp: tcp.received };
}
