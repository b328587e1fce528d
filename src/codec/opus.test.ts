import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeWav, levelDbov, tone } from "../audio/index.ts";
import { seededRandom } from "../environment/index.ts";
import { type AudioDecoder, type EncoderOptions, loadCodecs, OPUS } from "./index.ts";
import { opusLibrary } from "./opus-library.ts";
import { hasInbandFec, opusPacketTicks } from "./opus-packet.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);
/** Two seconds of speech. */
const SPEECH = (
  decodeWav(readFileSync(new URL("voices/bot/greeting.wav", FIXTURES))).channels[0] as Int16Array
).subarray(0, 48_000);

interface StereoFixture {
  readonly leftHz: number;
  readonly rightHz: number;
  readonly streams: readonly {
    readonly name: string;
    readonly durationMs: number;
    readonly packets: readonly string[];
  }[];
}
const STEREO = JSON.parse(
  readFileSync(new URL("codec/opus-stereo.json", FIXTURES), "utf8"),
) as StereoFixture;

beforeAll(async () => {
  await loadCodecs(["opus"]);
});

describe("the Opus encoder", () => {
  it.each([10, 20, 40, 60])("makes packets of %d ms, 6.5 ms late, and no other", (ptimeMs) => {
    const encoder = OPUS.createEncoder({ ptimeMs });
    const packets = encodedSpeech({ ptimeMs });

    expect(new Set(packets.map(opusPacketTicks))).toEqual(new Set([ptimeMs * 48]));
    expect(encoder.lookaheadMs).toBe(6.5);
    expect(() => encoder.encode(new Int16Array(ptimeMs * 24 + 1), new Uint8Array(1500))).toThrow(
      "Bug",
    );
    encoder.release();
  });

  it.each([2.5, 5, 15, 30, 80, 120])("is not made for %d ms", (ptimeMs) => {
    expect(OPUS.supportsPtime(ptimeMs)).toBe(false);
    expect(() => OPUS.createEncoder({ ptimeMs })).toThrow("Bug");
  });

  it.each([
    { bitrateBps: 5999 },
    { bitrateBps: Number.NaN },
    { complexity: 11 },
    { complexity: 1.5 },
    { expectedLossPercent: 101 },
  ])("refuses options that libopus has not: %j", (opus) => {
    expect(() => OPUS.createEncoder({ ptimeMs: 20, opus })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_OPUS_OPTIONS", fault: "usage" }),
    );
  });

  it("keeps to its bitrate and to the peer's bound", () => {
    expect(bitrateOf({ ptimeMs: 20 })).toBeCloseTo(32, -1);
    expect(bitrateOf({ ptimeMs: 20, remoteFmtp: "maxaveragebitrate=12000" })).toBeLessThan(14);
    expect(bitrateOf({ ptimeMs: 20, opus: { bitrateBps: 64_000 } })).toBeGreaterThan(48);
    const bounded = { remoteFmtp: "maxaveragebitrate=20000", opus: { bitrateBps: 64_000 } };
    expect(bitrateOf({ ptimeMs: 20, ...bounded })).toBeLessThan(23);
  });

  it("keeps to one length where the peer asks for it", () => {
    const lengths = encodedSpeech({ ptimeMs: 20, remoteFmtp: "cbr=1" }).map(({ length }) => length);

    expect(new Set(lengths)).toEqual(new Set([80]));
    expect(
      new Set(encodedSpeech({ ptimeMs: 20 }).map(({ length }) => length)).size,
    ).toBeGreaterThan(5);
  });

  it.each([
    [8000, 4],
    [12_000, 8],
    [16_000, 12],
    [24_000, 16],
  ])("sends no more than a peer of %d Hz plays", (rateHz, firstBeyond) => {
    const packets = encodedSpeech({ ptimeMs: 20, remoteFmtp: `maxplaybackrate=${rateHz}` });

    // Narrowband is below 4, medium band below 8, wideband below 12 (RFC 6716 table 2).
    const configurations = packets.map((packet) => (packet[0] as number) >> 3);
    expect(Math.max(...configurations)).toBeLessThan(firstBeyond);
    expect(Math.max(...configurations)).toBeGreaterThanOrEqual(firstBeyond - 4);
  });

  it("carries packets again for a peer that uses it, or where told to", () => {
    expect(shareWithFec({})).toBe(0);
    expect(shareWithFec({ remoteFmtp: "useinbandfec=1" })).toBeGreaterThan(0.5);
    expect(shareWithFec({ opus: { inbandFec: true } })).toBeGreaterThan(0.5);
    expect(shareWithFec({ remoteFmtp: "useinbandfec=1", opus: { inbandFec: false } })).toBe(0);
  });

  it("sends nothing in silence with DTX, but for a sign of life at 400 ms", () => {
    expect(sentInSilence({})).toBe(100);
    expect(sentInSilence({ remoteFmtp: "usedtx=1" })).toBeLessThan(20);
    expect(sentInSilence({ opus: { dtx: true } })).toBeGreaterThan(3);
    expect(sentInSilence({ remoteFmtp: "usedtx=1", opus: { dtx: false } })).toBe(100);
  });
});

