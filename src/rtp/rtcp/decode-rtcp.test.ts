import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRtcp } from "./decode-rtcp.ts";
import { encodeRtcp } from "./encode-rtcp.ts";
import type { RtcpPacket } from "./rtcp-packet.ts";
import type { VoipMetrics } from "./voip-metrics.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

function decoded(text: string): unknown[] {
  const packets = decodeRtcp(hex(text));
  if (!Array.isArray(packets)) throw new Error(packets.reason);
  return packets;
}

function encoded(packets: readonly RtcpPacket[]): Uint8Array {
  const output = new Uint8Array(20_000).fill(0xee);
  return output.slice(0, encodeRtcp(packets, output));
}

const SENDER_REPORT = `
  81c8000c 11111111 e9f1a2b3 80000000 00003e80 000000fa 00009c40
  22222222 40 fffffe 00010064 00000050 a2b38000 00018000`;
const EMPTY_RECEIVER_REPORT = "80c90001 11111111";
const CNAME = "81ca0003 11111111 01 04 61626364 00 00";
const XR_HEADER_ONLY = "80cf0001 11111111";

describe("decodeRtcp", () => {
  it("reads a sender report with a block (RFC 3550 §6.4.1)", () => {
    expect(decoded(SENDER_REPORT)).toEqual([
      {
        kind: "senderReport",
        ssrc: 0x11111111,
        ntp: { seconds: 0xe9f1a2b3, fraction: 0x80000000 },
        rtpTimestamp: 16_000,
        packetCount: 250,
        octetCount: 40_000,
        blocks: [
          {
            ssrc: 0x22222222,
            fractionLost: 0.25,
            cumulativeLost: -2,
            extendedHighestSequenceNumber: 0x10064,
            jitterTicks: 80,
            lastSenderReport: 0xa2b38000,
            delaySinceLastSenderReport: 0x18000,
          },
        ],
      },
    ]);
  });

  it("reads a compound of RR, SDES with two chunks, and BYE with a reason", () => {
    const sdes = "82ca0006 11111111 01 02 6162 00 000000 22222222 01 01 78 02 01 79 00 00";
    const bye = "81cb0003 11111111 05 6c65617665 0000";

    const packets = decoded(`${EMPTY_RECEIVER_REPORT} ${sdes} ${bye}`);

    expect(packets).toEqual([
      { kind: "receiverReport", ssrc: 0x11111111, blocks: [] },
      {
        kind: "sourceDescription",
        chunks: [
          { ssrc: 0x11111111, items: [{ type: 1, text: "ab" }] },
          {
            ssrc: 0x22222222,
            items: [
              { type: 1, text: "x" },
              { type: 2, text: "y" },
            ],
          },
        ],
      },
      { kind: "bye", ssrcs: [0x11111111], reason: "leave" },
    ]);
  });

  it("reads the blocks of an XR packet and lists those that it does not know (RFC 3611)", () => {
    const packets = decoded(`
      ${EMPTY_RECEIVER_REPORT}
      80cf0013 11111111
      04000002 e9f1a2b3 40000000
      05000003 22222222 a2b38000 00010000
      01230001 deadbeef
      07000008 22222222 1a0d8008 03e80fa0 00280078 ecd37f10 5d7f2a29 b4000028 003c0190`);

    expect(packets[1]).toEqual({
      kind: "extendedReport",
      ssrc: 0x11111111,
      blocks: [
        { kind: "receiverReferenceTime", ntp: { seconds: 0xe9f1a2b3, fraction: 0x40000000 } },
        {
          kind: "delaySinceLastRr",
          reports: [
            {
              ssrc: 0x22222222,
              lastReceiverReport: 0xa2b38000,
              delaySinceLastReceiverReport: 0x10000,
            },
          ],
        },
        {
          kind: "unknown",
          blockType: 1,
          typeSpecific: 0x23,
          payload: hex("deadbeef"),
        },
        {
          kind: "voipMetrics",
          ssrc: 0x22222222,
          metrics: {
            lossRate: 26 / 256,
            discardRate: 13 / 256,
            burstDensity: 0.5,
            gapDensity: 8 / 256,
            burstDurationMs: 1000,
            gapDurationMs: 4000,
            roundTripDelayMs: 40,
            endSystemDelayMs: 120,
            signalLevelDbm0: -20,
            noiseLevelDbm0: -45,
            residualEchoReturnLossDb: undefined,
            gmin: 16,
            rFactor: 93,
            externalRFactor: undefined,
            mosLq: 4.2,
            mosCq: 4.1,
            packetLossConcealment: "enhanced",
            jitterBuffer: "adaptive",
            jitterBufferRate: 4,
            jitterBufferNominalMs: 40,
            jitterBufferMaximumMs: 60,
            jitterBufferAbsoluteMaximumMs: 400,
          },
        },
      ],
    });
  });

  it("reads APP packets, and lists feedback as unknown", () => {
    expect(decoded("85cc0003 11111111 74657374 01020304 81cd0001 11111111")).toEqual([
      {
        kind: "application",
        subtype: 5,
        ssrc: 0x11111111,
        name: "test",
        payload: hex("01020304"),
      },
      { kind: "unknown", packetType: 205, count: 1, payload: hex("11111111") },
    ]);
  });

  it("takes off the padding of the last packet", () => {
    expect(decoded(`${EMPTY_RECEIVER_REPORT} a0cb0001 00000004`)).toEqual([
      { kind: "receiverReport", ssrc: 0x11111111, blocks: [] },
      { kind: "bye", ssrcs: [] },
    ]);
  });

  it("leaves out profile-specific extensions of reports", () => {
    expect(decoded("80c90003 11111111 deadbeef deadbeef")).toEqual([
      { kind: "receiverReport", ssrc: 0x11111111, blocks: [] },
    ]);
  });

  it("accepts reduced-size packets (RFC 5506)", () => {
    expect(decoded(CNAME)).toHaveLength(1);
    expect(decoded(XR_HEADER_ONLY)).toHaveLength(1);
  });

  it.each([
    ["", "shorter"],
    ["80c900", "shorter"],
    ["40c90001 11111111", "version"],
    ["80c80001 11111111", "sender report"],
    ["81c90001 11111111", "receiver report"],
    ["80c90002 11111111", "length exceeds"],
    ["80c00001 11111111", "begin"],
    ["80d00001 11111111", "begin"],
    ["a0c90001 11111111 80c90001 11111111", "before the last"],
    ["a0c90001 00000000", "padding"],
    ["a0c90001 00000003", "padding"],
    ["a0c90001 00000008", "padding"],
    ["82ca0003 11111111 01 04 61626364 00 00", "chunk count"],
    ["81ca0002 11111111 01 04 6162", "SDES item"],
    ["81ca0002 11111111 01 02 6162", "SDES item"],
    ["82cb0001 11111111", "source count"],
    ["81cb0002 11111111 04 616263", "reason"],
    ["80cc0001 11111111", "APP"],
    ["80cf0000", "XR packet"],
    ["80cf0003 11111111 07000008 00000000", "beyond"],
    ["80cf0003 11111111 07000001 00000000", "VoIP Metrics"],
    ["80cf0003 11111111 04000001 00000000", "Reference Time"],
    ["80cf0003 11111111 05000001 00000000", "DLRR"],
  ])("says why %s is malformed", (bytes, word) => {
    const packet = decodeRtcp(hex(bytes));

    expect(packet).toMatchObject({ kind: "malformed", reason: expect.stringContaining(word) });
  });

  it.each([
    ["an unfinished header", "80c9"],
    ["a foreign version", "40c90001 11111111"],
    ["a length beyond the datagram", "80c90007 11111111"],
    ["a count beyond the packet", "85c90001 11111111"],
  ])("gives the good packets before %s, and the reason", (_, rest) => {
    expect(decoded(`${EMPTY_RECEIVER_REPORT} ${CNAME} ${rest}`)).toMatchObject([
      { kind: "receiverReport" },
      { kind: "sourceDescription" },
      { kind: "malformed" },
    ]);
  });

  it("does not take data behind the last packet for good", () => {
    expect(decoded(`${EMPTY_RECEIVER_REPORT} 0000`)).toMatchObject([
      { kind: "receiverReport" },
      { kind: "malformed" },
    ]);
  });
});

