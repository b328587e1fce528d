import type { Instant } from "../../environment/index.ts";
import {
  type CallMetrics,
  DOUBT_WORDS,
  type Doubt,
  formatMs,
  usageWords,
} from "../../measure/index.ts";
import { html, type Markup } from "./markup.ts";
import { partsBar } from "./parts-bar.ts";
import { table } from "./table.ts";

/** Makes an instant a button that seeks there. */
export type SeekLink = (at: Instant) => Markup;

/** The figures of one call as tables: turns, interruptions, backchannels, tools. */
export function callTables(metrics: CallMetrics, seek: SeekLink): Markup {
  return html`${turnsTable(metrics, seek)}${bargeInTable(metrics, seek)}
${backchannelTable(metrics, seek)}${toolTable(metrics, seek)}${usageTable(metrics)}`;
}

function usageTable({ ai }: CallMetrics): Markup | undefined {
  return table(
    "What the AI used, by its own account",
    ["Responses", "Tokens in", "Tokens out", "In all"],
    ai === undefined
      ? []
      : [[String(ai.responses), String(ai.inputTokens), String(ai.outputTokens), usageWords(ai)]],
  );
}

function turnsTable({ turns }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "Turns: how long the caller waited for an answer",
    ["Caller finished", "Utterance", "Heard", "Claimed", "Of what it is made"],
    turns.map((turn) => [
      seek(turn.callerOffsetAt),
      html`${turn.utteranceId}${turn.withToolCall ? html` <span class="muted">with a tool call</span>` : undefined}`,
      html`${turn.responseLatencyMs === undefined ? turn.outcome : formatMs(turn.responseLatencyMs)}${uncertain(turn)}`,
      optionalMs(turn.claimedLatencyMs),
      partsBar(turn.parts),
    ]),
  );
}

function bargeInTable({ bargeIns }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "Interruptions: how long the bot went on",
    ["Caller began", "Outcome", "Stopped after", "Stale speech", "Of what it is made"],
    bargeIns.map((bargeIn) => [
      seek(bargeIn.onsetAt),
      html`${BARGE_IN_WORDS[bargeIn.outcome]}${uncertain(bargeIn)}`,
      optionalMs(bargeIn.stopLatencyMs),
      optionalMs(bargeIn.staleSpeechMs),
      partsBar(bargeIn.parts),
    ]),
  );
}

function backchannelTable({ backchannels }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "Nothing was wanted of the bot: it should go on, or keep quiet",
    ["Caller began", "With", "Outcome", "Bot spoke on for"],
    backchannels.map((each) => [
      seek(each.onsetAt),
      ASIDE_WORDS[each.purpose],
      html`${BACKCHANNEL_WORDS[each.outcome]}${uncertain(each)}`,
      optionalMs(each.stopLatencyMs),
    ]),
  );
}

function toolTable({ toolCalls }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "Tool calls and their effect on the wire",
    ["Called", "Tool", "Arguments", "Effect", "After"],
    toolCalls.map((call) => [
      seek(call.calledAt),
      call.name,
      html`<code>${JSON.stringify(call.arguments)}</code>`,
      html`${TOOL_WORDS[call.outcome]}${call.outcome === "effect" ? ` (${effectWords(call)})` : undefined}`,
      optionalMs(call.effectLatencyMs),
    ]),
  );
}

const BARGE_IN_WORDS = {
  yielded: "yielded",
  noYield: "no yield within 2.0 s",
  finished: "not counted: the bot had finished",
  callEnded: "not counted: the call ended",
  notSpeaking: "not counted: the bot was silent",
} as const;

const ASIDE_WORDS = {
  backchannel: "a backchannel",
  vocalTic: "a cough or the like",
  sideSpeech: "words for somebody else",
} as const;

const BACKCHANNEL_WORDS = {
  keptTalking: "kept talking",
  falseStop: "stopped (error)",
  ignored: "kept quiet",
  answered: "answered (error)",
  finished: "not counted: the bot had finished",
  callEnded: "not counted: the call ended",
  notSpeaking: "not counted: the bot was silent",
} as const;

const TOOL_WORDS = {
  effect: "seen",
  noEffect: "none",
  failed: "the tool failed",
  noWireEffectExpected: "none expected",
} as const;

function effectWords(call: CallMetrics["toolCalls"][number]): string {
  const what = call.expectedEffect === "digits" ? `digits ${call.digits}` : call.expectedEffect;
  return `${what?.toUpperCase() === "BYE" ? "BYE" : what} at the ${call.effectSeenBy}`;
}

function uncertain(of: {
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
}): Markup | undefined {
  if (!of.uncertain) return undefined;
  const words = of.doubt === undefined ? "uncertain" : DOUBT_WORDS[of.doubt];
  return html` <span class="inconclusive">(${words})</span>`;
}

function optionalMs(ms: number | undefined): string {
  return ms === undefined ? "–" : formatMs(ms);
}
