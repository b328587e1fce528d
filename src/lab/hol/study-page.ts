import { html, jsonScript, type Markup, PAGE_STYLE, trusted } from "../../report/index.ts";
import { modelBesideKernel, type StudyAgainst } from "./agreement.ts";
import type { CellSummary, StudyAnalysis } from "./analysis.ts";
import { PLOT_STYLE } from "./plot.ts";
import type { StoredStudy, StudyHeader } from "./results-file.ts";
import { plotsSection } from "./study-plots.ts";
import { summarySection } from "./study-summary.ts";
import { agreementTable, cellsTable, comparisonsTable } from "./study-tables.ts";
import { timeWords } from "./sweep.ts";

/** Up to so many bytes of lines are embedded; more are beside the page alone. */
const EMBED_BYTES_MAX = 6_000_000;

/**
 * A study as one HTML page that loads nothing: plots, tables, method, and (to a limit) the raw lines
 * of `results.jsonl`.
 */
export function renderStudyPage(
  study: StoredStudy,
  analysis: StudyAnalysis,
  against?: StudyAgainst,
): string {
  const { header, results } = study;
  const turns = analysis.cells.reduce((sum, cell) => sum + cell.turns, 0);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sidetone: head-of-line blocking</title>
<link rel="icon" href="data:,">
<style>${trusted(PAGE_STYLE)}${PLOT_STYLE}</style></head>
<body><main class="wrap">
<header><h1>Head-of-line blocking on a voice bot's way to its AI</h1>
<p class="muted small">${results.length} calls, ${turns} questions, ${analysis.cells.length} cells · begun ${header.startedAt}</p>
${facts(header)}</header>
${notes(header, analysis.cells)}
${summarySection(analysis.cells)}
<h2>Plots</h2>
<p class="small">Bars are 95 % intervals: bootstrap over whole calls, as turns and events of a call hang together. They are left out where there are fewer than six calls, or too few values. Rest the pointer on a point for its figures.</p>
${results.length === 0 ? html`<p>No call has been placed yet.</p>` : plotsSection(analysis.cells, results)}
<h2>Cells</h2>
${cellsTable(analysis.cells)}
${agreementTable(modelBesideKernel(analysis.cells), { title: "The model beside the kernel", names: ["Modelled", "kernel"] })}
${against === undefined ? undefined : agreementTable(against.agreements, { title: `Beside ${against.name}`, names: ["This study", "the other"] })}
${comparisonsTable(analysis.comparisons)}
${method(header)}
${rawData(study)}
</main></body></html>
`;
  return page.markup;
}

const FORMAT_WORDS = { pcm: "PCM, 24 kHz", pcmu: "G.711 (PCMU)" } as const;

function facts({ sidetoneVersion, node, platform, sweep }: StudyHeader): Markup {
  const pairs = {
    Sidetone: sidetoneVersion,
    Node: node,
    platform,
    time: timeWords(sweep),
    seed: sweep.seed,
    "calls per cell": sweep.callsPerCell,
    "questions per call": sweep.turnsPerCall,
    "speech over TCP": FORMAT_WORDS[sweep.aiFormat],
  };
  return html`<dl class="facts small">${Object.entries(pairs).map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

/** What a reader has to know before the first plot. */
function notes({ sweep, skipped }: StudyHeader, cells: readonly CellSummary[]): Markup {
  const failed = cells.reduce((sum, cell) => sum + cell.failed.length, 0);
  const unhealthy = cells.reduce((sum, cell) => sum + cell.unhealthy, 0);
  const least = Math.min(...cells.map(({ turns }) => turns));
  const placed = cells.reduce((sum, cell) => sum + cell.calls - cell.unhealthy, 0);
  const planned = cells.length * sweep.callsPerCell;
  const lines = [
    ...(cells.some(({ isModelled }) => isModelled)
      ? [
          "Lines and rows named (modelled) were made with a model of Linux's TCP, not with a kernel's.",
        ]
      : []),
    ...(sweep.time === "virtual"
      ? [
          "Virtual time (all but a kernel's TCP): figures of protocols, buffers and networks alone; no machine was ever late.",
        ]
      : []),
    ...(placed < planned ? [`Not finished: ${placed} of ${planned} calls so far.`] : []),
    ...(cells.length > 0 && least < 200
      ? [`The smallest cell has ${least} questions: its percentiles are rough, see the intervals.`]
      : []),
    ...(failed > 0 ? [`${failed} calls failed or broke off; the table says in which cells.`] : []),
    ...(unhealthy > 0
      ? [`${unhealthy} calls are left out: the machine did not keep time in them.`]
      : []),
    ...skipped.map(({ transport, reason }) => `Not studied: ${transport}. ${reason}`),
  ];
  if (lines.length === 0) return html``;
  return html`<ul class="concerns small notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function method({ sweep }: StudyHeader): Markup {
  return html`<h2>Method</h2>
<div class="words">
<p class="words">Each call is a real call to a bot of Sidetone's: SIP, RTP (G.711, fixed jitter buffer of 60 ms, nothing lost), and a bridge that speaks the OpenAI Realtime protocol over a WebSocket with the embedded AI. The AI answers exactly 400 ms after it has found that the caller stopped, and sends each answer in bursts at 5 to 15 times the speed of speech, as providers do; over TCP as ${FORMAT_WORDS[sweep.aiFormat]} in base64. Only the network between bridge and AI is injured: half of the round trip each way, and each direction loses packets by itself.</p>
<p class="words">A caller asks ${sweep.turnsPerCall} questions, with pauses of 500 to 900 ms. Every fifth asks for a long answer and interrupts it 1.5 to 4 s after its onset. Figures are taken of what the caller hears, as <code>docs/measurements.md</code> defines them.</p>
<p class="words">The seed of a call follows from the study's seed, the loss and the number of the call. So transports, congestion controls, round trips and pre-buffers meet the same speech, the same pauses and the same loss process. Packets differ between transports, so the process, not each word's packet, is what they share.</p>
<p class="words">“udp” stands for what WebRTC would do: the same speech as paced RTP with concealment. Its stalls are not counted as bytes that come late, as nothing waits for what was lost.</p>
</div>`;
}

function rawData({ header, results }: StoredStudy): Markup {
  const size = results.reduce((sum, result) => sum + JSON.stringify(result).length, 0);
  const isEmbedded = size <= EMBED_BYTES_MAX;
  return html`<h2>Raw data</h2>
<p class="small"><a href="results.jsonl">results.jsonl</a> holds a line for the study and one for each call.${
    isEmbedded
      ? html` The same is in this page, as JSON, in the element <code>study-data</code>.`
      : undefined
  }</p>
${jsonScript("study-data", isEmbedded ? { header, results } : { header })}`;
}
