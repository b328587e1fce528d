import { type FileStore, UsageError } from "../../environment/index.ts";
import type { CallResult } from "./call-result.ts";
import type { Sweep } from "./sweep.ts";

/** The first line of `results.jsonl`: by what, and of what, the lines after it were made. */
export interface StudyHeader {
  readonly schema: "sidetone-hol";
  /** Of the lines; raised when a figure changes its meaning. */
  readonly version: number;
  readonly sidetoneVersion: string;
  readonly node: string;
  readonly platform: string;
  readonly startedAt: string;
  readonly sweep: Sweep;
  /** Transports of the sweep that could not be had, and why. */
  readonly skipped: readonly SkippedTransport[];
}

/** What could not be studied here. */
export interface SkippedTransport {
  /** With its congestion control, where only that is missing. */
  readonly transport: string;
  readonly reason: string;
}

export const RESULTS_LINE_VERSION = 1;

/** A study as it lies in its folder. */
export interface StoredStudy {
  readonly header: StudyHeader;
  readonly results: readonly CallResult[];
}

/** Where a study's lines lie. */
export function resultsPath(folder: string): string {
  return `${folder}/results.jsonl`;
}

/**
 * What a study has found so far; `undefined` where it has not begun. A last line that was torn when
 * the process died is left out.
 *
 * @throws UsageError ERR_HOL_RESULTS_MALFORMED.
 */
export async function readStudy(
  files: FileStore,
  folder: string,
): Promise<StoredStudy | undefined> {
  return (await readLines(files, resultsPath(folder)))?.study;
}

/**
 * Begins a study in a folder, or goes on with the one that lies there: by the same version of
 * Sidetone, seed and sweep. More calls of each cell, and more values of what is varied, than it was
 * begun with are added to it.
 *
 * @throws UsageError ERR_HOL_RESULTS_MALFORMED, ERR_HOL_OTHER_STUDY.
 */
export async function openStudy(
  files: FileStore,
  folder: string,
  header: StudyHeader,
): Promise<StoredStudy> {
  const path = resultsPath(folder);
  const found = await readLines(files, path);
  if (found === undefined) {
    await files.write(path, line(header));
    return { header, results: [] };
  }
  const { header: first, results } = found.study;
  requireSame(path, first, header);
  const isExtended = JSON.stringify(first.sweep) !== JSON.stringify(header.sweep);
  const { sweep, skipped } = header;
  const study = isExtended ? { header: { ...first, sweep, skipped }, results } : found.study;
  if (found.isTorn || isExtended) {
    await files.write(path, [study.header, ...results].map(line).join(""));
  }
  return study;
}

/** Adds the line of a call that has ended. */
export async function appendResult(
  files: FileStore,
  folder: string,
  result: CallResult,
): Promise<void> {
  await files.append(resultsPath(folder), line(result));
}

function line(value: StudyHeader | CallResult): string {
  return `${JSON.stringify(value)}\n`;
}

async function readLines(
  files: FileStore,
  path: string,
): Promise<{ readonly study: StoredStudy; readonly isTorn: boolean } | undefined> {
  if (!(await files.exists(path))) return undefined;
  const text = await files.readText(path);
  const lines = text.split("\n");
  // What follows the last line's end: nothing, or what was torn.
  const isTorn = lines.pop() !== "";
  if (lines.length === 0) {
    // Torn in its first line: nothing had been found yet.
    if (text.length === 0 || text.startsWith('{"schema":"sidetone-hol"')) return undefined;
    throw malformed(path, 1, "is none of a study's");
  }
  const [first, ...rest] = lines.map((each, index) => parsed(path, index + 1, each));
  if (!isHeader(first)) throw malformed(path, 1, "is no header of a study");
  const results = rest.map((value, index) => {
    if (isResult(value)) return value;
    throw malformed(path, index + 2, "is no call's result");
  });
  return { study: { header: first, results }, isTorn };
}

function parsed(path: string, number: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(path, number, "is no JSON", cause);
  }
}

function isHeader(value: unknown): value is StudyHeader {
  if (typeof value !== "object" || value === null) return false;
  const { schema, version, sidetoneVersion, sweep } = value as Partial<StudyHeader>;
  return (
    schema === "sidetone-hol" &&
    typeof version === "number" &&
    typeof sidetoneVersion === "string" &&
    typeof sweep === "object"
  );
}

function isResult(value: unknown): value is CallResult {
  if (typeof value !== "object" || value === null) return false;
  const { cell, repeat, turns, stops, playoutStallsMs, gaps } = value as Partial<CallResult>;
  return (
    typeof cell === "string" &&
    typeof repeat === "number" &&
    [turns, stops, playoutStallsMs].every(Array.isArray) &&
    typeof gaps === "object"
  );
}

function requireSame(path: string, found: StudyHeader, wanted: StudyHeader): void {
  const difference = differenceOf(found, wanted);
  if (difference === undefined) return;
  throw new UsageError(
    "ERR_HOL_OTHER_STUDY",
    `${path} holds another study: ${difference}. Name another folder, or run it as it was begun.`,
    { context: { path } },
  );
}

function differenceOf(found: StudyHeader, wanted: StudyHeader): string | undefined {
  if (found.version !== wanted.version) {
    return `its lines are of version ${found.version}, these would be of ${wanted.version}`;
  }
  if (found.sidetoneVersion !== wanted.sidetoneVersion) {
    return `it was made by Sidetone ${found.sidetoneVersion}, this is ${wanted.sidetoneVersion}`;
  }
  const keys = Object.keys(wanted.sweep) as (keyof Sweep)[];
  for (const key of keys) {
    if (holds(wanted.sweep[key], found.sweep[key], key)) continue;
    const was = JSON.stringify(found.sweep[key]);
    const is = JSON.stringify(wanted.sweep[key]);
    return `its ${key} is ${was}, and now ${is}`;
  }
  return undefined;
}

/** Whether what is wanted is what was found, or more of it. */
function holds(wanted: Sweep[keyof Sweep], found: Sweep[keyof Sweep], key: keyof Sweep): boolean {
  if (key === "callsPerCell") return wanted >= found;
  if (!Array.isArray(wanted) || !Array.isArray(found)) return wanted === found;
  return found.every((value) => wanted.includes(value as never));
}

function malformed(path: string, number: number, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_HOL_RESULTS_MALFORMED",
    `Line ${number} of ${path} ${what}. Put the file right, or name another folder.`,
    { context: { path, line: number }, cause },
  );
}
