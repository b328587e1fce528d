import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { UsageError } from "../environment/index.ts";

const STDERR_CHARACTERS_MAX = 2000;

/**
 * Any sound file that sox reads, as a WAV file of 16-bit PCM, block by block.
 *
 * @param reason why Sidetone does not read it itself, for the error: "it holds GSM 6.10".
 * @yields the bytes of the WAV file; it does not know its length.
 * @throws UsageError ERR_RECORDING_ENCODING where sox is not installed, or cannot read it either.
 */
export async function* soxBlocks(
  path: string,
  reason: string,
  program = "sox",
): AsyncGenerator<Uint8Array, void, undefined> {
  // An absolute path is no option, no pipe and no special name; sox takes what is left for a glob.
  const literal = resolve(path).replaceAll(/[\\*?[\]{}]/gu, String.raw`\$&`);
  const format = ["-t", "wav", "-b", "16", "-e", "signed-integer"];
  const child = spawn(program, ["-V1", literal, ...format, "-"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = endOf(child);
  let isRead = false;
  try {
    for await (const block of child.stdout) yield block as Uint8Array;
    isRead = true;
  } finally {
    // Whoever reads no further needs no more of it.
    if (!isRead) child.kill();
  }
  const { exitCode, said, error } = await ended;
  if (exitCode !== 0) throw unreadable({ path, reason, said, error });
}

interface SoxEnd {
  readonly exitCode: number | null;
  readonly said: string;
  readonly error: (Error & { readonly code?: unknown }) | undefined;
}

async function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<SoxEnd> {
  let said = "";
  let error: SoxEnd["error"];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(0, STDERR_CHARACTERS_MAX);
  });
  child.on("error", (cause) => {
    error = cause;
  });
  const [exitCode] = (await once(child, "close").catch(() => [null])) as [number | null];
  return { exitCode, said, error };
}

interface SoxFailure extends Omit<SoxEnd, "exitCode"> {
  readonly path: string;
  readonly reason: string;
}

function unreadable({ path, reason, said, error }: SoxFailure): UsageError {
  const convert = "Convert it to a WAV file of 16-bit PCM";
  const isMissing = error?.code === "ENOENT";
  const words = said.trim().split("\n").at(-1) ?? "";
  return new UsageError(
    "ERR_RECORDING_ENCODING",
    isMissing
      ? `${path} cannot be read: ${reason}, and sox, which might read it, is not installed. Install it (Debian: apt-get install sox libsox-fmt-all), or: ${convert}.`
      : `${path} cannot be read: ${reason}, and sox cannot read it either${words === "" ? "" : ` (${words})`}. ${convert}.`,
    { context: { path }, cause: error },
  );
}
