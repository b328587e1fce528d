import { existsSync } from "node:fs";
import { UsageError } from "../environment/index.ts";

/** A line that a feature's path may end with: `features/tools.feature:12`. */
const LINES = /(?::\d+)+$/u;
const GLOB = /[*?{}[\]!()]/u;

/**
 * Cucumber takes a path that leads nowhere for a folder without scenarios, and a missing step file
 * for none at all. A misspelt path must not look like that.
 *
 * @throws UsageError ERR_FILE_MISSING.
 */
export function requirePaths(
  paths: readonly string[],
  kind: "features" | "step file" | "module of tools",
): void {
  for (const path of paths) {
    // `@rerun.txt` lists features; cucumber itself complains where it is missing.
    const file = path.startsWith("@") ? path.slice(1) : path.replace(LINES, "");
    if (existsSync(file) || GLOB.test(file)) continue;
    throw new UsageError(
      "ERR_FILE_MISSING",
      `There is no ${kind === "features" ? "feature file or folder" : kind} at ${file}. Paths count from ${process.cwd()}.`,
      { context: { path: file } },
    );
  }
}
