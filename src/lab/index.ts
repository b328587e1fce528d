/**
 * Studies made of many calls. Calibration: a reference bot whose every sound is known to the
 * sample, called over loopback, and each figure held against what its packets say. Head-of-line blocking: what
 * TCP and UDP make of the same losses on a bot's way to its AI, as a caller hears it.
 */
export { type CalibrateOptions, CONDITIONS, type Condition, calibrate } from "./calibrate.ts";
export { agreedOf, modelBesideKernel, type StudyAgainst, studiesBeside } from "./hol/agreement.ts";
export { analyseStudy, type StudyAnalysis } from "./hol/analysis.ts";
export type { CallResult } from "./hol/call-result.ts";
export {
  RESULTS_LINE_VERSION,
  readStudy,
  resultsPath,
  type StoredStudy,
} from "./hol/results-file.ts";
export { runStudy, type StudyOutcome, type StudyProgress } from "./hol/run-study.ts";
export { renderStudyPage } from "./hol/study-page.ts";
export { renderAgainstText, renderStudyText } from "./hol/study-text.ts";
export { StudyWorker, type StudyWorking } from "./hol/study-worker.ts";
export {
  type AiFormat,
  type Cell,
  checkSweep,
  type PlannedCall,
  type StudyTime,
  type Sweep,
  timeWords,
} from "./hol/sweep.ts";
