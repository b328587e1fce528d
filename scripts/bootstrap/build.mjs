import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runNode } from "./child.mjs";
import { BootstrapFailure, EXIT_ENVIRONMENT, say } from "./failure.mjs";

const SOURCE_FOLDERS = ["src", "steps", "bench"];
const SETTINGS = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"];
const STAMP = ".sources-sha256";
const SOURCE_END = /(?<!\.d)\.ts$/;
const OUTPUT_END = /\.(js|d\.ts)(\.map)?$/;

/**
 * Compiles the sources to dist/ unless dist/ was made from exactly these sources. Their content
 * decides, not their times: a git checkout sets times at will.
 *
 * @param {string} root
 */
export async function ensureBuilt(root) {
  const dist = join(root, "dist");
  const stampPath = join(dist, STAMP);
  const wanted = await hashSources(root);
  const present = await readFile(stampPath, "utf8").catch(() => undefined);
  if (present === wanted) return;

  say("compiling …");
  await rm(stampPath, { force: true });
  await removeOrphans(root);
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const exitCode = await runNode([compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    stdout: 2,
  });
  if (exitCode !== 0) {
    throw new BootstrapFailure(
      `the sources do not compile (tsc ended with exit code ${exitCode}); see above.`,
      EXIT_ENVIRONMENT,
    );
  }
  await mkdir(dist, { recursive: true });
  await writeFile(stampPath, wanted);
}

/**
 * One hash of every file that decides what dist/ holds. Tests are not compiled into it.
 * @param {string} root
 * @returns {Promise<string>}
 */
async function hashSources(root) {
  const hash = createHash("sha256");
  const paths = [...SETTINGS];
  for (const folder of SOURCE_FOLDERS) paths.push(...(await filesIn(root, folder)));
  for (const path of paths) {
    if (path.endsWith(".test.ts")) continue;
    const content = await readFile(join(root, path)).catch(() => Buffer.alloc(0));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * Removes compiled files whose source is gone. The compiler leaves them, and a forgotten step file
 * would still be loaded by cucumber.
 *
 * @param {string} root
 */
async function removeOrphans(root) {
  for (const folder of SOURCE_FOLDERS) {
    for (const output of await filesIn(join(root, "dist"), folder)) {
      if (!OUTPUT_END.test(output)) continue;
      const source = join(root, output.replace(OUTPUT_END, ".ts"));
      if (!existsSync(source)) await rm(join(root, "dist", output), { force: true });
    }
  }
}

/**
 * The files below `root/folder`, relative to `root`, in one order everywhere.
 * @param {string} root
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
async function filesIn(root, folder) {
  const top = join(root, folder);
  const entries = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((path) => SOURCE_END.test(path) || OUTPUT_END.test(path))
    .toSorted();
}
