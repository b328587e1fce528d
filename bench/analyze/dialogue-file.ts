import { open } from "node:fs/promises";
import { loadVoices, resample, type Voice } from "../../src/audio/index.ts";
import { type Random, seededRandom } from "../../src/environment/index.ts";
import { NodeFileStore, packageInfo } from "../../src/platform/index.ts";

/** A long conversation. */
export interface LongDialogue {
  readonly lengthMs: number;
  readonly sampleRateHz: number;
  /** Of white noise on both sides. */
  readonly noiseDbov: number;
}

const HEADER_BYTES = 44;
const BLOCK_MS = 10_000;
/** How long after one the other begins: from talking over each other to dead air. */
const GAP_MS = [-500, 3500] as const;

interface Placed {
  readonly channel: 0 | 1;
  readonly atSample: number;
  readonly samples: Int16Array;
}

/** Writes caller and bot, in turn, sentence after sentence of the fixtures, block by block. */
export async function writeDialogue(path: string, dialogue: LongDialogue): Promise<void> {
  const { lengthMs, sampleRateHz } = dialogue;
  const random = seededRandom("bench:analyze");
  const sentences = await sentencesAt(sampleRateHz);
  const lengthSamples = Math.round((lengthMs * sampleRateHz) / 1000);
  const placed = place(sentences, lengthSamples, { sampleRateHz, random });
  const file = await open(path, "w");
  try {
    await file.write(header(lengthSamples, sampleRateHz));
    const blockSamples = (BLOCK_MS * sampleRateHz) / 1000;
    for (let from = 0; from < lengthSamples; from += blockSamples) {
      const to = Math.min(lengthSamples, from + blockSamples);
      const block = noise(to - from, dialogue, random);
      for (const sentence of placed) mix(sentence, from, block);
      await file.write(new Uint8Array(block.buffer));
    }
  } finally {
    await file.close();
  }
}

async function sentencesAt(sampleRateHz: number): Promise<readonly (readonly Int16Array[])[]> {
  const voices = await loadVoices(new NodeFileStore(), `${packageInfo().root}/fixtures/voices`);
  const atRate = ({ samples, sampleRateHz: own }: Voice): Int16Array =>
    resample(samples, own, sampleRateHz);
  return [voices.all("caller").map(atRate), voices.all("bot").map(atRate)];
}

function place(
  sentences: readonly (readonly Int16Array[])[],
  lengthSamples: number,
  { sampleRateHz, random }: { readonly sampleRateHz: number; readonly random: Random },
): Placed[] {
  const placed: Placed[] = [];
  let at = sampleRateHz;
  for (let turn = 0; at < lengthSamples; turn += 1) {
    const channel = turn % 2 === 0 ? 0 : 1;
    const own = sentences[channel] as readonly Int16Array[];
    const samples = own[Math.floor(random() * own.length)] as Int16Array;
    placed.push({ channel, atSample: at, samples });
    const gapMs = GAP_MS[0] + (GAP_MS[1] - GAP_MS[0]) * random();
    at += samples.length + Math.round((gapMs * sampleRateHz) / 1000);
  }
  return placed;
}

function noise(frames: number, { noiseDbov }: LongDialogue, random: Random): Int16Array {
  // Even noise of this amplitude has a third of its square as mean square.
  const amplitude = 32_768 * 10 ** (noiseDbov / 20) * Math.sqrt(3);
  return Int16Array.from({ length: 2 * frames }, () => Math.round((2 * random() - 1) * amplitude));
}

function mix({ channel, atSample, samples }: Placed, from: number, block: Int16Array): void {
  const start = Math.max(0, from - atSample);
  const end = Math.min(samples.length, from - atSample + block.length / 2);
  for (let index = start; index < end; index += 1) {
    const at = 2 * (atSample + index - from) + channel;
    const sum = (block[at] as number) + (samples[index] as number);
    block[at] = Math.max(-32_768, Math.min(32_767, sum));
  }
}

/** Of stereo 16-bit PCM. */
function header(frames: number, sampleRateHz: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(HEADER_BYTES - 8 + 4 * frames, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(sampleRateHz, 24);
  bytes.writeUInt32LE(4 * sampleRateHz, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(4 * frames, 40);
  return bytes;
}
