import type { Codec } from "../../../../src/codec/index.ts";
import { seededRandom } from "../../../../src/environment/index.ts";
import {
  encodeRtcp,
  encodeRtp,
  type RtcpPacket,
  type VoipMetrics,
} from "../../../../src/rtp/index.ts";

/** The SSRC of the end under test. */
export const OUR_SSRC = 0x1111_1111;
/** The SSRC of its peer. */
export const PEER_SSRC = 0x2222_2222;

/** A valid RTP packet. */
export function rtpPacket(
  payload: Uint8Array,
  fields: {
    payloadType?: number;
    sequenceNumber?: number;
    marker?: boolean;
    ticksPerPacket?: number;
  } = {},
): Uint8Array {
  const sequenceNumber = fields.sequenceNumber ?? 65_530;
  const header = {
    marker: fields.marker ?? false,
    payloadType: fields.payloadType ?? 0,
    sequenceNumber: sequenceNumber & 0xffff,
    timestamp: (0xffff_f000 + sequenceNumber * (fields.ticksPerPacket ?? 160)) >>> 0,
    ssrc: PEER_SSRC,
  };
  const output = new Uint8Array(12 + payload.length);
  encodeRtp(header, payload, output);
  return output;
}

/** Valid RTP packets: audio, telephone events, comfort noise; CSRCs, extension and padding. */
export const RTP_CORPUS: readonly Uint8Array[] = [
  ...Array.from({ length: 8 }, (_, index) =>
    rtpPacket(new Uint8Array(160).fill(0x55 + index), {
      sequenceNumber: 65_530 + index,
      marker: index === 0,
    }),
  ),
  rtpPacket(hex("050a00a0"), { payloadType: 101, marker: true }),
  rtpPacket(hex("058a0320"), { payloadType: 101 }),
  rtpPacket(hex("4e102030"), { payloadType: 13 }),
  rtpPacket(new Uint8Array(0)),
  hex("b2000001000000010000000 2aaaaaaaabbbbbbbb bede0001deadbeef 0a0b000003"),
];

/**
 * What may well come as packet `index` of a stream of one packet per 20 ms: audio, one packet out
 * of order or again, and now and then a telephone event or comfort noise.
 */
export function rtpFlow(index: number): readonly Uint8Array[] {
  const audio = new Uint8Array(160).fill(index);
  const event = Uint8Array.of(index >> 6, (index & 31) > 24 ? 0x8a : 0x0a, 0, 0);
  const eventTicks = (index & 31) * 160;
  event[2] = eventTicks >> 8;
  event[3] = eventTicks;
  // Packets of one event bear the timestamp of its begin.
  const digit = rtpPacket(event, { payloadType: 101, sequenceNumber: index });
  const begin = rtpPacket(event, { payloadType: 101, sequenceNumber: index & ~31 });
  digit.set(begin.subarray(4, 8), 4);
  return [
    rtpPacket(audio, { sequenceNumber: index }),
    rtpPacket(audio, { sequenceNumber: index, marker: true }),
    rtpPacket(audio, { sequenceNumber: index - 1 }),
    digit,
    digit,
    rtpPacket(Uint8Array.of(60, 100, 140), { payloadType: 13, sequenceNumber: index }),
  ];
}

/** Payloads of 20 ms, six of a tone and six of noise. The codec must be loaded. */
export function encodedFrames(codec: Codec): Uint8Array[] {
  const encoder = codec.createEncoder({ ptimeMs: 20 });
  const random = seededRandom(codec.id);
  const samples = new Int16Array(codec.sampleRateHz / 50);
  const output = new Uint8Array(1500);
  const packets: Uint8Array[] = [];
  for (let index = 0; index < 12; index += 1) {
    for (let at = 0; at < samples.length; at += 1) {
      const tone = Math.sin((at + index * samples.length) / 7) * 8000;
      samples[at] = index < 6 ? tone : (random() - 0.5) * 20_000;
    }
    const bytes = encoder.encode(samples, output);
    if (bytes > 0) packets.push(output.slice(0, bytes));
  }
  encoder.release();
  return packets;
}

