import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, type Random, seededRandom } from "../environment/index.ts";
import { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
import type { RtpPacket } from "./packet.ts";

const FRAME_MS = 20;
const OPTIONS: JitterBufferOptions = { playoutDelayMs: 60, clockRateHz: 8000, frameTicks: 160 };

/** A packet whose payload tells its index. */
function packet(index: number, over: Partial<RtpPacket> = {}): RtpPacket {
  const payload = new Uint8Array(160);
  new DataView(payload.buffer).setUint32(0, index);
  return {
    kind: "rtp",
    marker: false,
    payloadType: 0,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 160) >>> 0,
    ssrc: 1,
    payload,
    ...over,
  };
}

function isContent(frame: number | "lost" | "silence"): boolean {
  return frame !== "silence";
}

/** What was played, one letter or index per frame. */
class Player {
  readonly buffer: JitterBuffer;
  readonly played: (number | "lost" | "silence")[] = [];
  #now: number;

  constructor(options: Partial<JitterBufferOptions> = {}, phaseMs = 7) {
    this.buffer = new JitterBuffer({ ...OPTIONS, ...options });
    this.#now = phaseMs;
  }

  /** Takes all frames up to `untilMs`, that instant included. */
  playUntil(untilMs: number): void {
    for (; this.#now <= untilMs; this.#now += FRAME_MS) {
      const frame = this.buffer.takeFrame(instant(this.#now));
      if (frame.kind !== "packet") this.played.push(frame.kind);
      else
        this.played.push(new DataView(frame.payload.buffer, frame.payload.byteOffset).getUint32(0));
    }
  }

  /** Lets packets arrive at their times, in order of these. */
  run(arrivals: readonly (readonly [ms: number, packet: RtpPacket])[], untilMs: number): this {
    for (const [ms, each] of arrivals.toSorted(([left], [right]) => left - right)) {
      this.playUntil(ms - 0.001);
      this.buffer.handlePacket(each, instant(ms));
    }
    this.playUntil(untilMs);
    return this;
  }

  /** Without silence at both ends. */
  get content(): (number | "lost" | "silence")[] {
    return this.played.slice(
      this.played.findIndex(isContent),
      this.played.findLastIndex(isContent) + 1,
    );
  }

  get packets(): number[] {
    return this.played.filter((frame) => typeof frame === "number");
  }
}

function steady(
  count: number,
  delayMs: (index: number) => number = () => 0,
): [number, RtpPacket][] {
  return Array.from({ length: count }, (_, index) => [
    index * FRAME_MS + delayMs(index),
    packet(index),
  ]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe("JitterBuffer", () => {
  it("plays a talkspurt from the first frame at or after its first arrival plus the delay", () => {
    const player = new Player().run(steady(10), 300);

    // Frames are taken at 7, 27, 47, 67 ms …: 67 is the first at or after 60.
    expect(player.played.slice(0, 4)).toEqual(["silence", "silence", "silence", 0]);
    expect(player.packets).toEqual(range(0, 10));
  });

  it("counts the delay from the arrival also when frames have been taken before", () => {
    const player = new Player({}, 0);

    player.run([[101, packet(5)]], 300);

    expect(player.played.indexOf(5) * FRAME_MS).toBe(180);
  });

  it("plays at once what has waited when frames are taken late, and discards what is overdue", () => {
    const player = new Player({}, 167).run(steady(8), 400);

    // At 167 ms, packet 5 (due at 160) is on; 0 to 4 are beyond their time.
    expect(player.played[0]).toBe(5);
    expect(player.buffer.counts).toMatchObject({ discarded: 5, played: 3 });
  });

  it("absorbs jitter and reordering within the delay", () => {
    const random = seededRandom("jitter");
    const player = new Player().run(
      steady(500, (index) => (index === 0 ? 0 : random() * 59)),
      11_000,
    );

    expect(player.content.slice(0, 500)).toEqual(range(0, 500));
    expect(player.buffer.counts).toMatchObject({ late: 0, lost: 0, played: 500, discarded: 0 });
  });

  it("copies the payload", () => {
    const buffer = new JitterBuffer(OPTIONS);
    const each = packet(7);
    buffer.handlePacket(each, instant(0));
    each.payload.fill(0xff);

    const frame = buffer.takeFrame(instant(60));

    expect(frame.kind === "packet" && frame.payload[3]).toBe(7);
  });

  it("says lost for missing packets, and counts them once playout has passed them", () => {
    const arrivals = steady(10).filter(
      ([, { sequenceNumber }]) => ![4, 5].includes(sequenceNumber),
    );
    const player = new Player().run(arrivals, 600);

    expect(player.content.slice(0, 10)).toEqual([0, 1, 2, 3, "lost", "lost", 6, 7, 8, 9]);
    expect(player.buffer.counts.lost).toBe(2);
  });

  it("counts a packet after its playout time as late, not as lost", () => {
    const player = new Player().run(
      steady(10, (index) => (index === 4 ? 100 : 0)),
      600,
    );

    expect(player.content.slice(0, 7)).toEqual([0, 1, 2, 3, "lost", 5, 6]);
    expect(player.buffer.counts).toMatchObject({ late: 1, lost: 0, played: 9 });
  });

  it("plays one copy of a duplicate, whenever the other comes", () => {
    const arrivals = [...steady(6), [105, packet(5)], [400, packet(2)]] as [number, RtpPacket][];
    const player = new Player().run(arrivals, 600);

    expect(player.packets).toEqual(range(0, 6));
    expect(player.buffer.counts).toMatchObject({ duplicate: 2, late: 0 });
  });

  it("plays a DTX pause as silence of its length", () => {
    const pause = steady(20)
      .filter((_, index) => index < 5 || index >= 15)
      .map(([ms, each]): [number, RtpPacket] => {
        const index = each.sequenceNumber;
        return [ms, { ...each, sequenceNumber: index < 5 ? index : index - 10 }];
      });
    const player = new Player().run(pause, 800);

    expect(player.content.slice(0, 5)).toEqual(range(0, 5));
    expect(player.content.slice(15, 20)).toEqual(range(15, 20));
    // Until the next packet shows that nothing is missing, 60 ms may be concealed.
    expect(player.content.slice(5, 15)).toEqual([
      ...Array.from({ length: 3 }, () => "lost"),
      ...Array.from({ length: 7 }, () => "silence"),
    ]);
    expect(player.buffer.counts.lost).toBe(0);
  });

  it("plays a short DTX pause as silence from the first frame", () => {
    const arrivals = steady(12)
      .filter((_, index) => index !== 5)
      .map(([ms, each]): [number, RtpPacket] => {
        const index = each.sequenceNumber;
        return [ms, { ...each, sequenceNumber: index < 5 ? index : index - 1 }];
      });

    for (const playoutDelayMs of [20, 60]) {
      const player = new Player({ playoutDelayMs }).run(arrivals, 600);

      expect(player.content.slice(4, 7)).toEqual([4, "silence", 6]);
    }
  });

  it("does not take a telephone event for loss", () => {
    const player = new Player();
    for (const index of range(0, 20)) {
      player.playUntil(index * FRAME_MS - 0.001);
      const isEvent = index >= 5 && index < 12;
      if (isEvent) player.buffer.handleOtherPayload(packet(index), instant(index * FRAME_MS));
      else player.buffer.handlePacket(packet(index), instant(index * FRAME_MS));
    }
    player.playUntil(800);

    const silence = Array.from({ length: 7 }, () => "silence");
    expect(player.content.slice(0, 20)).toEqual([...range(0, 5), ...silence, ...range(12, 20)]);
    expect(player.buffer.counts).toMatchObject({ lost: 0, received: 13 });
  });

  it("sets the playout point anew at a marker after a pause", () => {
    // The path has become 30 ms shorter; timestamps went on through the pause.
    const second = range(50, 60).map((index): [number, RtpPacket] => [
      index * FRAME_MS - 30,
      packet(index, { sequenceNumber: index - 40, marker: index === 50 }),
    ]);
    const player = new Player({}, 0).run([...steady(10, () => 30), ...second], 1600);

    expect(player.played.indexOf(0) * FRAME_MS).toBe(100);
    expect(player.played.indexOf(50) * FRAME_MS).toBe(1040);
  });

  it("plays a packet of the talkspurt before that comes after the marker", () => {
    const player = new Player({ playoutDelayMs: 100 }).run(
      [
        [20, packet(1)],
        [80, packet(4, { sequenceNumber: 2, marker: true })],
        [90, packet(0)],
        [160, packet(8, { sequenceNumber: 4, marker: true })],
        [165, packet(5, { sequenceNumber: 3 })],
      ],
      400,
    );

    expect(player.packets).toEqual([0, 1, 4, 5, 8]);
    expect(player.buffer.counts.lost).toBe(0);
  });

  it("does not care for markers within a talkspurt", () => {
    const arrivals = steady(50, (index) => (index % 2) * 15).map(
      ([ms, each]): [number, RtpPacket] => [ms, { ...each, marker: true }],
    );

    expect(new Player().run(arrivals, 1200).content.slice(0, 50)).toEqual(range(0, 50));
  });

  it("goes on after a jump of the timestamps, forwards or back", () => {
    for (const base of [3_000_000_000, 1_000_000]) {
      const arrivals = steady(40).map(([ms, each], index): [number, RtpPacket] => [
        ms,
        index < 20 ? each : { ...each, timestamp: (base + index * 160) >>> 0 },
      ]);
      const player = new Player().run(arrivals, 1200);

      expect(player.packets).toEqual(range(0, 40));
      expect(player.buffer.counts).toMatchObject({ late: 0, lost: 0, discarded: 0 });
    }
  });

  it("goes over to another SSRC, and counts the old one's stragglers as late", () => {
    const arrivals = steady(40).map(([ms, each], index): [number, RtpPacket] => {
      const isNew = index >= 20 && index !== 21;
      return [ms, isNew ? { ...each, ssrc: 2, sequenceNumber: index + 30_000 } : each];
    });
    const player = new Player().run(arrivals, 1200);

    expect(player.packets).toEqual(range(0, 40).filter((index) => index !== 21));
    expect(player.buffer.counts).toMatchObject({ late: 1 });
  });

  it("goes on after a restart of the sequence with the same SSRC", () => {
    const arrivals = steady(40).map(([ms, each], index): [number, RtpPacket] => [
      ms,
      index < 20 ? each : { ...each, sequenceNumber: index + 20_000 },
    ]);
    const player = new Player().run(arrivals, 1200);

    expect(player.packets).toEqual(range(0, 40));
    expect(player.buffer.counts.lost).toBe(0);
  });

  it("goes on after a hold during which the sender's timestamps stood still", () => {
    const arrivals = steady(40).map(([ms, each], index): [number, RtpPacket] => [
      index < 20 ? ms : ms + 5000,
      each,
    ]);
    const player = new Player().run(arrivals, 6500);

    expect(player.packets).toEqual(range(0, 40));
  });

  it("finds its way when the path becomes longer than the delay for good", () => {
    const arrivals = steady(200, (index) => (index < 50 ? 0 : 150));
    const player = new Player().run(arrivals, 5000);

    // 200 ms of lateness are suffered, then the playout point moves.
    expect(player.packets.length).toBeGreaterThan(180);
    expect(player.packets.slice(-100)).toEqual(range(100, 200));
  });

  it("does not move the playout point for one stall with a burst behind it", () => {
    const stallEndMs = 1300;
    const arrivals = steady(200, (index) =>
      index >= 50 && index < 65 ? stallEndMs - index * FRAME_MS : 0,
    );
    const player = new Player({}, 0).run(arrivals, 5000);

    expect(player.played.indexOf(199) * FRAME_MS).toBe(199 * FRAME_MS + 60);
    expect(player.buffer.counts.late).toBeGreaterThan(8);
  });

  it.each([500, -500])("follows a sender whose clock is off by %i ppm", (ppm) => {
    const minutes = 10;
    const intervalMs = FRAME_MS * (1 - ppm / 1e6);
    const random = seededRandom(ppm);
    const count = (minutes * 60_000) / FRAME_MS;
    const arrivals = range(0, count).map((index): [number, RtpPacket] => [
      index * intervalMs + random() * 15,
      packet(index),
    ]);
    const player = new Player().run(arrivals, minutes * 60_000 + 1000);

    const { late, discarded, insertedFrames, skippedFrames, lost } = player.buffer.counts;
    // 300 ms of drift in ten minutes: 15 frames, give or take what the window does not see.
    expect(ppm > 0 ? skippedFrames : insertedFrames).toBeGreaterThanOrEqual(13);
    expect(ppm > 0 ? skippedFrames : insertedFrames).toBeLessThanOrEqual(16);
    expect(discarded).toBeLessThanOrEqual(16);
    expect({ late, lost }).toEqual({ late: 0, lost: 0 });
    expect(player.content).not.toContain("silence");
  });

  it("moves no frame for a sender in time, however it jitters", () => {
    const random = seededRandom("no drift");
    const player = new Player({ playoutDelayMs: 100 }).run(
      steady(6000, () => random() * 90),
      125_000,
    );

    expect(player.buffer.counts).toMatchObject({ insertedFrames: 0, skippedFrames: 0 });
  });

  it("holds no more than its capacity", () => {
    const buffer = new JitterBuffer({ ...OPTIONS, capacityFrames: 10 });
    for (const index of range(0, 500)) buffer.handlePacket(packet(index), instant(1));

    expect(buffer.bufferedPackets).toBeLessThanOrEqual(10);
    expect(buffer.counts.discarded).toBe(500 - buffer.bufferedPackets);
  });

  it("is silent before the first packet and long after the last", () => {
    const player = new Player().run([], 200);
    expect(new Set(player.played)).toEqual(new Set(["silence"]));

    player.run([[250, packet(0)]], 2000);

    expect(player.content).toEqual([0, "lost", "lost", "lost"]);
  });
});

/** A network that is as bad as the numbers say. */
interface Network {
  readonly seed: number;
  readonly lossRatio: number;
  readonly duplicationRatio: number;
  readonly jitterMs: number;
  readonly pauseRatio: number;
  readonly restartRatio: number;
}

const NETWORK = fc.record<Network>({
  seed: fc.integer(),
  lossRatio: fc.double({ min: 0, max: 0.6, noNaN: true }),
  duplicationRatio: fc.double({ min: 0, max: 0.3, noNaN: true }),
  jitterMs: fc.double({ min: 0, max: 300, noNaN: true }),
  pauseRatio: fc.double({ min: 0, max: 0.05, noNaN: true }),
  restartRatio: fc.double({ min: 0, max: 0.02, noNaN: true }),
});

function traffic(network: Network, count: number): [number, RtpPacket][] {
  const random: Random = seededRandom(network.seed);
  const arrivals: [number, RtpPacket][] = [];
  let { sentMs, timestamp, sequence, ssrc } = {
    sentMs: 0,
    timestamp: 0,
    sequence: 65_500,
    ssrc: 1,
  };
  for (let index = 0; index < count; index += 1) {
    const pauses = random() < network.pauseRatio ? Math.floor(random() * 100) : 0;
    sentMs += FRAME_MS * (1 + pauses);
    timestamp += 160 * (1 + (random() < 0.5 ? pauses : 0));
    sequence += 1;
    if (random() < network.restartRatio) {
      ssrc += random() < 0.5 ? 1 : 0;
      sequence = Math.floor(random() * 65_536);
      timestamp = Math.floor(random() * 0xffff_ffff);
    }
    const copies = random() < network.duplicationRatio ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (random() < network.lossRatio) continue;
      const fields = { sequenceNumber: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc };
      const marker = pauses > 0 && random() < 0.5;
      arrivals.push([sentMs + random() * network.jitterMs, packet(index, { ...fields, marker })]);
    }
  }
  return arrivals;
}

describe("JitterBuffer on any network (property)", () => {
  it("accounts for each packet", () => {
    fc.assert(
      fc.property(NETWORK, fc.integer({ min: 0, max: 200 }), (network, playoutDelayMs) => {
        const arrivals = traffic(network, 400);
        const player = new Player({ playoutDelayMs });
        let imbalance = 0;
        for (const [ms, each] of arrivals.toSorted(([left], [right]) => left - right)) {
          player.playUntil(ms - 0.001);
          player.buffer.handlePacket(each, instant(ms));
          imbalance = Math.max(imbalance, Math.abs(balance(player.buffer)));
        }
        player.playUntil(Math.max(0, ...arrivals.map(([ms]) => ms)) + 5000);

        expect(imbalance).toBe(0);
        expect(player.buffer.counts.received).toBe(arrivals.length);
        expect(balance(player.buffer)).toBe(0);
        expect(player.buffer.bufferedPackets).toBe(0);
        expect(player.buffer.counts.lost).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the order and plays no packet twice", () => {
    fc.assert(
      fc.property(NETWORK, (network) => {
        const steadyNetwork = { ...network, restartRatio: 0 };
        const player = new Player({ playoutDelayMs: 40 });

        player.run(traffic(steadyNetwork, 300), 10_000);

        const ascending = [...new Set(player.packets)].toSorted((left, right) => left - right);
        expect(player.packets).toEqual(ascending);
      }),
      { numRuns: 40 },
    );
  });

  it("counts as lost exactly what is missing between the packets played", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 0.5, noNaN: true }), (seed, lossRatio) => {
        const random = seededRandom(seed);
        const arrivals = steady(300, () => random() * 200).filter(() => random() >= lossRatio);
        const came = new Set(arrivals.map(([, each]) => each.sequenceNumber));

        const player = new Player().run(arrivals, 8000);

        const first = player.packets[0] ?? 0;
        const missing = range(first, player.packets.at(-1) ?? 0).filter((each) => !came.has(each));
        expect(player.buffer.counts.lost).toBe(missing.length);
      }),
      { numRuns: 40 },
    );
  });
});

function balance(buffer: JitterBuffer): number {
  const { received, played, late, discarded, duplicate } = buffer.counts;
  return received - played - late - discarded - duplicate - buffer.bufferedPackets;
}
