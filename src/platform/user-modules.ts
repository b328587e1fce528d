import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { EnvironmentError, errorText, UsageError } from "../environment/index.ts";

/**
 * Loads a module of the user's and gives its exports.
 * @throws UsageError ERR_MODULE_FAILED: there is none, or it threw while it was loaded.
 */
export async function loadUserModule(path: string): Promise<unknown> {
  try {
    return (await import(pathToFileURL(path).href)) as unknown;
  } catch (cause) {
    throw new UsageError("ERR_MODULE_FAILED", `${path} could not be loaded: ${errorText(cause)}`, {
      context: { path },
      cause,
    });
  }
}

/**
 * Loads a package that the user has installed beside their project, which is none of our
 * dependencies.
 * @param folder where to look for it first; its parents come next.
 * @throws EnvironmentError ERR_PACKAGE_MISSING, saying how to install it.
 */
export function loadUserPackage(name: string, folder: string = process.cwd()): unknown {
  try {
    return createRequire(join(folder, "package.json"))(name) as unknown;
  } catch (cause) {
    throw new EnvironmentError(
      "ERR_PACKAGE_MISSING",
      `The package ${name} could not be loaded from ${folder}: ${firstLine(errorText(cause))} Install it there: npm install ${name}.`,
      { context: { name, folder }, cause },
    );
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
