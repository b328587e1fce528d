import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LocalFormat } from "./media-capabilities.ts";
import { packetTime } from "./packet-time.ts";

const PCMU: LocalFormat = { id: "PCMU", name: "PCMU", payloadType: 0, clockRateHz: 8000 };
const ANY = { local: PCMU, remoteFmtp: undefined };

describe("packetTime", () => {
  it.each([
    [20, {}, 20],
    [20, { ptimeMs: 10 }, 10],
    [20, { ptimeMs: 30 }, 30],
    [20, { ptimeMs: 60 }, 60],
    // Not made here: our own.
    [20, { ptimeMs: 50 }, 20],
    [20, { ptimeMs: 20.5 }, 20],
    [20, { ptimeMs: 1000 }, 20],
    // maxptime (RFC 8866 §6.5).
    [20, { maxPtimeMs: 10 }, 10],
    [20, { ptimeMs: 30, maxPtimeMs: 10 }, 10],
    [60, { maxPtimeMs: 50 }, 40],
    [20, { ptimeMs: 30, maxPtimeMs: 200 }, 30],
    // Nobody can go below the shortest.
    [20, { maxPtimeMs: 5 }, 10],
    // minptime, as baresip writes it.
    [20, { minPtimeMs: 30 }, 30],
    [20, { minPtimeMs: 4, ptimeMs: 20 }, 20],
    [20, { minPtimeMs: 100 }, 10],
    [20, { minPtimeMs: 40, maxPtimeMs: 30 }, 30],
  ])("of our %i ms and the peer's %j is %i ms", (own, remote, expected) => {
    expect(packetTime(own, remote, ANY)).toBe(expected);
  });

  it.each([
    ["minptime=40;useinbandfec=1", 40],
    ["useinbandfec=1; minptime=40", 40],
    ["useinbandfec=1;sminptime=40", 20],
    ["minptime=ten", 20],
  ])("reads the minptime of Opus (RFC 7587 §6.1) in %j", (remoteFmtp, expected) => {
    expect(packetTime(20, {}, { local: PCMU, remoteFmtp })).toBe(expected);
  });

  it("keeps to what the codec can", () => {
    const local = { ...PCMU, supportsPtime: (ptimeMs: number) => ptimeMs % 20 === 0 };

    expect(packetTime(20, { ptimeMs: 30 }, { local, remoteFmtp: undefined })).toBe(20);
    expect(packetTime(30, {}, { local, remoteFmtp: undefined })).toBe(20);
    expect(packetTime(20, { ptimeMs: 40 }, { local, remoteFmtp: undefined })).toBe(40);
  });

  it("is within the limits wherever some length is (property)", () => {
    const limit = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
    fc.assert(
      fc.property(fc.constantFrom(10, 20, 30, 40, 60), limit, limit, (own, ptimeMs, maxPtimeMs) => {
        const remote = {
          ...(ptimeMs === undefined ? {} : { ptimeMs }),
          ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
        };

        const result = packetTime(own, remote, ANY);

        expect([10, 20, 30, 40, 60]).toContain(result);
        expect(result).toBeLessThanOrEqual(Math.max(10, maxPtimeMs ?? 60));
      }),
    );
  });
});
