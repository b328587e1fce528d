import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BootstrapFailure, EXIT_ENVIRONMENT, say } from "./failure.mjs";
import { runNpm } from "./npm.mjs";

const QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
/** Development dependencies are needed (the compiler); install scripts of packages are not. */
const WHAT = ["--include=dev", "--ignore-scripts", "--prefer-offline"];
const NETWORK_TROUBLE =
  /E(AI_AGAIN|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT|TIMEOUT)|network/;

/**
 * Installs what package-lock.json says with `npm ci`, unless it is installed already.
 * @param {string} root
 */
export async function ensureInstalled(root) {
  if (await isInstalled(root)) return;
  say("installing the dependencies that package-lock.json names (npm ci) …");
  const { exitCode, stderr } = await runNpm(["ci", ...QUIET, ...WHAT], root);
  if (exitCode !== 0) throw installFailure(exitCode, stderr);
  if (!(await isInstalled(root))) {
    throw new BootstrapFailure(
      "npm ci ended without an error, but node_modules does not hold what package-lock.json " +
        "names. Delete node_modules, run `npm ci --include=dev` and look at what it prints.",
      EXIT_ENVIRONMENT,
    );
  }
}

/**
 * Compares package-lock.json with npm's own list of what it installed, which npm writes last: an
 * interrupted installation has none. Optional packages are for other platforms and may be missing.
 *
 * @param {string} root
 * @returns {Promise<boolean>}
 */
async function isInstalled(root) {
  const wanted = await packagesOf(join(root, "package-lock.json"));
  if (wanted === undefined) {
    throw new BootstrapFailure(
      `${join(root, "package-lock.json")} is missing or not JSON; restore it (git checkout package-lock.json).`,
      EXIT_ENVIRONMENT,
    );
  }
  const present = (await packagesOf(join(root, "node_modules", ".package-lock.json"))) ?? {};
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry === undefined) return true;
    const installed = present[path];
    if (installed === undefined) return entry.optional === true;
    return installed.version === entry.version && installed.integrity === entry.integrity;
  });
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage
 * @param {string} path
 * @returns {Promise<Partial<Record<string, LockedPackage>> | undefined>}
 */
async function packagesOf(path) {
  try {
    return JSON.parse(await readFile(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {number} exitCode
 * @param {string} stderr
 */
function installFailure(exitCode, stderr) {
  const advice = NETWORK_TROUBLE.test(stderr)
    ? "The npm registry could not be reached. The first start needs it once, later ones do not. " +
      "Check the connection, `npm config get registry`, and behind a proxy HTTPS_PROXY."
    : "What npm printed above says why.";
  return new BootstrapFailure(
    `the dependencies were not installed: npm ci ended with exit code ${exitCode}. ${advice}`,
    EXIT_ENVIRONMENT,
  );
}
