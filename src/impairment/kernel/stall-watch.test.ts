import { describe, expect, it } from "vitest";
import { instant } from "../../environment/index.ts";
import { type FlowStall, StallWatch } from "./stall-watch.ts";
import { tcpSegmentOf } from "./tcp-segment.ts";

const LINK_MS = 40;
const ISN = 0xffff_ff00;
const SEGMENT_BYTES = 100;

interface SegmentFields {
  readonly sequence: number;
  readonly isSyn?: boolean;
  readonly dataBytes?: number;
}

/** An IPv4 packet with TCP: 20 and 32 bytes of headers, as Linux sends them. */
function packet({ sequence, isSyn = false, dataBytes = 0 }: SegmentFields): Uint8Array {
  const data = new Uint8Array(52 + dataBytes);
  const view = new DataView(data.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, data.length);
  view.setUint8(9, 6);
  view.setUint16(20, 50_000);
  view.setUint16(22, 443);
  view.setUint32(24, sequence >>> 0);
  view.setUint8(32, 8 << 4);
  view.setUint8(33, isSyn ? 0x02 : 0x10);
  return data;
}

/** The n-th segment of a connection whose numbers wrap after two of them. */
function segment(index: number): Uint8Array {
  return packet({ sequence: ISN + 1 + index * SEGMENT_BYTES, dataBytes: SEGMENT_BYTES });
}

type Event = readonly [atMs: number, what: "written" | "sent" | "came", index: number];

const PORTS = { sourcePort: 50_000, destinationPort: 443 };

function stallsOf(events: readonly Event[]): FlowStall[] {
  const watch = new StallWatch();
  watch.handleOffered(packet({ sequence: ISN, isSyn: true }), instant(0));
  return events.flatMap(([atMs, what, index]) => {
    if (what === "written") {
      watch.handleWritten({ ...PORTS, end: (index + 1) * SEGMENT_BYTES, at: instant(atMs) });
      return [];
    }
    if (what === "sent") {
      watch.handleOffered(segment(index), instant(atMs));
      return [];
    }
    return watch.handleArrived(segment(index), instant(atMs), LINK_MS) ?? [];
  });
}

describe("StallWatch", () => {
  it("tells a long wait that began behind a short stall, of what was not yet due when that ended", () => {
    const told = stallsOf([
      [0, "written", 0],
      [120, "written", 1],
      [110, "sent", 0],
      [130, "sent", 1],
      // Due at 40 and 160: the first is late, and the second comes long after it was due.
      [150, "came", 0],
      [400, "written", 2],
      [1500, "came", 1],
      [1500, "sent", 2],
      [1540, "came", 2],
    ]);
    expect(told.map(({ at, overdueMs }) => [at, overdueMs])).toEqual([
      [150, 110],
      [1500, 1340],
    ]);
  });

  it("sees nothing where all comes in the link's own time", () => {
    expect(
      stallsOf([
        [0, "sent", 0],
        [20, "sent", 1],
        [40, "came", 0],
        [60, "came", 1],
      ]),
    ).toEqual([]);
  });

  it("tells of one lost segment as one stall, overdue as its first byte, when it has come", () => {
    const stalls = stallsOf([
      [0, "sent", 0],
      [20, "sent", 1],
      [40, "sent", 2],
      [60, "came", 1],
      [80, "came", 2],
      [120, "sent", 0],
      [160, "came", 0],
    ]);

    expect(stalls).toEqual([
      { at: 160, overdueMs: 120, writtenAt: 0, offeredAt: 0, wasSentAgain: true },
    ]);
  });

  it("counts what waited behind a stall as part of it, and what was sent later as another", () => {
    const stalls = stallsOf([
      [0, "sent", 0],
      [10, "sent", 1],
      [200, "sent", 0],
      [240, "came", 0],
      [250, "sent", 1],
      [290, "came", 1],
      [300, "sent", 2],
      [500, "sent", 2],
      [540, "came", 2],
    ]);

    expect(stalls.map(({ at, overdueMs }) => [at, overdueMs])).toEqual([
      [240, 200],
      [540, 200],
    ]);
  });

  it("says where nothing was sent again: the link itself was late", () => {
    expect(
      stallsOf([
        [0, "sent", 0],
        [150, "came", 0],
      ]),
    ).toEqual([{ at: 150, overdueMs: 110, writtenAt: 0, offeredAt: 0, wasSentAgain: false }]);
  });

  it("counts from the writing: what waits in the sender is overdue before it is sent", () => {
    const stalls = stallsOf([
      [0, "written", 0],
      [1, "sent", 0],
      [20, "written", 1],
      [41, "came", 0],
      [300, "sent", 1],
      [340, "came", 1],
      [320, "written", 2],
      [345, "sent", 2],
      [385, "came", 2],
    ]);

    // The third was written before the second had come: the same stall.
    expect(stalls).toEqual([
      { at: 340, overdueMs: 280, writtenAt: 20, offeredAt: 300, wasSentAgain: false },
    ]);
  });

  it("takes a writing of several segments for each of them, and one that is told too late for none", () => {
    const stalls = stallsOf([
      [0, "written", 1],
      [1, "sent", 0],
      [41, "came", 0],
      [100, "sent", 1],
      [140, "came", 1],
      [150, "sent", 2],
      [190, "came", 2],
      [191, "written", 2],
      [400, "written", 3],
      [401, "sent", 3],
      [441, "came", 3],
    ]);

    expect(stalls.map(({ at, overdueMs }) => [at, overdueMs])).toEqual([[140, 100]]);
  });

  it("takes a copy that comes later for nothing", () => {
    expect(
      stallsOf([
        [0, "sent", 0],
        [40, "came", 0],
        [300, "sent", 0],
        [340, "came", 0],
      ]),
    ).toEqual([]);
  });

  it("leaves alone what is no TCP, is cut short, or began before it looked", () => {
    const watch = new StallWatch();
    for (let length = 0; length < 52; length += 1) {
      expect(tcpSegmentOf(segment(0).subarray(0, length))?.dataBytes ?? 0).toBe(0);
      watch.handleOffered(segment(0).subarray(0, length), instant(0));
    }
    watch.handleWritten({ ...PORTS, end: SEGMENT_BYTES, at: instant(0) });
    expect(watch.handleArrived(segment(0), instant(900), LINK_MS)).toBeUndefined();
  });
});
