import { pathToFileURL } from "node:url";
import { errorText, UsageError } from "../environment/index.ts";

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
