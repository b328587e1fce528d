import { describe, expect, it } from "vitest";
import { codecOf } from "../codec/index.ts";
import { instant, seededRandom } from "../environment/index.ts";
import type { RtpPacket } from "../rtp/index.ts";
import { IngressPath } from "./ingress-path.ts";
import type { ReceivedFormats } from "./received-format.ts";

const FORMATS: ReceivedFormats = new Map([
  [0, { kind: "audio", codec: codecOf("PCMU") }],
  [9, { kind: "audio", codec: codecOf("G722") }],
  [13, { kind: "comfortNoise", clockRateHz: 8000 }],
  [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
]);

interface Passed {
  readonly kind: "audio" | "silence";
  readonly count: number;
  readonly atMs: number;
}

class Listener {
  readonly passed: Passed[] = [];
  readonly audio: number[] = [];
  readonly path: IngressPath;

  constructor(sampleRateHz: number = 8000) {
    this.path = new IngressPath({
      formats: FORMATS,
      sampleRateHz,
      random: seededRandom("ingress"),
      onAudio: (samples, now) => {
        this.passed.push({ kind: "audio", count: samples.length, atMs: now });
        this.audio.push(...samples);
      },
      onSilence: (count, now) => this.passed.push({ kind: "silence", count, atMs: now }),
    });
  }

  sum(kind: "audio" | "silence"): number {
    const those = this.passed.filter((each) => each.kind === kind);
    return those.reduce((sum, { count }) => sum + count, 0);
  }
}

function packet(index: number, over: Partial<RtpPacket> = {}): RtpPacket {
  const payload = new Uint8Array(160);
  const samples = new Int16Array(160);
  for (let at = 0; at < 160; at += 1) {
    samples[at] = 8000 * Math.sin(((index * 160 + at) * 2 * Math.PI * 200) / 8000);
  }
  codecOf("PCMU").createEncoder({ ptimeMs: 20 }).encode(samples, payload);
  return {
    kind: "rtp",
    marker: false,
    payloadType: 0,
    sequenceNumber: index & 0xffff,
    timestamp: (0xffff_ff00 + index * 160) >>> 0,
    ssrc: 1,
    payload,
    ...over,
  };
}

describe("IngressPath", () => {
  it("hands audio on in the same call", () => {
    const { path, passed } = new Listener();
    for (let index = 0; index < 50; index += 1) {
      path.handlePacket(packet(index), instant(index * 20));
      expect(passed.at(-1)).toEqual({ kind: "audio", count: 160, atMs: index * 20 });
    }

    expect(passed).toHaveLength(50);
    expect(path.counts).toMatchObject({ received: 50, passed: 50, lost: 0 });
  });

  it("conceals what was lost, in its place and of its length", () => {
    const listener = new Listener();
    for (let index = 0; index < 50; index += 1) {
      const now = instant(index * 20);
      listener.path.handleTimeout(now);
      if (index % 10 !== 5) listener.path.handlePacket(packet(index), now);
    }

    expect(listener.path.concealedMs).toBe(5 * 20);
    expect(listener.sum("audio")).toBe(50 * 160);
    expect(listener.sum("silence")).toBe(0);
    // A steady tone goes on through the holes: no sample of it is far from the ones around it.
    const steps = listener.audio
      .slice(1)
      .map((each, at) => Math.abs(each - (listener.audio[at] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(2 * 8000 * 2 * Math.PI * (200 / 8000));
  });

  it("goes from concealment to silence when nothing comes any more", () => {
    const listener = new Listener();
    for (let index = 0; index < 50; index += 1) {
      const now = instant(index * 20);
      listener.path.handleTimeout(now);
      if (index < 10) listener.path.handlePacket(packet(index), now);
    }

    expect(listener.path.concealedMs).toBe(60);
    expect(listener.sum("silence") / 8).toBeGreaterThan(980 - 200 - 60 - 80);
  });

  it("takes comfort noise and telephone events as pauses", () => {
    const listener = new Listener();
    for (let index = 0; index < 50; index += 1) {
      const now = instant(index * 20);
      listener.path.handleTimeout(now);
      const isPause = index >= 10 && index < 30;
      if (!isPause) listener.path.handlePacket(packet(index), now);
      else if (index === 10) {
        listener.path.handlePacket(packet(index, { payloadType: 13 }), now);
      } else listener.path.handleOtherPayload(packet(index, { payloadType: 101 }), now);
    }

    expect(listener.path.concealedMs).toBe(0);
    expect(listener.path.counts).toMatchObject({ received: 50, other: 20, passed: 30, lost: 0 });
    expect(listener.sum("audio")).toBe(30 * 160);
    expect(listener.sum("silence")).toBe(20 * 160);
  });

  it("hands out what a resampler holds before a silence", () => {
    const listener = new Listener(24_000);
    for (let index = 0; index < 10; index += 1) {
      listener.path.handlePacket(packet(index), instant(index * 20));
    }
    listener.path.handleOtherPayload(packet(10, { payloadType: 101 }), instant(200));
    listener.path.handleTimeout(instant(1000));

    const tailSamples = (listener.path.resamplingDelayMs || 4) * 24;
    expect(listener.sum("audio")).toBe(10 * 480 + tailSamples);
    expect((listener.sum("audio") + listener.sum("silence")) / 24).toBeGreaterThanOrEqual(940);
  });

  it("follows a fast sender without a lost frame", () => {
    const listener = new Listener();
    const count = 30_000;
    for (let index = 0; index < count; index += 1) {
      listener.path.handlePacket(packet(index % 400, sequence(index)), instant(index * 19.99));
    }

    const { path } = listener;
    expect(path.counts).toMatchObject({ discarded: 0, late: 0, lost: 0 });
    expect(path.concealedMs).toBe(0);
    expect(path.skippedMs).toBeGreaterThan(250);
    expect(path.skippedMs).toBeLessThan(310);
    expect(listener.sum("audio") / 8 + path.skippedMs).toBeCloseTo(count * 20, 3);
  });

  it("counts what it holds at the end as discarded", () => {
    const { path } = new Listener();
    path.handlePacket(packet(0), instant(0));
    path.handlePacket(packet(2), instant(20));
    path.end(instant(20));
    path.release();

    expect(path.counts).toMatchObject({ received: 2, passed: 1, discarded: 1, lost: 1 });
  });
});

function sequence(index: number): Partial<RtpPacket> {
  return { sequenceNumber: index & 0xffff, timestamp: (index * 160) >>> 0 };
}
