/** Whole media sessions without sockets: what our own code makes of a call's frame. */
import { codecOf } from "../../src/codec/index.ts";
import {
  type DatagramSocket,
  instant,
  type SocketAddress,
  seededRandom,
} from "../../src/environment/index.ts";
import { FrameWheel, MediaSession } from "../../src/media/index.ts";
import { NodeCryptography } from "../../src/platform/index.ts";
import { encodeRtp } from "../../src/rtp/index.ts";
import type { NegotiatedMedia } from "../../src/sdp/index.ts";
import { ManualClock } from "../../src/testing/index.ts";
import type { MicroCase } from "./micro.ts";
import { voiceLike } from "./voice-like.ts";

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
const SPEECH_FRAMES = 500;
const PEER: SocketAddress = { address: "192.0.2.1", port: 20_000 };

export function sessionCases(): MicroCase[] {
  return [1, 100].map((calls) => ({
    name: `media session, ${calls} at once`,
    frames: calls,
    run: sessionsCase(calls),
  }));
}

/** A datagram comes for each call, then each has its frame. */
function sessionsCase(calls: number): () => void {
  const clock = new ManualClock(instant(1000));
  const wheel = new FrameWheel(clock);
  const sockets = Array.from({ length: calls }, () => open(clock, wheel));
  const packets = encodedSpeech();
  let frame = 0;
  return () => {
    const header = { marker: false, payloadType: 0, sequenceNumber: frame & 0xffff, ssrc: 1 };
    const payload = packets[frame % SPEECH_FRAMES] as Uint8Array;
    for (const socket of sockets) {
      const data = new Uint8Array(12 + FRAME_SAMPLES);
      encodeRtp({ ...header, timestamp: (frame * FRAME_SAMPLES) >>> 0 }, payload, data);
      socket.onDatagram?.(data, { ...PEER }, clock.now());
    }
    clock.advance(FRAME_MS);
    frame += 1;
  };
}

function open(clock: ManualClock, wheel: FrameWheel): DatagramSocket {
  const random = seededRandom("bench");
  const socket: DatagramSocket = {
    local: { address: "192.0.2.2", port: 20_000 },
    onDatagram: undefined,
    onError: undefined,
    send: () => undefined,
    tieTo: () => undefined,
    close: () => Promise.resolve(),
  };
  const media = new MediaSession({
    party: "bot",
    clock,
    random,
    cryptography: new NodeCryptography(random),
    wheel,
    sockets: { rtp: socket },
    settings: {},
    record: () => undefined,
    recordsAudio: false,
    silentPeerLimitMs: 10_000,
  });
  media.start(NEGOTIATED);
  return socket;
}

function encodedSpeech(): Uint8Array[] {
  const encoder = codecOf("PCMU").createEncoder({ ptimeMs: FRAME_MS });
  const speech = voiceLike(8000, SPEECH_FRAMES * FRAME_SAMPLES);
  return Array.from({ length: SPEECH_FRAMES }, (_, index) => {
    const payload = new Uint8Array(FRAME_SAMPLES);
    const begin = index * FRAME_SAMPLES;
    encoder.encode(speech.subarray(begin, begin + FRAME_SAMPLES), payload);
    return payload;
  });
}

const NEGOTIATED: NegotiatedMedia = {
  send: { codecId: "PCMU", payloadType: 0, clockRateHz: 8000, channels: 1 },
  receive: new Map([
    [0, { kind: "audio", codecId: "PCMU" }],
    [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
  ]),
  telephoneEventPayloadType: 101,
  ptimeMs: FRAME_MS,
  remote: PEER,
  remoteRtcp: undefined,
  rtcpMux: false,
  remoteRtcpXr: false,
  direction: "sendrecv",
};
