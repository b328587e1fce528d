/**
 * Outputs of a run: results.json, one self-contained page, a summary for the terminal; and the
 * reader of call folders. Everything shown is computed by measure/; nothing is measured here.
 */
export {
  ANALYSIS_VERSION,
  renderMetricsJson,
  renderRecordingJson,
} from "./analysis/analysis-json.ts";
export { renderCallPage, renderRecordingPage } from "./analysis/analysis-page.ts";
export { renderCallText, renderRecordingText } from "./analysis/analysis-text.ts";
export { audacityLabels, type LabelTracks } from "./analysis/audacity-labels.ts";
export { checkCallFolder, requireCallFolder } from "./analysis/check-call-folder.ts";
export {
  CALIBRATION_VERSION,
  type CalibratedCondition,
  type Calibration,
  distributionsOf,
  type ErrorDistribution,
  type FigureError,
  type FigureName,
  type Goal,
  type MachineHealth,
} from "./calibration.ts";
export {
  type CalibrationNote,
  calibrationNote,
  FIGURE_TITLES,
  type Here,
} from "./calibration-note.ts";
export { readCalibration, writeCalibration } from "./calibration-store.ts";
export { renderCalibration } from "./calibration-text.ts";
export { compareRuns, isWorse, type RunComparison, type VerdictChange } from "./compare-runs.ts";
export { renderComparison } from "./comparison-text.ts";
export { type Content, html, jsonScript, type Markup, trusted } from "./html/markup.ts";
export { type PageOptions, renderPage } from "./html/page.ts";
export { PAGE_STYLE } from "./html/page-style.ts";
export { readCallFolder } from "./read-call-folder.ts";
export { readResults } from "./read-results.ts";
export { RESULTS_VERSION, renderResults } from "./results-json.ts";
export {
  type CallSummary,
  countVerdicts,
  type ErrorSummary,
  type RunSummary,
  type ScenarioSummary,
  type StepSummary,
  VERDICTS,
  type Verdict,
} from "./run-summary.ts";
export { renderSummary } from "./summary-text.ts";
export { type ReportPaths, writeReport } from "./write-report.ts";
