import { encodeWav } from "../../audio/index.ts";
import { seededRandom } from "../../environment/index.ts";
import {
  type CallRecord,
  figuresOf,
  passRateOf,
  type RecordedAudio,
  ratesOf,
} from "../../measure/index.ts";
import { CALL_FILES } from "../../timeline/index.ts";
import { encodeBase64 } from "../base64.ts";
import { countVerdicts, type RunSummary, VERDICTS } from "../run-summary.ts";
import { aiPathsSection } from "./ai-path-tables.ts";
import { type CallView, callSection } from "./call-section.ts";
import { type ChartData, chartDataOf } from "./chart-data.ts";
import { definitionsSection, figuresSection } from "./figures-section.ts";
import { html, jsonScript, type Markup, trusted } from "./markup.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { scenarioSection } from "./scenario-section.ts";

/** How the page is made. */
export interface PageOptions {
  /**
   * Recordings are embedded up to this many bytes in all; what is beyond is linked to
   * `calls/<id>/audio.wav` beside the page. Default 24 MB, some twelve minutes of calls.
   */
  readonly embedAudioBytesMax?: number;
}

const EMBED_AUDIO_BYTES_MAX = 24_000_000;

/**
 * The run as one HTML page that loads nothing: style, script, data and (to a limit) recordings
 * are in it. It holds transcripts; it holds no secrets.
 */
export function renderPage(
  run: RunSummary,
  records: readonly CallRecord[],
  options: PageOptions = {},
): string {
  const { views, charts } = viewsOf(run, records, options);
  const metrics = run.calls.map((call) => call.metrics);
  const figures = figuresOf(metrics, seededRandom(run.seed));
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sidetone: run ${run.runId}</title>
<link rel="icon" href="data:,">
<style>${trusted(PAGE_STYLE)}</style></head>
<body><main class="wrap">
${header(run)}
${figuresSection(figures, ratesOf(metrics), run.calibration)}
${aiPathsSection(run)}
<h2 id="scenarios">Scenarios</h2>
${scenarios(run, views)}
${definitionsSection(figures)}
</main>
${jsonScript("sidetone-data", { charts })}
<script>${trusted(PAGE_SCRIPT)}</script>
</body></html>
`;
  return page.markup;
}

function header(run: RunSummary): Markup {
  const counts = countVerdicts(run);
  const pairs = { ...run.versions, ...run.environment, seed: run.seed };
  return html`<header><h1>Sidetone test run</h1>
<p class="muted small">${run.runId} · ${run.startedAt}${
    run.durationMs === undefined ? undefined : ` · ${(run.durationMs / 1000).toFixed(1)} s`
  } · ${run.scenarios.length} scenarios, ${run.calls.length} calls</p>
<ul class="verdicts" aria-label="Verdicts">${VERDICTS.map(
    (verdict) =>
      html`<li class="${counts[verdict] === 0 ? "zero" : verdict}"><b>${counts[verdict]}</b>${verdict}</li>`,
  )}</ul>
<dl class="facts small">${Object.entries(pairs).map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></header>`;
}

function scenarios(run: RunSummary, views: readonly CallView[]): Markup {
  const claimed = new Set(run.scenarios.flatMap(({ callIds }) => callIds));
  const others = views.filter(({ id }) => !claimed.has(id));
  return html`${run.scenarios.map((scenario) => {
    const own = views.filter(({ id }) => scenario.callIds.includes(id));
    return scenarioSection(scenario, own.map(callSection), {
      isOpen: scenario.verdict !== "pass" || run.scenarios.length === 1,
      passRate: passRateOf(own.map(({ metrics }) => metrics)),
    });
  })}${others.length === 0 ? undefined : html`<h2>Calls outside of scenarios</h2>${others.map(callSection)}`}`;
}

function viewsOf(
  run: RunSummary,
  records: readonly CallRecord[],
  options: PageOptions,
): { views: CallView[]; charts: ChartData[] } {
  let roomBytes = options.embedAudioBytesMax ?? EMBED_AUDIO_BYTES_MAX;
  const charts: ChartData[] = [];
  const views = run.calls.map(({ id, metrics }): CallView => {
    const record = records.find(({ description }) => description.id === id);
    const index = charts.length;
    if (record === undefined) return { id, index, metrics, record, audioUrl: undefined };
    charts.push(chartDataOf(record, metrics));
    const audio = embeddable(record, roomBytes);
    roomBytes -= audio.bytes;
    return { id, index, metrics, record, audioUrl: audio.url };
  });
  return { views, charts };
}

function embeddable(
  record: CallRecord,
  roomBytes: number,
): { readonly url: string | undefined; readonly bytes: number } {
  const recording = record.audio ?? record.botAudio;
  if (recording === undefined) return { url: undefined, bytes: 0 };
  const bytes = wavOf(recording);
  if (bytes.length > roomBytes) {
    const file = record.audio === undefined ? CALL_FILES.botAudio : CALL_FILES.audio;
    return { url: `calls/${encodeURIComponent(record.description.id)}/${file}`, bytes: 0 };
  }
  return { url: `data:audio/wav;base64,${encodeBase64(bytes)}`, bytes: bytes.length };
}

function wavOf({ sampleRateHz, left, right }: RecordedAudio): Uint8Array {
  return encodeWav({ sampleRateHz, channels: [left, right] });
}
