import { type FileStore } from "../../environment/index.ts";
import type { CallResult } from "./call-result.ts";
import {
  appendResult,
  openStudy,
  type SkippedTransport,
  type StudyHeader,
} from "./results-file.ts";
import type { StudyWorking } from "./study-worker.ts";
import { type Cell, cellsOf, type PlannedCall, planCalls, timeOf } from "./sweep.ts";

/** How to carry a study out. */
export interface StudyOptions {
  readonly files: FileStore;
  /** Where `results.jsonl` lies. */
  readonly folder: string;
  /** What the study is; `skipped` is found out here. */
  readonly header: Omit<StudyHeader, "skipped">;
  /** Each carries one call at a time; at least one. */
  readonly workers: readonly StudyWorking[];
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
 * ends: those in real time first, and again those in which the machine did not keep time. When it is aborted, what is under way is dropped and will be
 * placed again.
 *
 * @throws UsageError ERR_HOL_RESULTS_MALFORMED, ERR_HOL_OTHER_STUDY; EnvironmentError
 *   ERR_THREAD_ENDED where a worker died.
 */
export async function runStudy(options: StudyOptions): Promise<StudyOutcome> {
  const { files, folder, header, workers, isAborted, onProgress } = options;
  const { sweep } = header;
  const { cells, skipped } = await availableCells(cellsOf(sweep), options);
  const study = await openStudy(files, folder, { ...header, skipped });
  const plan = planCalls(cells, sweep);
  const known = new Set(study.results.filter(({ isUnhealthy }) => !isUnhealthy).map(keyOf));
  const left = plan.filter(
    (call) => !known.has(keyOf({ cell: call.cell.id, repeat: call.repeat })),
  );
  const total = plan.length;
  const before = total - left.length;
  let done = before;
  onProgress?.({ done, total, before, skipped });
  const startInTurn = inTurn();
  const carryOut = async (worker: StudyWorking, call: PlannedCall): Promise<void> => {
    await (timeOf(call.cell, sweep) === "real"
      ? startInTurn(() => worker.start(call))
      : worker.start(call));
    const result = await worker.finish();
    if (isAborted()) return;
    await appendResult(files, folder, result);
    done += 1;
    onProgress?.({ done, total, before, skipped, last: result });
  };
  const work = async (worker: StudyWorking, calls: PlannedCall[]): Promise<void> => {
    for (let next = calls.shift(); next !== undefined && !isAborted(); next = calls.shift()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other, by each worker.
        await carryOut(worker, next);
      } catch (error) {
        // A worker that was told to end has ended.
        if (!isAborted()) throw error;
      }
    }
  };
  for (const time of ["real", "virtual"] as const) {
    const calls = left.filter(({ cell }) => timeOf(cell, sweep) === time);
    // oxlint-disable-next-line no-await-in-loop -- computing would disturb what keeps time.
    await Promise.all(workers.map((worker) => work(worker, calls)));
  }
  return { done, total, skipped };
}

/**
 * Lets one call at a time come up: threads, processes and code that begin take a processor for a
 * second, which every call would hear if all began at once.
 */
function inTurn(): (start: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (start) => {
    const next = last.then(start, start);
    last = next;
    return next;
  };
}

function keyOf({ cell, repeat }: Pick<CallResult, "cell" | "repeat">): string {
  return `${cell} #${repeat}`;
}

/** What of the cells can be had here, found out by one call for each transport. */
async function availableCells(
  cells: readonly Cell[],
  { workers: [worker], isAborted }: StudyOptions,
): Promise<{ readonly cells: readonly Cell[]; readonly skipped: readonly SkippedTransport[] }> {
  const reasons = new Map<string, string | undefined>();
  for (const cell of cells) {
    const carrier = carrierOf(cell);
    if (reasons.has(carrier) || isAborted()) continue;
    // oxlint-disable-next-line no-await-in-loop -- few, and they would disturb each other.
    reasons.set(carrier, await worker?.whyNot(cell));
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
