/** The durations of frames in ticks of 48 kHz by the configuration's lower bits (RFC 6716 §3.1). */
const SILK_TICKS = [480, 960, 1920, 2880] as const;
const HYBRID_TICKS = [480, 960] as const;
const CELT_TICKS = [120, 240, 480, 960] as const;

/** From here on the configurations are hybrid, then CELT only. */
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;
/** A packet lasts at most 120 ms (RFC 6716 §3.2.5). */
const PACKET_TICKS_MAX = 5760;
const FRAME_BYTES_MAX = 1275;
/** SILK divides frames of 40 and 60 ms into such of 20 ms, each with its own flags. */
const SILK_FRAME_TICKS = 960;

/** The duration of one frame of an Opus packet in ticks of 48 kHz. */
export function opusFrameTicks(payload: Uint8Array): number {
  const configuration = (payload[0] as number) >> 3;
  if (configuration >= FIRST_CELT) return CELT_TICKS[configuration & 3] as number;
  if (configuration >= FIRST_HYBRID) return HYBRID_TICKS[configuration & 1] as number;
  return SILK_TICKS[configuration & 3] as number;
}

/**
 * The duration of an Opus packet in ticks of 48 kHz, from its first byte or two (RFC 6716 §3.1,
 * §3.2); 0 if these are missing or impossible.
 */
export function opusPacketTicks(payload: Uint8Array): number {
  if (payload.length === 0) return 0;
  const ticks = opusFrameTicks(payload) * frameCount(payload);
  return ticks <= PACKET_TICKS_MAX ? ticks : 0;
}

/**
 * Whether an Opus packet carries its predecessor again: the flag of low bit-rate redundancy in
 * the first SILK frame (RFC 6716 §4.2.3, §4.2.4), of either channel.
 */
export function hasInbandFec(payload: Uint8Array): boolean {
  if (opusPacketTicks(payload) === 0) return false;
  const toc = payload[0] as number;
  if (toc >> 3 >= FIRST_CELT) return false;
  const start = firstFrame(payload);
  if (start === undefined) return false;
  // The flags are the first bits of the frame: per channel, one for each 20 ms, then this one.
  const inner = Math.max(1, opusFrameTicks(payload) / SILK_FRAME_TICKS);
  const flags = payload[start] as number;
  const isStereo = (toc & 4) !== 0;
  const mid = (flags >> (7 - inner)) & 1;
  const side = isStereo ? (flags >> (6 - 2 * inner)) & 1 : 0;
  return mid === 1 || side === 1;
}

function frameCount(payload: Uint8Array): number {
  const code = (payload[0] as number) & 3;
  if (code === 0) return 1;
  if (code < 3) return 2;
  return payload.length < 2 ? 0 : (payload[1] as number) & 0x3f;
}

/** Where the first frame begins; `undefined` where it is empty (DTX) or the packet is malformed. */
function firstFrame(payload: Uint8Array): number | undefined {
  const code = (payload[0] as number) & 3;
  if (code === 0) return firstOfEqual(1, payload.length, 1);
  if (code === 1) return firstOfEqual(1, payload.length, 2);
  if (code === 2) return firstOfVariable(payload, 1, payload.length, 2);
  return firstOfMany(payload);
}

/** Code 3: any number of frames, with padding at the end (RFC 6716 §3.2.5). */
function firstOfMany(payload: Uint8Array): number | undefined {
  const header = payload[1] as number;
  const count = header & 0x3f;
  let at = 2;
  let end = payload.length;
  if ((header & 0x40) !== 0) {
    let piece = 255;
    while (piece === 255) {
      if (at >= end) return undefined;
      piece = payload[at] as number;
      at += 1;
      end -= piece === 255 ? 254 : piece;
    }
  }
  const isVariable = (header & 0x80) !== 0;
  return isVariable ? firstOfVariable(payload, at, end, count) : firstOfEqual(at, end, count);
}

/** Frames of equal lengths, which are not told. */
function firstOfEqual(from: number, end: number, count: number): number | undefined {
  const bytes = (end - from) / count;
  return Number.isInteger(bytes) && bytes > 0 && bytes <= FRAME_BYTES_MAX ? from : undefined;
}

/** Frames of their own lengths, of which all but the last are told. */
function firstOfVariable(
  payload: Uint8Array,
  from: number,
  end: number,
  count: number,
): number | undefined {
  let at = from;
  let told = 0;
  let first: number | undefined;
  for (let index = 0; index < count - 1; index += 1) {
    const length = readLength(payload, at);
    if (length === undefined) return undefined;
    first ??= length.bytes;
    told += length.bytes;
    at += length.width;
  }
  const last = end - at - told;
  if (last < 0 || last > FRAME_BYTES_MAX) return undefined;
  return (first ?? last) > 0 ? at : undefined;
}

/** A frame's length in one or two bytes (RFC 6716 §3.2.1). */
function readLength(payload: Uint8Array, at: number): { bytes: number; width: number } | undefined {
  const first = payload[at];
  if (first === undefined) return undefined;
  if (first < 252) return { bytes: first, width: 1 };
  const second = payload[at + 1];
  return second === undefined ? undefined : { bytes: second * 4 + first, width: 2 };
}
