import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Why a test cannot run here, or `undefined` when it can. A test shows the reason where it is
 * skipped: `` describe.skipIf(reason !== undefined)(`SIPp${because(reason)}`, …) ``.
 */
export function missingReason(
  programs: readonly string[],
  { root = false, files = [] }: { root?: boolean; files?: readonly string[] } = {},
): string | undefined {
  const missing = [
    ...programs.filter((name) => programPath(name) === undefined),
    ...files.filter((file) => !existsSync(file)),
  ];
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  if (root && process.getuid?.() !== 0) return "needs root";
  return undefined;
}

/** Why this kernel does not do `tc netem`, in its own words; asked in a namespace of its own. */
export function netemMissing(): string | undefined {
  const command = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem"];
  const [program = "", ...args] = command;
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? undefined : `no netem in this kernel: ${stderr.trim()}`;
}

/** The end of a test's title that says why it is skipped; empty when it is not. */
export function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}

/** Where a program is, or `undefined` when it is not installed. */
function programPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
