import { type Random, seededRandom } from "../../environment/index.ts";
import {
  type Interval,
  type Statistics,
  summariseGroups,
  wilsonInterval,
} from "../../measure/index.ts";
import { rateOf, type WeightedRate } from "./call-rates.ts";
import type { CallResult } from "./call-result.ts";
import { type Comparison, comparePairs } from "./comparison.ts";
import type { StoredStudy } from "./results-file.ts";
import { type Cell, cellsOf } from "./sweep.ts";

/** A share of events, with its interval (Wilson, 95 %). */
export interface Share {
  readonly count: number;
  readonly total: number;
  readonly interval?: Interval;
}

/** What the calls of one cell came to. Missing figures could not be taken. */
export interface CellSummary {
  readonly cell: Cell;
  /** Made with a model of TCP, and to be labelled so. */
  readonly isModelled: boolean;
  readonly calls: number;
  /** That told nothing, or broke off: `calls` holds them. */
  readonly failed: readonly string[];
  /** Left out: the instrument did not keep time. `calls` holds them. */
  readonly unhealthy: number;
  readonly turns: number;
  readonly missed: Share;
  readonly responseLatencyMs?: Statistics;
  readonly bargeInStopMs?: Statistics;
  /** Of the interruptions that counted: those to which the bot did not yield. */
  readonly notYielded: Share;
  /** Playout ran dry in the middle of an answer, in a minute of the bot's speech. */
  readonly playoutStallsPerMinute?: WeightedRate;
  readonly playoutStallMs?: Statistics;
  /** Silence cut out of the bot's speech as heard, in a minute of it. */
  readonly gapsPerMinute?: WeightedRate;
  readonly gapMsPerMinute?: WeightedRate;
  /** Bytes from the AI that came 100 ms late and more, in a minute of the call. */
  readonly pathStallsPerMinute?: WeightedRate;
  /** All that were told of, from the AI. */
  readonly pathStallMs?: Statistics;
  /** Which share of those was put down to what; one may have several causes. */
  readonly stallCauses: ReadonlyMap<string, number>;
  readonly mos?: Statistics;
  readonly mosLqo?: Statistics;
  readonly packets: { readonly offered: number; readonly lost: number };
  readonly tcp?: {
    readonly segments: number;
    readonly retransmissions: number;
    readonly tailLossProbes: number;
    readonly timeouts: number;
  };
}

/** A study in figures. */
export interface StudyAnalysis {
  readonly cells: readonly CellSummary[];
  /** Each TCP cell against UDP, where both were carried. */
  readonly comparisons: readonly Comparison[];
}

/** Stalls of so much are what issue 7 and its readers count. */
const LONG_STALL_MS = 100;

/** Figures of every cell that has calls; intervals are drawn from the study's seed. */
export function analyseStudy({ header, results }: StoredStudy): StudyAnalysis {
  const byCell = new Map<string, CallResult[]>();
  for (const result of results) {
    const own = byCell.get(result.cell) ?? [];
    own.push(result);
    byCell.set(result.cell, own);
  }
  const carried = cellsOf(header.sweep).flatMap((cell) => {
    const calls = byCell.get(cell.id);
    return calls === undefined ? [] : [{ cell, calls }];
  });
  const randomFor = (what: string): Random => seededRandom(`${header.sweep.seed}/analysis/${what}`);
  return {
    cells: carried.map(({ cell, calls }) => summariseCell(cell, calls, randomFor(cell.id))),
    comparisons: comparePairs(
      carried.map(({ cell, calls }) => ({ cell, calls: calls.filter(counts) })),
      randomFor,
    ),
  };
}

/** Whether a call's figures are to be trusted. */
function counts({ isUnhealthy }: CallResult): boolean {
  return !isUnhealthy;
}

function summariseCell(cell: Cell, all: readonly CallResult[], random: Random): CellSummary {
  const calls = all.filter(counts);
  const turns = calls.flatMap((call) => call.turns);
  const stops = calls.flatMap((call) => call.stops);
  const stalls = receivedStalls(calls);
  return {
    cell,
    isModelled: cell.transport === "tcp-modelled",
    calls: all.length,
    failed: all.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
    unhealthy: all.length - calls.length,
    turns: turns.length,
    missed: share(turns.filter(({ isMissed }) => isMissed).length, turns.length),
    notYielded: notYieldedOf(stops),
    ...statistics(
      calls,
      {
        responseLatencyMs: (call) => defined(call.turns.map((turn) => turn.responseLatencyMs)),
        bargeInStopMs: (call) => defined(call.stops.map((stop) => stop.stopLatencyMs)),
        playoutStallMs: (call) => call.playoutStallsMs,
        pathStallMs: (call) => receivedStalls([call]).map(({ overdueMs }) => overdueMs),
        mos: (call) => defined([call.mos]),
        mosLqo: (call) => defined([call.mosLqo]),
      },
      random,
    ),
    ...ratesOf(calls, random),
    stallCauses: causesOf(stalls),
    packets: {
      offered: sum(calls, ({ packets }) => packets?.offered),
      lost: sum(calls, ({ packets }) => packets?.lost),
    },
    ...tcpOf(calls),
  };
}

