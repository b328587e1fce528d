import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { IngressOrderer, type IngressOrdererOptions } from "./ingress-orderer.ts";
import type { RtpPacket } from "./packet.ts";

const FRAME_MS = 20;
const FRAME_TICKS = 160;
const OPTIONS: IngressOrdererOptions = {
  clockRateHz: 8000,
  maxHoldMs: 40,
  gapFillAfterMs: 60,
};

function packet(index: number, over: Partial<RtpPacket> = {}): RtpPacket {
  const payload = new Uint8Array(FRAME_TICKS);
  new DataView(payload.buffer).setUint32(0, index);
  return {
    kind: "rtp",
    marker: false,
    payloadType: 0,
    sequenceNumber: index & 0xffff,
    timestamp: (index * FRAME_TICKS) >>> 0,
    ssrc: 1,
    payload,
    ...over,
  };
}

type Arrival = readonly [ms: number, packet: RtpPacket];

/** An orderer with its timer, and what came out when. */
class Ingress {
  readonly orderer: IngressOrderer;
  /** Packet indexes, and silence or loss as negative ticks. */
  readonly output: number[] = [];
  readonly passedAtMs = new Map<number, number>();
  outputTicks = 0;
  lostTicks = 0;
  silentTicks = 0;
  /** Called after everything that happened. */
  onStep: (nowMs: number) => void = () => undefined;

  constructor(options: Partial<IngressOrdererOptions> = {}) {
    this.orderer = new IngressOrderer({ ...OPTIONS, ...options });
  }

  run(arrivals: readonly Arrival[], untilMs = 0): this {
    for (const [ms, each] of arrivals.toSorted(([left], [right]) => left - right)) {
      this.#runTimers(ms);
      this.orderer.handlePacket(each, each.payload.length, instant(ms));
      this.drain(ms);
    }
    this.#runTimers(untilMs);
    return this;
  }

  drain(ms: number): void {
    for (let piece = this.orderer.takeOutput(); piece; piece = this.orderer.takeOutput()) {
      if (piece.kind !== "audio") {
        this.outputTicks += piece.ticks;
        this[piece.kind === "lost" ? "lostTicks" : "silentTicks"] += piece.ticks;
        this.output.push(-piece.ticks);
        continue;
      }
      const { buffer, byteOffset } = piece.payload;
      const index = new DataView(buffer, byteOffset).getUint32(0);
      this.outputTicks += piece.payload.length;
      this.output.push(index);
      this.passedAtMs.set(index, ms);
    }
    this.onStep(ms);
  }

  get passed(): number[] {
    return this.output.filter((each) => each >= 0);
  }

