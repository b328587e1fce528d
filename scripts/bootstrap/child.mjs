import { spawn } from "node:child_process";
import { constants } from "node:os";

const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * One Ctrl-C can arrive twice: from the terminal (which signals the whole foreground group) and
 * from npm (which forwards it). What comes within this time of the last one counts as the same.
 */
const SAME_SIGNAL_MS = 500;

/**
 * Runs a Node program with our own stdin, stdout and stderr and waits for it to end. A signal to us
 * is passed on, and we go on waiting: the child must be able to hang up its calls and write its
 * report.
 *
 * @param {readonly string[]} args Node's options, the program and its arguments.
 * @param {{ cwd: string, stdout?: "inherit" | 2 }} options 2 sends stdout to our stderr.
 * @returns {Promise<number>} The exit code; 128 + n when signal n ended it.
 */
export function runNode(args, { cwd, stdout = "inherit" }) {
  const child = spawn(process.execPath, args, { cwd, stdio: ["inherit", stdout, "inherit"] });
  const stopForwarding = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      stopForwarding();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      stopForwarding();
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void} Stops forwarding.
 */
function forwardSignals(child) {
  let lastAt = -Infinity;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    const now = performance.now();
    if (now - lastAt >= SAME_SIGNAL_MS) child.kill(signal);
    lastAt = now;
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}
