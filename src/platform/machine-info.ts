import { homedir, hostname } from "node:os";
import { join } from "node:path";

/** The name of this host. */
export function hostName(): string {
  return hostname();
}

/** Where programs keep what can be made again (XDG Base Directory Specification). */
export function cacheFolder(): string {
  const chosen = process.env["XDG_CACHE_HOME"] ?? "";
  return chosen.startsWith("/") ? chosen : join(homedir(), ".cache");
}
