/**
 * A language model that says whether a statement is true of a call. It gets to know who said and did
 * what, in order; it knows nothing of audio, time, or how the call was made.
 */
export type { JudgeFailure, JudgeUsage } from "./judge-answer.ts";
export type { JudgedDialogue } from "./judge-prompt.ts";
export { type JudgeSettings, judgeSettingsFrom } from "./judge-settings.ts";
export { type Judge, type JudgeFinding, LanguageModelJudge } from "./language-model-judge.ts";
