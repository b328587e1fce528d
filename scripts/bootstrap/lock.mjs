import { mkdir, readFile, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { BootstrapFailure, EXIT_ENVIRONMENT, say } from "./failure.mjs";

const POLL_MS = 100;
/** Longer than an installation over a slow line takes. */
const WAIT_LIMIT_MS = 15 * 60_000;
/** A take-over is two file operations; one that lasts this long was killed between them. */
const TAKE_OVER_LIMIT_MS = 10_000;

/**
 * Runs `action` while holding the lock file `path`, so that two starts in one checkout do not
 * install or build at the same time. A lock whose owner is gone is taken over. Where the folder
 * cannot be written at all, nothing can be prepared either: the action runs without a lock.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(path, action) {
  if (!(await acquire(path))) return action();
  try {
    return await action();
  } finally {
    await unlink(path);
  }
}

/**
 * @param {string} path
 * @returns {Promise<boolean>} False when the folder is read-only.
 */
async function acquire(path) {
  const giveUpAt = performance.now() + WAIT_LIMIT_MS;
  let hasTold = false;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (isCode(error, "EROFS", "EACCES", "EPERM")) return false;
      if (!isCode(error, "EEXIST")) throw error;
    }
    if (await isAbandoned(path)) {
      await takeOver(path);
      continue;
    }
    if (performance.now() > giveUpAt) throw stuck(path);
    if (!hasTold) say("another start is preparing this folder; waiting for it.");
    hasTold = true;
    await delay(POLL_MS);
  }
}

/**
 * Whether the process that wrote the lock is gone. Empty means that it has only just been made.
 * @param {string} path
 */
async function isAbandoned(path) {
  const owner = Number(await readFile(path, "utf8").catch(() => ""));
  if (!Number.isInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return isCode(error, "ESRCH");
  }
}

/**
 * Removes an abandoned lock. Of several that want to, only one may look and delete at a time:
 * otherwise the slower one would delete the new owner's lock.
 * @param {string} path
 */
async function takeOver(path) {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch {
    const guardStat = await stat(guard).catch(() => undefined);
    const isOld = guardStat !== undefined && Date.now() - guardStat.mtimeMs > TAKE_OVER_LIMIT_MS;
    if (isOld) await rmdir(guard).catch(() => undefined);
    await delay(POLL_MS);
    return;
  }
  try {
    if (await isAbandoned(path)) await unlink(path);
  } finally {
    await rmdir(guard);
  }
}

/** @param {string} path */
function stuck(path) {
  return new BootstrapFailure(
    `another start has held ${path} for a quarter of an hour. ` +
      "If no other `npm start` or `npm test` runs here, delete that file and try again.",
    EXIT_ENVIRONMENT,
  );
}

/**
 * @param {unknown} error
 * @param {...string} codes
 */
function isCode(error, ...codes) {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
