/** Encoding, decoding and concealment of each codec. */
import { CODECS, type Codec, loadCodecs } from "../../src/codec/index.ts";
import type { MicroCase } from "./micro.ts";
import { voiceLike } from "./voice-like.ts";

const PTIME_MS = 20;
const PAYLOAD_BYTES_MAX = 1500;
/** Different frames, so that codecs with a memory have work. */
const FRAMES = 50;

export async function codecCases(): Promise<MicroCase[]> {
  await loadCodecs(CODECS.map(({ id }) => id));
  return CODECS.flatMap((codec) => casesOf(codec));
}

function casesOf(codec: Codec): MicroCase[] {
  const samples = (codec.sampleRateHz * PTIME_MS) / 1000;
  const encoder = codec.createEncoder({ ptimeMs: PTIME_MS });
  const [decoder, concealer] = [codec.createDecoder(), codec.createDecoder()];
  const speech = voiceLike(codec.sampleRateHz, samples * FRAMES);
  const frames = Array.from({ length: FRAMES }, (_, index) =>
    speech.slice(index * samples, (index + 1) * samples),
  );
  const output = new Uint8Array(PAYLOAD_BYTES_MAX);
  const payloads = frames.map((frame) => output.slice(0, encoder.encode(frame, output)));
  const decoded = new Int16Array(5760);
  const lost = new Int16Array(samples);
  let turn = 0;
  const next = <Item>(items: readonly Item[]): Item => {
    turn += 1;
    return items[turn % FRAMES] as Item;
  };
  return [
    { name: `${codec.id} encode`, run: () => void encoder.encode(next(frames), output) },
    { name: `${codec.id} decode`, run: () => void decoder.decode(next(payloads), decoded) },
    {
      // A lost packet between good ones: concealment alone would soon have faded to silence.
      name: `${codec.id} decode + conceal`,
      run: () => {
        concealer.decode(next(payloads), decoded);
        concealer.conceal(lost);
      },
    },
  ];
}
