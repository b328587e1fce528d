/** What the sections share. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeWav, resample } from "../../src/audio/index.ts";
import { codecOf } from "../../src/codec/index.ts";
import { NodeFileStore, packageInfo } from "../../src/platform/index.ts";

const RATE_HZ = 8000;
const FRAME_SAMPLES = 160;
/** A caller's question, then time for the answer. */
const PAUSE_MS = 3500;

/** One run of the benchmark. */
export interface BenchContext {
  /** For temporary files. */
  readonly folder: string;
  /** A question and a pause, at 8 kHz. */
  readonly speech: Int16Array;
  /** The same as raw PCMU, for SIPp. */
  readonly audioFile: string;
}

export async function prepare(): Promise<BenchContext> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-bench-media-"));
  const path = `${packageInfo().root}/fixtures/voices/caller/tell-me-about-the-hotel.wav`;
  const wav = decodeWav(await new NodeFileStore().read(path));
  const spoken = resample(wav.channels[0] ?? new Int16Array(0), wav.sampleRateHz, RATE_HZ);
  const frames = Math.ceil((spoken.length + (PAUSE_MS * RATE_HZ) / 1000) / FRAME_SAMPLES);
  const speech = new Int16Array(frames * FRAME_SAMPLES);
  speech.set(spoken);
  const audioFile = join(folder, "speech.pcmu");
  await writeFile(audioFile, asPcmu(speech));
  return { folder, speech, audioFile };
}

function asPcmu(speech: Int16Array): Uint8Array {
  const encoder = codecOf("PCMU").createEncoder({ ptimeMs: 20 });
  const bytes = new Uint8Array(speech.length);
  for (let at = 0; at < speech.length; at += FRAME_SAMPLES) {
    encoder.encode(speech.subarray(at, at + FRAME_SAMPLES), bytes.subarray(at));
  }
  return bytes;
}