const VOIP: VoipMetrics = {
  lossRate: 0.125,
  discardRate: 0.0625,
  burstDensity: 0.5,
  gapDensity: 0,
  burstDurationMs: 120,
  gapDurationMs: 2000,
  roundTripDelayMs: 31,
  endSystemDelayMs: 60,
  signalLevelDbm0: -18,
  noiseLevelDbm0: -60,
  residualEchoReturnLossDb: undefined,
  gmin: 16,
  rFactor: 93,
  externalRFactor: undefined,
  mosLq: 4.2,
  mosCq: 4.1,
  packetLossConcealment: "standard",
  jitterBuffer: "adaptive",
  jitterBufferRate: 2,
  jitterBufferNominalMs: 40,
  jitterBufferMaximumMs: 80,
  jitterBufferAbsoluteMaximumMs: 200,
};
const BLOCK = {
  ssrc: OUR_SSRC,
  fractionLost: 0.25,
  cumulativeLost: -2,
  extendedHighestSequenceNumber: 0x1_0064,
  jitterTicks: 80,
  lastSenderReport: 0xa2b3_8000,
  delaySinceLastSenderReport: 0x1_8000,
};
const NTP = { seconds: 0xe9f1_a2b3, fraction: 0x8000_0000 };
const SENDER_REPORT: RtcpPacket = {
  kind: "senderReport",
  ssrc: PEER_SSRC,
  ntp: NTP,
  rtpTimestamp: 16_000,
  packetCount: 250,
  octetCount: 40_000,
  blocks: [BLOCK, { ...BLOCK, ssrc: 0x3333_3333 }],
};
const RECEIVER_REPORT: RtcpPacket = { kind: "receiverReport", ssrc: PEER_SSRC, blocks: [BLOCK] };
const DESCRIPTION: RtcpPacket = {
  kind: "sourceDescription",
  chunks: [
    {
      ssrc: PEER_SSRC,
      items: [
        { type: 1, text: "peer" },
        { type: 6, text: "söme phone" },
      ],
    },
    { ssrc: 0x3333_3333, items: [] },
  ],
};
const BYE: RtcpPacket = { kind: "bye", ssrcs: [PEER_SSRC], reason: "done" };
const EXTENDED_REPORT: RtcpPacket = {
  kind: "extendedReport",
  ssrc: PEER_SSRC,
  blocks: [
    { kind: "receiverReferenceTime", ntp: NTP },
    {
      kind: "delaySinceLastRr",
      reports: [{ ssrc: OUR_SSRC, lastReceiverReport: 1, delaySinceLastReceiverReport: 2 }],
    },
    { kind: "unknown", blockType: 1, typeSpecific: 0, payload: hex("deadbeef") },
    { kind: "voipMetrics", ssrc: OUR_SSRC, metrics: VOIP },
  ],
};
const APPLICATION: RtcpPacket = {
  kind: "application",
  subtype: 3,
  ssrc: PEER_SSRC,
  name: "test",
  payload: hex("01020304"),
};
const FEEDBACK: RtcpPacket = {
  kind: "unknown",
  packetType: 205,
  count: 1,
  payload: hex("222222221111111100050001"),
};

/** Valid compound packets: all types that are read, and one that is not. */
export const RTCP_CORPUS: readonly Uint8Array[] = [
  rtcpCompound(SENDER_REPORT, DESCRIPTION),
  rtcpCompound(RECEIVER_REPORT, DESCRIPTION, EXTENDED_REPORT),
  rtcpCompound(SENDER_REPORT, DESCRIPTION, EXTENDED_REPORT, APPLICATION, FEEDBACK, BYE),
  rtcpCompound(EXTENDED_REPORT),
  rtcpCompound({ kind: "receiverReport", ssrc: PEER_SSRC, blocks: [] }, BYE),
  rtcpCompound({ ...SENDER_REPORT, ssrc: OUR_SSRC }, DESCRIPTION),
];

/** Octets from their hexadecimal text. */
function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

function rtcpCompound(...packets: readonly RtcpPacket[]): Uint8Array {
  const output = new Uint8Array(1500);
  return output.slice(0, encodeRtcp(packets, output));
}
