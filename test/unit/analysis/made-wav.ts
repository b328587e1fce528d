import { seededRandom } from "../../../src/environment/index.ts";

/** A WAV file of any kind, lies included. */
export interface MadeWav {
  readonly tag?: number;
  readonly bits?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly data: Uint8Array;
  /** What the data chunk says of its length; default the truth. */
  readonly statedBytes?: number;
  readonly riff?: string;
  /** A whole chunk between format and data, or behind the data. */
  readonly between?: Uint8Array;
  readonly behind?: Uint8Array;
}

/** The bytes of such a file. */
export function madeWav(wav: MadeWav): Uint8Array {
  const { tag = 1, bits = 16, channels = 2, sampleRateHz = 8000, data, riff = "RIFF" } = wav;
  const { between = new Uint8Array(0), behind = new Uint8Array(0) } = wav;
  const format = new DataView(new ArrayBuffer(16));
  const frameBytes = (channels * bits) / 8;
  format.setUint16(0, tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, sampleRateHz, true);
  format.setUint32(8, sampleRateHz * frameBytes, true);
  format.setUint16(12, frameBytes, true);
  format.setUint16(14, bits, true);
  const chunks = [
    chunk("fmt ", new Uint8Array(format.buffer)),
    between,
    chunk("data", data, wav.statedBytes),
    behind,
  ];
  const content = Buffer.concat(chunks);
  return Buffer.concat([ascii(riff), u32(content.length + 4), ascii("WAVE"), content]);
}

/** A chunk; `stated` where its length is a lie. */
export function chunk(
  id: string,
  content: Uint8Array,
  stated: number = content.length,
): Uint8Array {
  const padding = new Uint8Array(stated === content.length ? content.length % 2 : 0);
  return Buffer.concat([ascii(id), u32(stated), content, padding]);
}

/** Samples of two channels as 16-bit PCM, in turn. */
export function interleaved(left: Int16Array, right: Int16Array): Uint8Array {
  const samples = new Int16Array(2 * left.length);
  for (let index = 0; index < left.length; index += 1) {
    samples[2 * index] = left[index] as number;
    samples[2 * index + 1] = right[index] as number;
  }
  return new Uint8Array(samples.buffer);
}

/**
 * A file in blocks of some size.
 * @yields its bytes in order.
 */
export async function* inBlocks(
  bytes: Uint8Array,
  blockBytes = 4096,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += blockBytes) {
    // oxlint-disable-next-line no-await-in-loop -- as a file's blocks come.
    await Promise.resolve();
    yield bytes.subarray(at, at + blockBytes);
  }
}

/** Somebody speaks at these times (ms), over faint noise: bursts that waver as syllables do. */
export function speech(
  spansMs: readonly (readonly [number, number])[],
  lengthMs: number,
  options: { readonly sampleRateHz?: number; readonly seed?: string } = {},
): Int16Array {
  const { sampleRateHz = 8000, seed = "speech" } = options;
  const random = seededRandom(seed);
  const samples = new Int16Array(Math.round((lengthMs * sampleRateHz) / 1000));
  let previous = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const ms = (index * 1000) / sampleRateHz;
    const isLoud = spansMs.some(([from, to]) => from <= ms && ms < to);
    const white = random() * 2 - 1;
    samples[index] = Math.round(
      (white - previous) * (isLoud ? 5000 + 3000 * Math.sin(ms / 40) : 6),
    );
    previous = white;
  }
  return samples;
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
