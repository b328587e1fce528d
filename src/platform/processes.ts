import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Channel } from "../environment/index.ts";

/** A child process that speaks the same messages as a thread, and what it costs. */
export interface ProcessChannel extends Channel {
  /** `undefined` where the process could not be started. */
  readonly pid: number | undefined;
  /** CPU time that the process has used, user and system; `undefined` where the host hides it. */
  cpuMs(): number | undefined;
}

/** How a process is started. */
export interface ProcessOptions {
  /**
   * The command that runs a module, which is put behind it; default: this Node. A program before
   * Node must become it (exec), as `ip netns exec` does: the channel is an inherited descriptor.
   */
  readonly command?: readonly string[];
}

/** Clock ticks per second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Starts a process that runs the module at `entry`; for work that must be measured apart. */
export function startProcess(entry: URL, options: ProcessOptions = {}): ProcessChannel {
  const [program = process.execPath, ...before] = options.command ?? [];
  const child = spawn(program, [...before, fileURLToPath(entry)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  const channel: ProcessChannel = {
    pid: child.pid,
    onMessage: undefined,
    onGone: undefined,
    post: (message) => {
      // A process that has gone is told by `onGone`; what is sent to it meanwhile is lost.
      if (child.connected) child.send(message as object);
    },
    terminate: () =>
      new Promise((resolve) => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
          resolve();
          return;
        }
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
    cpuMs: () => cpuMsOf(child.pid),
  };
  child.on("message", (message) => channel.onMessage?.(message));
  child.on("exit", () => channel.onGone?.(undefined));
  child.on("error", (error) => channel.onGone?.(error));
  return channel;
}

/** The channel to the process that started this one. */
export function parentProcessChannel(): Channel {
  const channel: Channel = {
    onMessage: undefined,
    onGone: undefined,
    post: (message) => {
      process.send?.(message);
    },
    terminate: () => {
      process.disconnect();
      return Promise.resolve();
    },
  };
  process.on("message", (message) => channel.onMessage?.(message));
  process.on("disconnect", () => channel.onGone?.(undefined));
  return channel;
}

function cpuMsOf(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields 14 and 15 (utime, stime), counted after the command's closing bracket: proc(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
  } catch {
    // Not a Linux host.
    return undefined;
  }
}
