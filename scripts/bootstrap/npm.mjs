import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BootstrapFailure, EXIT_ENVIRONMENT } from "./failure.mjs";

const KEPT_STDERR_CHARS = 20_000;

/**
 * Runs npm, shows what it prints on our stderr (stdout belongs to the command that follows), and
 * keeps the end of its own stderr.
 *
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<{ exitCode: number, stderr: string }>}
 */
export function runNpm(args, cwd) {
  const npm = npmProgram();
  const child = spawn(npm.command, [...npm.args, ...args], {
    cwd,
    stdio: ["ignore", 2, "pipe"],
    shell: npm.shell,
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    process.stderr.write(text);
    stderr = (stderr + text).slice(-KEPT_STDERR_CHARS);
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      const reason = `npm could not be started (${error.message}). It comes with Node; put it on the PATH.`;
      reject(new BootstrapFailure(reason, EXIT_ENVIRONMENT));
    });
    child.once("close", (code) => resolve({ exitCode: code ?? 1, stderr }));
  });
}

/**
 * The npm that runs us; else the one beside this Node, so that the two fit; else that on the PATH.
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
function npmProgram() {
  const runningNpm = process.env["npm_execpath"] ?? "";
  const nodeFolder = dirname(process.execPath);
  const script = [
    basename(runningNpm) === "npm-cli.js" ? runningNpm : "",
    join(nodeFolder, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(nodeFolder, "node_modules", "npm", "bin", "npm-cli.js"),
  ].find((path) => path !== "" && existsSync(path));
  if (script !== undefined) return { command: process.execPath, args: [script], shell: false };
  return { command: "npm", args: [], shell: process.platform === "win32" };
}
