import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WavReader } from "../../../src/analysis/index.ts";
import { isSidetoneError } from "../../../src/environment/index.ts";
import { chunk, inBlocks, interleaved, type MadeWav, madeWav } from "./made-wav.ts";

const LEFT = Int16Array.from({ length: 500 }, (_, index) => Math.round(9000 * Math.sin(index / 7)));
const RIGHT = Int16Array.from(LEFT, (sample) => -sample >> 1);

async function readAll(bytes: Uint8Array, blockBytes?: number) {
  const reader = await WavReader.open(inBlocks(bytes, blockBytes), "call.wav");
  const channels: number[][] = [];
  for (;;) {
    const block = await reader.next();
    if (block === undefined) return { reader, channels };
    for (const [index, samples] of block.entries()) (channels[index] ??= []).push(...samples);
  }
}

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await readAll(bytes);
    return "read";
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    return error.code;
  }
}

function stereo(changes: Partial<MadeWav> = {}): Uint8Array {
  return madeWav({ data: interleaved(LEFT, RIGHT), ...changes });
}

describe("WavReader", () => {
  it("gives the samples of 16-bit PCM as they are, in whatever blocks they come", async () => {
    for (const blockBytes of [1, 7, 4096]) {
      const { reader, channels } = await readAll(stereo(), blockBytes);

      expect(channels).toEqual([[...LEFT], [...RIGHT]]);
      expect(reader.header).toEqual({
        sampleRateHz: 8000,
        channelCount: 2,
        encoding: "16-bit PCM",
        frames: 500,
      });
      expect([reader.framesMissing, reader.strayBytes]).toEqual([0, 0]);
    }
  });

  it("reads 8, 24 and 32 bits and float to the sample, as far as 16 bits hold it", async () => {
    const make: Record<
      string,
      [number, number, (view: DataView, at: number, sample: number) => void]
    > = {
      "8-bit PCM": [1, 8, (view, at, sample) => view.setUint8(at, (sample >> 8) + 128)],
      "24-bit PCM": [
        1,
        24,
        (view, at, sample) => {
          view.setUint8(at, 0x7f);
          view.setInt16(at + 1, sample, true);
        },
      ],
      "32-bit PCM": [1, 32, (view, at, sample) => view.setInt32(at, sample * 65_536 + 99, true)],
      "32-bit float": [3, 32, (view, at, sample) => view.setFloat32(at, sample / 32_768, true)],
      "64-bit float": [3, 64, (view, at, sample) => view.setFloat64(at, sample / 32_768, true)],
    };
    for (const [encoding, [tag, bits, put]] of Object.entries(make)) {
      const view = new DataView(new ArrayBuffer((LEFT.length * bits) / 8));
      for (const [index, sample] of LEFT.entries()) put(view, (index * bits) / 8, sample);
      const data = new Uint8Array(view.buffer);
      const { reader, channels } = await readAll(madeWav({ tag, bits, channels: 1, data }));

      expect(reader.header.encoding).toBe(encoding);
      const expected = bits === 8 ? LEFT.map((sample) => (sample >> 8) << 8) : LEFT;
      expect(channels).toEqual([[...expected]]);
    }
  });

  it("reads both laws of G.711, and float beyond full scale as full scale", async () => {
    const codes = Uint8Array.of(0xff, 0x7f, 0x00, 0x80);
    const mulaw = await readAll(madeWav({ tag: 7, bits: 8, channels: 1, data: codes }));
    const alaw = await readAll(
      madeWav({ tag: 6, bits: 8, channels: 1, data: Uint8Array.of(0xd5, 0x55) }),
    );
    const floats = new Uint8Array(Float32Array.of(2, -3, Number.NaN).buffer);
    const float = await readAll(madeWav({ tag: 3, bits: 32, channels: 1, data: floats }));

    expect(mulaw.channels).toEqual([[0, 0, -32_124, 32_124]]);
    expect(alaw.channels).toEqual([[8, -8]]);
    expect(float.channels).toEqual([[32_767, -32_768, 0]]);
  });

  it("leaves out other chunks, before and behind the samples", async () => {
    const note = chunk("LIST", Uint8Array.of(1, 2, 3));
    const { channels } = await readAll(stereo({ between: note, behind: note }));

    expect(channels).toEqual([[...LEFT], [...RIGHT]]);
  });

  it("reads to the end where the length is what is written to a pipe, or was never filled in", async () => {
    for (const statedBytes of [0xffff_ffff, 0x7fff_ffff, 0x7fff_f000, 0]) {
      const { reader, channels } = await readAll(stereo({ statedBytes }));

      expect(channels[0]).toHaveLength(500);
      expect(reader.header.frames).toBeUndefined();
      expect(reader.framesMissing).toBe(0);
    }
    const { channels } = await readAll(stereo({ riff: "RF64", statedBytes: 0xffff_ffff }));
    expect(channels[0]).toHaveLength(500);
  });

  it("says how much is missing of a file that was cut short", async () => {
    const cut = stereo().subarray(0, 44 + 4 * 100 + 3);
    const { reader, channels } = await readAll(cut);

    expect(channels[0]).toHaveLength(100);
    expect([reader.framesRead, reader.framesMissing, reader.strayBytes]).toEqual([100, 400, 3]);
  });

  it("leaves out an odd byte at the end", async () => {
    const data = Buffer.concat([interleaved(LEFT, RIGHT), Uint8Array.of(9)]);

    expect((await readAll(madeWav({ data }))).channels[0]).toHaveLength(500);
    const streamed = await readAll(madeWav({ data, statedBytes: 0xffff_ffff }));
    expect(streamed.channels[0]).toHaveLength(500);
    expect(streamed.reader.strayBytes).toBeGreaterThan(0);
  });

  it("tells apart what is empty, what is no WAV file and what it does not read", async () => {
    const empty = new Uint8Array(0);
    const adpcm = stereo({ tag: 2, bits: 4 });
    const note = chunk("LIST", Uint8Array.of(1, 2, 3, 4));

    expect(await codeOf(empty)).toBe("ERR_RECORDING_EMPTY");
    expect(await codeOf(madeWav({ data: empty }))).toBe("ERR_RECORDING_EMPTY");
    expect(await codeOf(madeWav({ data: empty, behind: note }))).toBe("ERR_RECORDING_EMPTY");
    expect(await codeOf(madeWav({ data: Uint8Array.of(1) }))).toBe("ERR_RECORDING_EMPTY");
    expect(await codeOf(stereo().subarray(0, 40))).toBe("ERR_RECORDING_EMPTY");
    expect(await codeOf(stereo().subarray(0, 10))).toBe("ERR_WAV_MALFORMED");
    expect(await codeOf(stereo().subarray(0, 30))).toBe("ERR_WAV_MALFORMED");
    expect(await codeOf(Buffer.from("once upon a time there was"))).toBe("ERR_WAV_MALFORMED");
    expect(await codeOf(stereo({ sampleRateHz: 0 }))).toBe("ERR_WAV_MALFORMED");
    expect(await codeOf(stereo({ channels: 0 }))).toBe("ERR_WAV_MALFORMED");
    expect(await codeOf(stereo({ between: chunk("junk", empty, 4_000_000_000) }))).toBe(
      "ERR_WAV_MALFORMED",
    );
    expect(await codeOf(adpcm)).toBe("ERR_WAV_UNSUPPORTED");
    expect(await codeOf(stereo({ bits: 12 }))).toBe("ERR_WAV_UNSUPPORTED");
  });

  it("never throws anything but a UsageError, whatever the bytes (property)", async () => {
    const damaged = fc
      .tuple(
        fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { maxLength: 6 }),
        fc.nat({ max: 2100 }),
      )
      .map(([changes, length]) => {
        const bytes = Uint8Array.from(stereo());
        for (const [at, value] of changes) bytes[at] = value;
        return bytes.subarray(0, length);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        const code = await codeOf(bytes);
        expect(code).toMatch(/^(read|ERR_(WAV|RECORDING)_\w+)$/u);
      }),
      { numRuns: 400 },
    );
  });
});
