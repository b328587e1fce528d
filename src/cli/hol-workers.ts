import { RemoteProcedures } from "../call/index.ts";
import type { StudyWorking } from "../lab/index.ts";
import { compiledModule, startProcess } from "../platform/index.ts";
import type { HolWorkerOptions, HolWorkerProcedures } from "./processes/hol-worker.ts";

/** Processes that carry a study's calls out, each one call at a time. */
export class HolWorkers {
  readonly #links: readonly RemoteProcedures<HolWorkerProcedures, never>[];

  constructor(count: number) {
    const entry = compiledModule("src/cli/processes/hol-worker.js");
    this.#links = Array.from({ length: count }, () => new RemoteProcedures(startProcess(entry)));
  }

  async open(options: HolWorkerOptions): Promise<readonly StudyWorking[]> {
    await Promise.all(this.#links.map((link) => link.call("open", options)));
    return this.#links.map((link) => ({
      whyNot: (cell) => link.call("whyNot", cell),
      start: (call) => link.call("start", call),
      finish: () => link.call("finish", undefined),
    }));
  }

  /** Hangs up what is up; nothing new begins. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#links.map((link) => link.call("abort", undefined)));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#links.map((link) => link.call("close", undefined)));
    await Promise.all(this.#links.map((link) => link.terminate()));
  }
}
