import { lstat, mkdir, rename, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Makes a folder for a run. Runs that begin in the same second get folders of their own: `name`,
 * `name-2`, …
 */
export async function claimRunFolder(
  reports: string,
  name: string,
): Promise<{ readonly runId: string; readonly folder: string }> {
  await mkdir(reports, { recursive: true });
  for (let count = 1; ; count += 1) {
    const runId = count === 1 ? name : `${name}-${count}`;
    const folder = join(reports, runId);
    // oxlint-disable-next-line no-await-in-loop -- the next name is tried only where this is taken.
    if (await isNewFolder(folder)) return { runId, folder };
  }
}

/**
 * Makes `latest` beside the run's folder lead to it. Only a link is ever replaced: a folder of that
 * name holds somebody's results.
 *
 * @returns why `latest` does not lead there, where it does not.
 */
export async function pointLatestTo(folder: string): Promise<string | undefined> {
  const latest = join(dirname(folder), "latest");
  const present = await lstat(latest).catch(() => undefined);
  if (present !== undefined && !present.isSymbolicLink()) {
    return `${latest} is not a link but something of your own, so it was left as it is.`;
  }
  try {
    // Renamed into place: whoever follows the link meanwhile finds either run, never nothing.
    const fresh = `${folder}.latest`;
    await symlink(basename(folder), fresh);
    await rename(fresh, latest);
  } catch {
    return `${latest} could not be linked to this run; this host may not allow symbolic links.`;
  }
  return undefined;
}

async function isNewFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
