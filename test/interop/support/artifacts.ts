import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Harness, WatchedCall } from "../../../src/index.ts";
import { measureCall } from "../../../src/measure/index.ts";
import { NodeFileStore } from "../../../src/platform/index.ts";
import { readCallFolder, writeReport } from "../../../src/report/index.ts";

/**
 * Leaves all that a run of this one call would leave: its folder, with timeline, capture and ladder,
 * the page and the results.
 * @returns the contents of each file, by its path below the run's folder.
 */
export async function artifactsOf(
  harness: Harness,
  call: WatchedCall,
): Promise<ReadonlyMap<string, string>> {
  const { reportFolder } = harness;
  await harness.leave(call);
  const files = new NodeFileStore();
  const record = await readCallFolder(files, join(reportFolder, "calls", call.id));
  const { description } = record;
  await writeReport(files, reportFolder, {
    run: {
      runId: "run",
      startedAt: description.startedAt,
      durationMs: 1000,
      seed: description.seed,
      versions: {},
      environment: {},
      scenarios: [],
      calls: [{ id: call.id, description, metrics: measureCall(record) }],
    },
    records: [record],
  });
  const paths = await readdir(reportFolder, { recursive: true, withFileTypes: true });
  const texts = paths
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const text = (await readFile(path)).toString("latin1");
      return [path.slice(reportFolder.length + 1), text] as const;
    });
  return new Map(await Promise.all(texts));
}
