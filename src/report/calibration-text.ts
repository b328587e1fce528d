import type { CalibratedCondition, Calibration, ErrorDistribution } from "./calibration.ts";
import { FIGURE_TITLES } from "./calibration-note.ts";

const NAME_WIDTH = 26;
const NUMBER_WIDTH = 9;
const COLUMNS = ["n", "mean", "p50", "p95", "p99", "max"];

/** A calibration for the terminal: plain text, no colours. */
export function renderCalibration(calibration: Calibration): string {
  const { sidetoneVersion, node, platform, seed, abruptEdgeMs, conditions } = calibration;
  return [
    `Calibration of this machine (Sidetone ${sidetoneVersion}, Node ${node}, ${platform}), seed ${seed}`,
    "Errors in ms: measured − truth. Mean is signed (the bias); p50 to max are of its size.",
    `Known and taken off: by definition a sound that begins and ends at once has its edges ${abruptEdgeMs} ms outside of it.`,
    ...conditions.flatMap(conditionLines),
    "",
  ].join("\n");
}

function conditionLines(condition: CalibratedCondition): string[] {
  const { name, calls, discarded, lossPercent, figures, machine } = condition;
  const header = COLUMNS.map((column) => column.padStart(NUMBER_WIDTH)).join("");
  const delay = condition.playoutDelayMs;
  const left = discarded === 0 ? "" : `, ${discarded} not counted: they did not go by their plan`;
  return [
    "",
    `  ${name}: ${calls} calls${left}; ${lossPercent.toFixed(1)} % of the packets lost`,
    `  ${"".padEnd(NAME_WIDTH)}${header}  goal`,
    ...figures.map(figureLine),
    ...(delay === undefined
      ? []
      : [
          `  playout delay of each call, known and taken off: ${delay.min.toFixed(1)} to ${delay.max.toFixed(1)} ms; it moved by ${delay.moved.toFixed(1)} ms within a call`,
        ]),
    `  machine: departure jitter p99 ${machine.departureJitterMsP99.toFixed(1)} ms (max ${machine.departureJitterMsMax.toFixed(1)}), event-loop lag p99 ${machine.eventLoopLagMsP99.toFixed(1)} ms (max ${machine.eventLoopLagMsMax.toFixed(1)}), ${machine.missedDeadlines} missed deadlines, ${machine.unhealthyCalls} of ${calls} calls not healthy`,
  ];
}

function figureLine(figure: ErrorDistribution): string {
  const { n, meanMs, absolute } = figure;
  const sizes = absolute && [absolute.p50Ms, absolute.p95Ms, absolute.p99Ms, absolute.maxMs];
  const isExact = figure.goal === "exact";
  const numbers =
    sizes === undefined || meanMs === undefined || isExact
      ? ["", "", "", "", ""]
      : [meanMs, ...sizes].map((ms) => ms.toFixed(2));
  const columns = [String(n), ...numbers].map((text) => text.padStart(NUMBER_WIDTH)).join("");
  return `  ${FIGURE_TITLES[figure.figure].padEnd(NAME_WIDTH)}${columns}  ${notes(figure).join("; ")}`;
}

function notes(figure: ErrorDistribution): string[] {
  const { goal, verdict, inconclusive, uncertain, missed, withinBar, compared, absolute } = figure;
  const wanted = goal === "exact" ? "exact" : goal && `p99 ≤ ${goal.p99Ms}`;
  const interval = absolute?.p95Interval;
  return [
    ...(wanted === undefined ? [] : [`${wanted}: ${verdict}`]),
    ...(interval === undefined || goal === "exact"
      ? []
      : [`p95 in ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`]),
    ...(missed === 0 ? [] : [`${missed} not measured`]),
    ...(inconclusive === 0 ? [] : [`${inconclusive} inconclusive`]),
    ...(uncertain === 0 ? [] : [`${uncertain} uncertain`]),
    ...(withinBar === compared ? [] : [`${compared - withinBar} of ${compared} outside their bar`]),
  ];
}
