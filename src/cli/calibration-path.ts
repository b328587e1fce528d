import { resolve } from "node:path";
import type { FileStore } from "../environment/index.ts";
import { errorText } from "../environment/index.ts";
import { cacheFolder, hostName, packageInfo, variable } from "../platform/index.ts";
import { type CalibrationNote, calibrationNote, readCalibration } from "../report/index.ts";

/** Names another file than the one in the cache folder. */
const CALIBRATION_VARIABLE = "SIDETONE_CALIBRATION";

/** Where this machine's calibration is kept. */
export function calibrationPath(chosen: string | undefined): string {
  const path = chosen ?? variable(CALIBRATION_VARIABLE) ?? "";
  return path === "" ? `${cacheFolder()}/sidetone/calibration.json` : resolve(path);
}

/** What a report says of this machine's calibration; one that cannot be read is a warning. */
export async function noteOfMachine(files: FileStore, nowMs: number): Promise<CalibrationNote> {
  const here = { host: hostName(), sidetoneVersion: packageInfo().version, nowMs };
  try {
    return calibrationNote(await readCalibration(files, calibrationPath(undefined)), here);
  } catch (error) {
    return { lines: [], warnings: [errorText(error)] };
  }
}
