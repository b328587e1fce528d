import type { FileStore } from "../environment/index.ts";
import type { CallRecord } from "../measure/index.ts";
import { CALL_FILES } from "../timeline/index.ts";
import { type PageOptions, renderPage } from "./html/page.ts";
import { renderLadderFile } from "./ladder/ladder-file.ts";
import { renderResults } from "./results-json.ts";
import type { RunSummary } from "./run-summary.ts";

/** Where the outputs went. */
export interface ReportPaths {
  readonly page: string;
  readonly results: string;
}

/**
 * Writes `results.json` and `index.html` to a folder that holds (or will hold) the call folders
 * in `calls/`, and to each of those its ladder.
 *
 * @param records the calls' facts and recordings; calls without one are shown by their figures.
 */
export async function writeReport(
  files: FileStore,
  folder: string,
  report: { readonly run: RunSummary; readonly records: readonly CallRecord[] },
  options: PageOptions = {},
): Promise<ReportPaths> {
  const paths = { page: `${folder}/index.html`, results: `${folder}/results.json` };
  await files.write(paths.results, renderResults(report.run));
  await files.write(paths.page, renderPage(report.run, report.records, options));
  for (const { description, facts } of report.records) {
    const ladder = renderLadderFile(facts);
    if (ladder === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- a thousand files at once would be too many.
    await files.write(`${folder}/calls/${description.id}/${CALL_FILES.ladder}`, ladder);
  }
  return paths;
}
