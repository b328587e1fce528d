// Completes package-lock.json: node scripts/complete-lockfile.mjs [folder]
//
// Compilers and linters come as one optional package per platform. When a registry does not carry
// some of them, `npm install` leaves them out of the lockfile without a word, and `npm ci` then
// refuses that lockfile everywhere. This adds each missing one with its exact version and its
// platform, read from its name, so that npm skips it on other platforms and finds it on its own.
// An added entry has no integrity hash; an `npm install` against a full registry fills it in.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SYSTEMS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const PROCESSORS = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)\b/;
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/**
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[],
 *   libc?: string[], optionalDependencies?: Record<string, string> }} LockedPackage
 */

const path = join(process.argv[2] ?? ".", "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
/** @type {Record<string, LockedPackage>} */
const packages = lock.packages;
const added = [];

for (const [parent, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isPresent(parent, name)) continue;
    if (!EXACT_VERSION.test(version)) throw new Error(`${name} ${version}: not one version.`);
    packages[`node_modules/${name}`] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...platformOf(name),
    };
    added.push(name);
  }
}

const sorted = Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added.length} added${added.length === 0 ? "" : `:\n  ${added.join("\n  ")}`}`);

/**
 * Whether the lockfile has what `parent` would find under `name`: in its own node_modules or above.
 * @param {string} parent
 * @param {string} name
 * @returns {boolean}
 */
function isPresent(parent, name) {
  if (`${parent === "" ? "" : `${parent}/`}node_modules/${name}` in packages) return true;
  return (
    parent !== "" &&
    isPresent(parent.slice(0, Math.max(0, parent.lastIndexOf("node_modules/") - 1)), name)
  );
}

/** @param {string} name */
function platformOf(name) {
  const os = SYSTEMS.exec(name)?.[1];
  const cpu = PROCESSORS.exec(name)?.[1];
  if (os === undefined || cpu === undefined) throw new Error(`${name} names no platform.`);
  const libc = name.includes("musl") ? ["musl"] : name.includes("-gnu") ? ["glibc"] : undefined;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc }) };
}
