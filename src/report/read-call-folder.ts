import { decodeWav } from "../audio/index.ts";
import { type FileStore, type Instant, UsageError } from "../environment/index.ts";
import type { CallRecord, RecordedAudio } from "../measure/index.ts";
import {
  CALL_FILES,
  CALL_FOLDER_VERSION,
  type CallDescription,
  decodeFacts,
  type Fact,
  type Party,
} from "../timeline/index.ts";

/**
 * Reads a call folder back, so that it can be measured again.
 * @throws UsageError ERR_FILE_MISSING, ERR_CALL_FOLDER_MALFORMED, ERR_CALL_FOLDER_NEWER,
 *   ERR_TIMELINE_MALFORMED, ERR_WAV_MALFORMED.
 */
export async function readCallFolder(files: FileStore, folder: string): Promise<CallRecord> {
  const description = decodeDescription(
    await files.readText(`${folder}/${CALL_FILES.description}`),
    folder,
  );
  const facts = decodeFacts(await files.readText(`${folder}/${CALL_FILES.timeline}`));
  const readAudio = (file: string, party: Party): Promise<RecordedAudio | undefined> =>
    readRecording(files, `${folder}/${file}`, startOf(facts, party));
  const audio = await readAudio(CALL_FILES.audio, "caller");
  const botAudio = await readAudio(CALL_FILES.botAudio, "bot");
  return {
    description,
    facts,
    ...(audio === undefined ? {} : { audio }),
    ...(botAudio === undefined ? {} : { botAudio }),
  };
}

function decodeDescription(text: string, folder: string): CallDescription {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(folder, `${CALL_FILES.description} is not JSON`, cause);
  }
  if (typeof value !== "object" || value === null || !("version" in value) || !("id" in value)) {
    throw malformed(folder, `${CALL_FILES.description} describes no call`);
  }
  const { version } = value;
  if (typeof version !== "number") {
    throw malformed(folder, `${CALL_FILES.description} has no version`);
  }
  if (version > CALL_FOLDER_VERSION) {
    throw new UsageError(
      "ERR_CALL_FOLDER_NEWER",
      `The call folder ${folder} has version ${version}; this Sidetone reads up to ` +
        `${CALL_FOLDER_VERSION}. Update Sidetone to read it.`,
      { context: { folder, version } },
    );
  }
  return value as CallDescription;
}

/** A recording without its place on the clock cannot be measured: it is left out. */
async function readRecording(
  files: FileStore,
  path: string,
  startedAt: Instant | undefined,
): Promise<RecordedAudio | undefined> {
  if (startedAt === undefined || !(await files.exists(path))) return undefined;
  const { sampleRateHz, channels } = decodeWav(await files.read(path));
  const [left, right] = channels;
  if (left === undefined || right === undefined) {
    throw malformed(path, "the recording is not stereo");
  }
  return { sampleRateHz, startedAt, left, right };
}

function startOf(facts: readonly Fact[], party: Party): Instant | undefined {
  return facts.find((fact) => fact.kind === "recordingStarted" && fact.party === party)?.at;
}

function malformed(where: string, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_CALL_FOLDER_MALFORMED",
    `The call folder ${where} cannot be read: ${what}. Was it cut short or edited?`,
    { context: { where }, cause },
  );
}