  #runTimers(untilMs: number): void {
    for (;;) {
      const due = this.orderer.nextTimeout;
      if (due === undefined || due > untilMs) return;
      this.orderer.handleTimeout(due);
      this.drain(due);
    }
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function steady(count: number, delayMs: (index: number) => number = () => 0): Arrival[] {
  return range(0, count).map((index) => [index * FRAME_MS + delayMs(index), packet(index)]);
}

describe("IngressOrderer", () => {
  it("passes packets in order in the same call", () => {
    const ingress = new Ingress().run(steady(50));

    expect(ingress.output).toEqual(range(0, 50));
    for (const index of range(0, 50)) expect(ingress.passedAtMs.get(index)).toBe(index * FRAME_MS);
  });

  it("puts swapped packets in order and holds only the one after the gap", () => {
    const ingress = new Ingress().run(steady(10, (index) => (index === 4 ? 30 : 0)));

    expect(ingress.output).toEqual(range(0, 10));
    expect(ingress.passedAtMs.get(5)).toBe(110);
    expect(ingress.passedAtMs.get(6)).toBe(120);
    expect(ingress.orderer.counts).toMatchObject({ late: 0, lost: 0, silenceTicks: 0 });
  });

  it("fills a lost packet's place when the next one has waited long enough", () => {
    const arrivals = steady(10).filter((_, index) => index !== 4);
    const ingress = new Ingress().run(arrivals);

    expect(ingress.output).toEqual([0, 1, 2, 3, -160, 5, 6, 7, 8, 9]);
    expect(ingress.passedAtMs.get(5)).toBe(140);
    expect(ingress.passedAtMs.get(7)).toBe(140);
    expect(ingress.orderer.counts.lost).toBe(1);
  });

  it("holds a packet beyond a long gap while the gap is filled in real time", () => {
    const arrivals = steady(12).filter((_, index) => index < 5 || index >= 9);
    const ingress = new Ingress().run(arrivals);

    expect(ingress.passedAtMs.get(9)).toBe(220);
    expect(ingress.passed).toEqual([...range(0, 5), 9, 10, 11]);
    expect(ingress.outputTicks).toBe(12 * FRAME_TICKS);
    expect(ingress.orderer.counts.lost).toBe(4);
  });

  it("does not believe timestamps that run ahead of real time", () => {
    const arrivals = steady(20).map(([ms, each], index): Arrival => {
      const timestamp = (index < 10 ? index : index + 4) * FRAME_TICKS;
      return [ms, { ...each, timestamp }];
    });
    const ingress = new Ingress().run(arrivals);

    expect(ingress.output).toEqual(range(0, 20));
    expect(ingress.orderer.counts).toMatchObject({ discarded: 0, anchorings: 2 });
  });

  it("drops a packet whose time was filled and counts it late", () => {
    const ingress = new Ingress().run(steady(10, (index) => (index === 4 ? 70 : 0)));

    expect(ingress.output).toEqual([0, 1, 2, 3, -160, 5, 6, 7, 8, 9]);
    expect(ingress.orderer.counts).toMatchObject({ late: 1, lost: 0, passed: 9 });
  });

  it("puts out silence in real time when nothing arrives", () => {
    const ingress = new Ingress().run(steady(5), 1000);

    // Real time is 1000 ms; the last fill was due 60 ms after what it stands for.
    expect(ingress.outputTicks / 8).toBeGreaterThanOrEqual(940);
    expect(ingress.outputTicks / 8).toBeLessThanOrEqual(1000);
    expect(ingress.orderer.nextTimeout).toBeGreaterThan(1000);
  });

  it("starts with silence when told to start before the first packet", () => {
    const ingress = new Ingress();
    ingress.orderer.start(instant(0));

    ingress.run([[500, packet(9)]]);

    expect(ingress.output.at(-1)).toBe(9);
    expect(ingress.outputTicks).toBe(500 * 8 + FRAME_TICKS);
  });

  it("makes up for a late timer in one piece", () => {
    const ingress = new Ingress().run(steady(1));

    ingress.orderer.handleTimeout(instant(3_600_000));
    ingress.drain(3_600_000);

    expect(ingress.output).toEqual([0, -480, 480 + FRAME_TICKS - ingress.outputTicks]);
    expect(ingress.outputTicks / 8).toBeGreaterThanOrEqual(3_600_000 - 60);
  });

  it("fills a DTX pause with silence of its length, and passes the next packet at once", () => {
    const arrivals = steady(30)
      .filter((_, index) => index < 5 || index >= 25)
      .map(([ms, each]): Arrival => {
        const index = each.sequenceNumber;
        return [ms, { ...each, sequenceNumber: index < 5 ? index : index - 20 }];
      });
    const ingress = new Ingress().run(arrivals);

    expect(ingress.passed).toEqual([...range(0, 5), ...range(25, 30)]);
    expect(ingress.passedAtMs.get(25)).toBe(500);
    expect(ingress.outputTicks).toBe(30 * FRAME_TICKS);
    expect(ingress.orderer.counts).toMatchObject({ lost: 0, late: 0, anchorings: 1 });
  });

  it("does not wait for the sequence numbers of a telephone event", () => {
    const ingress = new Ingress();
    for (const index of range(0, 20)) {
      const isEvent = index >= 5 && index < 12;
      if (!isEvent) ingress.run([[index * FRAME_MS, packet(index)]]);
      else ingress.orderer.handleOtherPayload(packet(index), instant(index * FRAME_MS));
    }

    expect(ingress.passed).toEqual([...range(0, 5), ...range(12, 20)]);
    expect(ingress.passedAtMs.get(12)).toBe(240);
    expect(ingress.outputTicks).toBe(20 * FRAME_TICKS);
    expect(ingress.orderer.counts).toMatchObject({ lost: 0, received: 20, other: 7 });
  });

  it("copies what it holds", () => {
    const ingress = new Ingress();
    const held = packet(2);
    ingress.run([
      [0, packet(0)],
      [40, held],
    ]);
    held.payload.fill(0xff);

    ingress.run([[45, packet(1)]]);

    expect(ingress.output).toEqual([0, 1, 2]);
  });

  it("goes on at once after another SSRC, a restart, and a jump of the timestamps", () => {
    const changes: Partial<RtpPacket>[] = [
      { ssrc: 2, timestamp: 77, sequenceNumber: 9000 },
      { timestamp: 3_000_000_000, sequenceNumber: 40_000 },
      { timestamp: 3_000_000_000 },
      { timestamp: 0xf000_0000 },
    ];
    for (const change of changes) {
      const arrivals = steady(20).map(([ms, each], index): Arrival => {
        if (index < 10) return [ms, each];
        const timestamp = ((change.timestamp ?? 0) + (index - 10) * FRAME_TICKS) >>> 0;
        const sequenceNumber = (change.sequenceNumber ?? 10) + index - 10;
        return [ms, { ...each, ...change, timestamp, sequenceNumber }];
      });

      expect(new Ingress().run(arrivals).output).toEqual(range(0, 20));
    }
  });

  it("goes on at once after a hold during which the timestamps stood still", () => {
    const arrivals = steady(20, (index) => (index < 10 ? 0 : 3000));
    const ingress = new Ingress().run(arrivals);

    expect(ingress.passed).toEqual(range(0, 20));
    expect(ingress.passedAtMs.get(10)).toBe(3200);
  });

  it("finds its way when the path becomes longer for good", () => {
    const ingress = new Ingress().run(steady(200, (index) => (index < 50 ? 0 : 130)));

    expect(ingress.passed.slice(-130)).toEqual(range(70, 200));
  });

  it("takes packets of other lengths as they are", () => {
    const arrivals = range(0, 20).map((index): Arrival => {
      const payload = new Uint8Array(240);
      new DataView(payload.buffer).setUint32(0, index);
      return [index * 30, packet(index, { payload, timestamp: index * 240 })];
    });
    const ingress = new Ingress().run(arrivals);

    expect(ingress.output).toEqual(range(0, 20));
    expect(ingress.outputTicks).toBe(20 * 240);
  });

  it.each([500, -500])(
    "follows a sender whose clock is off by %i ppm, in whole frames if nobody else does",
    (ppm) => {
      const minutes = 10;
      const intervalMs = FRAME_MS * (1 - ppm / 1e6);
      const random = seededRandom(ppm);
      const count = (minutes * 60_000) / FRAME_MS;
      const arrivals = range(0, count).map(
        (index): Arrival => [index * intervalMs + random() * 15, packet(index)],
      );
      const ingress = new Ingress().run(arrivals, minutes * 60_000);

      const { discarded, lostTicks, late, lost } = ingress.orderer.counts;
      // 300 ms of drift: 15 frames thrown away, or put in.
      const frames = ppm > 0 ? discarded : lostTicks / FRAME_TICKS;
      expect(frames).toBeGreaterThanOrEqual(12);
      expect(frames).toBeLessThanOrEqual(17);
      expect({ late, lost }).toEqual({ late: 0, lost: 0 });
      const elapsedMs = Math.max(minutes * 60_000, arrivals.at(-1)?.[0] ?? 0);
      expect(Math.abs(ingress.outputTicks / 8 - elapsedMs)).toBeLessThan(80);
    },
  );

  it.each([500, -500])("lets its consumer follow a clock that is off by %i ppm", (ppm) => {
    const seconds = 600;
    const random = seededRandom(ppm);
    const { orderer } = new Ingress();
    let shiftedTicks = 0;
    let outputTicks = 0;
    let nowMs = 0;
    for (const index of range(0, seconds * 50)) {
      nowMs = index * FRAME_MS * (1 - ppm / 1e6) + random() * 15;
      orderer.handlePacket(packet(index), FRAME_TICKS, instant(nowMs));
      for (let piece = orderer.takeOutput(); piece; piece = orderer.takeOutput()) {
        expect(piece.kind).toBe("audio");
        const shift = Math.max(-20, Math.min(20, orderer.pendingShiftTicks));
        if (shift !== 0) orderer.applyShift(shift);
        shiftedTicks += shift;
        outputTicks += FRAME_TICKS + shift;
      }
    }

    expect(orderer.counts).toMatchObject({ late: 0, lost: 0, discarded: 0, lostTicks: 0 });
    expect(Math.abs(shiftedTicks / 8 + ppm * 0.6)).toBeLessThan(45);
    expect(Math.abs(outputTicks / 8 - nowMs)).toBeLessThan(80);
  });

  it("reuses its memory", () => {
    const ingress = new Ingress();
    const buffers = new Set<ArrayBufferLike>();
    for (const [ms, each] of steady(500)) {
      ingress.orderer.handlePacket(each, FRAME_TICKS, instant(ms));
      const piece = ingress.orderer.takeOutput();
      if (piece?.kind === "audio") buffers.add(piece.payload.buffer);
      ingress.drain(ms);
    }

    expect(buffers.size).toBeLessThanOrEqual(2);
  });

  it("keeps no more than its bounds when nobody drains it", () => {
    const { orderer } = new Ingress();
    for (const index of range(0, 3000)) {
      orderer.handlePacket(packet(index), FRAME_TICKS, instant(index * 20));
    }

    expect(orderer.counts.passed).toBeLessThanOrEqual(512);
    expect(orderer.counts.passed + orderer.counts.discarded).toBe(3000);
  });
});

const NETWORK = fc.record({
  seed: fc.integer(),
  lossRatio: fc.double({ min: 0, max: 0.5, noNaN: true }),
  duplicationRatio: fc.double({ min: 0, max: 0.2, noNaN: true }),
  jitterMs: fc.double({ min: 0, max: 200, noNaN: true }),
  ppm: fc.integer({ min: -500, max: 500 }),
  pauseRatio: fc.double({ min: 0, max: 0.02, noNaN: true }),
  restartRatio: fc.double({ min: 0, max: 0.01, noNaN: true }),
});

describe("IngressOrderer on any network (property)", () => {
  it("keeps the output's clock at real time and accounts for each packet", () => {
    fc.assert(
      fc.property(NETWORK, (network) => {
        const random = seededRandom(network.seed);
        const arrivals: Arrival[] = [];
        let { sentMs, timestamp, sequence, ssrc } = {
          sentMs: 0,
          timestamp: 0,
          sequence: 0,
          ssrc: 1,
        };
        for (const index of range(0, 500)) {
          const pause = random() < network.pauseRatio ? Math.floor(random() * 100) : 0;
          sentMs += FRAME_MS * (1 + pause) * (1 + network.ppm / 1e6);
          timestamp += FRAME_TICKS * (1 + (random() < 0.7 ? pause : 0));
          sequence += 1;
          if (random() < network.restartRatio) {
            ssrc += random() < 0.5 ? 1 : 0;
            sequence = Math.floor(random() * 65_536);
            timestamp = Math.floor(random() * 0xffff_ffff);
          }
          const copies = random() < network.duplicationRatio ? 2 : 1;
          for (const _ of range(0, copies)) {
            if (random() < network.lossRatio) continue;
            const fields = { sequenceNumber: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc };
            arrivals.push([sentMs + random() * network.jitterMs, packet(index, fields)]);
          }
        }
        if (arrivals.length === 0) return;
        const ingress = new Ingress();
        const startMs = Math.min(...arrivals.map(([ms]) => ms));
        const worst = { aheadMs: 0, behindMs: 0, imbalance: 0, unexpected: 0 };
        ingress.onStep = (nowMs) => {
          const aheadMs = ingress.outputTicks / 8 - (nowMs - startMs);
          worst.aheadMs = Math.max(worst.aheadMs, aheadMs);
          worst.behindMs = Math.max(worst.behindMs, -aheadMs);
          const { received, passed, late, discarded, duplicate } = ingress.orderer.counts;
          const accounted = passed + late + discarded + duplicate + ingress.orderer.heldPackets;
          const { expected, lost } = ingress.orderer.counts;
          worst.unexpected = Math.max(worst.unexpected, expected - received + duplicate - lost);
          worst.imbalance = Math.max(worst.imbalance, Math.abs(received - accounted));
        };

        ingress.run(arrivals, Math.max(...arrivals.map(([ms]) => ms)) + 2000);

        expect(worst.imbalance).toBe(0);
        expect(worst.unexpected).toBe(0);
        expect(worst.behindMs).toBeLessThanOrEqual(60 + 0.2);
        expect(worst.aheadMs).toBeLessThanOrEqual(60 + FRAME_MS + 0.2);
        const { received, silenceTicks, lostTicks, passed, lost } = ingress.orderer.counts;
        expect(received).toBe(arrivals.length);
        expect(ingress.outputTicks).toBe(silenceTicks + lostTicks + passed * FRAME_TICKS);
        expect(lost).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the order and passes no packet twice", () => {
    fc.assert(
      fc.property(NETWORK, ({ seed, lossRatio, jitterMs }) => {
        const random = seededRandom(seed);
        const arrivals = [...steady(300, () => random() * jitterMs), ...steady(300)].filter(
          () => random() >= lossRatio,
        );

        const { passed } = new Ingress().run(arrivals, 10_000);

        expect(passed).toEqual([...new Set(passed)].toSorted((left, right) => left - right));
      }),
      { numRuns: 40 },
    );
  });
});
