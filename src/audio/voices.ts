import { type FileStore, UsageError } from "../environment/index.ts";
import { decodeWav } from "./wav.ts";

/** Who speaks an utterance: the name of the folder that it lies in. */
export type VoiceName = "caller" | "bot";

/** One recorded utterance. */
export interface Voice {
  readonly id: string;
  readonly text: string;
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
  /** Where speech starts and ends in `samples`, in ms from its first sample. */
  readonly onsetMs: number;
  readonly offsetMs: number;
}

/** What can be said, by whom. Immutable: one library serves any number of calls. */
export class VoiceLibrary {
  readonly #voices: ReadonlyMap<VoiceName, readonly Voice[]>;

  constructor(voices: ReadonlyMap<VoiceName, readonly Voice[]>) {
    this.#voices = voices;
  }

  /** All utterances of one voice, in the order of its catalogue. */
  all(voice: VoiceName): readonly Voice[] {
    return this.#voices.get(voice) ?? [];
  }

  /**
   * The utterance with this id or this text; case and punctuation do not count.
   * @throws UsageError ERR_FIXTURE_MISSING, with a list of those that there are.
   */
  find(voice: VoiceName, idOrText: string): Voice {
    const found = this.lookUp(voice, idOrText);
    if (found !== undefined) return found;
    const ids = this.all(voice).map(({ id }) => id);
    throw new UsageError(
      "ERR_FIXTURE_MISSING",
      `No recording of the ${voice} has the id or the text asked for. ` +
        `There are: ${ids.join(", ") || "none"}. Add one (fixtures/README.md) or use one of these.`,
      { context: { voice, asked: idOrText, available: ids } },
    );
  }

  /** As `find`, but `undefined` where there is none. */
  lookUp(voice: VoiceName, idOrText: string): Voice | undefined {
    const wanted = spokenForm(idOrText);
    const voices = this.all(voice);
    return (
      voices.find(({ id }) => id === idOrText || id === wanted) ??
      voices.find(({ text }) => spokenForm(text) === wanted)
    );
  }
}

/** A text without what cannot be heard: lower case, words joined by hyphens. */
export function spokenForm(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/gu, "");
}

const VOICE_NAMES: readonly VoiceName[] = ["caller", "bot"];
const CATALOGUE = "voices.json";

/**
 * Reads `<folder>/caller` and `<folder>/bot`: a catalogue (`voices.json`) and its WAV files each.
 * @throws UsageError ERR_FIXTURE_MISSING where a file is missing, ERR_FIXTURE_MALFORMED where a
 *   catalogue is not as fixtures/README.md says, and what `decodeWav` throws.
 */
export async function loadVoices(files: FileStore, folder: string): Promise<VoiceLibrary> {
  const loaded = await Promise.all(
    VOICE_NAMES.map(
      async (voice) => [voice, await loadFolder(files, `${folder}/${voice}`)] as const,
    ),
  );
  return new VoiceLibrary(new Map(loaded));
}

async function loadFolder(files: FileStore, folder: string): Promise<readonly Voice[]> {
  const catalogue = await files.readText(await existing(files, folder, CATALOGUE));
  const entries = parseCatalogue(catalogue, `${folder}/${CATALOGUE}`);
  return Promise.all(entries.map((entry) => loadVoice(files, folder, entry)));
}

async function loadVoice(files: FileStore, folder: string, entry: CatalogueEntry): Promise<Voice> {
  const path = await existing(files, folder, entry.file);
  const audio = decodeWav(await files.read(path));
  const [samples, second] = audio.channels;
  if (samples === undefined || second !== undefined) {
    throw malformed(path, "must have one channel");
  }
  if (audio.sampleRateHz !== entry.sampleRateHz) {
    throw malformed(path, `has ${audio.sampleRateHz} Hz, and its catalogue another rate`);
  }
  const { id, text, sampleRateHz, onsetMs, offsetMs } = entry;
  return { id, text, sampleRateHz, samples, onsetMs, offsetMs };
}

async function existing(files: FileStore, folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}`;
  if (await files.exists(path)) return path;
  const available = await files.list(folder);
  throw new UsageError(
    "ERR_FIXTURE_MISSING",
    `${path} does not exist. In ${folder} there is: ${available.join(", ") || "nothing"}.`,
    { context: { path, available } },
  );
}

interface CatalogueEntry {
  readonly id: string;
  readonly file: string;
  readonly text: string;
  readonly sampleRateHz: number;
  readonly onsetMs: number;
  readonly offsetMs: number;
}

const ENTRY_FIELDS: Readonly<Record<keyof CatalogueEntry, "string" | "number">> = {
  id: "string",
  file: "string",
  text: "string",
  sampleRateHz: "number",
  onsetMs: "number",
  offsetMs: "number",
};

function parseCatalogue(json: string, path: string): readonly CatalogueEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw malformed(path, "is not JSON", cause);
  }
  if (!Array.isArray(value)) throw malformed(path, "is not a list");
  return value.map((entry: unknown, index) => {
    const record = (entry ?? {}) as Record<string, unknown>;
    for (const [field, type] of Object.entries(ENTRY_FIELDS)) {
      if (typeof record[field] !== type) {
        throw malformed(path, `has no ${type} "${field}" in its entry ${index + 1}`);
      }
    }
    return entry as CatalogueEntry;
  });
}

function malformed(path: string, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_FIXTURE_MALFORMED",
    `${path} ${what}. Make the fixtures again with scripts/make-fixtures.mjs.`,
    { context: { path }, cause },
  );
}
