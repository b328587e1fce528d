import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, type Random, seededRandom } from "../environment/index.ts";
import { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
import type { RtpPacket } from "./packet.ts";

const FRAME_MS = 20;
const FRAME_TICKS = 160;
const OPTIONS: JitterBufferOptions = {
  clockRateHz: 8000,
  delay: { kind: "fixed", delayMs: 60 },
};
const ADAPTIVE: JitterBufferOptions["delay"] = { kind: "adaptive" };

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

type Played = number | "lost" | "silence";

function isContent(frame: Played): boolean {
  return frame !== "silence";
}

/** A consumer that pulls 20 ms at a time and shifts whatever it is asked to, in whole packets. */
class Player {
  readonly buffer: JitterBuffer;
  /** One entry per pull: what its first tick was. */
  readonly played: Played[] = [];
  /** All pieces. */
  readonly pieces: { kind: Played; ticks: number; atMs: number }[] = [];
  readonly pullTicks: number;
  readonly durationTicks: number;
  takenTicks = 0;
  #now: number;
  #waiting: { kind: Played; ticks: number } = { kind: "silence", ticks: 0 };

  constructor(
    options: Partial<JitterBufferOptions> & { pullMs?: number; packetMs?: number } = {},
    phaseMs = 7,
  ) {
    const { pullMs = FRAME_MS, packetMs = FRAME_MS, ...rest } = options;
    this.buffer = new JitterBuffer({ ...OPTIONS, ...rest });
    this.pullTicks = pullMs * 8;
    this.durationTicks = packetMs * 8;
    this.#now = phaseMs;
  }

  /** Takes all frames up to `untilMs`, that instant included. */
  playUntil(untilMs: number): void {
    for (; this.#now <= untilMs; this.#now += this.pullTicks / 8) this.#pull();
  }

  /** Makes no pulls for so long, and never makes up for them. */
  stand(ms: number): void {
    this.#now += ms;
  }

  /** Lets packets arrive at their times, in order of these. */
  run(arrivals: readonly (readonly [ms: number, packet: RtpPacket])[], untilMs: number): this {
    for (const [ms, each] of arrivals.toSorted(([left], [right]) => left - right)) {
      this.playUntil(ms - 0.001);
      this.buffer.handlePacket(each, this.durationTicks, instant(ms));
    }
    this.playUntil(untilMs);
    return this;
  }

  /** Without silence at both ends. */
  get content(): Played[] {
    return this.played.slice(
      this.played.findIndex(isContent),
      this.played.findLastIndex(isContent) + 1,
    );
  }

  get packets(): number[] {
    return this.pieces.map(({ kind }) => kind).filter((kind) => typeof kind === "number");
  }

  #pull(): void {
    let need = this.pullTicks;
    let first: Played | undefined;
    while (need > 0) {
      if (this.#waiting.ticks === 0) this.#waiting = this.#take(need);
      const ticks = Math.min(need, this.#waiting.ticks);
      if (ticks > 0) first ??= this.#waiting.kind;
      this.#waiting.ticks -= ticks;
      need -= ticks;
    }
    this.takenTicks += this.pullTicks;
    this.played.push(first ?? "silence");
  }

  #take(need: number): { kind: Played; ticks: number } {
    const piece = this.buffer.take(instant(this.#now), need, this.pullTicks - need);
    let kind: Played = "silence";
    if (piece.kind === "lost") kind = "lost";
    if (piece.kind === "packet") {
      kind = new DataView(piece.payload.buffer, piece.payload.byteOffset).getUint32(0);
    }
    let ticks = piece.durationTicks;
    if (piece.kind === "packet") {
      const shift = Math.max(-ticks / 2, Math.min(ticks / 2, this.buffer.pendingShiftTicks));
      if (shift !== 0) this.buffer.applyShift(shift);
      ticks += shift;
    }
    this.pieces.push({ kind, ticks, atMs: this.#now });
    return { kind, ticks };
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
    buffer.handlePacket(each, FRAME_TICKS, instant(0));
    each.payload.fill(0xff);

    const frame = buffer.take(instant(60), FRAME_TICKS);

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

    for (const delayMs of [20, 60]) {
      const player = new Player({ delay: { kind: "fixed", delayMs } }).run(arrivals, 600);

      expect(player.content.slice(4, 7)).toEqual([4, "silence", 6]);
    }
  });

  it("does not take a telephone event for loss", () => {
    const player = new Player();
    for (const index of range(0, 20)) {
      player.playUntil(index * FRAME_MS - 0.001);
      const isEvent = index >= 5 && index < 12;
      if (isEvent) player.buffer.handleOtherPayload(packet(index), instant(index * FRAME_MS));
      else player.buffer.handlePacket(packet(index), FRAME_TICKS, instant(index * FRAME_MS));
    }
    player.playUntil(800);

    const silence = Array.from({ length: 7 }, () => "silence");
    expect(player.content.slice(0, 20)).toEqual([...range(0, 5), ...silence, ...range(12, 20)]);
    expect(player.buffer.counts).toMatchObject({ lost: 0, received: 20, other: 7 });
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
    const player = new Player({ delay: { kind: "fixed", delayMs: 100 } }).run(
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

    const { late, lost, discarded, insertedMs, skippedMs } = player.buffer.counts;
    // 300 ms of drift in ten minutes, give or take what may stay uncorrected.
    const followedMs = ppm > 0 ? skippedMs - insertedMs : insertedMs - skippedMs;
    expect(followedMs).toBeGreaterThan(270);
    expect(followedMs).toBeLessThan(330);
    expect({ late, lost, discarded }).toEqual({ late: 0, lost: 0, discarded: 0 });
    expect(Math.abs((player.buffer.driftPpm ?? 0) - ppm)).toBeLessThan(10);
    expect(player.buffer.waits.maxMs).toBeLessThan(60 + 20 + 15 + 1);
    // All but the end, where one cannot know that nothing follows.
    const content = player.content.slice(0, -3);
    expect(content).not.toContain("silence");
    expect(content).not.toContain("lost");
  });

  it("moves no frame for a sender in time, however it jitters", () => {
    const random = seededRandom("no drift");
    const player = new Player({ delay: { kind: "fixed", delayMs: 100 } }).run(
      steady(6000, () => random() * 90),
      125_000,
    );

    expect(player.buffer.counts).toMatchObject({ insertedMs: 0, skippedMs: 0 });
  });

  it("holds no more than its capacity", () => {
    const buffer = new JitterBuffer(OPTIONS);
    for (const index of range(0, 500)) buffer.handlePacket(packet(index), FRAME_TICKS, instant(1));

    expect(buffer.bufferedPackets).toBeLessThanOrEqual(102);
    expect(buffer.counts.discarded).toBe(500 - buffer.bufferedPackets);
  });

  it("is silent before the first packet and long after the last", () => {
    const player = new Player().run([], 200);
    expect(new Set(player.played)).toEqual(new Set(["silence"]));

    player.run([[250, packet(0)]], 2000);

    expect(player.content).toEqual([0, "lost", "lost", "lost"]);
  });
});

describe("JitterBuffer with packets and pulls of any length", () => {
  it.each([
    [2.5, 20],
    [10, 20],
    [30, 20],
    [60, 20],
    [120, 20],
    [20, 10],
    [20, 60],
    [60, 2.5],
  ])("plays packets of %d ms, pulled %d ms at a time, once and in order", (packetMs, pullMs) => {
    const count = 200;
    const ticks = packetMs * 8;
    const arrivals = range(0, count).map((index): [number, RtpPacket] => [
      100 + index * packetMs,
      packet(index, { timestamp: index * ticks }),
    ]);
    const player = new Player({ packetMs, pullMs }).run(arrivals, count * packetMs + 600);

    expect(player.packets).toEqual(range(0, count));
    expect(player.buffer.counts).toMatchObject({ insertedMs: 0, skippedMs: 0, played: count });
    const audio = player.pieces.findIndex(({ kind }) => kind === 0);
    expect(player.pieces.slice(audio, audio + count).every(({ kind }) => kind !== "silence")).toBe(
      true,
    );
  });

  it("plays packets whose duration changes on the way", () => {
    const arrivals: [number, RtpPacket, number][] = [];
    let timestamp = 0;
    for (const [index, ms] of [20, 20, 40, 40, 10, 10, 10, 60, 20, 20].entries()) {
      arrivals.push([timestamp / 8 + ms, packet(index, { timestamp }), ms * 8]);
      timestamp += ms * 8;
    }
    const player = new Player({ delay: { kind: "fixed", delayMs: 100 } });
    for (const [ms, each, ticks] of arrivals) {
      player.playUntil(ms - 0.001);
      player.buffer.handlePacket(each, ticks, instant(ms));
    }
    player.playUntil(1000);

    const audio = player.pieces.slice(player.pieces.findIndex(({ kind }) => kind === 0));
    expect(audio.slice(0, 10).map(({ kind }) => kind)).toEqual(range(0, 10));
  });

  it("hands out the packet after a hole together with the packet time right before it", () => {
    const arrivals = steady(12).filter((_, index) => ![4, 5].includes(index));
    const buffer = new JitterBuffer(OPTIONS);
    const holes: [number, boolean][] = [];
    let now = 7;
    for (const [ms, each] of [...arrivals, [900, undefined] as const]) {
      for (; now < ms; now += 10) {
        const piece = buffer.take(instant(now), 80);
        if (piece.kind === "lost") holes.push([piece.durationTicks, piece.next?.[3] === 6]);
        // The consumer pulls again when it has played what came whole.
        now += (piece.durationTicks - 80) / 8;
      }
      if (each !== undefined) buffer.handlePacket(each, FRAME_TICKS, instant(ms));
    }

    expect(holes.slice(0, 3)).toEqual([
      [80, false],
      [80, false],
      [160, true],
    ]);
  });

  it("keeps the payload type of each packet", () => {
    const buffer = new JitterBuffer(OPTIONS);
    const types: number[] = [];
    for (const index of range(0, 20)) {
      const payloadType = index < 10 ? 0 : 8;
      buffer.handlePacket(packet(index, { payloadType }), FRAME_TICKS, instant(index * 20));
      const piece = buffer.take(instant(index * 20 + 7), FRAME_TICKS);
      if (piece.kind === "packet") types.push(piece.payloadType);
    }

    expect(types.length).toBeGreaterThan(15);
    expect(types).toEqual(types.toSorted((left, right) => left - right));
    expect(new Set(types)).toEqual(new Set([0, 8]));
  });
});

describe("JitterBuffer and bursts of loss", () => {
  it("tells single losses from a burst, in which lateness counts too", () => {
    const lost = new Set([30, 100, 102]);
    const arrivals = steady(200, (index) => (index === 104 ? 150 : 0)).filter(
      ([, { sequenceNumber }]) => !lost.has(sequenceNumber),
    );
    const { bursts } = new Player().run(arrivals, 5000).buffer;

    expect(bursts).toEqual({
      bursts: 1,
      burstDensity: 3 / 5,
      burstDurationMs: 100,
      gapDensity: 1 / 195,
      gapDurationMs: (195 / 2) * 20,
      lossRuns: 4,
    });
  });
});

describe("JitterBuffer with comfort noise and events", () => {
  it("is silent, not concealing, after a packet of comfort noise", () => {
    const player = new Player();
    for (const index of range(0, 5)) {
      player.buffer.handlePacket(packet(index), FRAME_TICKS, instant(index * 20));
    }
    player.buffer.handlePacket(packet(5, { payloadType: 13 }), 0, instant(100));
    player.playUntil(1000);

    const kinds = player.pieces.map(({ kind }) => kind);
    expect(kinds.slice(kinds.indexOf(0), kinds.indexOf(0) + 6)).toEqual(range(0, 6));
    expect(kinds).not.toContain("lost");
    expect(player.buffer.counts.played).toBe(6);
  });

  it("goes on with the audio beside events that have an SSRC of their own", () => {
    const player = new Player();
    for (const index of range(0, 30)) {
      const at = instant(index * FRAME_MS);
      player.playUntil(index * FRAME_MS - 0.001);
      player.buffer.handlePacket(packet(index), FRAME_TICKS, at);
      if (index >= 10 && index < 15) {
        player.buffer.handleOtherPayload(packet(index, { ssrc: 77, payloadType: 101 }), at);
      }
    }
    player.playUntil(800);

    expect(player.content.slice(0, 30)).toEqual(range(0, 30));
    expect(player.buffer.counts).toMatchObject({ other: 5, lost: 0, received: 35, expected: 35 });
  });

  it("learns that a sender pauses without notice, and then conceals less at its pauses", () => {
    const arrivals = range(0, 400)
      .filter((index) => index % 50 < 25)
      .map((index, sequenceNumber): [number, RtpPacket] => [
        index * FRAME_MS,
        packet(index, { sequenceNumber }),
      ]);
    const player = new Player().run(arrivals, 8200);

    const lost = player.pieces.filter(({ kind }) => kind === "lost");
    // 60 ms at the first pause, one packet at each of the others.
    expect(lost.reduce((sum, { ticks }) => sum + ticks, 0) / 8).toBe(60 + 7 * 20);
    expect(player.buffer.counts.lost).toBe(0);
  });
});

describe("JitterBuffer with an adaptive delay", () => {
  it("waits no longer than the least where there is no jitter", () => {
    const player = new Player({ delay: ADAPTIVE }).run(steady(1000), 20_000);

    expect(player.buffer.delayMs).toBe(40);
    expect(player.buffer.counts).toMatchObject({ late: 0, lost: 0, discarded: 0 });
    const last = player.pieces.findLast(({ kind }) => kind === 990);
    expect((last?.atMs ?? 0) - 990 * FRAME_MS).toBeLessThanOrEqual(40 + 2 * FRAME_MS);
  });

  it.each([20, 40, 80])("takes on the delay that jitter up to %d ms needs", (jitterMs) => {
    const random = seededRandom(`adaptive ${jitterMs}`);
    const player = new Player({ delay: ADAPTIVE }).run(
      steady(3000, () => random() * jitterMs),
      61_000,
    );

    const { late, played } = player.buffer.counts;
    expect(late).toBeLessThanOrEqual(30);
    expect(late + played).toBe(3000);
    expect(player.buffer.delayMs).toBeLessThanOrEqual(Math.max(40, jitterMs + 10));
    expect(player.buffer.delayMs).toBeGreaterThanOrEqual(Math.max(40, 0.9 * jitterMs));
  });

  it("loses no packet when the path becomes longer, and follows it", () => {
    const player = new Player({ delay: ADAPTIVE }).run(
      steady(1500, (index) => (index < 500 ? 0 : 130)),
      31_000,
    );

    expect(player.packets).toEqual(range(0, 1500));
    expect(player.buffer.counts).toMatchObject({ late: 0, discarded: 0, lost: 0 });
    const last = player.pieces.findLast(({ kind }) => kind === 1490);
    expect((last?.atMs ?? 0) - 1490 * FRAME_MS - 130).toBeLessThanOrEqual(40 + 2 * FRAME_MS);
  });

  it("comes back when the path becomes shorter", () => {
    const player = new Player({ delay: ADAPTIVE }).run(
      steady(3000, (index) => (index < 500 ? 130 : 0)),
      61_000,
    );

    expect(player.packets).toEqual(range(0, 3000));
    const last = player.pieces.findLast(({ kind }) => kind === 2990);
    expect((last?.atMs ?? 0) - 2990 * FRAME_MS).toBeLessThanOrEqual(40 + 2 * FRAME_MS);
  });

  it("loses only what is beyond its longest delay when the network stalls", () => {
    const stallEndMs = 10_400;
    const arrivals = steady(2000, (index) =>
      index >= 500 && index < 520 ? stallEndMs - index * FRAME_MS : 0,
    );
    const player = new Player({ delay: ADAPTIVE }).run(arrivals, 41_000);

    // Packets up to 400 ms late; those of more than 200 ms cannot be waited for.
    expect(player.buffer.counts.late).toBeLessThanOrEqual(10);
    expect(player.buffer.counts.late).toBeGreaterThan(0);
    const last = player.pieces.findLast(({ kind }) => kind === 1990);
    expect((last?.atMs ?? 0) - 1990 * FRAME_MS).toBeLessThanOrEqual(40 + 2 * FRAME_MS);
  });

  it("does not wait for what comes after later audio was played", () => {
    const arrivals = steady(20, (index) => (index === 5 ? 150 : 0));
    const player = new Player({ delay: ADAPTIVE }).run(arrivals, 1000);

    expect(player.packets).toEqual(range(0, 20).filter((index) => index !== 5));
    expect(player.buffer.counts).toMatchObject({ late: 1, lost: 0, reordered: 1 });
  });

  it("moves its playout in a pause without an audible shift", () => {
    // 50 ms of jitter in the first talkspurt, none after it.
    const random = seededRandom("pause");
    const arrivals = range(0, 4000)
      .filter((index) => index % 200 < 150)
      .map((index, sequenceNumber): [number, RtpPacket] => [
        index * FRAME_MS + (index < 400 ? random() * 90 : 0),
        packet(index, { sequenceNumber, marker: index % 200 === 0 }),
      ]);
    const player = new Player({ delay: ADAPTIVE }).run(arrivals, 81_000);

    const shifted = player.pieces.filter(
      ({ kind, ticks }) => typeof kind === "number" && ticks !== FRAME_TICKS,
    );
    expect(shifted.length).toBeLessThanOrEqual(6);
    expect(player.buffer.counts).toMatchObject({ lost: 0, discarded: 0 });
    expect(player.buffer.delayMs).toBe(40);
  });

  it.each([300, 1500, 5000])("plays in time again after %d ms without any pull", (stallMs) => {
    const player = new Player({ delay: ADAPTIVE });
    for (const [ms, each] of steady(1500)) {
      player.buffer.handlePacket(each, FRAME_TICKS, instant(ms));
      if (ms < 4000) player.playUntil(ms + 10);
      else if (ms >= 4000 + stallMs) player.playUntil(ms + 10);
      expect(balance(player.buffer)).toBe(0);
      if (ms === 4000) player.stand(stallMs);
    }

    const last = player.pieces.findLast(({ kind }) => kind === 1490);
    expect((last?.atMs ?? 0) - 1490 * FRAME_MS).toBeGreaterThan(0);
    expect((last?.atMs ?? 0) - 1490 * FRAME_MS).toBeLessThanOrEqual(40 + 2 * FRAME_MS);
    expect(player.buffer.counts.late).toBe(0);
  });

  it("takes no notice of a stall of the pulls that is made up", () => {
    const player = new Player({ delay: ADAPTIVE }, 7);
    for (const [ms, each] of steady(500)) {
      if (ms < 4000 || ms > 4200) player.playUntil(ms - 0.001);
      player.buffer.handlePacket(each, FRAME_TICKS, instant(ms));
    }

    expect(player.buffer.counts).toMatchObject({ late: 0, discarded: 0 });
    expect(player.buffer.counts).toMatchObject({ insertedMs: 0, skippedMs: 0 });
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

const DELAY = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map((delayMs) => ({ kind: "fixed" as const, delayMs })),
  fc
    .record({ minMs: fc.integer({ min: 0, max: 100 }), maxMs: fc.integer({ min: 100, max: 400 }) })
    .map((bounds) => ({ kind: "adaptive" as const, ...bounds })),
);

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
      fc.property(NETWORK, DELAY, (network, delay) => {
        const arrivals = traffic(network, 400);
        const player = new Player({ delay });
        let imbalance = 0;
        for (const [ms, each] of arrivals.toSorted(([left], [right]) => left - right)) {
          player.playUntil(ms - 0.001);
          player.buffer.handlePacket(each, FRAME_TICKS, instant(ms));
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
        const player = new Player({ delay: { kind: "fixed", delayMs: 40 } });

        player.run(traffic(steadyNetwork, 300), 10_000);

        const ascending = [...new Set(player.packets)].toSorted((left, right) => left - right);
        expect(player.packets).toEqual(ascending);
      }),
      { numRuns: 40 },
    );
  });

  it("counts as lost exactly what is missing between the packets that came", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 0.5, noNaN: true }), (seed, lossRatio) => {
        const random = seededRandom(seed);
        const arrivals = steady(300, () => random() * 200).filter(() => random() >= lossRatio);
        const came = new Set(arrivals.map(([, each]) => each.sequenceNumber));

        const player = new Player().run(arrivals, 8000);

        const missing = range(Math.min(...came), Math.max(...came)).filter(
          (each) => !came.has(each),
        );
        expect(player.buffer.counts.lost).toBe(missing.length);
      }),
      { numRuns: 40 },
    );
  });
});

