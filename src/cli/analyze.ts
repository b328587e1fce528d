import { basename } from "node:path";
import {
  type AnalysisOptions,
  analyseRecording,
  type DetectorPlugIn,
  type RecordingAnalysis,
  type RecordingSource,
} from "../analysis/index.ts";
import { UsageError } from "../environment/index.ts";
import { type CallMetrics, measureCall } from "../measure/index.ts";
import { fileBlocks, kindOfPath, loadUserModule, NodeFileStore } from "../platform/index.ts";
import {
  audacityLabels,
  checkCallFolder,
  readCallFolder,
  renderCallPage,
  renderCallText,
  renderMetricsJson,
  renderRecordingJson,
  renderRecordingPage,
  renderRecordingText,
  requireCallFolder,
} from "../report/index.ts";
import { analysisRange } from "./analysis-range.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { openRecording } from "./open-recording.ts";

/** What to analyse and where to leave what came of it. */
export interface AnalyzeOptions {
  /** A call folder, a stereo recording, or one of each side: the caller's and the bot's. */
  readonly paths: readonly string[];
  readonly json: boolean;
  /** The path without "-caller.txt", or with an ending that is left out. */
  readonly labels: string | undefined;
  readonly html: string | undefined;
  readonly swap: boolean;
  /** A module that finds the speech instead of our own detector. */
  readonly detector: string | undefined;
  /** As the user wrote them: seconds, or [hours:]minutes:seconds. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly write: (text: string) => void;
  /** For progress and warnings. */
  readonly tell: (text: string) => void;
}

/** Recordings up to this are put into the page. */
const EMBED_AUDIO_BYTES_MAX = 24_000_000;

/**
 * Measures a call folder again, or a recording that Sidetone did not make.
 *
 * @returns exit code 4 where the figures may be wrong (sides swapped, one side silent).
 * @throws UsageError where it cannot be analysed: docs/analyze.md has the list.
 */
export async function analyze(options: AnalyzeOptions): Promise<number> {
  const [first, second] = options.paths;
  if (first === undefined || options.paths.length > 2) throw wrongPaths(options.paths.length);
  const kinds = await Promise.all(options.paths.map((path) => kindOfPath(path)));
  if (kinds[0] === "folder" && second === undefined) return analyzeCall(first, options);
  if (kinds.includes("folder")) throw wrongPaths(options.paths.length);
  return analyzeRecording(first, second, options);
}

async function analyzeCall(folder: string, options: AnalyzeOptions): Promise<number> {
  const { swap, detector, from, to } = options;
  if (swap || [detector, from, to].some((option) => option !== undefined)) {
    throw new UsageError(
      "ERR_ANALYZE_OPTIONS",
      "--swap, --detector, --from and --to are for recordings; a call folder is always measured as a whole.",
    );
  }
  const files = new NodeFileStore();
  await requireCallFolder(files, folder);
  const record = await readCallFolder(files, folder);
  const metrics = measureCall(record);
  const notes = await checkCallFolder(files, folder, { record, metrics });
  const recording = record.audio ?? record.botAudio;
  const audio = `${folder}/${record.audio === undefined ? "audio-bot.wav" : "audio.wav"}`;
  await leave(options, metrics, async () =>
    renderCallPage(record, metrics, recording && (await audioUrl(files, audio))),
  );
  options.write(
    options.json ? renderMetricsJson(metrics).trimEnd() : renderCallText(metrics, notes),
  );
  return EXIT_CODES.passed;
}

async function analyzeRecording(
  first: string,
  second: string | undefined,
  options: AnalyzeOptions,
): Promise<number> {
  const settings: AnalysisOptions = {
    swap: options.swap,
    ...(options.detector === undefined ? {} : { detector: await detectorOf(options.detector) }),
    ...analysisRange(options.from, options.to),
    onProgress: progress(options.tell),
  };
  const analysis = await analyseRecording(await sourceOf(first, second), settings);
  for (const { code, message } of analysis.concerns) options.tell(`${code}: ${message}`);
  const files = new NodeFileStore();
  await leave(options, analysis.metrics, async () =>
    renderRecordingPage(analysis, second === undefined ? await audioUrl(files, first) : undefined),
  );
  options.write(
    options.json ? renderRecordingJson(analysis).trimEnd() : renderRecordingText(analysis),
  );
  return exitCode(analysis);
}

/** @throws UsageError ERR_MODULE_FAILED where the module does not load, or exports no such function. */
async function detectorOf(path: string): Promise<DetectorPlugIn> {
  const { createDetector } = (await loadUserModule(path)) as Partial<DetectorPlugIn>;
  if (typeof createDetector !== "function") {
    throw new UsageError("ERR_MODULE_FAILED", `${path} exports no function createDetector.`, {
      context: { path },
    });
  }
  return { name: basename(path), createDetector };
}

async function sourceOf(first: string, second: string | undefined): Promise<RecordingSource> {
  const one = { name: basename(first), reader: await openRecording(first) };
  if (second === undefined) return { stereo: one };
  return { caller: one, bot: { name: basename(second), reader: await openRecording(second) } };
}

function exitCode({ concerns }: RecordingAnalysis): number {
  const isDoubtful = concerns.some((concern) => concern.isDoubtful);
  return isDoubtful ? EXIT_CODES.inconclusive : EXIT_CODES.passed;
}

async function leave(
  { labels, html }: AnalyzeOptions,
  metrics: CallMetrics,
  page: () => Promise<string>,
): Promise<void> {
  const files = new NodeFileStore();
  if (html !== undefined) await files.write(html, await page());
  if (labels === undefined) return;
  const stem = labels.replace(/\.txt$/iu, "");
  for (const [name, track] of Object.entries(audacityLabels(metrics))) {
    // oxlint-disable-next-line no-await-in-loop -- three small files.
    await files.write(`${stem}-${name}.txt`, track);
  }
}

/** The recording as part of the page; `undefined` where it is too long for that. */
async function audioUrl(files: NodeFileStore, path: string): Promise<string | undefined> {
  let size = 0;
  for await (const block of fileBlocks(path)) {
    size += block.length;
    if (size > EMBED_AUDIO_BYTES_MAX) return undefined;
  }
  const base64 = Buffer.from(await files.read(path)).toString("base64");
  return `data:audio/wav;base64,${base64}`;
}

/** A line for every tenth of a long recording, or every ten minutes where its length is not known. */
function progress(tell: (text: string) => void): NonNullable<AnalysisOptions["onProgress"]> {
  let told = 0;
  return (atMs, ofMs) => {
    const stepMs = Math.max(
      PROGRESS_STEP_MS_MIN,
      ofMs === undefined ? PROGRESS_STEP_MS : ofMs / 10,
    );
    const step = Math.floor(atMs / stepMs);
    if (step <= told) {
      // The second of two files begins anew.
      if (step < told && atMs < stepMs) told = step;
      return;
    }
    told = step;
    const share =
      ofMs === undefined ? "" : ` of ${minutes(ofMs)} (${Math.round((100 * atMs) / ofMs)} %)`;
    tell(`${minutes(atMs)}${share}`);
  };
}

const PROGRESS_STEP_MS = 600_000;
/** Shorter recordings take no time. */
const PROGRESS_STEP_MS_MIN = 60_000;

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}

function wrongPaths(count: number): UsageError {
  return new UsageError(
    "ERR_ANALYZE_PATHS",
    `sidetone analyze takes a call folder, a stereo recording, or two recordings (caller, bot); it got ${count} paths that are not that. For example: sidetone analyze reports/latest/calls/001-greeting, or: sidetone analyze caller.wav bot.wav`,
  );
}
