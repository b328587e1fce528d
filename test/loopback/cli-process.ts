import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const MAIN = join(ROOT, "dist/src/cli/main.js");
/** A command that hangs must not hang the tests. */
const LIFETIME_LIMIT_MS = 110_000;

/** A command as a user runs it. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly report: Report;
  /** All that it has written so far, errors too. */
  output(): string;
  /** Resolves once it has written this. */
  said(text: string): Promise<void>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

/** What became of a command. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly report: Report;
}

/** Starts `sidetone …` in the repository; the last argument is the folder for its reports. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  lifetimeMs: number = LIFETIME_LIMIT_MS,
): CliProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: lifetimeMs,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("said");
    });
  }
  return {
    child,
    report: new Report(join(args.at(-1) ?? "", "latest")),
    output: () => output,
    said: async (text) => {
      while (!output.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`It ended before "${text}":\n${output}`);
        }
        // oxlint-disable-next-line no-await-in-loop -- each turn waits for more of the output.
        await Promise.race([once(child, "said"), once(child, "close")]);
      }
    },
    exited: once(child, "close").then(([code]) => code as number | null),
  };
}

/** Waits for the command's end. */
export async function resultOf(cli: CliProcess): Promise<CliResult> {
  const exitCode = await cli.exited;
  return { exitCode, output: cli.output(), report: cli.report };
}

/** The folder that a run leaves. */
class Report {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  text(file: string): Promise<string> {
    return readFile(this.path(file), "utf8");
  }

  async json<Shape>(file: string): Promise<Shape> {
    return JSON.parse(await this.text(file)) as Shape;
  }

  /** Every file, whatever it holds, byte for byte as Latin-1. */
  async everything(): Promise<ReadonlyMap<string, string>> {
    const entries = await readdir(`${this.#folder}/`, { recursive: true, withFileTypes: true });
    const read = entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(this.#folder, path), await readFile(path, "latin1")] as const;
      });
    return new Map(await Promise.all(read));
  }

  /** Methods of the SIP requests that the caller sent in a call, in order. */
  async sipRequests(callId: string): Promise<readonly string[]> {
    const lines = (await this.text(`calls/${callId}/timeline.jsonl`)).trim().split("\n");
    return lines
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(
        ({ kind, party, direction, startLine }) =>
          kind === "sipMessage" &&
          party === "caller" &&
          direction === "sent" &&
          !String(startLine).startsWith("SIP/2.0"),
      )
      .map(({ method }) => String(method));
  }

  /** Allure's word for each scenario. */
  async allureStatuses(): Promise<Readonly<Record<string, string>>> {
    const files = await readdir(this.path("allure-results"));
    const results = files
      .filter((file) => file.endsWith("-result.json"))
      .map((file) =>
        this.json<{ readonly name: string; readonly status: string }>(`allure-results/${file}`),
      );
    return Object.fromEntries(
      (await Promise.all(results)).map(({ name, status }) => [name, status]),
    );
  }
}
