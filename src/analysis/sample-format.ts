import { ALAW, type G711Law, MULAW } from "../codec/index.ts";

/** How a file holds one sample. */
export interface SampleFormat {
  /** "16-bit PCM", for people. */
  readonly name: string;
  readonly bytesPerSample: number;
  /** The sample at `offset` as 16 bits. */
  readonly read: (view: DataView, offset: number) => number;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_ALAW = 6;
const FORMAT_MULAW = 7;

const FORMAT_NAMES: ReadonlyMap<number, string> = new Map([
  [2, "ADPCM"],
  [17, "IMA ADPCM"],
  [20, "G.723"],
  [49, "GSM 6.10"],
  [64, "G.721 ADPCM"],
  [80, "MPEG"],
  [85, "MP3"],
  [0x0161, "Windows Media Audio"],
]);

const FORMATS: ReadonlyMap<string, SampleFormat> = new Map([
  [
    "1/8",
    { name: "8-bit PCM", bytesPerSample: 1, read: (view, at) => (view.getUint8(at) - 128) << 8 },
  ],
  ["1/16", { name: "16-bit PCM", bytesPerSample: 2, read: (view, at) => view.getInt16(at, true) }],
  // The upper 16 of the bits.
  [
    "1/24",
    { name: "24-bit PCM", bytesPerSample: 3, read: (view, at) => view.getInt16(at + 1, true) },
  ],
  [
    "1/32",
    { name: "32-bit PCM", bytesPerSample: 4, read: (view, at) => view.getInt16(at + 2, true) },
  ],
  [
    "3/32",
    {
      name: "32-bit float",
      bytesPerSample: 4,
      read: (view, at) => fromFloat(view.getFloat32(at, true)),
    },
  ],
  [
    "3/64",
    {
      name: "64-bit float",
      bytesPerSample: 8,
      read: (view, at) => fromFloat(view.getFloat64(at, true)),
    },
  ],
  ["6/8", { name: "A-law", bytesPerSample: 1, read: byTable(ALAW) }],
  ["7/8", { name: "µ-law", bytesPerSample: 1, read: byTable(MULAW) }],
]);

/** The format of a `fmt ` chunk's tag and bits; `undefined` where only another program reads it. */
export function sampleFormat(tag: number, bits: number): SampleFormat | undefined {
  return FORMATS.get(`${tag}/${bits}`);
}

/** What a format that we do not read is called. */
export function formatName(tag: number, bits: number): string {
  const isKnown = [FORMAT_PCM, FORMAT_FLOAT, FORMAT_ALAW, FORMAT_MULAW].includes(tag);
  if (isKnown) return `${bits} bits per sample`;
  return FORMAT_NAMES.get(tag) ?? `format ${tag}`;
}

function fromFloat(sample: number): number {
  if (Number.isNaN(sample)) return 0;
  return Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
}

function byTable(law: G711Law): SampleFormat["read"] {
  const samples = new Int16Array(256);
  law.expand(
    Uint8Array.from({ length: 256 }, (_, code) => code),
    samples,
  );
  return (view, at) => samples[view.getUint8(at)] as number;
}
