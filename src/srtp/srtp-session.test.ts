import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Random, randomInteger, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { areSameKeys, generateKeys, type SrtpKeys } from "./keys.ts";
import { rejectionName, SRTP_REJECTION } from "./rejection.ts";
import { SrtpReceiver } from "./srtp-receiver.ts";
import { SrtpSender } from "./srtp-sender.ts";
import { SRTP_SUITES, type SrtpSuite, suiteParameters } from "./suites.ts";

const cryptography = new NodeCryptography(seededRandom("srtp"));
const SSRC = 0xdeca_fbad;
const OUTPUT_BYTES = 2048;

interface RtpFields {
  readonly sequence: number;
  readonly ssrc?: number;
  readonly csrcs?: number;
  readonly extensionWords?: number;
  readonly payloadBytes?: number;
}

function rtpPacket(fields: RtpFields): Uint8Array {
  const { sequence, ssrc = SSRC, csrcs = 0, extensionWords, payloadBytes = 160 } = fields;
  const extension = extensionWords === undefined ? 0 : 4 + extensionWords * 4;
  const packet = new Uint8Array(12 + csrcs * 4 + extension + payloadBytes);
  packet.forEach((_byte, index) => {
    packet[index] = index * 31 + sequence;
  });
  const view = new DataView(packet.buffer);
  packet[0] = 0x80 | (extensionWords === undefined ? 0 : 0x10) | csrcs;
  view.setUint16(2, sequence);
  view.setUint32(8, ssrc);
  if (extensionWords !== undefined) view.setUint16(12 + csrcs * 4 + 2, extensionWords);
  return packet;
}

function rtcpPacket(bytes: number, ssrc = SSRC): Uint8Array {
  const packet = new Uint8Array(bytes).map((_byte, index) => index * 13);
  packet[0] = 0x80;
  packet[1] = 201;
  new DataView(packet.buffer).setUint32(4, ssrc);
  return packet;
}

function openSession(suite: SrtpSuite, mki?: Uint8Array) {
  const generated = generateKeys(suite, cryptography);
  const keys: SrtpKeys = mki === undefined ? generated : { ...generated, mki };
  const sender = new SrtpSender(keys, cryptography);
  const receiver = new SrtpReceiver(keys, cryptography);
  const output = new Uint8Array(OUTPUT_BYTES);
  const protect = (packet: Uint8Array): Uint8Array => {
    const length = sender.protectRtp(packet, output);
    expect(rejectionName(length)).toBeUndefined();
    return output.slice(0, length);
  };
  const protectRtcp = (packet: Uint8Array): Uint8Array =>
    output.slice(0, sender.protectRtcp(packet, output));
  const unprotect = (data: Uint8Array): Uint8Array | string => {
    const length = receiver.unprotectRtp(data, output);
    return rejectionName(length) ?? output.slice(0, length);
  };
  const unprotectRtcp = (data: Uint8Array): Uint8Array | string => {
    const length = receiver.unprotectRtcp(data, output);
    return rejectionName(length) ?? output.slice(0, length);
  };
  return { keys, sender, receiver, protect, protectRtcp, unprotect, unprotectRtcp };
}

const anySuite = fc.constantFrom(...SRTP_SUITES);
const anyMki = fc.option(fc.uint8Array({ minLength: 1, maxLength: 8 }), { nil: undefined });

