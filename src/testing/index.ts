/**
 * Doubles of the world for tests, ours and those of users: a clock that is told to advance, a
 * network within the process, and dialogues whose truth is known to the sample. Product code never imports this folder.
 */
export {
  type Datagram,
  type DatagramCounts,
  ManualClock,
  VirtualDns,
  VirtualNetwork,
  type VirtualNetworkOptions,
} from "../virtual/index.ts";
export {
  ACCURACY_ROWS,
  type AccuracyRow,
  brokenBounds,
  type EdgeBounds,
  type EdgeGoal,
  errorSummary,
  measureRow,
} from "./accuracy-conditions.ts";
export {
  type CorrelationAccuracy,
  DELAY_BOUND_COVERED,
  DELAY_BOUND_P95_MS,
  DELAY_GOAL_P95_MS,
  DELAY_ROWS,
  inTurn,
  measureDelayRow,
  measureLocatedRow,
} from "./delay-accuracy.ts";
export {
  type Clip,
  type Dialogue,
  type DialogueCondition,
  makeDialogue,
  type SpokenSpan,
} from "./dialogue.ts";
export { type EdgeAccuracy, measureEdges } from "./edge-accuracy.ts";
export { type InjuredCall, type LineInjuries, overInjuredLine } from "./injured-line.ts";
