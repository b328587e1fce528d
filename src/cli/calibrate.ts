import { ABRUPT_EDGE_MS } from "../audio/index.ts";
import { isoText, UsageError } from "../environment/index.ts";
import { openHarness, scriptPath } from "../index.ts";
import { CONDITIONS, calibrate as calibrateMachine } from "../lab/index.ts";
import { hostInfo, hostName, NodeFileStore, packageInfo, SystemClock } from "../platform/index.ts";
import {
  CALIBRATION_VERSION,
  type CalibratedCondition,
  type Calibration,
  renderCalibration,
  writeCalibration,
} from "../report/index.ts";
import { calibrationPath } from "./calibration-path.ts";
import { EXIT_CODES } from "./exit-codes.ts";

/** How to calibrate, and where the result goes. */
export interface CalibrateCommandOptions {
  /** Of each network; as the user wrote it. */
  readonly calls: string;
  /** The file to be written; default: in the user's cache folder. */
  readonly calibration: string | undefined;
  readonly reports: string;
  readonly seed: string;
  readonly json: boolean;
  readonly write: (text: string) => void;
}

const CALLS_MAX = 1000;

/**
 * Calls the reference bot on this machine and says how far its figures are from the truth.
 *
 * @returns 0 where every goal is met, 1 where one is missed, 4 where the machine cannot tell, 130
 *   where it was interrupted: then nothing is stored.
 * @throws UsageError ERR_CALIBRATE_CALLS.
 */
export async function calibrate(options: CalibrateCommandOptions): Promise<number> {
  const { write, json, seed } = options;
  const calls = callCount(options.calls);
  const clock = new SystemClock();
  const harness = await openHarness({ seed, reportFolder: `${options.reports}/calibration` });
  const say = json ? (): void => {} : write;
  try {
    say(
      `${calls} calls to the reference bot for each of ${CONDITIONS.length} networks; seed ${seed}`,
    );
    const conditions = await calibrateMachine({
      harness,
      conditions: CONDITIONS,
      callsPerCondition: calls,
      toolScript: scriptPath("reference"),
      onProgress: (done, total) => say(`  ${done} of ${total} calls`),
    });
    if (harness.isAborted) return EXIT_CODES.interrupted;
    const calibration: Calibration = {
      schema: "sidetone-calibration",
      version: CALIBRATION_VERSION,
      sidetoneVersion: packageInfo().version,
      ...hostInfo(),
      host: hostName(),
      madeAt: isoText(clock.wallClockMs()),
      seed,
      abruptEdgeMs: ABRUPT_EDGE_MS,
      conditions,
    };
    const path = calibrationPath(options.calibration);
    await writeCalibration(new NodeFileStore(), path, calibration);
    write(json ? JSON.stringify(calibration, undefined, 2) : renderCalibration(calibration));
    say(`Stored in ${path}; later reports show it.`);
    return exitCodeOf(conditions);
  } finally {
    await harness.close();
  }
}

function exitCodeOf(conditions: readonly CalibratedCondition[]): number {
  const verdicts = new Set(
    conditions.flatMap(({ figures }) => figures.map(({ verdict }) => verdict)),
  );
  if (verdicts.has("missed")) return EXIT_CODES.failed;
  return verdicts.has("inconclusive") ? EXIT_CODES.inconclusive : EXIT_CODES.passed;
}

function callCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/u.test(text) && count >= 1 && count <= CALLS_MAX) return count;
  throw new UsageError(
    "ERR_CALIBRATE_CALLS",
    `--calls takes a whole number from 1 to ${CALLS_MAX}, and got "${text}".`,
  );
}
