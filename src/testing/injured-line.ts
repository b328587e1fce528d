import { type PlacedAudio, resample } from "../audio/index.ts";
import { type Codec, codecOf } from "../codec/index.ts";
import { instant, type Random, seededRandom } from "../environment/index.ts";
import { PlayoutPath } from "../media/index.ts";
import type { PlayoutDelay, RtpPacket } from "../rtp/index.ts";

/** What happens to speech on its way from one end to the other. */
export interface LineInjuries {
  readonly codec: "PCMU" | "PCMA" | "G722" | "opus";
  /** Of the recording at either end. */
  readonly sentHz: number;
  readonly heardHz: number;
  readonly seed: string;
  /** Noise in the sender's line, below its speech. */
  readonly snrDb?: number;
  readonly noise?: "white" | "pink";
  /** Of what goes into the codec. */
  readonly gainDb?: number;
  readonly loss?: number;
  readonly jitterMs?: number;
  readonly networkMs?: number;
  /** From this packet on, the network takes so much longer. */
  readonly step?: { readonly fromMs: number; readonly byMs: number };
  readonly buffer?: PlayoutDelay;
}

/** Both ends' recordings and what is true of them. */
export interface InjuredCall {
  readonly sent: PlacedAudio;
  readonly heard: PlacedAudio;
  /** Sent → heard where the buffer never moved; the codec's and resamplers' own delay is in it. */
  readonly truthMs: number;
  /** Inserted − skipped, up to each frame heard. */
  readonly movedMs: readonly number[];
  readonly concealedMs: number;
  readonly late: number;
}

const FRAME_MS = 20;
/** Where the sender's and the hearer's deadlines lie against each other. */
const PULL_PHASE_MS = 7;
const BUFFER_MS = 60;
const CLOCK_MS = 1_000_000;

/** Sends speech through our own codec, an injured network and our own playout path. */
export function overInjuredLine(clean: Int16Array, injuries: LineInjuries): InjuredCall {
  const random = seededRandom(injuries.seed);
  const codec = codecOf(injuries.codec);
  const { packets, lookaheadMs } = packetsOf(spoiled(clean, injuries, random), codec, injuries);
  const { networkMs = 30, jitterMs = 0, loss = 0, step } = injuries;
  const arrivals = packets
    .map((packet, index) => {
      const sentMs = index * FRAME_MS;
      const isFirst = index === 0;
      const stepMs = step !== undefined && sentMs >= step.fromMs ? step.byMs : 0;
      // The first packet, which the buffer is anchored to, comes as early as any and is not lost.
      const delayMs = networkMs + stepMs + (isFirst ? 0 : random() * jitterMs);
      return { atMs: sentMs + delayMs, packet, isLost: !isFirst && random() < loss };
    })
    .filter(({ isLost }) => !isLost)
    .toSorted((a, b) => a.atMs - b.atMs);
  const path = new PlayoutPath({
    formats: new Map([[codec.preferredPayloadType, { kind: "audio", codec }]]),
    sampleRateHz: injuries.heardHz,
    delay: injuries.buffer ?? { kind: "fixed", delayMs: BUFFER_MS },
    random,
  });
  const frame = new Int16Array((injuries.heardHz * FRAME_MS) / 1000);
  const pulls = Math.ceil(packets.length + 500 / FRAME_MS);
  const heard = new Int16Array(pulls * frame.length);
  const movedMs: number[] = [];
  let next = 0;
  for (let pull = 0; pull < pulls; pull += 1) {
    const nowMs = pull * FRAME_MS + PULL_PHASE_MS;
    for (let each = arrivals[next]; each !== undefined && each.atMs <= nowMs; ) {
      path.handlePacket(each.packet, instant(each.atMs));
      next += 1;
      each = arrivals[next];
    }
    path.takeFrame(frame, instant(nowMs));
    heard.set(frame, pull * frame.length);
    movedMs.push(path.heard.insertedMs - path.heard.skippedMs);
  }
  const firstMs = Math.ceil((networkMs + BUFFER_MS - PULL_PHASE_MS) / FRAME_MS) * FRAME_MS;
  const { concealedMs } = path.heard;
  const truthMs = firstMs + PULL_PHASE_MS + lookaheadMs + path.resamplingDelayMs;
  const { late } = path.counts;
  path.release();
  return {
    sent: { samples: clean, sampleRateHz: injuries.sentHz, startMs: CLOCK_MS },
    heard: {
      samples: heard,
      sampleRateHz: injuries.heardHz,
      startMs: CLOCK_MS + PULL_PHASE_MS,
    },
    truthMs,
    movedMs,
    concealedMs,
    late,
  };
}

/** One sample of Gaussian noise of variance 1. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Noise and gain, as at the sender's microphone. */
function spoiled(clean: Int16Array, injuries: LineInjuries, random: Random): Int16Array {
  const { snrDb, gainDb = 0, noise = "white" } = injuries;
  const gain = 10 ** (gainDb / 20);
  const level = snrDb === undefined ? 0 : activeRms(clean) / 10 ** (snrDb / 20);
  const pink = [0, 0, 0];
  return clean.map((sample) => {
    const white = gaussian(random);
    const value = noise === "white" ? white : pinkOf(white, pink);
    return Math.max(-32_768, Math.min(32_767, Math.round(gain * (sample + level * value))));
  });
}

/** Paul Kellet's economy filter: −3 dB per octave, scaled to a variance of about 1. */
function pinkOf(white: number, state: number[]): number {
  const [a = 0, b = 0, c = 0] = state;
  const next = [
    0.997_65 * a + white * 0.099_046,
    0.963 * b + white * 0.296_516_4,
    0.57 * c + white * 1.052_691_3,
  ];
  state.splice(0, 3, ...next);
  return (next.reduce((sum, each) => sum + each, 0) + white * 0.1848) / 1.75;
}

/** Root mean square of what is not pause. */
function activeRms(samples: Int16Array): number {
  const loud = samples.filter((sample) => Math.abs(sample) > 100);
  return Math.sqrt(loud.reduce((sum, sample) => sum + sample * sample, 0) / loud.length);
}

function packetsOf(
  speech: Int16Array,
  codec: Codec,
  { sentHz, loss = 0 }: LineInjuries,
): { readonly packets: RtpPacket[]; readonly lookaheadMs: number } {
  const opus = { inbandFec: loss > 0, expectedLossPercent: 10 };
  const encoder = codec.createEncoder({ ptimeMs: FRAME_MS, opus });
  const input = resample(speech, sentHz, codec.sampleRateHz);
  const frame = (codec.sampleRateHz * FRAME_MS) / 1000;
  const ticks = (codec.clockRateHz * FRAME_MS) / 1000;
  const packets: RtpPacket[] = [];
  for (let index = 0; (index + 1) * frame <= input.length; index += 1) {
    const output = new Uint8Array(1500);
    const bytes = encoder.encode(input.slice(index * frame, (index + 1) * frame), output);
    packets.push({
      kind: "rtp",
      marker: index === 0,
      payloadType: codec.preferredPayloadType,
      sequenceNumber: (65_000 + index) & 0xffff,
      timestamp: (0xffff_0000 + index * ticks) >>> 0,
      ssrc: 1,
      payload: output.subarray(0, bytes),
    });
  }
  const { lookaheadMs } = encoder;
  encoder.release();
  return { packets, lookaheadMs };
}
