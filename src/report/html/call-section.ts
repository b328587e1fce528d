import { elapsedMs, type Instant } from "../../environment/index.ts";
import {
  type CallMetrics,
  type CallRecord,
  formatMs,
  formatPosition,
  instrumentConcerns,
} from "../../measure/index.ts";
import type { Fact } from "../../timeline/index.ts";
import { aiPathTables } from "./ai-path-tables.ts";
import { eventsOf } from "./call-events.ts";
import { callTables } from "./call-tables.ts";
import { chartZero } from "./chart-data.ts";
import { delaySection } from "./delay-section.ts";
import { html, type Markup } from "./markup.ts";
import { mediaTables } from "./media-tables.ts";
import { qualityTables } from "./quality-tables.ts";
import { sipLadder } from "./sip-ladder.ts";
import { testerSection } from "./tester-section.ts";

/** What the page knows of a call beside its figures. */
export interface CallView {
  readonly id: string;
  /** Its place in the page's chart data. */
  readonly index: number;
  readonly metrics: CallMetrics;
  /** Missing: the call folder could not be read; only figures are shown. */
  readonly record: CallRecord | undefined;
  /** Where the player finds the recording: embedded, or a file beside the page. */
  readonly audioUrl: string | undefined;
}

/** One call: figures, chart with player, tables, ladder, events. */
export function callSection(call: CallView): Markup {
  const { id, metrics, record } = call;
  return html`<section id="call-${id}" aria-label="Call ${id}">
<h3>Call ${id}</h3>
${factsLine(metrics)}
${concerns(metrics)}
${record === undefined ? undefined : recorded(call, record)}
</section>`;
}

function recorded(call: CallView, record: CallRecord): Markup {
  const zero = chartZero(record);
  const seek = (at: Instant): Markup => seekButton(zero, at);
  const { id, metrics } = call;
  return html`${chart(call)}
${testerSection(metrics, record.facts, seek)}
${callTables(metrics, seek)}
${aiPathTables(metrics, seek)}
${qualityTables(metrics, seek)}
${mediaTables({ id, metrics, facts: record.facts }, seek)}
${delaySection(metrics, zero)}
${sipLadder(record.facts, { id, index: call.index, zero })}
${transcript(record.facts, zero, metrics.tester !== undefined)}
${eventTable(record, zero)}
<p class="small muted">Everything recorded of this call lies in
<a href="calls/${encodeURIComponent(call.id)}/">calls/${call.id}/</a>.</p>`;
}

function factsLine(metrics: CallMetrics): Markup {
  const { setup, conversation } = metrics;
  const ending = [setup.endReason, setup.endedBy === undefined ? undefined : `by ${setup.endedBy}`]
    .filter((word) => word !== undefined)
    .join(" ");
  const entries: [string, string | undefined][] = [
    ["Post-dial delay", ms(setup.postDialDelayMs)],
    ["Answer time", ms(setup.answerTimeMs)],
    ["Greeting latency", ms(setup.greetingLatencyMs)],
    ["Length", ms(setup.durationMs)],
    ["Ended", ending || undefined],
    ["Talk-over", ms(conversation.talkOverMs)],
    ["Longest gap", ms(conversation.longestGapMs)],
    ["Codec", metrics.media[0]?.codec],
    ["SRTP", metrics.media[0]?.srtpSuite],
    ["Round trip", ms(metrics.media[0]?.roundTripMsMean)],
    [
      "Heard at",
      metrics.heardAt === undefined ? "no recording" : `the ${metrics.heardAt}'s socket`,
    ],
  ];
  return html`<dl class="facts small">${entries.map(([name, value]) =>
    value === undefined ? undefined : html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

function concerns(metrics: CallMetrics): Markup | undefined {
  const found = instrumentConcerns(metrics);
  if (found.length === 0) return undefined;
  return html`<p class="concerns small"><b>The instrument was not healthy</b>, so treat these figures
with care: ${found.join("; ")}.</p>`;
}

/** The picture of a call, with its player. */
export function chart(call: CallView): Markup {
  const player =
    call.audioUrl === undefined
      ? html`<span class="small muted">No recording.</span>`
      : html`<audio controls preload="metadata" src="${call.audioUrl}" aria-label="Recording of call ${call.id}: left the caller, right the bot"></audio>`;
  return html`<div>
<div class="tools">${player}
<button type="button" data-zoom="1.6" aria-label="Zoom in">+</button>
<button type="button" data-zoom="0.625" aria-label="Zoom out">−</button>
<button type="button" data-zoom="0">Whole call</button>
<span class="small muted">Click to seek, drag to move, Ctrl + wheel to zoom; keys: ← → + − 0 space</span></div>
<div class="chart" data-chart="${call.index}"><canvas tabindex="0" role="img"
 aria-label="Waveforms of caller and bot, AI events, tool calls and SIP messages on one time axis. The tables below hold the same data."></canvas><div class="tip" aria-hidden="true"></div></div></div>`;
}

/** Of a tester's call, of which the dialogue is shown, this is what its two AIs wrote down each. */
function transcript(facts: readonly Fact[], zero: Instant, hasTester: boolean): Markup | undefined {
  const lines = facts.flatMap((fact) => (fact.kind === "aiTranscript" ? [fact] : []));
  if (lines.length === 0) return undefined;
  const rows = html`<div class="scroll"><table><tbody>${lines.map(
    ({ at, of, text, party }) =>
      html`<tr><td>${seekButton(zero, at)}</td>${hasTester ? html`<td>${party}'s AI</td>` : undefined}<td>${of}</td><td>${text}</td></tr>`,
  )}</tbody></table></div>`;
  return hasTester
    ? html`<details class="more"><summary>What each side's AI wrote down</summary>${rows}</details>`
    : html`<h4>Transcript, as the AI claims it</h4>
${rows}`;
}

function eventTable(record: CallRecord, zero: Instant): Markup {
  const events = eventsOf(record.facts, zero);
  return html`<details class="more"><summary>All ${events.length} events</summary>
<div class="scroll"><table><thead><tr><th scope="col">At</th><th scope="col">Recorded by</th>
<th scope="col">Event</th></tr></thead><tbody>${events.map(
    ({ atMs, party, label }) =>
      html`<tr><td>${seekTo(atMs)}</td><td>${party}</td><td>${label}</td></tr>`,
  )}</tbody></table></div></details>`;
}

function seekButton(zero: Instant, at: Instant): Markup {
  return seekTo(elapsedMs(zero, at));
}

/** A button that leads to a position of the recording. */
export function seekTo(positionMs: number): Markup {
  return html`<button type="button" class="seek" data-seek="${positionMs.toFixed(3)}">${formatPosition(positionMs)}</button>`;
}

function ms(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatMs(value);
}