describe("SrtpSender and SrtpReceiver", () => {
  it.each(SRTP_SUITES)("hide the payload and add a tag of the suite's length: %s", (suite) => {
    const { protect, protectRtcp } = openSession(suite);
    const { rtpTagBytes, rtcpTagBytes } = suiteParameters(suite);
    const packet = rtpPacket({ sequence: 1 });

    const data = protect(packet);

    expect(data).toHaveLength(packet.length + rtpTagBytes);
    expect(data.subarray(0, 12)).toEqual(packet.subarray(0, 12));
    const same = packet.subarray(12).filter((byte, index) => byte === data[12 + index]);
    expect(same.length).toBeLessThan(10);
    expect(protectRtcp(rtcpPacket(28))).toHaveLength(28 + 4 + rtcpTagBytes);
  });

  it("carry any RTP packet (property)", () => {
    const fields = fc.record({
      sequence: fc.nat(0xffff),
      ssrc: fc.nat(0xffff_ffff),
      csrcs: fc.nat(15),
      extensionWords: fc.option(fc.nat(20), { nil: undefined }),
      payloadBytes: fc.oneof(fc.nat(40), fc.nat(1500)),
    });
    fc.assert(
      fc.property(anySuite, anyMki, fields, (suite, mki, { extensionWords, ...rest }) => {
        const { protect, unprotect, receiver } = openSession(suite, mki);
        const packet = rtpPacket(extensionWords === undefined ? rest : { ...rest, extensionWords });
        expect(unprotect(protect(packet))).toEqual(packet);
        expect(receiver.counts.accepted).toBe(1);
      }),
    );
  });

  it("carry any RTCP packet, and count it apart from RTP (property)", () => {
    fc.assert(
      fc.property(anySuite, anyMki, fc.integer({ min: 8, max: 600 }), (suite, mki, bytes) => {
        const { protectRtcp, unprotectRtcp, receiver } = openSession(suite, mki);
        for (let round = 0; round < 3; round += 1) {
          const packet = rtcpPacket(bytes);
          expect(unprotectRtcp(protectRtcp(packet))).toEqual(packet);
        }
        expect(receiver.rtcpCounts.accepted).toBe(3);
        expect(receiver.counts.accepted).toBe(0);
      }),
    );
  });

  it.each(SRTP_SUITES)("work within one piece of memory: %s", (suite) => {
    const { sender, receiver } = openSession(suite);
    const packet = rtpPacket({ sequence: 9, csrcs: 2, extensionWords: 3 });
    const memory = new Uint8Array(OUTPUT_BYTES);
    memory.set(packet);

    const length = sender.protectRtp(memory.subarray(0, packet.length), memory);
    const back = receiver.unprotectRtp(memory.subarray(0, length), memory);

    expect(memory.subarray(0, back)).toEqual(packet);
  });

  it("survive loss, reordering and wraps, and refuse each duplicate as a replay (property)", () => {
    fc.assert(
      fc.property(
        anySuite,
        fc.nat(0x7fff),
        fc.integer({ min: 1, max: 900 }),
        fc.nat(),
        (suite, first, stride, seed) => {
          const session = openSession(suite);
          const arrived = journey(session.protect, first, stride, seededRandom(seed));
          for (const { data, packet } of arrived) {
            // Deep comparison by the test framework would take most of the time.
            expect(Buffer.compare(Buffer.from(session.unprotect(data)), packet)).toBe(0);
            expect(session.unprotect(data)).toBe("replayed");
          }
          expect(session.receiver.counts.accepted).toBe(arrived.length);
          expect(session.receiver.counts.replayed).toBe(arrived.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("find the count of wraps again after a gap of nearly half a cycle", () => {
    const { protect, unprotect } = openSession("AES_CM_128_HMAC_SHA1_80");
    let sequence = 40_000;
    for (let round = 0; round < 12; round += 1) {
      const packet = rtpPacket({ sequence: sequence % 0x1_0000 });
      expect(unprotect(protect(packet))).toEqual(packet);
      sequence += 32_000;
    }
  });

  it("refuse what is older than the window, without touching the cipher", () => {
    const { protect, unprotect, receiver } = openSession("AES_CM_128_HMAC_SHA1_80");
    const old = protect(rtpPacket({ sequence: 100 }));
    expect(unprotect(protect(rtpPacket({ sequence: 228 })))).toBeInstanceOf(Uint8Array);

    expect(unprotect(old)).toBe("tooOld");
    expect(receiver.counts.tooOld).toBe(1);
  });

  it("keep sources apart, and let no more than 64 in", () => {
    const { keys, unprotect, receiver } = openSession("AEAD_AES_128_GCM");
    const output = new Uint8Array(OUTPUT_BYTES);
    for (let ssrc = 1; ssrc <= 66; ssrc += 1) {
      const sender = new SrtpSender(keys, cryptography);
      const packet = rtpPacket({ sequence: 500, ssrc });
      const data = output.slice(0, sender.protectRtp(packet, output));
      expect(unprotect(data)).toEqual(ssrc <= 64 ? packet : "tooManySources");
      expect(unprotect(data)).toBe(ssrc <= 64 ? "replayed" : "tooManySources");
    }
    expect(receiver.counts).toMatchObject({ accepted: 64, replayed: 64, tooManySources: 4 });
  });

  it("start a new source in its first cycle, whatever the others did", () => {
    const { protect, unprotect } = openSession("AES_256_CM_HMAC_SHA1_80");
    for (const sequence of [40_000, 65_535, 10, 30_000]) {
      expect(unprotect(protect(rtpPacket({ sequence })))).toBeInstanceOf(Uint8Array);
    }
    const other = rtpPacket({ sequence: 7, ssrc: 4711 });
    expect(unprotect(protect(other))).toEqual(other);
  });

  it("refuse a packet in which any one bit was changed (every bit)", () => {
    for (const suite of SRTP_SUITES) {
      const session = openSession(suite, Uint8Array.of(0, 7));
      const data = session.protect(rtpPacket({ sequence: 3, extensionWords: 1, payloadBytes: 20 }));
      const report = session.protectRtcp(rtcpPacket(28));
      for (let bit = 0; bit < data.length * 8; bit += 1) {
        expect(typeof session.unprotect(flipped(data, bit))).toBe("string");
      }
      for (let bit = 0; bit < report.length * 8; bit += 1) {
        expect(typeof session.unprotectRtcp(flipped(report, bit))).toBe("string");
      }
      // Nothing of that has shifted the state: the true ones still pass.
      expect(session.unprotect(data)).toBeInstanceOf(Uint8Array);
      expect(session.unprotectRtcp(report)).toBeInstanceOf(Uint8Array);
      expect(session.receiver.counts.unknownKey).toBe(16);
      expect(session.receiver.rtcpCounts.unencrypted).toBe(1);
    }
  });

  it("refuse packets under other keys", () => {
    for (const suite of SRTP_SUITES) {
      const { protect, protectRtcp } = openSession(suite);
      const { unprotect, unprotectRtcp, receiver } = openSession(suite);
      expect(unprotect(protect(rtpPacket({ sequence: 1 })))).toBe("authenticationFailed");
      expect(unprotectRtcp(protectRtcp(rtcpPacket(28)))).toBe("authenticationFailed");
      expect(receiver.counts).toMatchObject({ accepted: 0, authenticationFailed: 1 });
    }
  });

  it("do not protect one index twice: that would give both packets away", () => {
    const { sender, protect } = openSession("AES_CM_128_HMAC_SHA1_80");
    const output = new Uint8Array(OUTPUT_BYTES);
    protect(rtpPacket({ sequence: 5 }));

    const again = rtpPacket({ sequence: 5, payloadBytes: 20 });
    expect(sender.protectRtp(again, output)).toBe(SRTP_REJECTION.replayed);
  });

  it("refuse what is no RTP and what does not fit the output", () => {
    const { sender, receiver, protect } = openSession("AES_CM_128_HMAC_SHA1_80");
    const output = new Uint8Array(OUTPUT_BYTES);
    const packet = rtpPacket({ sequence: 5 });
    expect(sender.protectRtp(packet.subarray(0, 11), output)).toBe(SRTP_REJECTION.malformed);
    expect(sender.protectRtp(packet, new Uint8Array(181))).toBe(SRTP_REJECTION.malformed);
    expect(sender.protectRtcp(packet.subarray(0, 7), output)).toBe(SRTP_REJECTION.malformed);
    expect(receiver.unprotectRtp(protect(packet), new Uint8Array(171))).toBe(
      SRTP_REJECTION.malformed,
    );
  });

  it("never throw, and count whatever arrives (fuzz)", () => {
    fc.assert(
      fc.property(anySuite, anyMki, fc.array(anyDatagram), (suite, mki, datagrams) => {
        const { unprotect, unprotectRtcp, receiver } = openSession(suite, mki);
        for (const data of datagrams) {
          expect(typeof unprotect(data)).toBe("string");
          expect(typeof unprotectRtcp(data)).toBe("string");
        }
        for (const counts of [receiver.counts, receiver.rtcpCounts]) {
          const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
          expect(total).toBe(datagrams.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throw on damaged packets of their own (fuzz)", () => {
    const damage = fc.record({ cut: fc.nat(40), at: fc.nat(200), value: fc.nat(255) });
    fc.assert(
      fc.property(anySuite, anyMki, damage, (suite, mki, { cut, at, value }) => {
        const { protect, unprotect } = openSession(suite, mki);
        const data = protect(rtpPacket({ sequence: 1 }));
        const damaged = data.slice(0, data.length - cut);
        if (at < damaged.length) damaged[at] = value;
        const isSame = damaged.length === data.length && damaged.every((b, i) => b === data[i]);
        expect(typeof unprotect(damaged)).toBe(isSame ? "object" : "string");
      }),
      { numRuns: 300 },
    );
  });
});

describe("generateKeys", () => {
  it("gives other keys each time, of the suite's lengths", () => {
    for (const suite of SRTP_SUITES) {
      const keys = generateKeys(suite, new NodeCryptography());
      expect(keys.masterKey).toHaveLength(suiteParameters(suite).keyBytes);
      expect(keys.masterSalt).toHaveLength(suiteParameters(suite).saltBytes);
      expect(areSameKeys(keys, generateKeys(suite, new NodeCryptography()))).toBe(false);
      expect(areSameKeys(keys, { ...keys, masterKey: keys.masterKey.slice() })).toBe(true);
      expect(areSameKeys(keys, { ...keys, mki: Uint8Array.of(1) })).toBe(false);
    }
  });
});

const anyDatagram = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  // Version 2, so that it gets past the first look.
  fc.uint8Array({ maxLength: 400 }).map((data) => Uint8Array.of(0x80, ...data)),
  fc.uint8Array({ minLength: 20, maxLength: 60 }).map((data) => Uint8Array.of(0x9f, ...data)),
);

function flipped(data: Uint8Array, bit: number): Uint8Array {
  return data.map((byte, index) => (index === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

/** 250 packets, a tenth of them lost, each overtaken by up to a window's worth of others. */
function journey(
  protect: (packet: Uint8Array) => Uint8Array,
  first: number,
  stride: number,
  random: Random,
): { data: Uint8Array; packet: Uint8Array }[] {
  const sent = Array.from({ length: 250 }, (_, index) => {
    const packet = rtpPacket({ sequence: (first + index * stride) % 0x1_0000, payloadBytes: 20 });
    // Early ones go out in order: the first to arrive tells where a source begins.
    const overtakenBy = index < 2 ? 0 : randomInteger(random, Math.floor(100 / stride) + 1);
    return { packet, data: protect(packet), arrivesAt: index + overtakenBy, index };
  });
  return sent
    .filter(({ index }) => index === 0 || random() > 0.1)
    .toSorted((left, right) => left.arrivesAt - right.arrivesAt);
}
