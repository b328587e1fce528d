import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, seededRandom } from "../../environment/index.ts";
import type { TcpCounts } from "../ai-path.ts";
import { Link } from "../link.ts";
import type { LinkSettings } from "../link-settings.ts";
import { type End, ModelledConnection, type Packet } from "./connection.ts";

interface Write {
  readonly atMs: number;
  readonly end: End;
  readonly bytes: number;
}

interface Reading {
  readonly at: Instant;
  readonly end: End;
  readonly bytes: number;
}

interface Run {
  readonly readings: readonly Reading[];
  readonly counts: TcpCounts;
  /** Packets to the near end. */
  readonly offered: number;
}

const ONE_WAY_MS = 40.2;
const FRAME_BYTES = 1360;
/** The handshake is over by then. */
const BEGIN_MS = 1000;

/** Lets the model carry what is written, and gives it so long. */
function run(
  writes: readonly Write[],
  { toNear = {}, toFar = {} }: { readonly toNear?: LinkSettings; readonly toFar?: LinkSettings },
  seed = "1",
): Run {
  const random = seededRandom(seed);
  const delay = { delayMs: ONE_WAY_MS };
  const links = {
    toFar: new Link<Packet>({ delay, ...toFar }, random),
    toNear: new Link<Packet>({ delay, ...toNear }, random),
  };
  let now = instant(0);
  const how = { random, congestionControl: "cubic" } as const;
  const connection = new ModelledConnection(links, how, now);
  const readings: Reading[] = [];
  const left = [...writes];
  for (;;) {
    const both = [links.toFar, links.toNear];
    const dues = [...both, connection].map(({ nextTimeout }) => nextTimeout);
    const least = Math.min(...[...dues, left[0]?.atMs].map((due) => due ?? Infinity));
    if (least === Infinity) break;
    now = instant(least);
    for (const link of both) hand(link, connection, now);
    connection.handleTimeout(now);
    for (const write of takeDue(left, now)) connection.write(write.end, write.bytes, now);
    for (let output = connection.takeOutput(); output; output = connection.takeOutput()) {
      readings.push({ at: now, end: output.at, bytes: output.bytes });
    }
  }
  const { offered } = links.toNear.counts;
  return { readings, counts: connection.countsFrom("far"), offered };
}

function takeDue(writes: Write[], now: Instant): Write[] {
  const count = writes.findIndex(({ atMs }) => atMs > now);
  return writes.splice(0, count < 0 ? writes.length : count);
}

function hand(link: Link<Packet>, connection: ModelledConnection, now: Instant): void {
  link.handleTimeout(now);
  for (let output = link.takeOutput(); output; output = link.takeOutput()) {
    connection.handlePacket(output.packet, now);
  }
}

/** Frames of 20 ms from the far end. */
function frames(count: number): Write[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: BEGIN_MS + 20 * index,
    end: "far" as const,
    bytes: FRAME_BYTES,
  }));
}

/** How much later than one way each frame could be read. */
function excessMs({ readings }: Run): number[] {
  const excess: number[] = [];
  let bytes = 0;
  for (const reading of readings) {
    bytes += reading.bytes;
    while ((excess.length + 1) * FRAME_BYTES <= bytes) {
      excess.push(reading.at - (BEGIN_MS + 20 * excess.length) - ONE_WAY_MS);
    }
  }
  return excess;
}

function injured(link: {
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  readonly jitterMs: number;
}): LinkSettings {
  const { lossRatio, duplicateRatio, jitterMs } = link;
  return {
    loss: { kind: "bernoulli", lossRatio },
    duplicateRatio,
    delay: { delayMs: 30, jitterMs },
  };
}

function losing(...packets: readonly number[]): LinkSettings {
  return { loss: { kind: "scripted", lost: packets.map((packet) => [packet, packet]) } };
}

/** Frame k, from 0: the handshake's answer is the first packet. */
const packetOf = (frame: number): number => frame + 2;