const UINT32 = fc.integer({ min: 0, max: 0xffff_ffff });
const UINT16 = fc.integer({ min: 0, max: 0xffff });
const RATIO = fc.integer({ min: 0, max: 255 }).map((octet) => octet / 256);
const WORDS = fc
  .integer({ min: 0, max: 8 })
  .chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4 }));
const TEXT = fc.string({ unit: "binary", maxLength: 63 });
const NTP = fc.record({ seconds: UINT32, fraction: UINT32 });

function optional(least: number, most: number): fc.Arbitrary<number | undefined> {
  return fc.option(fc.integer({ min: least, max: most }), { nil: undefined });
}

const MOS = optional(10, 50).map((mos) => (mos === undefined ? undefined : mos / 10));
const METRICS = fc.record({
  lossRate: RATIO,
  discardRate: RATIO,
  burstDensity: RATIO,
  gapDensity: RATIO,
  burstDurationMs: UINT16,
  gapDurationMs: UINT16,
  roundTripDelayMs: UINT16,
  endSystemDelayMs: UINT16,
  signalLevelDbm0: optional(-127, 126),
  noiseLevelDbm0: optional(-127, 126),
  residualEchoReturnLossDb: optional(0, 126),
  gmin: fc.integer({ min: 1, max: 255 }),
  rFactor: optional(0, 100),
  externalRFactor: optional(0, 100),
  mosLq: MOS,
  mosCq: MOS,
  packetLossConcealment: fc.constantFrom(
    "unspecified" as const,
    "disabled" as const,
    "enhanced" as const,
    "standard" as const,
  ),
  jitterBuffer: fc.constantFrom(
    "unknown" as const,
    "reserved" as const,
    "nonAdaptive" as const,
    "adaptive" as const,
  ),
  jitterBufferRate: fc.integer({ min: 0, max: 15 }),
  jitterBufferNominalMs: UINT16,
  jitterBufferMaximumMs: UINT16,
  jitterBufferAbsoluteMaximumMs: UINT16,
});
const BLOCKS = fc.array(
  fc.record({
    ssrc: UINT32,
    fractionLost: RATIO,
    cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
    extendedHighestSequenceNumber: UINT32,
    jitterTicks: UINT32,
    lastSenderReport: UINT32,
    delaySinceLastSenderReport: UINT32,
  }),
  { maxLength: 31 },
);
const XR_BLOCK = fc.oneof(
  fc.record({ kind: fc.constant("receiverReferenceTime" as const), ntp: NTP }),
  fc.record({
    kind: fc.constant("delaySinceLastRr" as const),
    reports: fc.array(
      fc.record({
        ssrc: UINT32,
        lastReceiverReport: UINT32,
        delaySinceLastReceiverReport: UINT32,
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant("voipMetrics" as const), ssrc: UINT32, metrics: METRICS }),
  fc.record({
    kind: fc.constant("unknown" as const),
    blockType: fc.integer({ min: 8, max: 255 }),
    typeSpecific: fc.integer({ min: 0, max: 255 }),
    payload: WORDS,
  }),
);
const PACKET: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    kind: fc.constant("senderReport" as const),
    ssrc: UINT32,
    ntp: NTP,
    rtpTimestamp: UINT32,
    packetCount: UINT32,
    octetCount: UINT32,
    blocks: BLOCKS,
  }),
  fc.record({ kind: fc.constant("receiverReport" as const), ssrc: UINT32, blocks: BLOCKS }),
  fc.record({
    kind: fc.constant("sourceDescription" as const),
    chunks: fc.array(
      fc.record({
        ssrc: UINT32,
        items: fc.array(fc.record({ type: fc.integer({ min: 1, max: 255 }), text: TEXT }), {
          maxLength: 4,
        }),
      }),
      { maxLength: 31 },
    ),
  }),
  fc.record({ kind: fc.constant("bye" as const), ssrcs: fc.array(UINT32, { maxLength: 31 }) }),
  fc.record({
    kind: fc.constant("bye" as const),
    ssrcs: fc.array(UINT32, { maxLength: 31 }),
    reason: TEXT,
  }),
  fc.record({
    kind: fc.constant("application" as const),
    subtype: fc.integer({ min: 0, max: 31 }),
    ssrc: UINT32,
    name: fc.string({ minLength: 4, maxLength: 4 }),
    payload: WORDS,
  }),
  fc.record({
    kind: fc.constant("extendedReport" as const),
    ssrc: UINT32,
    blocks: fc.array(XR_BLOCK, { maxLength: 6 }),
  }),
  fc.record({
    kind: fc.constant("unknown" as const),
    packetType: fc.constantFrom(205, 206),
    count: fc.integer({ min: 0, max: 31 }),
    payload: WORDS,
  }),
);

