import { BIN_MS, type RecordingAnalysis } from "../../analysis/index.ts";
import { instant } from "../../environment/index.ts";
import { type CallMetrics, type CallRecord, formatPosition, ratesOf } from "../../measure/index.ts";
import { encodeBase64 } from "../base64.ts";
import { type CallView, callSection, chart, seekTo } from "../html/call-section.ts";
import { callTables } from "../html/call-tables.ts";
import { type ChartData, chartDataOf, measuredChart } from "../html/chart-data.ts";
import { definitionsSection, figuresSection } from "../html/figures-section.ts";
import { html, jsonScript, type Markup, trusted } from "../html/markup.ts";
import { PAGE_SCRIPT } from "../html/page-script.ts";
import { PAGE_STYLE } from "../html/page-style.ts";
import { qualityTables } from "../html/quality-tables.ts";
import { table } from "../html/table.ts";
import { mergedExtremes } from "../peaks.ts";
import { figuresOfAnalysis } from "./analysis-figures.ts";

/** Bars in an hour's picture are 120 ms wide. */
const BINS_MAX = 30_000;
const MARGIN_MS = 150;

/**
 * A recording that Sidetone did not make as one page that loads nothing.
 *
 * @param audioUrl where the page finds the recording; `undefined`: it has no player.
 */
export function renderRecordingPage(
  analysis: RecordingAnalysis,
  audioUrl: string | undefined,
): string {
  const { name, metrics, concerns } = analysis;
  const view: CallView = { id: name, index: 0, metrics, record: undefined, audioUrl };
  const seconds = formatPosition(metrics.recording?.durationMs ?? 0);
  const content = html`<section aria-label="Recording">
<p class="muted small">${seconds} analysed. What takes a timeline (claimed figures, parts, tools, set-up) is absent.</p>
${concerns.map(({ code, message }) => html`<p class="concerns small"><b>${code}</b> ${message}</p>`)}
${sidesTable(analysis)}
${chart(view)}
${callTables(metrics, seekTo)}
${qualityTables(metrics, seekTo)}</section>`;
  return page({ title: name, metrics, chart: recordingChart(analysis), content });
}

/** A call that was measured again from its folder as one page that loads nothing. */
export function renderCallPage(
  record: CallRecord,
  metrics: CallMetrics,
  audioUrl: string | undefined,
): string {
  const view: CallView = { id: metrics.callId, index: 0, metrics, record, audioUrl };
  return page({
    title: `call ${metrics.callId}`,
    metrics,
    chart: chartDataOf(record, metrics),
    content: callSection(view),
  });
}

interface PageContent {
  readonly title: string;
  readonly metrics: CallMetrics;
  readonly chart: ChartData;
  readonly content: Markup;
}

function page({ title, metrics, chart: drawn, content }: PageContent): string {
  const figures = figuresOfAnalysis(metrics);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sidetone: ${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(PAGE_STYLE)}</style></head>
<body><main class="wrap">
<header><h1>Sidetone: ${title}</h1></header>
${figuresSection(figures, ratesOf([metrics]))}
${content}
${definitionsSection(figures)}
</main>
${jsonScript("sidetone-data", { charts: [drawn] })}
<script>${trusted(PAGE_SCRIPT)}</script>
</body></html>
`.markup;
}

function sidesTable({ sides, metrics }: RecordingAnalysis): Markup | undefined {
  const { callerSpeechMs, botSpeechMs } = metrics.conversation;
  return table(
    "The two sides",
    ["Side", "File and channel", "Encoding", "Speech"],
    (["caller", "bot"] as const).map((name) => {
      const { file, channel, encoding, sampleRateHz } = sides[name];
      return [
        name,
        `${file}, ${channel}`,
        `${encoding}, ${sampleRateHz} Hz`,
        formatPosition(name === "caller" ? callerSpeechMs : botSpeechMs),
      ];
    }),
  );
}

function recordingChart({ metrics, sides }: RecordingAnalysis): ChartData {
  const { startedAt = 0, durationMs = 0 } = metrics.recording ?? {};
  const bins = Math.max(1, Math.ceil((startedAt + durationMs) / BIN_MS / BINS_MAX));
  const draw = (extremes: Int16Array): string => {
    // The picture's zero is the start of the file, also where only a part of it was analysed.
    const lead = 2 * Math.round(startedAt / BIN_MS);
    const whole = new Int16Array(lead + extremes.length);
    whole.set(extremes, lead);
    return encodeBase64(new Uint8Array(mergedExtremes(whole, bins).buffer));
  };
  return {
    ...measuredChart(metrics, instant(0)),
    fromMs: startedAt - MARGIN_MS,
    toMs: startedAt + durationMs + MARGIN_MS,
    binMs: bins * BIN_MS,
    caller: draw(sides.caller.extremes),
    bot: draw(sides.bot.extremes),
    events: [],
  };
}
