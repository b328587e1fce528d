import { isoText, UsageError } from "../environment/index.ts";
import type { AiTransport, CongestionControl } from "../impairment/index.ts";
import {
  type AiFormat,
  analyseStudy,
  checkSweep,
  RESULTS_LINE_VERSION,
  readStudy,
  renderAgainstText,
  renderStudyPage,
  renderStudyText,
  resultsPath,
  runStudy,
  type StoredStudy,
  type StudyAgainst,
  type StudyAnalysis,
  type StudyOutcome,
  type StudyProgress,
  type Sweep,
  studiesBeside,
  timeWords,
} from "../lab/index.ts";
import { hostInfo, NodeFileStore, packageInfo, SystemClock } from "../platform/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { HolWorkers } from "./hol-workers.ts";
import { Interruption } from "./interruption.ts";

/** The study that is wanted; lists and numbers as the user wrote them. */
export interface HolCommandOptions {
  /** One folder, or none: then `hol` among the reports. */
  readonly folders: readonly string[];
  readonly reports: string;
  /** Per cent. */
  readonly loss: string;
  readonly roundTrip: string;
  readonly burst: string;
  readonly transport: string;
  readonly congestion: string;
  readonly preBuffer: string;
  readonly calls: string | undefined;
  readonly turns: string;
  readonly aiFormat: string;
  readonly atOnce: string;
  readonly virtual: boolean;
  readonly visqol: boolean;
  /** Default 1, so that the same command goes on with a study. */
  readonly seed: string | undefined;
  /** The folder of another study that this one is laid beside. */
  readonly against: string | undefined;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly tell: (text: string) => void;
}

const AT_ONCE_MAX = 50;

/**
 * Runs a study of head-of-line blocking, or goes on with the one in the folder, and leaves its lines,
 * its figures and its page there.
 *
 * @returns 0 where every call was placed, 3 where transports that were asked for could not be had,
 *   130 where it was interrupted: what was found by then is left.
 * @throws UsageError ERR_HOL_SWEEP, ERR_HOL_OTHER_STUDY, ERR_HOL_RESULTS_MALFORMED.
 */
export async function hol(options: HolCommandOptions): Promise<number> {
  const { write, tell, json } = options;
  const sweep = sweepOf(options);
  const folder = folderOf(options);
  const concurrency = atOnceOf(options);
  const files = new NodeFileStore();
  const other = await otherStudy(files, options.against);
  const clock = new SystemClock();
  const workers = new HolWorkers(concurrency);
  const interruption = new Interruption(clock, {
    onFirst: () => {
      tell("\nInterrupted: hanging up. What has been found is kept; the same command goes on.");
      void workers.abort();
    },
    onSecond: () => process.exit(EXIT_CODES.interrupted),
  });
  const stopListening = interruption.listen();
  const { node, platform } = hostInfo();
  const header = {
    schema: "sidetone-hol",
    version: RESULTS_LINE_VERSION,
    sidetoneVersion: packageInfo().version,
    node,
    platform,
    startedAt: isoText(clock.wallClockMs()),
    sweep,
  } as const;
  let outcome: StudyOutcome;
  try {
    outcome = await runStudy({
      files,
      folder,
      header,
      workers: await workers.open({ sweep, reportFolder: `${folder}/harness` }),
      isAborted: () => interruption.hasHappened,
      onProgress: (progress) => tell(progressText(progress)),
    });
  } finally {
    await workers.close();
  }
  const study = await readStudy(files, folder);
  if (study !== undefined) {
    const analysis = analyseStudy(study);
    const beside = other === undefined ? undefined : againstOf(other, analysis);
    await files.write(`${folder}/index.html`, renderStudyPage(study, analysis, beside));
    write(
      json
        ? JSON.stringify({ ...jsonOf(analysis), against: beside }, undefined, 2)
        : renderStudyText(study, analysis) +
            (beside === undefined ? "" : renderAgainstText(beside)),
    );
    tell(`${folder}/index.html, ${resultsPath(folder)}`);
  }
  stopListening();
  if (interruption.hasHappened) return EXIT_CODES.interrupted;
  return outcome.skipped.length > 0 ? EXIT_CODES.environment : EXIT_CODES.passed;
}

