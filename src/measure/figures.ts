import type { Random } from "../environment/index.ts";
import type { BargeInMetrics, CallMetrics, TurnMetrics } from "./call-metrics.ts";
import { type Certainty, DOUBT_WORDS } from "./doubts.ts";
import { Histogram, type HistogramData } from "./histogram.ts";
import { type Statistics, summarise } from "./statistics.ts";

/** A figure over the calls of a run, in milliseconds. */
export interface Figure {
  readonly id: FigureId;
  readonly title: string;
  /** From which event to which; docs/measurements.md has the long form. */
  readonly definition: string;
  readonly statistics?: Statistics;
  /** Values, with the call that each came from. */
  readonly values: readonly FigureValue[];
  /** What was left out of the statistics, and why. */
  readonly discarded: readonly { readonly reason: string; readonly count: number }[];
  /** The values to 0.1 %, to be merged with those of other runs. */
  readonly histogram: HistogramData;
}

/** One value of a figure. */
export interface FigureValue {
  readonly callId: string;
  readonly ms: number;
}

/** Stable names of the figures. */
export type FigureId =
  | "responseLatency"
  | "responseLatencyWithTool"
  | "claimedLatency"
  | "greetingLatency"
  | "bargeInStopLatency"
  | "bargeInResponseLatency"
  | "toolCallEffect"
  | "postDialDelay"
  | "answerTime"
  | "delayToCaller"
  | "delayToBot";

interface FigureDefinition {
  readonly id: FigureId;
  readonly title: string;
  readonly definition: string;
  readonly valuesOf: (call: CallMetrics) => readonly (number | undefined)[];
  /** A reason for each event that gave no value for the statistics. */
  readonly discardsOf?: (call: CallMetrics) => readonly string[];
}

const FIGURES: readonly FigureDefinition[] = [
  {
    id: "responseLatency",
    title: "Response latency, heard",
    definition:
      "Onset of the bot's speech as the caller heard it, minus the end of the caller's speech. " +
      "Turns with a tool call, and answers to interruptions, are counted apart.",
    valuesOf: (call) => certainTurns(call, false),
    discardsOf: (call) => discardedTurns(call, false),
  },
  {
    id: "responseLatencyWithTool",
    title: "Response latency with a tool call, heard",
    definition:
      "As response latency, for turns in which a tool was called before the answer had been heard out.",
    valuesOf: (call) => certainTurns(call, true),
    discardsOf: (call) => discardedTurns(call, true),
  },
  {
    id: "claimedLatency",
    title: "Response latency, claimed",
    definition:
      "First output audio minus the AI's own speech-stopped event: what the platform reports.",
    valuesOf: (call) => call.turns.map(({ claimedLatencyMs }) => claimedLatencyMs),
    discardsOf: (call) =>
      call.turns.flatMap(({ outcome, claimedLatencyMs }) =>
        outcome === "answered" && claimedLatencyMs === undefined ? ["the AI reported nothing"] : [],
      ),
  },
  {
    id: "bargeInStopLatency",
    title: "Barge-in stop latency",
    definition:
      "Last sample of the bot's speech heard, minus the onset of the caller's interruption. " +
      "Only yields within 2.0 s count.",
    valuesOf: (call) =>
      call.bargeIns.map((each) => (countsAsYield(each) ? each.stopLatencyMs : undefined)),
    discardsOf: (call) => call.bargeIns.flatMap(discardOfBargeIn),
  },
  {
    id: "bargeInResponseLatency",
    title: "Barge-in response latency",
    definition: "Onset of the new answer heard, minus the end of the caller's interruption.",
    valuesOf: (call) =>
      call.bargeIns.map((each) =>
        turnOf(each, call)?.uncertain === true ? undefined : each.responseLatencyMs,
      ),
    discardsOf: (call) =>
      call.bargeIns.flatMap((each) => {
        const { outcome, responseLatencyMs } = each;
        if (responseLatencyMs !== undefined) return doubtWords(turnOf(each, call));
        return outcome === "yielded" ? ["no new answer"] : [];
      }),
  },
  {
    id: "toolCallEffect",
    title: "Tool call → effect on the wire",
    definition:
      "Tool call received from the AI → BYE, REFER or first digit packet at the caller " +
      "(including the wait for queued speech to be played).",
    valuesOf: (call) => call.toolCalls.map(({ effectLatencyMs }) => effectLatencyMs),
    discardsOf: (call) =>
      call.toolCalls.flatMap(({ outcome }) =>
        outcome === "noEffect" ? ["no effect"] : outcome === "failed" ? ["tool failed"] : [],
      ),
  },
  {
    id: "greetingLatency",
    title: "Greeting latency",
    definition: "200 OK → onset of the bot's first speech heard, before the caller spoke.",
    valuesOf: ({ setup }) =>
      setup.greetingCertainty?.uncertain === true ? [] : [setup.greetingLatencyMs],
    discardsOf: ({ setup }) => doubtWords(setup.greetingCertainty),
  },
  {
    id: "postDialDelay",
    title: "Post-dial delay",
    definition: "INVITE sent → first 18x response, or 200 OK where there was none.",
    valuesOf: (call) => [call.setup.postDialDelayMs],
  },
  {
    id: "answerTime",
    title: "Answer time",
    definition: "INVITE sent → 200 OK.",
    valuesOf: (call) => [call.setup.answerTimeMs],
  },
  {
    id: "delayToCaller",
    title: "Mouth to ear, to the caller",
    definition:
      "Sent by the bot → heard by the caller, by correlation of both recordings; the median of a call.",
    valuesOf: (call) => medianDelays(call, "caller"),
  },
  {
    id: "delayToBot",
    title: "Mouth to ear, to the bot",
    definition:
      "Spoken by the caller → handed to the bot, by correlation of both recordings; the median of a call.",
    valuesOf: (call) => medianDelays(call, "bot"),
  },
];

