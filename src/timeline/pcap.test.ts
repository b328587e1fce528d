import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { type CapturedDatagram, PcapWriter } from "./pcap.ts";

const FROM = { address: "192.0.2.1", port: 5060 };
const TO = { address: "198.51.100.2", port: 40_000 };

function datagram(over: Partial<CapturedDatagram> = {}): CapturedDatagram {
  const payload = Uint8Array.from([1, 2, 3]);
  return { at: instant(100), wallClockMs: 1_700_000_000_000, from: FROM, to: TO, payload, ...over };
}

/** A datagram with one byte of payload. */
function ofByte(byte: number, ms: number): CapturedDatagram {
  return datagram({ at: instant(ms), payload: Uint8Array.from([byte]) });
}

interface ReadPacket {
  readonly seconds: number;
  readonly fraction: number;
  readonly wholeBytes: number;
  readonly bytes: Uint8Array;
}

/** A reader of its own, written from the format's description. */
function read(file: Uint8Array): { magic: number; linkType: number; packets: ReadPacket[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const packets: ReadPacket[] = [];
  for (let offset = 24; offset < file.length; ) {
    const capturedBytes = view.getUint32(offset + 8, true);
    packets.push({
      seconds: view.getUint32(offset, true),
      fraction: view.getUint32(offset + 4, true),
      wholeBytes: view.getUint32(offset + 12, true),
      bytes: file.subarray(offset + 16, offset + 16 + capturedBytes),
    });
    offset += 16 + capturedBytes;
  }
  return { magic: view.getUint32(0, true), linkType: view.getUint32(20, true), packets };
}

function written(...datagrams: CapturedDatagram[]): ReturnType<typeof read> {
  const writer = new PcapWriter();
  for (const each of datagrams) writer.add(each);
  return read(writer.bytes());
}

function onlyPacket(over: Partial<CapturedDatagram>): Uint8Array {
  const [packet] = written(datagram(over)).packets;
  if (packet === undefined) throw new Error("No packet was written.");
  return packet.bytes;
}

/** RFC 1071: the one's complement sum over data and its checksum is all ones. */
function onesSum(...parts: (readonly number[] | Uint8Array)[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 2) {
      sum += ((part[index] ?? 0) << 8) | (part[index + 1] ?? 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536);
  return sum;
}

describe("PcapWriter", () => {
  it("writes an empty capture", () => {
    const file = new PcapWriter().bytes();

    expect(file).toHaveLength(24);
    expect(read(file)).toEqual({ magic: 0xa1b2c3d4, linkType: 101, packets: [] });
  });

  it("writes IPv4 and UDP headers", () => {
    const bytes = onlyPacket({});

    expect([...bytes.subarray(0, 4)]).toEqual([0x45, 0, 0, 31]);
    expect(bytes[9]).toBe(17);
    expect([...bytes.subarray(12, 20)]).toEqual([192, 0, 2, 1, 198, 51, 100, 2]);
    expect([...bytes.subarray(20, 26)]).toEqual([0x13, 0xc4, 0x9c, 0x40, 0, 11]);
    expect([...bytes.subarray(28)]).toEqual([1, 2, 3]);
  });

  it.each([
    [
      "::1",
      "2001:db8::5:6",
      "00000000000000000000000000000001",
      "20010db8000000000000000000050006",
    ],
    [
      "fe80::1%eth0",
      "1:2:3:4:5:6:7:8",
      "fe80".padEnd(31, "0").concat("1"),
      "00010002000300040005000600070008",
    ],
    ["64:ff9b::192.0.2.33", "::", "0064ff9b0000000000000000c0000221", "0".repeat(32)],
    [
      "1::3:4:5:6:7:8",
      "::2:3:4:5:6:7:8",
      "00010000000300040005000600070008",
      "00000002000300040005000600070008",
    ],
    ["192.0.2.1", "::1", "00000000000000000000ffffc0000201", "00000000000000000000000000000001"],
  ])("writes IPv6 headers from %s to %s", (from, to, source, destination) => {
    const bytes = onlyPacket({ from: { address: from, port: 1 }, to: { address: to, port: 2 } });

    expect([...bytes.subarray(0, 8)]).toEqual([0x60, 0, 0, 0, 0, 11, 17, 64]);
    expect(Buffer.from(bytes.subarray(8, 24)).toString("hex")).toBe(source);
    expect(Buffer.from(bytes.subarray(24, 40)).toString("hex")).toBe(destination);
  });

  it("writes IPv4 for IPv4-mapped addresses at both ends", () => {
    const mapped = { address: "::ffff:192.0.2.1", port: 5060 };

    expect(onlyPacket({ from: mapped, to: mapped })[0]).toBe(0x45);
  });

  it("writes right checksums for any payload (property)", () => {
    const ports = fc.integer({ min: 0, max: 65_535 });
    const families = fc.constantFrom("192.0.2.200", "2001:db8:ffff::fffe");
    const input = fc.record({ from: ports, to: ports, address: families });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), input, (payload, { from, to, address }) => {
        const bytes = onlyPacket({
          payload,
          from: { address, port: from },
          to: { address, port: to },
        });
        const isIpv4 = bytes[0] === 0x45;
        const udp = bytes.subarray(isIpv4 ? 20 : 40);
        const addresses = isIpv4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);

        expect(isIpv4 ? onesSum(bytes.subarray(0, 20)) : 0xffff).toBe(0xffff);
        expect(onesSum(addresses, [0, 17, udp.length >> 8, udp.length & 0xff], udp)).toBe(0xffff);
        expect((udp[6] ?? 0) | (udp[7] ?? 0)).not.toBe(0);
      }),
    );
  });

  it("orders packets by their instants, equal ones as they were added", () => {
    const { packets } = written(ofByte(1, 120), ofByte(2, 100), ofByte(3, 120), ofByte(4, 110));

    expect(packets.map(({ bytes }) => bytes.at(-1))).toEqual([2, 4, 1, 3]);
  });

  it("spaces packets by their instants and lays them by the first wall clock", () => {
    const { packets } = written(
      datagram({ at: instant(100.25), wallClockMs: 1_700_000_000_999.75 }),
      datagram({ at: instant(120.251), wallClockMs: 1_600_000_000_000 }),
      datagram({ at: instant(99.25), wallClockMs: 0 }),
    );

    expect(packets.map(({ seconds, fraction }) => [seconds, fraction])).toEqual([
      [1_700_000_000, 998_750],
      [1_700_000_000, 999_750],
      [1_700_000_001, 19_751],
    ]);
  });

  it("writes nanoseconds when asked to", () => {
    const writer = new PcapWriter({ resolution: "nanoseconds" });
    writer.add(datagram({ at: instant(0), wallClockMs: 1_700_000_000_000 }));
    writer.add(datagram({ at: instant(1.000_001) }));

    const { magic, packets } = read(writer.bytes());

    expect(magic).toBe(0xa1b23c4d);
    expect(packets.map(({ fraction }) => fraction)).toEqual([0, 1_000_001]);
  });

  it("copies payloads", () => {
    const writer = new PcapWriter();
    const payload = Uint8Array.from([7]);
    writer.add(datagram({ payload }));

    payload[0] = 8;

    expect(read(writer.bytes()).packets[0]?.bytes.at(-1)).toBe(7);
  });

  it("cuts what no datagram can hold, and says so", () => {
    const [packet] = written(datagram({ payload: new Uint8Array(70_000) })).packets;

    expect(packet?.bytes).toHaveLength(65_523);
    expect(packet?.wholeBytes).toBe(70_028);
  });

  it("keeps a long call together across its chunks of memory", () => {
    const random = seededRandom("long call");
    const writer = new PcapWriter();
    const lengths = Array.from({ length: 5000 }, () => Math.floor(random() * 400));
    for (const [index, length] of lengths.entries()) {
      const payload = new Uint8Array(length).fill(index);
      writer.add(datagram({ at: instant(index), payload }));
    }

    const { packets } = read(writer.bytes());

    expect(writer.packetCount).toBe(5000);
    expect(packets.map(({ bytes }) => bytes.length - 28)).toEqual(lengths);
    const isIntact = packets.every(({ bytes }, index) =>
      bytes.subarray(28).every((byte) => byte === (index & 0xff)),
    );
    expect(isIntact).toBe(true);
  });

  it.each(["localhost", "1.2.3", "1.2.3.256", "1:2", "::1::", "1:2:3:4:5:6:7:8:9", ":::", "g::"])(
    "refuses %s as an address",
    (address) => {
      expect(() => new PcapWriter().add(datagram({ to: { address, port: 1 } }))).toThrow(
        expect.objectContaining({ code: "ERR_ADDRESS_NOT_NUMERIC" }),
      );
    },
  );

  it("writes TCP segments whose sequence numbers fit together, and right checksums", () => {
    const writer = new PcapWriter();
    const texts = ["INVITE", "SIP/2.0 100 Trying", "SIP/2.0 200 OK", "ACK"];
    for (const [index, text] of texts.entries()) {
      const isAnswer = text.startsWith("SIP/2.0");
      writer.addSegment(
        datagram({
          at: instant(index),
          payload: new TextEncoder().encode(text),
          ...(isAnswer ? { from: TO, to: FROM } : {}),
        }),
      );
    }
    // Another connection of the same addresses begins anew.
    const other = { ...FROM, port: 5062 };
    writer.addSegment(datagram({ at: instant(9), from: other }));

    const segments = read(writer.bytes()).packets.map(({ bytes }) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const pseudo = [...bytes.subarray(12, 20), 0, 6, 0, bytes.length - 20];
      return {
        protocol: bytes[9],
        sequence: view.getUint32(24),
        acknowledged: view.getUint32(28),
        flags: bytes[33],
        sum: onesSum(pseudo, bytes.subarray(20)),
        payload: new TextDecoder().decode(bytes.subarray(40)),
      };
    });
    expect(segments.slice(0, 4)).toEqual([
      { protocol: 6, sequence: 1, acknowledged: 1, flags: 0x18, sum: 0xffff, payload: "INVITE" },
      { protocol: 6, sequence: 1, acknowledged: 7, flags: 0x18, sum: 0xffff, payload: texts[1] },
      { protocol: 6, sequence: 19, acknowledged: 7, flags: 0x18, sum: 0xffff, payload: texts[2] },
      { protocol: 6, sequence: 7, acknowledged: 33, flags: 0x18, sum: 0xffff, payload: "ACK" },
    ]);
    expect(segments[4]).toMatchObject({ sequence: 1, acknowledged: 1 });
  });
});