/** @throws UsageError ERR_HOL_SWEEP where there is none. */
async function otherStudy(
  files: NodeFileStore,
  folder: string | undefined,
): Promise<{ readonly folder: string; readonly study: StoredStudy } | undefined> {
  if (folder === undefined) return undefined;
  const study = await readStudy(files, folder);
  if (study !== undefined) return { folder, study };
  throw unfit(`--against ${folder}: there is no study (${resultsPath(folder)}).`);
}

function againstOf(
  { folder, study }: { readonly folder: string; readonly study: StoredStudy },
  { cells }: StudyAnalysis,
): StudyAgainst {
  const { sweep, sidetoneVersion } = study.header;
  return {
    name: `${folder} (Sidetone ${sidetoneVersion}, ${timeWords(sweep)})`,
    agreements: studiesBeside(cells, analyseStudy(study).cells),
  };
}

/** Maps are no JSON. */
function jsonOf({ cells, comparisons }: ReturnType<typeof analyseStudy>): object {
  return {
    cells: cells.map((each) => ({ ...each, stallCauses: Object.fromEntries(each.stallCauses) })),
    comparisons,
  };
}

function progressText({ done, total, before, skipped, last }: StudyProgress): string {
  if (last !== undefined) {
    const failure = last.failure === undefined ? "" : `: ${last.failure}`;
    return `  ${done} of ${total} calls · ${last.cell}${failure}`;
  }
  const found = before === 0 ? "" : `, ${before} of them there already`;
  const lines = skipped.map(({ transport, reason }) => `Skipped: ${transport}. ${reason}`);
  return [...lines, `${total} calls${found}`].join("\n");
}

/** @throws UsageError ERR_HOL_SWEEP. */
function sweepOf(options: HolCommandOptions): Sweep {
  const sweep: Sweep = {
    lossRatios: numbers("--loss", options.loss).map((percent) => percent / 100),
    roundTripsMs: numbers("--rtt", options.roundTrip),
    burstPackets: numbers("--burst", options.burst),
    // What they name is looked at by `checkSweep`.
    transports: names(options.transport) as AiTransport[],
    congestionControls: names(options.congestion) as CongestionControl[],
    preBuffersMs: numbers("--pre-buffer", options.preBuffer),
    callsPerCell: number("--calls", options.calls ?? "20"),
    turnsPerCall: number("--turns", options.turns),
    aiFormat: options.aiFormat as AiFormat,
    time: options.virtual ? "virtual" : "real",
    visqol: options.visqol,
    seed: options.seed ?? "1",
  };
  checkSweep(sweep);
  return sweep;
}

function names(text: string): string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function numbers(option: string, text: string): number[] {
  return names(text).map((each) => number(option, each));
}

function number(option: string, text: string): number {
  if (/^-?\d+(?:\.\d+)?$/u.test(text)) return Number(text);
  throw unfit(`${option} takes numbers, and got "${text}".`);
}

function folderOf({ folders, reports }: HolCommandOptions): string {
  const [folder = `${reports}/hol`, ...rest] = folders;
  if (rest.length === 0) return folder;
  throw unfit(`A study has one folder, and ${folders.length} were named: ${folders.join(", ")}.`);
}

function atOnceOf({ atOnce }: HolCommandOptions): number {
  const count = number("--at-once", atOnce);
  if (!Number.isInteger(count) || count < 1 || count > AT_ONCE_MAX) {
    throw unfit(`--at-once takes a whole number from 1 to ${AT_ONCE_MAX}, and got "${atOnce}".`);
  }
  return count;
}

function unfit(message: string): UsageError {
  return new UsageError("ERR_HOL_SWEEP", message);
}
