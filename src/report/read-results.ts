import { type FileStore, UsageError } from "../environment/index.ts";
import { RESULTS_VERSION } from "./results-json.ts";
import type { RunSummary } from "./run-summary.ts";

const RESULTS_FILE = "results.json";
/** What every figure is computed from; a call that lacks one of them was not written by us. */
const LISTS_OF_A_CALL: readonly string[] = [
  "turns",
  "bargeIns",
  "backchannels",
  "toolCalls",
  "media",
  "instrument",
];

/** What came to be measured within version 1 of the results. */
const LATER_LISTS = { delays: [], echoes: [] } as const;

/**
 * Reads the results of a run back, from its folder or from the file itself.
 * @throws UsageError ERR_FILE_MISSING, ERR_RESULTS_MALFORMED, ERR_RESULTS_NEWER.
 */
export async function readResults(files: FileStore, path: string): Promise<RunSummary> {
  const file = path.endsWith(".json") ? path : `${path}/${RESULTS_FILE}`;
  const text = await files.readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(file, "it is not JSON", cause);
  }
  if (!isRecord(value) || value["schema"] !== "sidetone-results") {
    throw malformed(file, "it is no results.json of Sidetone");
  }
  const { version } = value;
  if (typeof version !== "number") throw malformed(file, "it has no version");
  if (version > RESULTS_VERSION) {
    throw new UsageError(
      "ERR_RESULTS_NEWER",
      `The results ${file} have version ${version}; this Sidetone reads up to ${RESULTS_VERSION}. Update Sidetone to read them.`,
      { context: { file, version } },
    );
  }
  checkLists(value, file);
  return withLaterLists(value as unknown as RunSummary);
}

/** Runs of before these were measured have none of them; nothing was found, and nothing is guessed. */
function withLaterLists(run: RunSummary): RunSummary {
  const calls = run.calls.map((call) => ({
    ...call,
    metrics: { ...LATER_LISTS, ...call.metrics },
  }));
  return { ...run, calls };
}

function checkLists(value: Record<string, unknown>, file: string): void {
  const { scenarios, calls, versions, environment, runId } = value;
  const isWhole =
    Array.isArray(scenarios) &&
    Array.isArray(calls) &&
    isRecord(versions) &&
    isRecord(environment) &&
    typeof runId === "string";
  if (!isWhole) throw malformed(file, "scenarios, calls, versions or environment are missing");
  if (!(scenarios as readonly unknown[]).every(isScenario)) {
    throw malformed(file, "a scenario is not complete");
  }
  if (!(calls as readonly unknown[]).every(isCall)) {
    throw malformed(file, "the metrics of a call are not complete");
  }
}

function isScenario(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value["callIds"]) && typeof value["uri"] === "string";
}

function isCall(value: unknown): boolean {
  const metrics = isRecord(value) ? value["metrics"] : undefined;
  return (
    isRecord(metrics) &&
    isRecord(metrics["setup"]) &&
    LISTS_OF_A_CALL.every((name) => Array.isArray(metrics[name]))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(file: string, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_RESULTS_MALFORMED",
    `The results ${file} cannot be read: ${what}. Was the file cut short or edited?`,
    { context: { file }, cause },
  );
}
