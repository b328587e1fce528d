import { type FileStore, UsageError } from "../../environment/index.ts";
import { type CallMetrics, type CallRecord, recordConcern } from "../../measure/index.ts";
import { CALL_FILES } from "../../timeline/index.ts";
import { renderMetricsJson } from "./analysis-json.ts";

/** Without these nothing can be measured. */
const REQUIRED_FILES: readonly string[] = [CALL_FILES.description, CALL_FILES.timeline];

/**
 * Refuses a folder that holds no call, or not all of it that it takes.
 * @throws UsageError ERR_CALL_FOLDER_NONE, ERR_CALL_FOLDER_INCOMPLETE.
 */
export async function requireCallFolder(files: FileStore, folder: string): Promise<void> {
  const names = await files.list(folder);
  const missing = REQUIRED_FILES.filter((name) => !names.includes(name));
  if (missing.length === 0) return;
  if (missing.length < REQUIRED_FILES.length) throw incomplete(folder, missing);
  const calls = names.includes("calls") ? await files.list(`${folder}/calls`) : [];
  const hint =
    calls.length > 0
      ? `It is the folder of a run: name one of its ${calls.length} calls, for example ${folder}/calls/${calls[0]}`
      : "Call folders lie in reports/<run>/calls/ and hold call.json and timeline.jsonl";
  throw new UsageError("ERR_CALL_FOLDER_NONE", `${folder} is no call folder. ${hint}.`, {
    context: { folder },
  });
}

/**
 * What whoever measures a call again has to know: whether the figures are those of `metrics.json`.
 *
 * @throws UsageError ERR_CALL_FOLDER_INCOMPLETE where a recording is gone, ERR_TIMELINE_CLOCK,
 *   ERR_RECORDING_SWAPPED.
 */
export async function checkCallFolder(
  files: FileStore,
  folder: string,
  { record, metrics }: { readonly record: CallRecord; readonly metrics: CallMetrics },
): Promise<string[]> {
  const path = `${folder}/${CALL_FILES.metrics}`;
  const stored = (await files.exists(path)) ? await files.readText(path) : undefined;
  requireRecordings(folder, record, stored);
  const concern = recordConcern(record, metrics);
  if (concern !== undefined) {
    throw new UsageError(concern.code, `The call folder ${folder}: ${concern.message}`, {
      context: { folder },
    });
  }
  return [comparedWith(stored, record, metrics)];
}

/** A recording that was there when the call was measured. */
function requireRecordings(folder: string, record: CallRecord, stored: string | undefined): void {
  const wasRecorded = stored === undefined ? undefined : /"recording": \{/u.test(stored);
  const began = record.facts.some((fact) => fact.kind === "recordingStarted");
  if (record.audio ?? record.botAudio) return;
  if (wasRecorded ?? began) throw incomplete(folder, [CALL_FILES.audio]);
}

function comparedWith(
  stored: string | undefined,
  record: CallRecord,
  metrics: CallMetrics,
): string {
  const { metrics: name } = CALL_FILES;
  if (stored === undefined) return `There is no ${name} to compare with.`;
  if (stored === renderMetricsJson(metrics)) return `The same figures as in ${name}, to the byte.`;
  const changed = changedParts(stored, metrics);
  const what = changed === undefined ? "It is not JSON" : `Different: ${changed.join(", ")}`;
  return `! Not the figures of ${name}, which Sidetone ${record.description.sidetoneVersion} wrote. ${what}.`;
}

function changedParts(stored: string, metrics: CallMetrics): string[] | undefined {
  try {
    const before = JSON.parse(stored) as Readonly<Record<string, unknown>>;
    const now = JSON.parse(JSON.stringify(metrics)) as Readonly<Record<string, unknown>>;
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    const changed = names.filter(
      (each) => JSON.stringify(before[each]) !== JSON.stringify(now[each]),
    );
    return changed.length === 0 ? ["white space or the order of fields"] : changed;
  } catch {
    return undefined;
  }
}

function incomplete(folder: string, missing: readonly string[]): UsageError {
  return new UsageError(
    "ERR_CALL_FOLDER_INCOMPLETE",
    `The call folder ${folder} lacks ${missing.join(" and ")}, so its figures cannot be had again. Copy the whole folder, or analyse the recording alone: sidetone analyze ${folder}/${CALL_FILES.audio}`,
    { context: { folder, missing } },
  );
}