/** Every figure over these calls; `random` gives the percentiles their intervals. */
export function figuresOf(calls: readonly CallMetrics[], random?: Random): Figure[] {
  return FIGURES.map(({ id, title, definition, valuesOf, discardsOf }) => {
    const values = calls.flatMap((call) =>
      valuesOf(call).flatMap((ms) => (ms === undefined ? [] : [{ callId: call.callId, ms }])),
    );
    const histogram = new Histogram();
    for (const { ms } of values) histogram.add(ms);
    const statistics = summarise(
      values.map(({ ms }) => ms),
      random,
    );
    const discarded = countEach(calls.flatMap((call) => discardsOf?.(call) ?? []));
    return {
      id,
      title,
      definition,
      ...(statistics === undefined ? {} : { statistics }),
      values,
      discarded,
      histogram: histogram.toJSON(),
    };
  });
}

function medianDelays({ delays }: CallMetrics, by: "caller" | "bot"): number[] {
  return delays.flatMap(({ heardBy, medianMs }) => (heardBy === by ? [medianMs] : []));
}

/** Answers to interruptions have a figure of their own. */
function plainTurns(call: CallMetrics, withTool: boolean): TurnMetrics[] {
  return call.turns.filter(
    ({ purpose, withToolCall }) => purpose === "speech" && withToolCall === withTool,
  );
}

function certainTurns(call: CallMetrics, withTool: boolean): (number | undefined)[] {
  return plainTurns(call, withTool).map(({ uncertain, responseLatencyMs }) =>
    uncertain ? undefined : responseLatencyMs,
  );
}

const TURN_DISCARDS: Readonly<Record<TurnMetrics["outcome"], string | undefined>> = {
  answered: undefined,
  toolOnly: "no speech, only a tool call",
  missed: "not answered",
};

function discardedTurns(call: CallMetrics, withTool: boolean): string[] {
  return plainTurns(call, withTool).flatMap((turn) => {
    const reason = TURN_DISCARDS[turn.outcome];
    return reason === undefined ? doubtWords(turn) : [reason];
  });
}

/** Why something is not counted; nothing where it is. */
function doubtWords(of: Pick<Certainty, "uncertain" | "doubt"> | undefined): string[] {
  if (of === undefined || !of.uncertain) return [];
  return [of.doubt === undefined ? "uncertain" : DOUBT_WORDS[of.doubt]];
}

/** The turn that the same utterance is: it has the answer to an interruption. */
function turnOf({ utteranceId }: BargeInMetrics, { turns }: CallMetrics): TurnMetrics | undefined {
  return turns.find((turn) => turn.utteranceId === utteranceId);
}

function countsAsYield({ outcome, uncertain }: BargeInMetrics): boolean {
  return outcome === "yielded" && !uncertain;
}

const BARGE_IN_DISCARDS: Readonly<Record<BargeInMetrics["outcome"], string | undefined>> = {
  yielded: undefined,
  noYield: "no yield within 2.0 s",
  finished: "bot had finished",
  callEnded: "call ended",
  notSpeaking: "bot was not speaking",
};

function discardOfBargeIn(bargeIn: BargeInMetrics): string[] {
  const reason = BARGE_IN_DISCARDS[bargeIn.outcome];
  return reason === undefined ? doubtWords(bargeIn) : [reason];
}

function countEach(reasons: readonly string[]): { reason: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count }));
}
