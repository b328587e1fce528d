import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { ReceptionStatistics } from "./reception-statistics.ts";

function packet(index: number, over: Partial<RtpPacket> = {}): RtpPacket {
  return {
    kind: "rtp",
    marker: false,
    payloadType: 0,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 160) >>> 0,
    ssrc: 1,
    payload: new Uint8Array(160),
    ...over,
  };
}

function at(index: number): Instant {
  return instant(1000 + index * 20);
}

function statisticsOf(indexes: readonly number[]): ReceptionStatistics {
  const statistics = new ReceptionStatistics({ clockRateHz: 8000 });
  for (const [position, index] of indexes.entries()) {
    statistics.handlePacket(packet(index), at(position));
  }
  return statistics;
}

describe("ReceptionStatistics", () => {
  it("counts nothing before the first packet", () => {
    const report = new ReceptionStatistics({ clockRateHz: 8000 }).snapshot();

    expect(report).toMatchObject({ received: 0, expected: 0, lost: 0, interarrivalJitterMs: 0 });
  });

  it("counts loss, duplicates and reordering across the sequence wrap", () => {
    const report = statisticsOf([65_533, 65_535, 65_534, 65_537, 65_537, 65_539]).snapshot();

    expect(report).toMatchObject({
      received: 6,
      expected: 7,
      lost: 2,
      duplicate: 1,
      outOfOrder: 1,
      stray: 0,
    });
  });

  it("does not report a negative loss when the very first packets were swapped", () => {
    expect(statisticsOf([101, 100, 102]).snapshot()).toMatchObject({
      received: 3,
      expected: 3,
      lost: 0,
      outOfOrder: 1,
    });
  });

  it("takes a packet that comes late after all off the loss", () => {
    const statistics = statisticsOf([1, 2, 4, 5]);
    expect(statistics.snapshot().lost).toBe(1);

    statistics.handlePacket(packet(3), at(5));

    expect(statistics.snapshot().lost).toBe(0);
  });

  it("believes a restart of the sequence when a second packet confirms it", () => {
    const report = statisticsOf([1, 2, 3, 40_000, 40_001, 40_003]).snapshot();

    expect(report).toMatchObject({ received: 6, expected: 7, lost: 1, restarts: 1, stray: 0 });
  });

  it("does not let one stray packet disturb the count", () => {
    const report = statisticsOf([1, 2, 40_000, 3, 4]).snapshot();

    expect(report).toMatchObject({ received: 4, expected: 4, lost: 0, restarts: 0, stray: 1 });
  });

  it("adds up over a change of SSRC, but not for a single packet of another source", () => {
    const statistics = statisticsOf([1, 2, 4]);
    statistics.handlePacket(packet(900, { ssrc: 3 }), at(4));
    statistics.handlePacket(packet(5), at(5));
    for (const index of [500, 501, 503]) {
      statistics.handlePacket(packet(index, { ssrc: 2 }), at(index));
    }

    expect(statistics.snapshot()).toMatchObject({
      received: 7,
      expected: 9,
      lost: 2,
      stray: 1,
      ssrcChanges: 1,
    });
  });

  it("computes the jitter of RFC 3550 A.8", () => {
    const statistics = new ReceptionStatistics({ clockRateHz: 8000 });
    let expected = 0;
    for (let index = 0; index < 200; index += 1) {
      const delayMs = index % 2 === 0 ? 0 : 8;
      statistics.handlePacket(packet(index), instant(index * 20 + delayMs));
      if (index > 0) expected += (8 - expected) / 16;
    }

    expect(statistics.snapshot().interarrivalJitterMs).toBeCloseTo(expected, 9);
    expect(statistics.snapshot().interarrivalJitterMs).toBeCloseTo(8, 3);
  });

  it("sees no jitter in DTX pauses, timestamp wraps and updates of a telephone event", () => {
    const statistics = new ReceptionStatistics({ clockRateHz: 8000 });
    const begin = 0xffff_ff00;
    const feed = (sequenceNumber: number, ticks: number, ms: number): void => {
      const timestamp = (begin + ticks) >>> 0;
      statistics.handlePacket(packet(0, { sequenceNumber, timestamp }), instant(ms));
    };

    feed(1, 0, 0);
    feed(2, 160, 20);
    feed(3, 160 + 8000, 1020);
    feed(4, 160 + 8000, 1040);
    feed(5, 160 + 8000, 1060);
    feed(6, 160 + 8000 + 480, 1080);

    expect(statistics.snapshot().interarrivalJitterMs).toBeCloseTo(0, 9);
  });

  it("takes a new timestamp base for what it is, not for jitter", () => {
    const statistics = statisticsOf([1, 2, 3]);

    statistics.handlePacket(packet(4, { timestamp: 3_000_000_000 }), at(3));
    statistics.handlePacket(packet(5, { timestamp: 3_000_000_160 }), at(4));

    expect(statistics.snapshot().interarrivalJitterMs).toBe(0);
  });

  it("goes on with the jitter over a change of the clock rate", () => {
    const statistics = statisticsOf([1, 2, 3]);
    for (let index = 4; index < 40; index += 1) {
      const timestamp = 5_000_000 + index * 960;
      statistics.handlePacket(packet(index, { timestamp, payloadType: 96 }), at(index), 48_000);
    }

    expect(statistics.snapshot().interarrivalJitterMs).toBeCloseTo(0, 6);
    expect(statistics.snapshot()).toMatchObject({ received: 39, lost: 0 });
  });

  it("reports the present source alone for RTCP", () => {
    const statistics = statisticsOf([65_534, 65_535, 65_537, 65_537]);
    expect(statistics.currentSource).toMatchObject({
      ssrc: 1,
      extendedHighestSequenceNumber: 65_537,
      expected: 4,
      received: 4,
    });

    for (const index of [10, 11, 13])
      statistics.handlePacket(packet(index, { ssrc: 2 }), at(index));

    expect(statistics.currentSource).toMatchObject({
      ssrc: 2,
      extendedHighestSequenceNumber: 13,
      expected: 4,
      received: 3,
    });
    expect(new ReceptionStatistics({ clockRateHz: 8000 }).currentSource).toBeUndefined();
  });

  it("agrees with a plain count for any loss, duplication and small reordering (property)", () => {
    const fates = fc.array(
      fc.record({ copies: fc.integer({ min: 0, max: 2 }), delay: fc.integer({ min: 0, max: 9 }) }),
      { minLength: 1, maxLength: 300 },
    );
    fc.assert(
      fc.property(fates, fc.integer({ min: 0, max: 0xffff }), (packets, first) => {
        const arrivals = packets.flatMap(({ copies, delay }, index) =>
          Array.from({ length: copies }, (_, copy) => ({
            index,
            order: index + delay * (copy + 1),
          })),
        );
        arrivals.sort((left, right) => left.order - right.order);
        const came = new Set(arrivals.map(({ index }) => index));

        const report = statisticsOf(arrivals.map(({ index }) => first + index)).snapshot();

        const expected = came.size === 0 ? 0 : Math.max(...came) - Math.min(...came) + 1;
        expect(report.received).toBe(arrivals.length);
        expect(report.duplicate).toBe(arrivals.length - came.size);
        expect(report.expected).toBe(expected);
        expect(report.lost).toBe(expected - came.size);
      }),
    );
  });
});
