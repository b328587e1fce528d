import { seededRandom } from "../../environment/index.ts";
import { type CallMetrics, type Figure, figuresOf } from "../../measure/index.ts";

/** The figures of one call or recording; of a recording, those that take the AI's events are absent. */
export function figuresOfAnalysis(metrics: CallMetrics): Figure[] {
  const figures = figuresOf([metrics], seededRandom(`analyze ${metrics.callId}`));
  const isRecording = metrics.heardAt === undefined && metrics.recording !== undefined;
  return isRecording ? figures.filter(({ id }) => id !== "claimedLatency") : figures;
}
