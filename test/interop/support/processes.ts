import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Namespace } from "./namespaces.ts";

const TERM_LIMIT_MS = 2000;
/** What a failure shows of a program's output. */
const SHOWN_OUTPUT_CHARS = 2000;

/** What to run, and where. */
export interface ProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The network namespace to run in; the host's own when left out. */
  readonly namespace?: Namespace;
}

/** How a program ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A foreign program with its output captured. It is its own process group, and everything in that
 * group ends with `stop()`, and at the latest with this process: no test leaves a program behind.
 */
export class LoggedProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<ProcessEnd>;
  readonly #listeners = new Set<() => void>();
  #end: ProcessEnd | undefined;
  #output = "";

  static start(options: ProcessOptions): LoggedProcess {
    return new LoggedProcess(options);
  }

  private constructor({ program, args, cwd, env, namespace }: ProcessOptions) {
    const command = namespace?.command(program, args) ?? { program, args };
    this.#name = program;
    this.#child = spawn(command.program, command.args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: "pipe",
      detached: true,
    });
    running.add(this);
    this.#ended = this.#watch();
  }

  /** Standard output and error so far, in the order in which they came. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /**
   * Waits until the output, from its very beginning, matches.
   * @throws Error when the time is over or the program has ended before; with the output's end.
   */
  async waitForOutput(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const found = (): RegExpExecArray | null => pattern.exec(this.#output);
    await this.waitUntil(() => found() !== null, timeoutMs, `output matching ${String(pattern)}`);
    const match = found();
    if (match === null) throw this.#failure(`no output matching ${String(pattern)}`);
    return match;
  }

  /** Waits until `isTrue`, looking again whenever there is output. */
  async waitUntil(isTrue: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (isTrue()) return;
    const giveUp = new AbortController();
    const happened = new Promise<void>((resolve) => {
      const look = (): void => {
        if (isTrue() || !this.isRunning) resolve();
      };
      this.#listeners.add(look);
      giveUp.signal.addEventListener("abort", () => this.#listeners.delete(look));
      look();
    });
    const timeout = delay(timeoutMs, undefined, { signal: giveUp.signal }).catch(() => undefined);
    await Promise.race([happened, timeout]);
    giveUp.abort();
    if (isTrue()) return;
    throw this.#failure(
      this.isRunning ? `no ${what} within ${timeoutMs} ms` : `it ended before: ${what}`,
    );
  }

  /**
   * Waits for the program's own end.
   * @throws Error when the time is over; the program is stopped then.
   */
  async waitForEnd(timeoutMs: number): Promise<ProcessEnd> {
    const giveUp = new AbortController();
    const timeout = delay(timeoutMs, undefined, { signal: giveUp.signal }).catch(() => undefined);
    const end = await Promise.race([this.#ended, timeout]);
    giveUp.abort();
    if (end !== undefined) return end;
    await this.stop();
    throw this.#failure(`it did not end within ${timeoutMs} ms`);
  }

  /** Ends the program and what it started: SIGTERM, then SIGKILL. Safe to call again. */
  async stop(): Promise<ProcessEnd> {
    this.signal("SIGTERM");
    const giveUp = new AbortController();
    const timeout = delay(TERM_LIMIT_MS, undefined, { signal: giveUp.signal });
    await Promise.race([this.#ended, timeout.catch(() => undefined)]);
    giveUp.abort();
    this.kill();
    return this.#ended;
  }

  /** Kills the whole group at once. */
  kill(): void {
    this.signal("SIGKILL");
  }

  /** Sends a signal to the whole group; nothing happens when it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  async #watch(): Promise<ProcessEnd> {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#notify();
      });
    }
    this.#child.stdin?.on("error", () => undefined);
    this.#end = await new Promise<ProcessEnd>((resolve) => {
      this.#child.once("error", (error) => {
        this.#output += `${error.message}\n`;
        resolve({ exitCode: null, signal: null });
      });
      this.#child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
    });
    running.delete(this);
    this.#notify();
    return this.#end;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  #failure(what: string): Error {
    const end = this.#end === undefined ? "" : ` (ended: ${JSON.stringify(this.#end)})`;
    const shown = this.#output.slice(-SHOWN_OUTPUT_CHARS);
    return new Error(`${this.#name}: ${what}${end}. The end of its output:\n${shown}`);
  }
}

const running = new Set<LoggedProcess>();

// The last resort, for a test run that is itself ended by a signal or an exception.
process.on("exit", () => {
  for (const child of running) child.kill();
});

/** Runs a program to its end. @throws Error unless it exits with 0. */
export async function runProcess(options: ProcessOptions, timeoutMs = 15_000): Promise<string> {
  const child = LoggedProcess.start(options);
  const { exitCode } = await child.waitForEnd(timeoutMs);
  if (exitCode === 0) return child.output;
  throw new Error(
    `${options.program} ${options.args.join(" ")} ended with ${exitCode}:\n${child.output}`,
  );
}
