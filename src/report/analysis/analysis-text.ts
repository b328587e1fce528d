import type { AnalysedSide, RecordingAnalysis, Side } from "../../analysis/index.ts";
import {
  type CallMetrics,
  DOUBT_WORDS,
  type Doubt,
  formatMs,
  formatPosition,
  instrumentConcerns,
  ratesOf,
} from "../../measure/index.ts";
import { figureTable, fit, rateTable } from "../figure-lines.ts";
import { plainText } from "../plain-text.ts";
import { figuresOfAnalysis } from "./analysis-figures.ts";

/** Further turns are in the JSON, the page and the labels. */
const ROWS_MAX = 50;
const TITLE_WIDTH = 44;

/** A recording that Sidetone did not make, for the terminal. */
export function renderRecordingText(analysis: RecordingAnalysis): string {
  const { name, detector, metrics, sides, concerns } = analysis;
  const seconds = formatPosition(metrics.recording?.durationMs ?? 0);
  return [
    `  ${plainText(name)}: ${seconds} analysed`,
    ...(detector === undefined ? [] : [`  Speech found by ${plainText(detector)}`]),
    "",
    ...concerns.flatMap(({ code, message }) => [`  ! ${code}: ${plainText(message)}`, ""]),
    sideHeader(),
    sideLine("caller", sides.caller, metrics),
    sideLine("bot", sides.bot, metrics),
    "",
    ...measuredLines(metrics),
  ].join("\n");
}

/** A call that is measured again from its folder, for the terminal. */
export function renderCallText(metrics: CallMetrics, notes: readonly string[]): string {
  return [
    `  Call ${plainText(metrics.callId)}`,
    ...notes.map((note) => `  ${plainText(note)}`),
    ...instrumentConcerns(metrics).map((concern) => `  ! not healthy: ${concern}`),
    "",
    ...measuredLines(metrics),
  ].join("\n");
}

function measuredLines(metrics: CallMetrics): string[] {
  return [
    ...turnLines(metrics),
    ...bargeInLines(metrics),
    ...conversationLines(metrics),
    ...figureTable(figuresOfAnalysis(metrics)),
    ...rateTable(ratesOf([metrics])),
  ];
}

function sideHeader(): string {
  const columns = ["speech", "level", "noise", "peak", "clipped"].map((name) => name.padStart(13));
  return `  ${"".padEnd(8)}${columns.join("")}  channel`;
}

function sideLine(name: Side, side: AnalysedSide, metrics: CallMetrics): string {
  const signal = metrics.quality?.signals.find(({ speaker }) => speaker === name);
  const { callerSpeechMs, botSpeechMs } = metrics.conversation;
  const columns = [
    formatPosition(name === "caller" ? callerSpeechMs : botSpeechMs),
    dbov(signal?.speechDbov),
    dbov(signal?.noiseFloorDbov),
    dbov(side.peakDbov),
    `${signal?.clipping.count ?? 0} times`,
  ].map((text) => text.padStart(13));
  const { file, channel, encoding, sampleRateHz } = side;
  return `  ${name.padEnd(8)}${columns.join("")}  ${channel} of ${plainText(file)} (${encoding}, ${sampleRateHz} Hz)`;
}

function dbov(level: number | undefined): string {
  return level === undefined ? "–" : `${level < 0 ? "−" : ""}${Math.abs(level).toFixed(1)} dBov`;
}

function turnLines(metrics: CallMetrics): string[] {
  const { turns } = metrics;
  return section(
    "Caller finished    response heard after",
    turns.map((turn) => {
      const { responseLatencyMs, outcome, uncertaintyMs, withToolCall, claimedLatencyMs } = turn;
      const heard =
        responseLatencyMs === undefined
          ? outcome
          : `${formatMs(responseLatencyMs)} (± ${uncertaintyMs.toFixed(1)} ms)`;
      const notes = [
        claimedLatencyMs === undefined ? "" : `claimed ${formatMs(claimedLatencyMs)}`,
        turn.purpose === "interruption" ? "to an interruption" : "",
        withToolCall ? "with a tool call" : "",
        doubtWords(turn),
      ].filter((note) => note !== "");
      return `${at(turn.callerOffsetAt, metrics)}          ${[heard, ...notes].join(", ")}`;
    }),
  );
}

function bargeInLines(metrics: CallMetrics): string[] {
  const bargeIns = metrics.bargeIns.map((each) => {
    const { onsetAt, outcome, stopLatencyMs } = each;
    const stopped = stopLatencyMs === undefined ? "" : ` after ${formatMs(stopLatencyMs)}`;
    return { onsetAt, text: `interruption: ${outcome}${stopped}${noted(doubtWords(each))}` };
  });
  const backchannels = metrics.backchannels.map((each) => ({
    onsetAt: each.onsetAt,
    text: `backchannel: ${each.outcome}${noted(doubtWords(each))}`,
  }));
  return section(
    "Caller broke in",
    [...bargeIns, ...backchannels]
      .toSorted((a, b) => a.onsetAt - b.onsetAt)
      .map(({ onsetAt, text }) => `${at(onsetAt, metrics)}          ${text}`),
  );
}

function noted(words: string): string {
  return words === "" ? "" : `, ${words}`;
}

/** Why something is not counted; empty where it is. */
function doubtWords({ uncertain, doubt }: { uncertain: boolean; doubt?: Doubt }): string {
  if (!uncertain) return "";
  return doubt === undefined ? "uncertain" : DOUBT_WORDS[doubt];
}

function conversationLines({ conversation }: CallMetrics): string[] {
  const { talkRatio, talkOverMs, talkOverRatio, deadAir, longestGapMs } = conversation;
  const byBot = deadAir.filter(({ after }) => after === "caller").length;
  const rows: readonly (readonly [string, string])[] = [
    ["Bot speech ÷ caller speech", talkRatio === undefined ? "–" : talkRatio.toFixed(2)],
    ["Talk-over", `${formatMs(talkOverMs)} (${(talkOverRatio * 100).toFixed(1)} % of all speech)`],
    [
      "Dead air (silences of both above 2 s)",
      `${deadAir.length}, of these ${byBot} after the caller`,
    ],
    ["Longest silence of both", formatMs(longestGapMs)],
    ["Bot began while the caller spoke", String(conversation.agentInterruptions)],
  ];
  return [...rows.map(([title, text]) => `  ${fit(title, TITLE_WIDTH)}${text}`), ""];
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - ROWS_MAX;
  return [
    `  ${title}`,
    ...lines.slice(0, ROWS_MAX).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more: --json, --html and --labels have them all`] : []),
    "",
  ];
}

/** A position in the file: recordings that are not ours begin their clock with it. */
function at(instantOf: number, { recording, heardAt }: CallMetrics): string {
  const zero = heardAt === undefined ? 0 : (recording?.startedAt ?? 0);
  return formatPosition(instantOf - zero);
}
