import type { AnalysedSide, RecordingAnalysis } from "../../analysis/index.ts";
import { type CallMetrics, ratesOf } from "../../measure/index.ts";
import { figuresOfAnalysis } from "./analysis-figures.ts";

/** The version of the analysis of a recording as JSON; raised when a field changes its meaning. */
export const ANALYSIS_VERSION = 1;

/** The metrics of a call as `metrics.json` holds them, to the byte. */
export function renderMetricsJson(metrics: CallMetrics): string {
  return `${JSON.stringify(metrics, undefined, 2)}\n`;
}

/** A recording that Sidetone did not make, for machines. Instants are ms from the file's start. */
export function renderRecordingJson(recording: RecordingAnalysis): string {
  const { name, detector, metrics, sides, concerns } = recording;
  const analysis = {
    schema: "sidetone-analysis",
    version: ANALYSIS_VERSION,
    name,
    ...(detector === undefined ? {} : { detector }),
    concerns,
    sides: { caller: sideJson(sides.caller), bot: sideJson(sides.bot) },
    figures: figuresOfAnalysis(metrics),
    rates: ratesOf([metrics]),
    metrics,
  };
  return `${JSON.stringify(analysis, undefined, 2)}\n`;
}

/** The picture is for the page. */
function sideJson(side: AnalysedSide): Omit<AnalysedSide, "extremes"> {
  const { file, channel, encoding, sampleRateHz, durationMs, peakDbov, segments } = side;
  return { file, channel, encoding, sampleRateHz, durationMs, peakDbov, segments };
}