describe("encodeRtcp", () => {
  it("writes what decodeRtcp reads (property)", () => {
    fc.assert(
      fc.property(fc.array(PACKET, { minLength: 1, maxLength: 6 }), (packets) => {
        expect(decodeRtcp(encoded(packets))).toEqual(packets);
      }),
      { numRuns: 500 },
    );
  });

  it("writes again the bytes that were read", () => {
    const bytes = hex(`${SENDER_REPORT} ${CNAME} 81cb0003 11111111 05 6c65617665 0000`);

    expect(encoded(decodeRtcp(bytes) as RtcpPacket[])).toEqual(bytes);
  });

  it("keeps figures within their fields", () => {
    const block = {
      ssrc: 1,
      fractionLost: 1,
      cumulativeLost: 9e9,
      extendedHighestSequenceNumber: 0,
      jitterTicks: 9e12,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 9e12,
    };
    const blocks = [block, { ...block, fractionLost: -1, cumulativeLost: -9e9, jitterTicks: 0.6 }];

    const [packet] = decodeRtcp(encoded([{ kind: "receiverReport", ssrc: 1, blocks }])) as [
      RtcpPacket,
    ];

    expect(packet).toMatchObject({
      blocks: [
        {
          fractionLost: 255 / 256,
          cumulativeLost: 0x7f_ffff,
          jitterTicks: 0xffff_ffff,
          delaySinceLastSenderReport: 0xffff_ffff,
        },
        { fractionLost: 0, cumulativeLost: -0x80_0000, jitterTicks: 1 },
      ],
    });
  });

  it("keeps VoIP metrics within their fields, and what is unavailable out of them", () => {
    const metrics = {
      ...(fc.sample(METRICS, { numRuns: 1, seed: 1 })[0] as VoipMetrics),
      lossRate: 1,
      discardRate: Number.NaN,
      roundTripDelayMs: 1e6,
      endSystemDelayMs: -1,
      signalLevelDbm0: 127,
      noiseLevelDbm0: -300,
      rFactor: 127,
      mosLq: 5.4,
      mosCq: undefined,
    };

    const packets = decodeRtcp(
      encoded([
        { kind: "extendedReport", ssrc: 1, blocks: [{ kind: "voipMetrics", ssrc: 2, metrics }] },
      ]),
    );

    expect(packets).toMatchObject([
      {
        blocks: [
          {
            metrics: {
              lossRate: 255 / 256,
              discardRate: 0,
              roundTripDelayMs: 65_535,
              endSystemDelayMs: 0,
              signalLevelDbm0: 126,
              noiseLevelDbm0: -127,
              rFactor: 100,
              mosLq: 5,
              mosCq: undefined,
            },
          },
        ],
      },
    ]);
  });

  it("cuts texts that are too long at a character", () => {
    const reason = `${"a".repeat(254)}é`;

    const packets = decodeRtcp(encoded([{ kind: "bye", ssrcs: [], reason }]));

    expect(packets).toEqual([{ kind: "bye", ssrcs: [], reason: "a".repeat(254) }]);
  });

  it("refuses an output that is too small, and more blocks than can be counted", () => {
    const bye = { kind: "bye", ssrcs: Array.from({ length: 32 }, () => 1) } as const;

    expect(() => encodeRtcp([{ ...bye, ssrcs: [1] }], new Uint8Array(7))).toThrow("the output");
    expect(() => encodeRtcp([bye], new Uint8Array(500))).toThrow("31 blocks");
  });
});
