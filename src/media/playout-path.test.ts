import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav, levelDbov, resample } from "../audio/index.ts";
import { type Codec, codecOf, loadCodecs } from "../codec/index.ts";
import { instant, type Random, seededRandom } from "../environment/index.ts";
import type { RtpPacket } from "../rtp/index.ts";
import { PlayoutPath, type PlayoutPathOptions } from "./playout-path.ts";
import type { ReceivedFormats } from "./received-format.ts";

const FRAME_MS = 20;
const PCMU = codecOf("PCMU");
const FORMATS: ReceivedFormats = new Map([
  [0, { kind: "audio", codec: PCMU }],
  [8, { kind: "audio", codec: codecOf("PCMA") }],
  [9, { kind: "audio", codec: codecOf("G722") }],
  [13, { kind: "comfortNoise", clockRateHz: 8000 }],
  [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
]);

/** Real speech, as often as is needed to last `seconds`. */
function speech(seconds: number, sampleRateHz: number = 8000): Int16Array {
  const files = ["tell-me-about-the-hotel", "what-time-is-breakfast", "do-you-sell-bicycles"];
  const parts = files.map((name) => {
    const url = new URL(`../../fixtures/voices/caller/${name}.wav`, import.meta.url);
    const wav = decodeWav(readFileSync(url));
    return resample(wav.channels[0] ?? new Int16Array(0), wav.sampleRateHz, sampleRateHz);
  });
  const samples = new Int16Array(seconds * sampleRateHz);
  for (let at = 0, part = 0; at < samples.length; part += 1) {
    const next = parts[part % parts.length] ?? samples;
    samples.set(next.subarray(0, samples.length - at), at);
    at += next.length;
  }
  return samples;
}

interface Sent {
  readonly sentMs: number;
  readonly packet: RtpPacket;
}

/** The stream that a sender makes of samples, with a clock that may be off. */
function send(samples: Int16Array, codec: Codec, ppm: number = 0, ptimeMs: number = 20): Sent[] {
  const opus = { inbandFec: true, expectedLossPercent: 20 };
  const encoder = codec.createEncoder({ ptimeMs, opus });
  const frame = (codec.sampleRateHz * ptimeMs) / 1000;
  const ticks = (codec.clockRateHz * ptimeMs) / 1000;
  const sent: Sent[] = [];
  for (let index = 0; (index + 1) * frame <= samples.length; index += 1) {
    const output = new Uint8Array(1500);
    const bytes = encoder.encode(samples.slice(index * frame, (index + 1) * frame), output);
    const packet: RtpPacket = {
      kind: "rtp",
      marker: index === 0,
      payloadType: codec.preferredPayloadType,
      sequenceNumber: (65_000 + index) & 0xffff,
      timestamp: (0xffff_0000 + index * ticks) >>> 0,
      ssrc: 1,
      payload: output.subarray(0, bytes),
    };
    sent.push({ sentMs: (index + 1) * ptimeMs * (1 - ppm / 1e6), packet });
  }
  encoder.release();
  return sent;
}

/** Loses and delays what was sent. */
function impair(sent: readonly Sent[], random: Random, loss: number, jitterMs: number): Sent[] {
  return sent
    .filter(() => random() >= loss)
    .map(({ sentMs, packet }) => ({ sentMs: sentMs + random() * jitterMs, packet }))
    .toSorted((left, right) => left.sentMs - right.sentMs);
}

/** Runs a path over arrivals; returns all that was heard, from time 0 on. */
function hear(
  path: PlayoutPath,
  arrivals: readonly Sent[],
  untilMs: number,
  sampleRateHz: number = SESSION_HZ,
): Int16Array {
  const frame = new Int16Array((sampleRateHz * FRAME_MS) / 1000);
  const heard = new Int16Array(Math.ceil(untilMs / FRAME_MS) * frame.length);
  let next = 0;
  for (let pull = 0; pull * FRAME_MS < untilMs; pull += 1) {
    const now = pull * FRAME_MS + 7;
    for (let each = arrivals[next]; each !== undefined && each.sentMs <= now; ) {
      path.handlePacket(each.packet, instant(each.sentMs));
      next += 1;
      each = arrivals[next];
    }
    path.takeFrame(frame, instant(now));
    heard.set(frame, pull * frame.length);
  }
  return heard;
}

const SESSION_HZ = 8000;

function newPath(over: Partial<PlayoutPathOptions> = {}): PlayoutPath {
  const random = seededRandom("noise");
  return new PlayoutPath({ formats: FORMATS, sampleRateHz: SESSION_HZ, random, ...over });
}

/** How much later `heard` says what `reference` says, by correlation around `at`, in samples. */
function lag(reference: Int16Array, heard: Int16Array, at: number, length: number): number {
  let best = { lag: 0, score: Number.NEGATIVE_INFINITY };
  for (let each = 0; each < 4000; each += 1) {
    let [product, power] = [0, 1];
    for (let index = at; index < at + length; index += 1) {
      const sample = heard[index + each] ?? 0;
      product += sample * (reference[index] ?? 0);
      power += sample * sample;
    }
    const score = product / Math.sqrt(power);
    if (score > best.score) best = { lag: each, score };
  }
  return best.lag;
}

/** A step this many times as high as the steps around it is a click. */
const CLICK_RATIO = 8;

/**
 * Counts clicks: steps between neighbouring samples that stand out from the steps within 10 ms
 * around them. Clean speech has none at this ratio.
 */
function clicks(samples: Int16Array): number {
  const radius = 80;
  let count = 0;
  for (let index = radius + 1; index < samples.length - radius; index += 1) {
    const step = Math.abs((samples[index] ?? 0) - (samples[index - 1] ?? 0));
    if (step < 1500) continue;
    let sum = 1;
    for (let each = index - radius; each <= index + radius; each += 1) {
      const other = (samples[each] ?? 0) - (samples[each - 1] ?? 0);
      if (Math.abs(each - index) >= 3) sum += other * other;
    }
    if (step > CLICK_RATIO * Math.sqrt(sum / (2 * radius - 4))) count += 1;
  }
  return count;
}

function total(path: PlayoutPath): number {
  const { skippedMs: _, ...taken } = path.heard;
  return Object.values(taken).reduce((sum, each) => sum + each, 0);
}

describe("PlayoutPath with real speech", () => {
  it("plays a clean stream sample for sample, after the delay", () => {
    const samples = speech(5);
    const path = newPath({ delay: { kind: "fixed", delayMs: 60 } });
    const heard = hear(path, send(samples, PCMU), 6000);

    const decoded = new Int16Array(samples.length);
    const decoder = PCMU.createDecoder();
    const room = new Int16Array(160);
    for (const [index, { packet }] of send(samples, PCMU).entries()) {
      decoder.decode(packet.payload, room);
      decoded.set(room, index * 160);
    }
    // The first packet comes at 20; pulls are at 7, 27, …: 80 ms after it is the pull at 87.
    const begin = 4 * 160;
    expect(heard.slice(begin, begin + decoded.length)).toEqual(decoded);
    expect(path.heard).toMatchObject({ playedMs: 5000, insertedMs: 0, skippedMs: 0 });
    expect(total(path)).toBe(6000);
  });

  for (const loss of [0, 0.01, 0.05, 0.1, 0.2]) {
    for (const jitterMs of [0, 40, 80]) {
      it(`hears ${loss * 100} % loss and ${jitterMs} ms of jitter without clicks`, () => {
        const seconds = 10;
        const samples = speech(seconds);
        const sent = send(samples, PCMU);
        const arrivals = impair(sent, seededRandom(`${loss} ${jitterMs}`), loss, jitterMs);
        const path = newPath();
        const heard = hear(path, arrivals, seconds * 1000 + 1000);

        const { counts } = path;
        const lostMs = (sent.length - counts.played) * FRAME_MS;
        expect(counts.received).toBe(arrivals.length);
        expect(counts.late).toBeLessThanOrEqual(5);
        expect(total(path)).toBeCloseTo(seconds * 1000 + 1000, 6);
        // What was lost is concealed, 60 ms at the end, and what an underrun at the beginning took.
        expect(path.heard.concealedMs).toBeGreaterThanOrEqual(lostMs - 60);
        expect(path.heard.concealedMs).toBeLessThanOrEqual(lostMs + 60 + 2 * jitterMs);
        expect(path.heard.playedMs + path.heard.skippedMs).toBeCloseTo(counts.played * FRAME_MS, 6);
        expect(clicks(heard)).toBeLessThanOrEqual(Math.ceil((lostMs / FRAME_MS) * 0.05));
        const delayMs = lag(samples, heard, 8 * SESSION_HZ, SESSION_HZ / 2) / 8 - FRAME_MS;
        expect(delayMs).toBeGreaterThanOrEqual(Math.max(40, 0.9 * jitterMs) - 15);
        expect(delayMs).toBeLessThanOrEqual(Math.max(40, jitterMs + 10) + 2 * FRAME_MS);
      });
    }
  }

  it("has a measure of clicks that finds them", () => {
    const samples = speech(10);
    expect(clicks(samples)).toBe(0);
    const random = seededRandom("holes");
    for (let at = 0; at < samples.length; at += 160) {
      if (random() < 0.1) samples.fill(0, at, at + 160);
    }
    expect(clicks(samples)).toBeGreaterThan(10);
  });

  it.each([500, -500])("follows a clock that is off by %i ppm for ten minutes", (ppm) => {
    const seconds = 600;
    const samples = speech(seconds);
    const random = seededRandom(ppm);
    const arrivals = impair(send(samples, PCMU, ppm), random, 0, 15);
    const path = newPath();
    const heard = hear(path, arrivals, seconds * 1000 - 500);

    const { counts, heard: report } = path;
    expect(counts).toMatchObject({ late: 0, lost: 0, discarded: 0 });
    expect(report.concealedMs).toBe(0);
    expect(report.silentMs).toBeLessThan(100);
    const followedMs = ppm > 0 ? report.skippedMs : report.insertedMs;
    expect(followedMs).toBeGreaterThan(270);
    expect(followedMs).toBeLessThan(330);
    // Where the first packet came later than most, the delay is brought down once, by less than a pull.
    expect(ppm > 0 ? report.insertedMs : report.skippedMs).toBeLessThan(FRAME_MS);
    expect(Math.abs((path.driftPpm ?? 0) - ppm)).toBeLessThan(50);
    expect(clicks(heard.subarray(0, 60 * SESSION_HZ))).toBe(0);
    for (const atMs of [5_000, 300_000, 590_000]) {
      // The sender's sample at that time of its own lies there in ours.
      const at = Math.round((atMs * SESSION_HZ) / 1000);
      const ahead = Math.round((atMs * SESSION_HZ * ppm) / 1e9);
      const sound = samples.subarray(at + ahead);
      const delayMs = lag(sound, heard.subarray(at), 0, SESSION_HZ / 2) / 8 - FRAME_MS;
      expect(delayMs).toBeGreaterThanOrEqual(25);
      expect(delayMs).toBeLessThanOrEqual(85);
    }
  });
});

describe("PlayoutPath with Opus", () => {
  it("recovers lost packets from the ones after them", async () => {
    await loadCodecs(["opus"]);
    const opus = codecOf("opus");
    const samples = speech(10, 24_000);
    const sent = send(samples, opus);
    const lossy = impair(sent, seededRandom("opus"), 0.1, 30);
    const formats: ReceivedFormats = new Map([
      [opus.preferredPayloadType, { kind: "audio", codec: opus }],
    ]);
    const path = newPath({ formats, sampleRateHz: 24_000 });
    const heard = hear(path, lossy, 10_500, 24_000);
    path.release();

    const { fecRecoveredMs, concealedMs, playedMs, skippedMs } = path.heard;
    const lostMs = (sent.length - path.counts.played) * FRAME_MS;
    expect(path.counts).toMatchObject({ late: 0, discarded: 0 });
    expect(total(path)).toBeCloseTo(10_500, 6);
    expect(playedMs + skippedMs).toBeCloseTo(path.counts.played * FRAME_MS, 6);
    expect(fecRecoveredMs).toBeGreaterThan(0.7 * lostMs);
    expect(fecRecoveredMs + concealedMs).toBeLessThanOrEqual(lostMs + 60 + 60);
    expect(levelDbov(heard)).toBeGreaterThan(levelDbov(samples) - 2);
  });
});

describe("PlayoutPath between talkspurts", () => {
  it("makes comfort noise of the level that the sender gives", () => {
    const sent = send(speech(1), PCMU);
    const sid = sent.at(-1);
    if (sid === undefined) throw new Error("nothing was sent");
    const payload = Uint8Array.of(40);
    const path = newPath();
    const noise: RtpPacket = { ...sid.packet, payloadType: 13, payload };
    const arrivals = [...sent.slice(0, -1), { sentMs: sid.sentMs, packet: noise }];
    const heard = hear(path, arrivals, 3000);

    expect(path.heard.comfortNoiseMs).toBeGreaterThan(1800);
    expect(path.heard.concealedMs).toBe(0);
    expect(levelDbov(heard.subarray(2 * SESSION_HZ))).toBeCloseTo(-40, 0);
  });

  it("is silent during a telephone event", () => {
    const path = newPath();
    const sent = send(speech(2), PCMU);
    const frame = new Int16Array(160);
    for (const [index, { sentMs, packet }] of sent.entries()) {
      if (index >= 50 && index < 60) {
        path.handleOtherPayload({ ...packet, payloadType: 101 }, instant(sentMs));
      } else path.handlePacket(packet, instant(sentMs));
      path.takeFrame(frame, instant(sentMs + 5));
    }

    expect(path.heard.concealedMs).toBe(0);
    expect(path.counts).toMatchObject({ other: 10, lost: 0 });
  });
});

describe("PlayoutPath with changing formats", () => {
  it("plays on when the payload type changes in mid-stream", () => {
    const samples = speech(2);
    const other = send(samples, codecOf("PCMA"));
    const arrivals = send(samples, PCMU).map((each, index) =>
      index < 50 ? each : (other[index] ?? each),
    );
    const path = newPath();
    const heard = hear(path, arrivals, 2000);

    expect(path.counts).toMatchObject({ late: 0, lost: 0, discarded: 0 });
    expect(path.heard.concealedMs).toBe(0);
    expect(lag(samples, heard, 12_000, 2000)).toBe(lag(samples, heard, 2000, 2000));
    expect(clicks(heard)).toBe(0);
  });

  it("resamples a codec of another rate to the session's", () => {
    const samples = speech(2, 16_000);
    const path = newPath();
    const heard = hear(path, send(samples, codecOf("G722")), 2500);

    expect(path.resamplingDelayMs).toBeGreaterThan(0);
    expect(path.counts).toMatchObject({ played: 100, late: 0 });
    const narrow = speech(2);
    const delayMs = lag(narrow, heard, 4000, 4000) / 8 - FRAME_MS;
    expect(delayMs).toBeGreaterThan(40);
    expect(delayMs).toBeLessThan(80);
  });

  it("ignores payload types that it was not told of, and forgets those it is told no more", () => {
    const path = newPath({ formats: new Map([[0, { kind: "audio", codec: PCMU }]]) });
    const [first] = send(speech(1), PCMU);
    if (first === undefined) throw new Error("nothing was sent");
    path.handlePacket({ ...first.packet, payloadType: 99 }, instant(0));
    expect(path.counts.received).toBe(0);

    path.handlePacket(first.packet, instant(0));
    path.setFormats(new Map());
    const frame = new Int16Array(160);
    for (let now = 0; now < 200; now += 20) path.takeFrame(frame, instant(now));

    expect(path.counts.played).toBe(1);
    expect(path.heard.playedMs).toBe(0);
    expect(total(path)).toBe(200);
  });

  it("counts what no decoder can make anything of", () => {
    const path = newPath();
    const [first] = send(speech(1), PCMU);
    if (first === undefined) throw new Error("nothing was sent");
    path.handlePacket({ ...first.packet, payload: new Uint8Array(0) }, instant(0));

    expect(path.undecodable).toBe(1);
    expect(path.counts).toMatchObject({ received: 1, other: 1 });
  });

  it("counts what is left over as discarded", () => {
    const path = newPath();
    for (const { packet } of send(speech(1), PCMU).slice(0, 10)) {
      path.handlePacket(packet, instant(0));
    }
    path.end(instant(0));
    path.release();

    expect(path.counts).toMatchObject({ received: 10, discarded: 10 });
  });
});

describe("PlayoutPath on any stream (property)", () => {
  const packets = fc.array(
    fc.record({
      gapMs: fc.integer({ min: 0, max: 80 }),
      payloadType: fc.constantFrom(0, 0, 0, 8, 9, 13, 99),
      sequenceStep: fc.constantFrom(1, 1, 1, 2, -1, 0, 5000),
      ticks: fc.constantFrom(160, 160, 160, 80, -160, 0, 1_000_000),
      bytes: fc.integer({ min: 0, max: 400 }),
      ssrc: fc.constantFrom(1, 1, 1, 1, 1, 1, 2),
      marker: fc.boolean(),
    }),
    { maxLength: 150 },
  );

  it("fills every frame and accounts for every packet and every sample", () => {
    fc.assert(
      fc.property(packets, fc.constantFrom(8000, 16_000, 24_000), (stream, sampleRateHz) => {
        const path = newPath({ sampleRateHz });
        const frame = new Int16Array(sampleRateHz / 50);
        let [now, pulls, known, sequence, timestamp] = [0, 0, 0, 65_500, 0xffff_f000];
        for (const each of stream) {
          now += each.gapMs;
          for (; pulls * FRAME_MS < now; pulls += 1) {
            path.takeFrame(frame, instant(pulls * FRAME_MS));
          }
          sequence += each.sequenceStep;
          timestamp += each.ticks;
          const { payloadType, ssrc, marker, bytes } = each;
          const packet: RtpPacket = {
            kind: "rtp",
            payloadType,
            ssrc,
            marker,
            sequenceNumber: sequence & 0xffff,
            timestamp: timestamp >>> 0,
            payload: new Uint8Array(bytes).fill(0x55),
          };
          path.handlePacket(packet, instant(now));
          if (payloadType !== 99) known += 1;
        }

        const { counts } = path;
        const { received, played, late, discarded, duplicate, other, expected, lost } = counts;
        expect(received).toBe(known);
        expect(played + late + discarded + duplicate + other + path.bufferedPackets).toBe(received);
        expect(expected).toBe(received - duplicate + lost);
        expect(total(path)).toBeCloseTo(pulls * FRAME_MS, 6);
        path.release();
      }),
      { numRuns: 100 },
    );
  });
});
