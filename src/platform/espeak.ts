import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError, UsageError } from "../environment/index.ts";

const PROGRAM = "espeak-ng";
const LIMIT_MS = 30_000;

/**
 * Lets espeak-ng say a text; gives a WAV file. It writes to a file because it does not know the
 * length of what it writes to a pipe.
 * @param voice as `espeak-ng --voices` lists them, e.g. "en-us".
 * @throws EnvironmentError ERR_SPEECH_UNAVAILABLE where it is not installed; UsageError
 *   ERR_SPEECH_FAILED where it does not know the voice.
 */
export async function espeakWav(
  text: string,
  voice: string,
  program: string = PROGRAM,
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-speech-"));
  const path = join(folder, "speech.wav");
  try {
    await run(program, ["-v", voice, "-w", path, "--stdin"], text);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: LIMIT_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(failure(error, stderr, program));
    });
    // Where the program could not be started, or ended early, its end tells so.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function failure(
  cause: Error & { readonly code?: unknown },
  stderr: string,
  program: string,
): Error {
  if (cause.code === "ENOENT") {
    return new EnvironmentError(
      "ERR_SPEECH_UNAVAILABLE",
      `${program} is not installed here. Install it (Debian: apt-get install espeak-ng), record what the script says, or name a plug-in.`,
      { context: { program }, cause },
    );
  }
  const said = stderr.trim().split("\n")[0] ?? "";
  return new UsageError(
    "ERR_SPEECH_FAILED",
    `${program} could not say what the script says${said === "" ? "" : `: ${said}`}. \`${program} --voices\` lists its voices.`,
    { context: { program }, cause },
  );
}
