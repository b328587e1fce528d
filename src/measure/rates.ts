import type { AsidePurpose, BackchannelMetrics, CallMetrics } from "./call-metrics.ts";
import type { Interval } from "./interval.ts";
import { wilsonInterval } from "./statistics.ts";

/** How often something happened, of how many times it could. */
export interface Rate {
  readonly id: RateId;
  readonly title: string;
  readonly count: number;
  readonly total: number;
  /** Left out of both: what happened is uncertain. Missing: none was. */
  readonly uncertain?: number;
  /** Wilson, 95 %. Below 10 events a share says little: show count and total instead. */
  readonly interval?: Interval;
}

/** Stable names of the rates. */
export type RateId =
  | "answered"
  | "yielded"
  | "falseStop"
  | "falseStopVocalTic"
  | "sideSpeechTaken"
  | "falseInterruption"
  | "toolCallEffective"
  | "agentInterruption";

/**
 * Rates over calls. Events that did not count (the bot was silent, the call ended), and whose outcome
 * is uncertain, are left out.
 */
export function ratesOf(calls: readonly CallMetrics[]): Rate[] {
  const turns = calls.flatMap((call) => call.turns);
  const allBargeIns = calls.flatMap((call) => call.bargeIns);
  const bargeIns = certain(allBargeIns).map(({ outcome }) => outcome);
  const asides = calls.flatMap((call) => call.backchannels);
  const of = (purpose: AsidePurpose): BackchannelMetrics[] =>
    asides.filter((each) => each.purpose === purpose);
  const tools = calls
    .flatMap((call) => call.toolCalls)
    .filter(({ expectedEffect }) => expectedEffect !== undefined);
  const yielded = countOf(bargeIns, (outcome) => outcome === "yielded");
  return [
    rate("answered", "Caller turns answered", [
      countOf(turns, ({ outcome }) => outcome !== "missed"),
      turns.length,
    ]),
    {
      ...rate("yielded", "Interruptions yielded to within 2.0 s", [
        yielded,
        yielded + countOf(bargeIns, (outcome) => outcome === "noYield"),
      ]),
      ...leftOut(allBargeIns),
    },
    errorRate(
      "falseStop",
      "Backchannels that stopped the bot within 1.0 s (errors)",
      of("backchannel"),
    ),
    errorRate(
      "falseStopVocalTic",
      "Coughs and the like that stopped the bot within 1.0 s (errors)",
      of("vocalTic"),
    ),
    errorRate(
      "sideSpeechTaken",
      "Words for somebody else that the bot took for its own (errors)",
      of("sideSpeech"),
    ),
    rate("falseInterruption", "Interruptions of the bot although nobody spoke (errors)", [
      sumOf(calls, ({ conversation }) => conversation.falseInterruptions),
      sumOf(calls, ({ conversation }) => conversation.botInterrupted),
    ]),
    rate("toolCallEffective", "Tool calls that took effect on the wire", [
      countOf(tools, ({ outcome }) => outcome === "effect"),
      tools.length,
    ]),
    rate("agentInterruption", "Caller turns that the bot broke into", [
      calls.reduce((sum, call) => sum + call.conversation.agentInterruptions, 0),
      countOf(turns, ({ purpose }) => purpose === "speech"),
    ]),
  ];
}

type Doubtful = Pick<BackchannelMetrics, "uncertain">;

function certain<Event extends Doubtful>(events: readonly Event[]): Event[] {
  return events.filter(({ uncertain }) => !uncertain);
}

function leftOut(events: readonly Doubtful[]): Pick<Rate, "uncertain"> {
  const uncertain = countOf(events, (event) => event.uncertain);
  return uncertain === 0 ? {} : { uncertain };
}

/** Errors, of all that count. */
function errorRate(id: RateId, title: string, asides: readonly BackchannelMetrics[]): Rate {
  const outcomes = certain(asides).map(({ outcome }) => outcome);
  const errors = countOf(outcomes, (outcome) => outcome === "falseStop" || outcome === "answered");
  const rest = countOf(outcomes, (outcome) => outcome === "keptTalking" || outcome === "ignored");
  return { ...rate(id, title, [errors, errors + rest]), ...leftOut(asides) };
}

function rate(id: RateId, title: string, [count, total]: readonly [number, number]): Rate {
  const interval = wilsonInterval(Math.min(count, total), total);
  return { id, title, count, total, ...(interval === undefined ? {} : { interval }) };
}

function sumOf(
  calls: readonly CallMetrics[],
  numberIn: (call: CallMetrics) => number | undefined,
): number {
  return calls.reduce((sum, call) => sum + (numberIn(call) ?? 0), 0);
}

function countOf<Item>(items: readonly Item[], wanted: (item: Item) => boolean): number {
  return items.filter(wanted).length;
}