describe("ModelledConnection", () => {
  it("adds nothing to the link's delay where nothing is lost", () => {
    const result = run(frames(100), {});

    expect(excessMs(result)).toHaveLength(100);
    expect(Math.max(...excessMs(result))).toBeCloseTo(0, 6);
    expect(result.counts.retransmissions).toBe(0);
  });

  it("takes a round trip and the reordering window for one loss; all behind it wait", () => {
    const result = run(frames(100), { toNear: losing(packetOf(50)) });
    const excess = excessMs(result);

    // The next frame tells of it 20 ms later; a quarter round trip, and a timer's grain.
    expect(excess[50]).toBeGreaterThanOrEqual(100);
    expect(excess[50]).toBeLessThan(112);
    expect(excess.slice(51, 55).every((ms, index) => ms > 60 - 20 * index)).toBe(true);
    expect(Math.max(...excess.slice(58))).toBeLessThan(1);
    expect(result.counts).toMatchObject({ retransmissions: 1, timeouts: 0, tailLossProbes: 0 });
  });

  it("finds a lost tail by a probe, not by a timeout", () => {
    const result = run(frames(50), { toNear: losing(packetOf(49)) });
    const excess = excessMs(result);

    expect(result.counts).toMatchObject({ tailLossProbes: 1, retransmissions: 1, timeouts: 0 });
    // One segment alone: no probe before the retransmission timeout would have run off.
    expect(excess[49]).toBeGreaterThan(200);
    expect(excess[49]).toBeLessThan(340);
  });

  it("finds a lost retransmission by what was sent after it, without a timeout", () => {
    const once = run(frames(100), { toNear: losing(packetOf(50)) });
    const again = Array.from({ length: 8 }, (_, index) => packetOf(51) + index)
      .map((packet) => run(frames(100), { toNear: losing(packetOf(50), packet) }))
      .find(({ readings, counts }) => {
        const stalls = excessMs({ readings } as Run)[50] ?? 0;
        return counts.retransmissions === 2 && stalls > (excessMs(once)[50] ?? 0) + 80;
      });

    expect(again?.counts).toMatchObject({ retransmissions: 2, timeouts: 0 });
    expect(excessMs(again ?? once)[50]).toBeLessThan(240);
  });

  it("waits longer and longer where nothing comes through, and goes on afterwards", () => {
    const result = run(frames(50), { toNear: { loss: { kind: "scripted", lost: [[30, 60]] } } });

    expect(excessMs(result)).toHaveLength(50);
    expect(result.counts.timeouts).toBeGreaterThanOrEqual(2);
  });

  it("carries a burst beyond its window in the next round trip", () => {
    // Ten segments at first (RFC 6928), the rest when these are acknowledged.
    const result = run([{ atMs: BEGIN_MS, end: "far", bytes: 20 * 1448 }], {});
    const delays = result.readings.map(({ at }) => at - BEGIN_MS);

    expect(delays.filter((ms) => ms < ONE_WAY_MS + 1)).toHaveLength(10);
    expect(delays.filter((ms) => ms > 3 * ONE_WAY_MS - 1)).toHaveLength(10);
  });

  it("loses no byte and makes none up, whatever the links do to packets", () => {
    const ratio = fc.double({ min: 0, max: 0.3, noNaN: true });
    const link = fc.record({ lossRatio: ratio, duplicateRatio: ratio, jitterMs: fc.nat(20) });
    const write = fc.record({
      atMs: fc.nat(5000),
      end: fc.constantFrom<End>("near", "far"),
      bytes: fc.integer({ min: 1, max: 20_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 30 }),
        link,
        link,
        fc.string(),
        (writes, toNear, toFar, seed) => {
          const ordered = writes.toSorted((one, other) => one.atMs - other.atMs);
          const how = { toNear: injured(toNear), toFar: injured(toFar) };
          const { readings } = run(ordered, how, seed);
          for (const end of ["near", "far"] as const) {
            const read = readings.filter((reading) => reading.end === end);
            const written = writes.filter((each) => each.end !== end);
            expect(total(read)).toBe(total(written));
          }
          expect(run(ordered, how, seed).readings).toEqual(readings);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function total(each: readonly { readonly bytes: number }[]): number {
  return each.reduce((sum, { bytes }) => sum + bytes, 0);
}
