import { type FileStore, isoTimeMs, UsageError } from "../environment/index.ts";
import { CALIBRATION_VERSION, type Calibration } from "./calibration.ts";

/** Writes a calibration where later reports look for it. */
export async function writeCalibration(
  files: FileStore,
  path: string,
  calibration: Calibration,
): Promise<void> {
  await files.write(path, `${JSON.stringify(calibration, undefined, 2)}\n`);
}

/**
 * Reads a stored calibration; `undefined` where there is none.
 * @throws UsageError ERR_CALIBRATION_MALFORMED; ERR_CALIBRATION_NEWER.
 */
export async function readCalibration(
  files: FileStore,
  path: string,
): Promise<Calibration | undefined> {
  if (!(await files.exists(path))) return undefined;
  const value = parsed(await files.readText(path), path);
  if (typeof value !== "object" || value === null) throw malformed(path, "it is no object");
  const { schema, version, conditions } = value as Partial<Calibration>;
  if (schema !== "sidetone-calibration") throw malformed(path, "it is no calibration");
  if (typeof version !== "number") throw malformed(path, "it has no version");
  if (version > CALIBRATION_VERSION) {
    throw new UsageError(
      "ERR_CALIBRATION_NEWER",
      `The calibration ${path} has version ${version}; this Sidetone reads up to ${CALIBRATION_VERSION}. Update Sidetone, or run sidetone calibrate again.`,
      { context: { path, version } },
    );
  }
  if (!isWhole(value) || !Array.isArray(conditions)) {
    throw malformed(path, "it is not complete");
  }
  return value as Calibration;
}

const TEXTS = ["sidetoneVersion", "node", "platform", "host", "madeAt", "seed"] as const;

function isWhole(value: Partial<Calibration>): boolean {
  return (
    TEXTS.every((name) => typeof value[name] === "string") &&
    !Number.isNaN(isoTimeMs(value.madeAt ?? "")) &&
    Array.isArray(value.conditions) &&
    value.conditions.every(
      (condition: unknown) =>
        typeof condition === "object" &&
        condition !== null &&
        "name" in condition &&
        "figures" in condition &&
        Array.isArray(condition.figures) &&
        condition.figures.every(isFigure),
    )
  );
}

function isFigure(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "figure" in value &&
    typeof value.figure === "string" &&
    "verdict" in value
  );
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(path, "it is not JSON", cause);
  }
}

function malformed(path: string, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_CALIBRATION_MALFORMED",
    `The calibration ${path} cannot be read: ${what}. Run sidetone calibrate again.`,
    { context: { path }, cause },
  );
}
