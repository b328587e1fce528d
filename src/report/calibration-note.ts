import { isoTimeMs } from "../environment/index.ts";
import {
  CALIBRATION_VERSION,
  type Calibration,
  type ErrorDistribution,
  type FigureName,
} from "./calibration.ts";

/** What a report says of how far its figures may be trusted. */
export interface CalibrationNote {
  /** One line for each figure that was calibrated. */
  readonly lines: readonly string[];
  /** Why the calibration may not hold here, or that there is none. */
  readonly warnings: readonly string[];
}

/** Where and when a report is made. */
export interface Here {
  readonly host: string;
  readonly sidetoneVersion: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
/** A host gets updates, other services, another kernel: after this, calibrate again. */
const OLD_DAYS = 30;

/** What a figure is called in tables and notes. */
export const FIGURE_TITLES: Readonly<Record<FigureName, string>> = {
  responseLatency: "response latency",
  bargeInStop: "barge-in stop",
  onset: "speech onset",
  offset: "speech offset",
  recordingClock: "recording's clock",
  postDialDelay: "post-dial delay",
  answerTime: "answer time",
  bye: "BYE, its instant",
  digits: "telephone keys",
  byeSeen: "BYE",
  toolCall: "tool calls",
  refer: "REFER",
};

/** What there is to say of a stored calibration; `undefined`: none was found. */
export function calibrationNote(stored: Calibration | undefined, here: Here): CalibrationNote {
  if (stored === undefined) {
    return {
      lines: [],
      warnings: ["This machine was never calibrated: run sidetone calibrate (docs/calibrate.md)."],
    };
  }
  return { lines: linesOf(stored), warnings: warningsOf(stored, here) };
}

function warningsOf(stored: Calibration, here: Here): string[] {
  const ageDays = (here.nowMs - isoTimeMs(stored.madeAt)) / DAY_MS;
  const day = stored.madeAt.slice(0, 10);
  const again = "run sidetone calibrate again";
  return [
    ...(stored.host === here.host ? [] : [`The calibration is of another machine: ${again} here.`]),
    ...(stored.sidetoneVersion === here.sidetoneVersion
      ? []
      : [`The calibration was made with Sidetone ${stored.sidetoneVersion}: ${again}.`]),
    ...(stored.version === CALIBRATION_VERSION
      ? []
      : [`The calibration counts errors as an earlier Sidetone did: ${again}.`]),
    ...(ageDays <= OLD_DAYS
      ? []
      : [`The calibration is of ${day}, older than ${OLD_DAYS} days: ${again}.`]),
    ...(ageDays >= -1 ? [] : [`The calibration is dated ${day}, in the future: ${again}.`]),
  ];
}

function linesOf({ conditions, madeAt }: Calibration): string[] {
  return conditions.flatMap(({ name, figures }) => {
    const known = figures.filter(({ goal }) => goal !== undefined);
    if (known.length === 0) return [];
    const words = known.map((figure) => `${FIGURE_TITLES[figure.figure]} ${errorWords(figure)}`);
    return [`Calibrated ${madeAt.slice(0, 10)}, ${name}: ${words.join(", ")}`];
  });
}

function errorWords({ verdict, goal, absolute, missed }: ErrorDistribution): string {
  if (verdict === "inconclusive") return "inconclusive";
  if (goal === "exact") return missed === 0 ? "exact" : `wrong ${missed} times`;
  return absolute === undefined ? "not measured" : `± ${absolute.p99Ms.toFixed(1)} ms (p99)`;
}