function ratesOf(
  calls: readonly CallResult[],
  random: Random,
): Pick<
  CellSummary,
  "playoutStallsPerMinute" | "gapsPerMinute" | "gapMsPerMinute" | "pathStallsPerMinute"
> {
  const rates = {
    playoutStallsPerMinute: rateOf(
      calls,
      perSpeech((call) => call.playoutStallsMs.length),
      random,
    ),
    gapsPerMinute: rateOf(
      calls,
      perSpeech(({ gaps }) => gaps.count),
      random,
    ),
    gapMsPerMinute: rateOf(
      calls,
      perSpeech(({ gaps }) => gaps.ms),
      random,
    ),
    pathStallsPerMinute: rateOf(
      calls,
      (call) => ({
        count: receivedStalls([call]).filter(({ overdueMs }) => overdueMs >= LONG_STALL_MS).length,
        minutes: call.durationMs / 60_000,
      }),
      random,
    ),
  };
  return withoutMissing(rates);
}

function perSpeech(
  countIn: (call: CallResult) => number,
): (call: CallResult) => { readonly count: number; readonly minutes: number } {
  return (call) => ({ count: countIn(call), minutes: call.botSpeechMs / 60_000 });
}

function receivedStalls(calls: readonly CallResult[]): CallResult["pathStalls"] {
  return calls.flatMap(({ pathStalls }) =>
    pathStalls.filter(({ direction }) => direction === "received"),
  );
}

function causesOf(stalls: CallResult["pathStalls"]): ReadonlyMap<string, number> {
  const counted = new Map<string, number>();
  for (const cause of stalls.flatMap(({ causes }) => causes)) {
    counted.set(cause, (counted.get(cause) ?? 0) + 1);
  }
  return new Map([...counted].map(([cause, count]) => [cause, count / stalls.length]));
}

function notYieldedOf(stops: CallResult["stops"]): Share {
  const counted = stops.filter(({ outcome }) => outcome === "yielded" || outcome === "noYield");
  return share(counted.filter(({ outcome }) => outcome === "noYield").length, counted.length);
}

function tcpOf(calls: readonly CallResult[]): Pick<CellSummary, "tcp"> {
  if (!calls.some(({ tcp }) => tcp !== undefined)) return {};
  return {
    tcp: {
      segments: sum(calls, ({ tcp }) => tcp?.segments),
      retransmissions: sum(calls, ({ tcp }) => tcp?.retransmissions),
      tailLossProbes: sum(calls, ({ tcp }) => tcp?.tailLossProbes),
      timeouts: sum(calls, ({ tcp }) => tcp?.timeouts),
    },
  };
}

function share(count: number, total: number): Share {
  const interval = wilsonInterval(count, total);
  return { count, total, ...(interval === undefined ? {} : { interval }) };
}

/** Of the values in all calls; intervals by whole calls. */
function statistics<Name extends string>(
  calls: readonly CallResult[],
  valuesIn: Readonly<Record<Name, (call: CallResult) => readonly number[]>>,
  random: Random,
): Partial<Record<Name, Statistics>> {
  const names = Object.keys(valuesIn) as Name[];
  return withoutMissing(
    Object.fromEntries(
      names.map((name) => [name, summariseGroups(calls.map(valuesIn[name]), random)]),
    ),
  ) as Partial<Record<Name, Statistics>>;
}

/** An object without the entries that are `undefined`. */
function withoutMissing<Value>(
  object: Readonly<Record<string, Value | undefined>>,
): Record<string, Value> {
  const present = Object.entries(object).filter(
    (entry): entry is [string, Value] => entry[1] !== undefined,
  );
  return Object.fromEntries(present);
}

function defined(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function sum(
  calls: readonly CallResult[],
  numberIn: (call: CallResult) => number | undefined,
): number {
  return calls.reduce((total, call) => total + (numberIn(call) ?? 0), 0);
}
