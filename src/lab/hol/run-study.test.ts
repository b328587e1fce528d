import { describe, expect, it } from "vitest";
import { MemoryFiles } from "../../../test/unit/report/memory-files.ts";
import { EnvironmentError } from "../../environment/index.ts";
import { type CallResult, failedCall } from "./call-result.ts";
import { RESULTS_LINE_VERSION, readStudy, type StudyHeader } from "./results-file.ts";
import { runStudy } from "./run-study.ts";
import type { StudyWorking } from "./study-worker.ts";
import type { PlannedCall, Sweep } from "./sweep.ts";

const SWEEP: Sweep = {
  lossRatios: [0.01],
  roundTripsMs: [20],
  burstPackets: [1],
  transports: ["tcp-kernel", "tcp-modelled", "udp"],
  congestionControls: ["cubic"],
  preBuffersMs: [0],
  callsPerCell: 2,
  turnsPerCall: 5,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "7",
};

/** Workers that do nothing but note what they are told. */
class FakeWorkers {
  readonly log: string[] = [];
  change: (result: CallResult) => CallResult = (result) => result;
  #starting = 0;
  startingMax = 0;

  make(name: string): StudyWorking {
    let current: PlannedCall | undefined;
    return {
      whyNot: ({ transport }) => Promise.resolve(transport === "udp" ? "no UDP today" : undefined),
      start: async (call) => {
        this.#starting += 1;
        this.startingMax = Math.max(this.startingMax, this.#starting);
        await Promise.resolve();
        this.#starting -= 1;
        current = call;
        this.log.push(`${name} ${call.cell.transport} ${call.repeat}`);
      },
      finish: async () => {
        await Promise.resolve();
        if (current === undefined) throw new Error("nothing was started");
        return this.change(failedCall(current, "ERR_TEST"));
      },
    };
  }
}

async function run(
  files: MemoryFiles,
  workers: readonly StudyWorking[],
  isAborted: () => boolean = () => false,
): Promise<CallResult[]> {
  const header: Omit<StudyHeader, "skipped"> = {
    schema: "sidetone-hol",
    version: RESULTS_LINE_VERSION,
    sidetoneVersion: "0",
    node: "0",
    platform: "test",
    startedAt: "2026-01-01T00:00:00.000Z",
    sweep: SWEEP,
  };
  const { skipped } = await runStudy({ files, folder: "study", header, workers, isAborted });
  expect(skipped).toEqual([{ transport: "udp", reason: "no UDP today" }]);
  return [...((await readStudy(files, "study"))?.results ?? [])];
}

describe("a study", () => {
  it("is shared among its workers: first what is in real time, which begins one by one", async () => {
    const fake = new FakeWorkers();
    const results = await run(new MemoryFiles(), [fake.make("a"), fake.make("b")]);
    expect(results).toHaveLength(4);
    expect(fake.log.map((line) => line.slice(2))).toEqual([
      "tcp-kernel 0",
      "tcp-kernel 1",
      "tcp-modelled 0",
      "tcp-modelled 1",
    ]);
    expect(new Set(fake.log.map((line) => line[0]))).toEqual(new Set(["a", "b"]));
    // In virtual time nobody is disturbed.
    expect(fake.startingMax).toBe(2);
  });

  it("places a call again in which the machine did not keep time, and only that", async () => {
    const files = new MemoryFiles();
    const fake = new FakeWorkers();
    fake.change = (result) => ({
      ...result,
      isUnhealthy: result.cell.startsWith("tcp-kernel") && result.repeat === 1,
    });
    await run(files, [fake.make("a")]);
    fake.change = (result) => result;
    fake.log.length = 0;
    const results = await run(files, [fake.make("a")]);
    expect(fake.log).toEqual(["a tcp-kernel 1"]);
    expect(results).toHaveLength(5);
    fake.log.length = 0;
    await run(files, [fake.make("a")]);
    expect(fake.log).toEqual([]);
  });

  it("drops what is under way when it is aborted, be it by a worker's end", async () => {
    let isAborted = false;
    const gone: StudyWorking = {
      ...new FakeWorkers().make("a"),
      finish: () => {
        isAborted = true;
        return Promise.reject(new EnvironmentError("ERR_THREAD_ENDED", "gone"));
      },
    };
    expect(await run(new MemoryFiles(), [gone], () => isAborted)).toEqual([]);
  });

  it("fails where a worker ends by itself", async () => {
    const gone: StudyWorking = {
      ...new FakeWorkers().make("a"),
      finish: () => Promise.reject(new EnvironmentError("ERR_THREAD_ENDED", "gone")),
    };
    await expect(run(new MemoryFiles(), [gone])).rejects.toThrow("gone");
  });
});
