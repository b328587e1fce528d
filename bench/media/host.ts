/** What the host says of processes and of itself: Linux's /proc, and nothing where there is none. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { delimiter } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Clock ticks per second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const STOP_LIMIT_MS = 3000;

/** CPU time that a process and its threads have used, user and system. */
export function cpuMsOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  // Fields 14 and 15 (utime, stime), counted after the command's closing bracket: proc(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** CPU time of a process by its threads: the one that runs our code, and the host's helpers. */
export interface ThreadTimes {
  readonly mainMs: number;
  /** The part of it that the kernel worked. */
  readonly mainSystemMs: number;
  /** Compiler, garbage collector, thread pool. */
  readonly othersMs: number;
}

/** By /proc/PID/task/TID/schedstat, which counts nanoseconds; the kernel's part in ticks. */
export function threadTimesOf(pid: number): ThreadTimes {
  let othersMs = 0;
  for (const thread of threadsOf(pid)) {
    if (thread !== String(pid)) othersMs += runMsOf(pid, thread);
  }
  const stat = read(`/proc/${pid}/task/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const mainSystemMs = (Number(fields[12]) * 1000) / TICKS_PER_SECOND;
  return { mainMs: runMsOf(pid, String(pid)), mainSystemMs, othersMs };
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function runMsOf(pid: number, thread: string): number {
  const [nanoseconds] = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ");
  return Number(nanoseconds) / 1e6;
}

/** How long the thread that runs our code was ready to run and waited for a processor (schedstat). */
export function processorWaitMsOf(pid: number | undefined): number {
  const [, nanoseconds] = read(`/proc/${pid}/task/${pid}/schedstat`).split(" ");
  return Number(nanoseconds ?? Number.NaN) / 1e6;
}

/** Memory of a process that is in RAM. */
export function residentBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) * 1024;
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
}

/** How busy this machine is, for the head of a section. */
export function machineLoad(): string {
  const [one = 0, five = 0] = loadavg();
  return `${cpus().length} cores, load ${one.toFixed(2)} (1 min) ${five.toFixed(2)} (5 min)`;
}

/**
 * Watches how much processor time the hypervisor gave to other guests. Jitter measured meanwhile is
 * mostly theirs: a thread that is not run for 50 ms sends no packet.
 */
export function watchStolenTime(): () => string {
  const before = processorTime();
  return () => {
    const after = processorTime();
    const total = after.total - before.total;
    if (!(total > 0)) return "stolen by other guests of the host: not known here";
    const percent = (100 * (after.stolen - before.stolen)) / total;
    return `stolen by other guests of the host: ${percent.toFixed(1)} % of the processor time`;
  };
}

/** What all programs together, and the kernel, have used of the processors. */
export function busyMs(): number {
  const { total, idle, stolen } = processorTime();
  return ((total - idle - stolen) * 1000) / TICKS_PER_SECOND;
}

/** The first line of /proc/stat: proc(5); figures 4 and 5 are idle, the eighth is steal. */
function processorTime(): {
  readonly total: number;
  readonly idle: number;
  readonly stolen: number;
} {
  const figures = (/^cpu +(.*)$/mu.exec(read("/proc/stat"))?.[1] ?? "").split(" ").map(Number);
  const total = figures.slice(0, 8).reduce((sum, each) => sum + each, 0);
  const idle = (figures[3] ?? Number.NaN) + (figures[4] ?? Number.NaN);
  return { total, idle, stolen: figures[7] ?? Number.NaN };
}

/** Why a program cannot be a peer here; `undefined` where it can. */
export function missing(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const isThere = folders.some((folder) => {
    try {
      return readdirSync(folder).includes(program);
    } catch {
      return false;
    }
  });
  return isThere ? undefined : `${program} is not installed`;
}

const running = new Set<Program>();
process.once("exit", () => {
  for (const program of running) program.signal("SIGKILL");
});

/** Another program, ended with us. */
export class Program {
  readonly pid: number;
  readonly #child: ChildProcess;

  /** @param cwd where it may leave files. */
  constructor(program: string, args: readonly string[], cwd: string) {
    // Programs with a menu end where their standard input does, so it is kept open.
    this.#child = spawn(program, args, { cwd, stdio: ["pipe", "ignore", "ignore"] });
    this.#child.on("error", () => undefined);
    this.#child.stdin?.on("error", () => undefined);
    this.pid = this.#child.pid ?? 0;
    running.add(this);
    this.#child.once("exit", () => running.delete(this));
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  cpuMs(): number {
    return cpuMsOf(this.pid);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for its end; kills it after `limitMs`. */
  async end(limitMs: number = STOP_LIMIT_MS): Promise<void> {
    const limit = performance.now() + limitMs;
    while (!this.hasEnded && performance.now() < limit) await delay(20);
    if (!this.hasEnded) this.#child.kill("SIGKILL");
    while (!this.hasEnded) await delay(5);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
