import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Namespace } from "./namespaces.ts";
import { LoggedProcess } from "./processes.ts";

/** SIPp's exit codes for: all calls passed, some failed, there were none. Others are its failure. */
const EXITS_WITH_RESULT: ReadonlySet<number | null> = new Set([0, 1, 99]);

const SCENARIO_FILE = "scenario.xml";

/** What SIPp counted over its whole run. */
export interface SippStatistics {
  readonly created: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** The failures by cause, without the causes that did not occur. */
  readonly failures: Readonly<Record<string, number>>;
  /** SIPp's error log: which message was unexpected, and in which call. */
  readonly errors: string;
}

/** Options of both directions. */
export interface SippOptions {
  /** Its own address and SIP port. */
  readonly address: string;
  readonly port: number;
  /** It ends by itself after this many calls. */
  readonly calls: number;
  readonly namespace?: Namespace;
  /** An XML scenario instead of the built-in one. */
  readonly scenario?: string;
  /** Further arguments, such as `["-rtp_echo"]` or `["-sf", "scenario.xml"]`. */
  readonly extraArgs?: readonly string[];
}

/** Options of a SIPp that calls. */
export interface SippCallerOptions extends SippOptions {
  /** `address:port` of the bot. */
  readonly target: string;
  readonly callsPerSecond: number;
  /** From ACK to BYE. */
  readonly holdMs: number;
  readonly user?: string;
}

/** One SIPp with its built-in caller (`-sn uac`) or answerer (`-sn uas`) scenario. */
export class Sipp {
  readonly process: LoggedProcess;
  readonly #folder: string;

  /** Starts calling. */
  static async startCaller(options: SippCallerOptions): Promise<Sipp> {
    const { target, callsPerSecond, holdMs, user = "bot" } = options;
    return Sipp.#start(
      "uac",
      [
        target,
        "-s",
        user,
        "-r",
        String(callsPerSecond),
        "-d",
        String(holdMs),
        "-l",
        String(options.calls),
      ],
      options,
    );
  }

  /** Starts answering. SIPp prints nothing when it is ready; it binds within a moment. */
  static async startAnswerer(options: SippOptions): Promise<Sipp> {
    return Sipp.#start("uas", [], options);
  }

  static async #start(
    builtIn: "uac" | "uas",
    args: readonly string[],
    options: SippOptions,
  ): Promise<Sipp> {
    const { address, port, calls, scenario } = options;
    const folder = await mkdtemp(join(tmpdir(), "sidetone-sipp-"));
    if (scenario !== undefined) await writeFile(join(folder, SCENARIO_FILE), scenario);
    const process = LoggedProcess.start({
      program: "sipp",
      args: [
        ...(scenario === undefined ? ["-sn", builtIn] : ["-sf", SCENARIO_FILE]),
        ...args,
        ...`-i ${address} -p ${port} -mi ${address} -m ${calls} -nostdin`.split(" "),
        ..."-trace_stat -stf statistics.csv -fd 1 -trace_err -error_file errors.log".split(" "),
        ...(options.extraArgs ?? []),
      ],
      cwd: folder,
      env: { TERM: "dumb" },
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    });
    return new Sipp(process, folder);
  }

  private constructor(process: LoggedProcess, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  /**
   * Waits until all calls are through.
   * @throws Error when SIPp does not end in time or fails itself (port in use, bad scenario).
   */
  async finish(timeoutMs: number): Promise<SippStatistics> {
    try {
      const { exitCode } = await this.process.waitForEnd(timeoutMs);
      if (!EXITS_WITH_RESULT.has(exitCode)) {
        const log = await this.#errors();
        throw new Error(`sipp ended with exit code ${exitCode}:\n${this.process.output}\n${log}`);
      }
      return await this.#statistics();
    } finally {
      await this.stop();
    }
  }

  /** Takes no new calls, waits for those that are up, and ends: for an answerer. */
  async quit(timeoutMs: number): Promise<SippStatistics> {
    this.process.signal("SIGUSR1");
    return this.finish(timeoutMs);
  }

  /** Ends SIPp, calls or no calls, and removes its files. */
  async stop(): Promise<void> {
    await this.process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #statistics(): Promise<SippStatistics> {
    const csv = await readFile(join(this.#folder, "statistics.csv"), "utf8");
    return { ...parseSippStatistics(csv), errors: await this.#errors() };
  }

  async #errors(): Promise<string> {
    const files = await readdir(this.#folder);
    const logs = files.filter((file) => file.endsWith("errors.log"));
    const texts = await Promise.all(
      logs.map(async (file) => readFile(join(this.#folder, file), "utf8")),
    );
    return texts.join("\n");
  }
}

/**
 * Reads the last line of SIPp's `-trace_stat` file. `(C)` columns count from the start of the run,
 * `(P)` columns the last period only.
 */
export function parseSippStatistics(csv: string): Omit<SippStatistics, "errors"> {
  const lines = csv.split("\n").filter((line) => line.trim() !== "");
  const names = lines.at(0)?.split(";") ?? [];
  const values = lines.at(-1)?.split(";") ?? [];
  const columns = new Map(names.map((name, index) => [name, Number(values[index])]));
  const column = (name: string): number => {
    const value = columns.get(name);
    if (value === undefined || Number.isNaN(value)) throw new Error(`SIPp wrote no ${name}.`);
    return value;
  };
  const failures = [...columns].filter(
    ([name, count]) => /^Failed(?!Call).*\(C\)$/.test(name) && count > 0,
  );
  return {
    created: column("TotalCallCreated"),
    successful: column("SuccessfulCall(C)"),
    failed: column("FailedCall(C)"),
    retransmissions: column("Retransmissions(C)"),
    failures: Object.fromEntries(failures),
  };
}