interface Injection {
  readonly seed: number;
  readonly lossRatio: number;
  /** Mean length of a run of lost packets; 1 for independent losses. */
  readonly burstPackets: number;
  readonly jitterMs: number;
  readonly duplicationRatio: number;
  readonly first: number;
}

const INJECTION = fc.record<Injection>({
  seed: fc.integer(),
  lossRatio: fc.double({ min: 0, max: 0.2, noNaN: true }),
  burstPackets: fc.integer({ min: 1, max: 8 }),
  jitterMs: fc.double({ min: 0, max: 80, noNaN: true }),
  duplicationRatio: fc.double({ min: 0, max: 0.1, noNaN: true }),
  first: fc.integer({ min: 0, max: 0xffff }),
});

/** What the impairment did, counted by itself. */
function inject(injection: Injection, count: number): { arrivals: [number, RtpPacket][] } {
  const { seed, lossRatio, burstPackets, jitterMs, duplicationRatio, first } = injection;
  const random = seededRandom(seed);
  const arrivals: [number, RtpPacket][] = [];
  let isLosing = false;
  for (const index of range(0, count)) {
    // A two-state Markov chain (Gilbert) with the wanted mean loss and burst length.
    const leave = 1 / burstPackets;
    const enter = (lossRatio * leave) / (1 - lossRatio);
    isLosing = isLosing ? random() >= leave : random() < enter;
    const copies = random() < duplicationRatio ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const fields = {
        sequenceNumber: (first + index) & 0xffff,
        timestamp: (0xffff_f000 + index * FRAME_TICKS) >>> 0,
      };
      const delayMs = random() * jitterMs;
      if (!isLosing) arrivals.push([index * FRAME_MS + delayMs, packet(index, fields)]);
    }
  }
  return { arrivals: arrivals.toSorted(([left], [right]) => left - right) };
}