describe("the Opus decoder", () => {
  it.each(STEREO.streams)("decodes stereo to mono: $name", ({ durationMs, packets }) => {
    const decoder = OPUS.createDecoder();
    const output = new Int16Array(packets.length * durationMs * 24);
    let at = 0;
    for (const text of packets) {
      const payload = Buffer.from(text, "base64");
      expect(decoder.payloadTicks(payload)).toBe(durationMs * 48);
      at += decoder.decode(payload, output.subarray(at));
    }

    expect(at).toBe(output.length);
    const settled = output.subarray(output.length / 2);
    // Each channel's sine of -15 dBov at half its amplitude.
    expect(sineDbov(settled, STEREO.leftHz)).toBeCloseTo(-21, -0.5);
    expect(sineDbov(settled, STEREO.rightHz)).toBeCloseTo(-21, -0.5);
    expect(sineDbov(settled, 950)).toBeLessThan(-45);
    decoder.release();
  });

  it("decodes what comes after anything malformed", () => {
    const decoder = OPUS.createDecoder();
    const output = new Int16Array(2880);
    const packets = encodedSpeech({ ptimeMs: 20 }).slice(0, 20);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 1400 }), (garbage) => {
        const count = decoder.decode(garbage, output);
        const ticks = decoder.payloadTicks(garbage);
        expect(count === 0 || count * 2 === ticks).toBe(true);
        decoder.recover(garbage, output);
      }),
      { numRuns: 3000 },
    );
    expect(decoder.decode(new Uint8Array(70_000), output)).toBe(0);
    for (const packet of packets) expect(decoder.decode(packet, output)).toBe(480);
    decoder.release();
  });

  it("decodes packets with bits flipped", () => {
    const decoder = OPUS.createDecoder();
    const output = new Int16Array(2880);
    const random = seededRandom("flip");
    for (const packet of encodedSpeech({ ptimeMs: 20, opus: { inbandFec: true } })) {
      for (let flip = 0; flip < 3; flip += 1) {
        const at = Math.floor(random() * packet.length);
        packet[at] = (packet[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      const count = decoder.decode(packet, output);
      expect(count === 0 || count * 2 === decoder.payloadTicks(packet)).toBe(true);
      decoder.recover(packet, output);
    }
    decoder.release();
  });

  it("recovers a lost packet from the next one, better than it conceals it", () => {
    const options = { ptimeMs: 20, remoteFmtp: "useinbandfec=1", opus: { bitrateBps: 24_000 } };

    const recovered = snrInHoles(options, "recover");
    const concealed = snrInHoles(options, "conceal");

    expect(recovered).toBeGreaterThan(3);
    expect(recovered).toBeGreaterThan(concealed + 2);
  });

  it.each([
    [10, 28_000],
    [40, 20_000],
    [60, 20_000],
  ])("recovers packets of %d ms", (ptimeMs, bitrateBps) => {
    const options = { ptimeMs, opus: { inbandFec: true, bitrateBps, expectedLossPercent: 20 } };

    expect(snrInHoles(options, "recover")).toBeGreaterThan(snrInHoles(options, "conceal") + 1);
  });

  it("recovers the end of a longer hole, and leaves alone what it cannot", () => {
    const packets = encodedSpeech({ ptimeMs: 20, opus: { inbandFec: true } });
    const at = packets.findIndex((packet, index) => index > 20 && hasInbandFec(packet));
    const decoder = OPUS.createDecoder();
    const output = new Int16Array(480);
    for (const packet of packets.slice(0, at - 3)) decoder.decode(packet, output);
    const next = packets[at] as Uint8Array;

    const tooShort = new Int16Array(479).fill(3);
    expect(decoder.recover(next, tooShort)).toBe(false);
    expect(tooShort.every((sample) => sample === 3)).toBe(true);

    const without = encodedSpeech({ ptimeMs: 20 })[at] as Uint8Array;
    const untouched = new Int16Array(480).fill(3);
    expect(decoder.recover(without, untouched)).toBe(false);
    expect(untouched.every((sample) => sample === 3)).toBe(true);

    const hole = new Int16Array(3 * 480 + 17).fill(3);
    expect(decoder.recover(next, hole)).toBe(true);
    expect(levelDbov(hole.subarray(-480))).toBeGreaterThan(-50);
    decoder.release();
  });

  it("conceals the same audio in whatever pieces it is asked for", () => {
    const loud = Array.from({ length: 100 }, (_, index) => index).find(
      (index) => index > 20 && levelDbov(SPEECH.subarray(index * 480, (index + 1) * 480)) > -18,
    );
    const packets = encodedSpeech({ ptimeMs: 20 }).slice(0, loud);
    const concealed = (lengths: readonly number[]): Int16Array => {
      const decoder = OPUS.createDecoder();
      const frame = new Int16Array(480);
      for (const packet of packets) decoder.decode(packet, frame);
      const output = new Int16Array(2400);
      for (let at = 0, piece = 0; at < output.length; piece += 1) {
        const end = at + (lengths[piece % lengths.length] as number);
        decoder.conceal(output.subarray(at, end));
        at = end;
      }
      decoder.release();
      return output;
    };
    const byTens = concealed([240]);
    expect(levelDbov(byTens.subarray(0, 240))).toBeGreaterThan(-50);

    // Pieces below 20 ms are made of steps of 10 ms.
    const lengths = fc.array(fc.integer({ min: 1, max: 240 }), { minLength: 1 });
    fc.assert(
      fc.property(lengths, (pieces) => {
        expect(Buffer.compare(bytesOf(concealed(pieces)), bytesOf(byTens))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("goes on after a pause of DTX: a packet without any frame", () => {
    const decoder = OPUS.createDecoder();
    const output = new Int16Array(480);
    for (const packet of encodedSpeech({ ptimeMs: 20 }).slice(0, 10))
      decoder.decode(packet, output);

    expect(decoder.decode(Uint8Array.of(9 << 3), output)).toBe(480);
    decoder.release();
  });
});

describe("the memory of Opus", () => {
  it("stays as it is through 2000 encoders and decoders", () => {
    churn(10);
    const before = opusLibrary().memoryBytes;

    churn(2000);

    expect(opusLibrary().memoryBytes).toBe(before);
  });

  it("is taken by those in use, and refused to those released", () => {
    const decoders = Array.from({ length: 300 }, () => OPUS.createDecoder());
    const encoders = Array.from({ length: 300 }, () => OPUS.createEncoder({ ptimeMs: 20 }));
    expect(opusLibrary().memoryBytes).toBeLessThan(64 * 1024 * 1024);
    for (const part of [...decoders, ...encoders]) part.release();

    const [decoder] = decoders;
    const [encoder] = encoders;
    expect(() => decoder?.decode(Uint8Array.of(1), new Int16Array(480))).toThrow("Bug");
    expect(() => decoder?.conceal(new Int16Array(480))).toThrow("Bug");
    expect(() => encoder?.encode(new Int16Array(480), new Uint8Array(1500))).toThrow("Bug");
  });
});

function encodedSpeech(options: EncoderOptions): Uint8Array[] {
  const encoder = OPUS.createEncoder(options);
  const length = options.ptimeMs * 24;
  const payload = new Uint8Array(1500);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + length <= SPEECH.length; at += length) {
    const bytes = encoder.encode(SPEECH.subarray(at, at + length), payload);
    packets.push(payload.slice(0, bytes));
  }
  encoder.release();
  return packets;
}

/** The share of packets that carry their predecessor again. */
function shareWithFec(options: Partial<EncoderOptions>): number {
  const packets = encodedSpeech({ ptimeMs: 20, ...options });
  return packets.filter((packet) => hasInbandFec(packet)).length / packets.length;
}

/** How many of the 100 packets of 2 s of silence, after a little speech, are sent. */
function sentInSilence(options: Partial<EncoderOptions>): number {
  const encoder = OPUS.createEncoder({ ptimeMs: 20, ...options });
  const payload = new Uint8Array(1500);
  encoder.encode(SPEECH.subarray(4800, 5280), payload);
  const sizes = Array.from({ length: 100 }, () => encoder.encode(new Int16Array(480), payload));
  encoder.release();
  return sizes.filter((bytes) => bytes > 0).length;
}

/** Creates, uses and releases encoders and decoders. */
function churn(times: number): void {
  const frame = SPEECH.slice(4800, 5280);
  const payload = new Uint8Array(1500);
  for (let round = 0; round < times; round += 1) {
    const encoder = OPUS.createEncoder({ ptimeMs: 20, opus: { complexity: 0 } });
    const decoder = OPUS.createDecoder();
    const bytes = encoder.encode(frame, payload);
    decoder.decode(payload.subarray(0, bytes), frame);
    encoder.release();
    decoder.release();
  }
}

function bitrateOf(options: EncoderOptions): number {
  const packets = encodedSpeech(options);
  const bytes = packets.reduce((sum, packet) => sum + packet.length, 0);
  return (bytes * 8) / (packets.length * options.ptimeMs);
}

/** Every fifth packet is lost: how like the loss-free decoding is what stands in for it, in dB. */
function snrInHoles(options: EncoderOptions, how: "recover" | "conceal"): number {
  const packets = encodedSpeech(options);
  const length = options.ptimeMs * 24;
  const whole = OPUS.createDecoder();
  const holed = OPUS.createDecoder();
  const good = new Int16Array(length);
  const heard = new Int16Array(length);
  let signal = 0;
  let error = 0;
  packets.forEach((packet, index) => {
    whole.decode(packet, good);
    const next = packets[index + 1];
    if (index % 5 !== 4 || next === undefined) {
      holed.decode(packet, heard);
      return;
    }
    standIn(holed, how === "recover" ? next : undefined, heard);
    for (let at = 0; at < length; at += 1) {
      signal += (good[at] as number) ** 2;
      error += ((good[at] as number) - (heard[at] as number)) ** 2;
    }
  });
  whole.release();
  holed.release();
  return 10 * Math.log10(signal / error);
}

function standIn(decoder: AudioDecoder, next: Uint8Array | undefined, output: Int16Array): void {
  if (next === undefined || !decoder.recover(next, output)) decoder.conceal(output);
}

/** Level of the sine of one frequency, in dBov. */
function sineDbov(samples: Int16Array, frequencyHz: number): number {
  const reference = tone({ frequencyHz, durationMs: samples.length / 24, sampleRateHz: 24_000 });
  const shifted = tone({ frequencyHz, durationMs: samples.length / 24 + 20, sampleRateHz: 24_000 });
  const quarter = Math.round(24_000 / frequencyHz / 4);
  let inPhase = 0;
  let inQuadrature = 0;
  let power = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number;
    inPhase += sample * (reference[index] as number);
    inQuadrature += sample * (shifted[index + quarter] as number);
    power += (reference[index] as number) ** 2;
  }
  const gain = Math.hypot(inPhase, inQuadrature) / power;
  return levelDbov(reference) + 20 * Math.log10(gain);
}

function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
