/** The two ways of received audio: to an ear and to an AI. */
import { codecOf } from "../../src/codec/index.ts";
import { type Instant, instant } from "../../src/environment/index.ts";
import { IngressPath } from "../../src/media/ingress-path.ts";
import { PlayoutPath } from "../../src/media/playout-path.ts";
import type { ReceivedFormats } from "../../src/media/received-format.ts";
import { decodeRtp, encodeRtp, JitterBuffer, type RtpPacket } from "../../src/rtp/index.ts";
import type { MicroCase } from "./micro.ts";
import { voiceLike } from "./voice-like.ts";

const FRAME_MS = 20;
const FRAME_TICKS = 160;
const FORMATS: ReceivedFormats = new Map([[0, { kind: "audio", codec: codecOf("PCMU") }]]);

export function pathCases(): MicroCase[] {
  return [
    { name: "RTP encode + decode", run: codingCase() },
    { name: "jitter buffer: packet in, packet out", run: bufferCase() },
    { name: "PlayoutPath: packet in, takeFrame", run: playoutCase(0) },
    { name: "PlayoutPath, 5 % lost", run: playoutCase(20) },
    { name: "IngressPath: packet in, audio out", run: ingressCase() },
  ];
}

function codingCase(): () => void {
  const stream = new Stream();
  return () => void stream.next();
}

function bufferCase(): () => void {
  const stream = new Stream();
  const buffer = new JitterBuffer({ clockRateHz: 8000, delay: { kind: "fixed", delayMs: 40 } });
  return () => {
    const packet = stream.next();
    buffer.handlePacket(packet, FRAME_TICKS, stream.now);
    let taken = 0;
    while (taken < FRAME_TICKS) {
      taken += buffer.take(stream.now, FRAME_TICKS - taken, taken).durationTicks;
    }
  };
}

/** @param lossEvery one of so many packets does not come; 0: all come. */
function playoutCase(lossEvery: number): () => void {
  const stream = new Stream();
  const path = new PlayoutPath({ formats: FORMATS, sampleRateHz: 8000, random: () => 0.5 });
  const frame = new Int16Array(FRAME_TICKS);
  return () => {
    const packet = stream.next();
    const isLost = lossEvery > 0 && packet.sequenceNumber % lossEvery === 0;
    if (!isLost) path.handlePacket(packet, stream.now);
    path.takeFrame(frame, stream.now);
  };
}

function ingressCase(): () => void {
  const stream = new Stream();
  const path = new IngressPath({
    formats: FORMATS,
    sampleRateHz: 8000,
    random: () => 0.5,
    onAudio: () => undefined,
    onSilence: () => undefined,
  });
  return () => {
    path.handlePacket(stream.next(), stream.now);
    path.handleTimeout(stream.now);
  };
}

/** A packet of PCMU every 20 ms. */
class Stream {
  now: Instant = instant(0);
  readonly #data = new Uint8Array(12 + FRAME_TICKS);
  readonly #payload = new Uint8Array(FRAME_TICKS);
  #count = 0;

  constructor() {
    codecOf("PCMU")
      .createEncoder({ ptimeMs: FRAME_MS })
      .encode(voiceLike(8000, 160), this.#payload);
  }

  next(): RtpPacket {
    this.#count += 1;
    this.now = instant(this.#count * FRAME_MS);
    const header = {
      marker: false,
      payloadType: 0,
      sequenceNumber: this.#count & 0xffff,
      timestamp: (this.#count * FRAME_TICKS) >>> 0,
      ssrc: 1,
    };
    encodeRtp(header, this.#payload, this.#data);
    return decodeRtp(this.#data) as RtpPacket;
  }
}
