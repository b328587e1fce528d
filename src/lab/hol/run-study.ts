import type { Harness } from "../../call/index.ts";
import { errorText, type FileStore, isSidetoneError } from "../../environment/index.ts";
import { checkAiNetwork } from "../../impairment/index.ts";
import { measureCall, withListening } from "../../measure/index.ts";
import { type CallResult, failedCall, resultOf } from "./call-result.ts";
import { aiNetworkOf, placeCall } from "./place-call.ts";
import {
  appendResult,
  openStudy,
  type SkippedTransport,
  type StudyHeader,
} from "./results-file.ts";
import { type Cell, cellsOf, type PlannedCall, planCalls } from "./sweep.ts";

/** How to carry a study out. */
export interface StudyOptions {
  readonly files: FileStore;
  /** Where `results.jsonl` lies. */
  readonly folder: string;
  /** What the study is; `skipped` is found out here. */
  readonly header: Omit<StudyHeader, "skipped">;
  /** Opens a harness of a seed, in the study's time; each call has its own. */
  readonly openHarness: (seed: string) => Promise<Harness>;
  /** The script `head-of-line`. */
  readonly scriptPath: string;
  /** Calls at the same time; 1 in virtual time. */
  readonly concurrency: number;
  readonly isAborted: () => boolean;
  readonly onProgress?: (progress: StudyProgress) => void;
}

/** Told at the beginning, and after each call. */
export interface StudyProgress {
  readonly done: number;
  readonly total: number;
  /** Found in the folder. */
  readonly before: number;
  readonly skipped: readonly SkippedTransport[];
  /** The call that has just ended. */
  readonly last?: CallResult;
}

/** How far a study came. */
export interface StudyOutcome {
  readonly done: number;
  readonly total: number;
  readonly skipped: readonly SkippedTransport[];
}

/**
 * Places the calls of a study that its folder does not hold yet, and adds a line for each as it
 * ends. When it is aborted, what is under way is dropped and will be placed again.
 *
 * @throws UsageError ERR_HOL_RESULTS_MALFORMED, ERR_HOL_OTHER_STUDY.
 */
export async function runStudy(options: StudyOptions): Promise<StudyOutcome> {
  const { files, folder, header, isAborted, onProgress } = options;
  const { sweep } = header;
  const { cells, skipped } = await availableCells(cellsOf(sweep), options);
  const study = await openStudy(files, folder, { ...header, skipped });
  const plan = planCalls(cells, sweep);
  const known = new Set(study.results.map(keyOf));
  const left = plan.filter(
    (call) => !known.has(keyOf({ cell: call.cell.id, repeat: call.repeat })),
  );
  const total = plan.length;
  const before = total - left.length;
  let done = before;
  onProgress?.({ done, total, before, skipped });
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined && !isAborted(); next = left.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as many workers as wanted.
      const result = await carryOut(options, next);
      if (isAborted()) return;
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await appendResult(files, folder, result);
      done += 1;
      onProgress?.({ done, total, before, skipped, last: result });
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return { done, total, skipped };
}

function keyOf({ cell, repeat }: Pick<CallResult, "cell" | "repeat">): string {
  return `${cell} #${repeat}`;
}

/** What of the cells can be had here, found out by one call for each transport. */
async function availableCells(
  cells: readonly Cell[],
  options: StudyOptions,
): Promise<{ readonly cells: readonly Cell[]; readonly skipped: readonly SkippedTransport[] }> {
  const reasons = new Map<string, string | undefined>();
  for (const cell of cells) {
    const carrier = carrierOf(cell);
    if (reasons.has(carrier) || options.isAborted()) continue;
    // oxlint-disable-next-line no-await-in-loop -- few, and they would disturb each other.
    reasons.set(carrier, await whyNot(cell, options));
  }
  const skipped = [...reasons].flatMap(([transport, reason]) =>
    reason === undefined ? [] : [{ transport, reason }],
  );
  return { cells: cells.filter((cell) => reasons.get(carrierOf(cell)) === undefined), skipped };
}

/** "tcp-kernel bbr", "udp". */
function carrierOf({ transport, congestionControl }: Cell): string {
  return congestionControl === undefined ? transport : `${transport} ${congestionControl}`;
}

/** Why a transport cannot be had; by a call without injuries. */
async function whyNot(cell: Cell, options: StudyOptions): Promise<string | undefined> {
  const harmless: Cell = { ...cell, lossRatio: 0, burstPackets: 1, roundTripMs: 0, preBufferMs: 0 };
  const seed = `${options.header.sweep.seed}/probe`;
  try {
    checkAiNetwork(aiNetworkOf(harmless, seed));
    await inHarness(options, seed, (place) =>
      placeCall({ ...place, turns: 0 }, { cell: harmless, repeat: 0, seed }),
    );
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function carryOut(options: StudyOptions, planned: PlannedCall): Promise<CallResult> {
  try {
    return await inHarness(options, planned.seed, async (place) => {
      const { call, indexOf } = await placeCall(place, planned);
      const record = await call.record();
      const measured = measureCall(record);
      const metrics = options.header.sweep.visqol ? withListening(measured, record) : measured;
      const result = resultOf(planned, metrics, { facts: record.facts, indexOf });
      await call.release();
      return result;
    });
  } catch (error) {
    // What is wrong with the study itself would be wrong with every call of it.
    if (!isSidetoneError(error) || error.fault === "usage") throw error;
    return failedCall(planned, error.code);
  }
}

async function inHarness<Result>(
  { openHarness, scriptPath, header }: StudyOptions,
  seed: string,
  use: (place: {
    readonly harness: Harness;
    readonly scriptPath: string;
    readonly turns: number;
  }) => Promise<Result>,
): Promise<Result> {
  const harness = await openHarness(seed);
  try {
    return await use({ harness, scriptPath, turns: header.sweep.turnsPerCall });
  } finally {
    await harness.close();
  }
}