describe("JitterBuffer against a known impairment (property)", () => {
  it("counts exactly what was injected, at every instant", () => {
    fc.assert(
      fc.property(INJECTION, DELAY, (injection, delay) => {
        const { arrivals } = inject(injection, 300);
        if (arrivals.length === 0) return;
        const player = new Player({ delay });
        const truth = { received: 0, duplicate: 0, reordered: 0 };
        const came = new Set<number>();
        let wrong = 0;
        for (const [ms, each] of arrivals) {
          const index = new DataView(each.payload.buffer).getUint32(0);
          truth.received += 1;
          if (came.has(index)) truth.duplicate += 1;
          else if (came.size > 0 && index < Math.max(...came)) truth.reordered += 1;
          came.add(index);
          player.playUntil(ms - 0.001);
          player.buffer.handlePacket(each, FRAME_TICKS, instant(ms));
          const expected = Math.max(...came) - Math.min(...came) + 1;
          const { counts } = player.buffer;
          if (counts.expected !== expected || counts.lost !== expected - came.size) wrong += 1;
          if (counts.expected !== counts.received - counts.duplicate + counts.lost) wrong += 1;
          if (balance(player.buffer) !== 0) wrong += 1;
        }
        player.playUntil((arrivals.at(-1)?.[0] ?? 0) + 2000);

        const { counts } = player.buffer;
        expect(wrong).toBe(0);
        expect(counts).toMatchObject(truth);
        const played = new Set(player.packets);
        expect(played.size).toBe(player.packets.length);
        expect(counts.played).toBe(played.size);
        expect(counts.late + counts.discarded).toBe(came.size - played.size);
        expect(player.buffer.bufferedPackets).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("plays all that comes within a fixed delay, in its place", () => {
    fc.assert(
      fc.property(INJECTION, (injection) => {
        const { arrivals } = inject(injection, 200);
        const player = new Player({ delay: { kind: "fixed", delayMs: 100 } });
        player.run(arrivals, 6000);

        const { late, discarded } = player.buffer.counts;
        expect({ late, discarded }).toEqual({ late: 0, discarded: 0 });
        const came = new Set(
          arrivals.map(([, { payload }]) => new DataView(payload.buffer).getUint32(0)),
        );
        expect(player.packets).toEqual([...came].toSorted((left, right) => left - right));
      }),
      { numRuns: 40 },
    );
  });
});

function balance(buffer: JitterBuffer): number {
  const { received, played, late, discarded, duplicate, other } = buffer.counts;
  return received - played - late - discarded - duplicate - other - buffer.bufferedPackets;
}
