import { looksLikeWav, WavReader } from "../analysis/index.ts";
import { isSidetoneError } from "../environment/index.ts";
import { fileBlocks, soxBlocks } from "../platform/index.ts";

const MAGIC_BYTES = 12;

/**
 * Opens a recording: by our own reader, or through sox where it is no WAV file or holds an encoding
 * that we do not read.
 *
 * @throws UsageError ERR_FILE_MISSING, ERR_RECORDING_ENCODING, and those of `WavReader.open`.
 */
export async function openRecording(path: string): Promise<WavReader> {
  const blocks = fileBlocks(path);
  const first = await blocks.next();
  const start = first.done === true ? new Uint8Array(0) : first.value;
  // What is shorter than a header is told of by our own reader.
  if (start.length >= MAGIC_BYTES && !looksLikeWav(start)) {
    await blocks.return();
    return WavReader.open(soxBlocks(path, "it is no WAV file"), path);
  }
  try {
    return await WavReader.open(startingWith(start, blocks), path);
  } catch (error) {
    if (!isSidetoneError(error) || error.code !== "ERR_WAV_UNSUPPORTED") throw error;
    return WavReader.open(soxBlocks(path, `it holds ${String(error.context["what"])}`), path);
  }
}

/**
 * A pipe cannot be read twice.
 * @yields what was read already, then the rest.
 */
async function* startingWith(
  start: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (start.length > 0) yield start;
  yield* rest;
}
