import { describe, expect, it } from "vitest";
import type { LocalFormat, MediaCapabilities } from "./media-capabilities.ts";
import { PayloadNumbers } from "./payload-numbers.ts";

const OPUS: LocalFormat = {
  id: "opus",
  name: "opus",
  payloadType: 96,
  clockRateHz: 48_000,
  channels: 2,
};
const L16: LocalFormat = { id: "L16", name: "L16", payloadType: 97, clockRateHz: 16_000 };

function numbers(codecs: readonly LocalFormat[], telephoneEvents = false): PayloadNumbers {
  const capabilities: MediaCapabilities = {
    address: "192.0.2.1",
    port: 4000,
    codecs,
    telephoneEvents,
    comfortNoise: false,
    ptimeMs: 20,
    sessionId: 1,
    rtcp: { mode: "off" },
    srtp: { policy: "off", offers: [] },
  };
  return new PayloadNumbers(capabilities);
}

describe("PayloadNumbers", () => {
  it("gives two codecs with one number different ones", () => {
    const own = numbers([OPUS, { ...L16, payloadType: 96 }]);

    expect([own.numberOf(OPUS), own.numberOf(L16)]).toEqual([96, 97]);
  });

  it("takes over the offer's numbers for what is answered, without regard to case", () => {
    const own = numbers([OPUS, L16]);
    const opus = { name: "OPUS", payloadType: 120, clockRateHz: 48_000, channels: 2 };

    own.adopt([opus], [opus]);

    expect([own.numberOf(OPUS), own.numberOf(L16)]).toEqual([120, 97]);
  });

  it("makes way for formats that only the peer knows, to numbers that meant nothing", () => {
    const own = numbers([OPUS, L16]);
    own.note([{ name: "x", payloadType: 98, clockRateHz: 8000, channels: 1 }]);

    own.adopt([{ name: "iLBC", payloadType: 97, clockRateHz: 8000, channels: 1 }], []);

    expect([own.numberOf(OPUS), own.numberOf(L16)]).toEqual([96, 99]);
  });

  it("goes on below 64 where all numbers from 96 are taken, never where RTCP would be", () => {
    const own = numbers([L16]);
    const all = Array.from({ length: 32 }, (_, index) => ({
      name: `x${index}`,
      payloadType: 96 + index,
      clockRateHz: 8000,
      channels: 1,
    }));

    own.adopt(all, []);

    expect(own.numberOf(L16)).toBe(35);
  });

  it("knows what is its own", () => {
    const own = numbers([OPUS], true);

    expect([96, 101, 103, 97].map((number) => own.isOurs(number))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(own.numberOf(L16)).toBeUndefined();
  });
});
