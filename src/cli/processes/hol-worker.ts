/**
 * The body of a process that carries the calls of a study out, one after another: a process that
 * starts threads and others holds up all that runs in it, which no other call shall hear.
 */
import { RemoteProcedures, serveProcedures } from "../../call/index.ts";
import { abortAllHarnesses, openHarness, scriptPath } from "../../index.ts";
import {
  type CallResult,
  type Cell,
  type PlannedCall,
  StudyWorker,
  type Sweep,
} from "../../lab/index.ts";
import { compiledModule, parentProcessChannel, startThread } from "../../platform/index.ts";
import type { MeasureProcedures } from "../threads/measure-thread.ts";

/** What such a process is asked. `open` comes first. */
export type HolWorkerProcedures = {
  readonly open: (options: HolWorkerOptions) => void;
  readonly whyNot: (cell: Cell) => Promise<string | undefined>;
  readonly start: (call: PlannedCall) => Promise<void>;
  readonly finish: (nothing: undefined) => Promise<CallResult>;
  /** Hangs up, and begins nothing any more. */
  readonly abort: (nothing: undefined) => Promise<void>;
  readonly close: (nothing: undefined) => Promise<void>;
};

export interface HolWorkerOptions {
  readonly sweep: Sweep;
  readonly reportFolder: string;
}

let worker: StudyWorker | undefined;

const channel = parentProcessChannel();
serveProcedures(channel, {
  open: ({ sweep, reportFolder }: HolWorkerOptions): void => {
    const measuring = new RemoteProcedures<MeasureProcedures, never>(
      startThread(compiledModule("src/cli/threads/measure-thread.js"), { visqol: sweep.visqol }),
    );
    worker = new StudyWorker({
      sweep,
      openHarness: (seed, time) => openHarness({ seed, virtual: time === "virtual", reportFolder }),
      measure: (record) => measuring.call("measure", record),
      scriptPath: scriptPath("head-of-line"),
    });
  },
  whyNot: (cell: Cell) => opened().whyNot(cell),
  start: (call: PlannedCall) => opened().start(call),
  finish: () => opened().finish(),
  abort: abortAllHarnesses,
  close: () => opened().close(),
});
// Whoever wanted the calls has gone.
channel.onGone = () => void abortAllHarnesses().finally(() => process.exit());

function opened(): StudyWorker {
  if (worker === undefined) throw new Error("Bug: the worker is used before it is open.");
  return worker;
}
