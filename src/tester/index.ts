/**
 * The AI tester: a caller who is played by a model. Personas, what they are told, and how it is seen
 * to that they keep to it. It knows nothing of SIP, RTP and who provides the model.
 */
export { instructionsFor, type TesterCue } from "./instructions.ts";
export { parsePersona, personaOf } from "./parse-persona.ts";
export type { Patience, Persona, TesterLimit, TesterLimits } from "./persona.ts";
export {
  type JudgedCall,
  judgeRule,
  type Rule,
  type RuleVerdict,
  readRules,
  rulesOf,
  ruleText,
} from "./rules.ts";
export { SpokenWords } from "./spoken-words.ts";
export { type DirectorOutput, TesterDirector } from "./tester-director.ts";
export { type GoalReport, type TesterHandlers, testerTools } from "./tester-tools.ts";
export { endOf, type SpokenText, spokenTexts } from "./transcript.ts";
