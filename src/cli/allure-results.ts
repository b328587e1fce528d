import { join } from "node:path";
import type { FileStore } from "../environment/index.ts";

interface AllureResult {
  readonly status?: string;
  readonly steps?: readonly { readonly status?: string }[];
}

/**
 * For allure-cucumberjs a scenario has passed when its first steps passed and the rest was skipped,
 * as after Ctrl-C. Such a one proves nothing, so it becomes "skipped".
 */
export async function correctAllureResults(files: FileStore, folder: string): Promise<void> {
  const names = await files.list(folder);
  await Promise.all(
    names
      .filter((name) => name.endsWith("-result.json"))
      .map((name) => correct(files, join(folder, name))),
  );
}

async function correct(files: FileStore, path: string): Promise<void> {
  const result = JSON.parse(await files.readText(path)) as AllureResult;
  const isCutShort = result.steps?.some(({ status }) => status === "skipped") ?? false;
  if (result.status !== "passed" || !isCutShort) return;
  await files.write(path, JSON.stringify({ ...result, status: "skipped" }));
}
