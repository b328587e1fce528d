import { levelDbov } from "../audio/index.ts";
import { MULAW } from "../codec/index.ts";
import { after, type Instant } from "../environment/index.ts";
import { sequenceDistance } from "../rtp/index.ts";
import type { CapturedRtp } from "./captured-packets.ts";

/** Quieter frames may be like others: they tell nothing of where speech is. */
const DISTINCT_LEVEL_DBOV = -35;

/** One frame of known speech, and the packet that carried it. */
export interface SentFrame {
  readonly packet: CapturedRtp;
  /** Where the frame's first sample is in the speech. */
  readonly firstSample: number;
  readonly isDistinct: boolean;
}

/**
 * Known speech, found in the RTP (PCMU) that left a socket by the bytes of its packets: no detector
 * is asked, and no plan believed.
 */
export class SentSpeech {
  readonly frames: readonly SentFrame[];
  /** Those of the frames, and whatever followed. */
  readonly packets: readonly CapturedRtp[];
  readonly sampleCount: number;
  readonly frameSamples: number;
  readonly #rateHz: number;

  private constructor(
    frames: readonly SentFrame[],
    packets: readonly CapturedRtp[],
    sampleCount: number,
    { frameSamples, rateHz }: FindOptions,
  ) {
    this.frames = frames;
    this.packets = packets;
    this.sampleCount = sampleCount;
    this.frameSamples = frameSamples;
    this.#rateHz = rateHz;
  }

  /**
   * @param sent what left, in order.
   * @returns `undefined` where the packets do not hold the speech, whole and in order.
   */
  static find(
    samples: Int16Array,
    sent: readonly CapturedRtp[],
    options: FindOptions,
  ): SentSpeech | undefined {
    const { frameSamples } = options;
    const frames = framesOf(samples, frameSamples);
    const loudest = frames.reduce((best, frame) => (frame.level > best.level ? frame : best));
    const anchor = sent.findIndex(({ payload }) => areEqual(payload, loudest.codes));
    const first = anchor - frames.indexOf(loudest);
    if (anchor < 0 || first < 0) return undefined;
    const found: SentFrame[] = [];
    for (const [index, { codes, level }] of frames.entries()) {
      const packet = sent[first + index];
      const before = found.at(-1)?.packet ?? packet;
      if (packet === undefined || before === undefined || !areEqual(packet.payload, codes)) {
        return undefined;
      }
      const steps = sequenceDistance(before.sequenceNumber, packet.sequenceNumber);
      if (index > 0 && steps !== 1) return undefined;
      found.push({
        packet,
        firstSample: index * frameSamples,
        isDistinct: level >= DISTINCT_LEVEL_DBOV,
      });
    }
    return new SentSpeech(found, sent.slice(first), samples.length, options);
  }

  /** When a sample was spoken, its packet's last sample being spoken as the packet leaves. */
  spokenAt(sample: number): Instant {
    const frame = this.#frameOf(sample);
    const samples = sample - frame.firstSample - this.frameSamples;
    return after(frame.packet.at, (samples * 1000) / this.#rateHz);
  }

  #frameOf(sample: number): SentFrame {
    const found = this.frames.findLast(({ firstSample }) => firstSample <= sample);
    return found ?? (this.frames[0] as SentFrame);
  }
}

/** How the speech was sent. */
export interface FindOptions {
  readonly rateHz: number;
  readonly frameSamples: number;
}

interface EncodedFrame {
  readonly codes: Uint8Array;
  readonly level: number;
}

function framesOf(samples: Int16Array, frameSamples: number): EncodedFrame[] {
  const frames: EncodedFrame[] = [];
  for (let begin = 0; begin < samples.length; begin += frameSamples) {
    const frame = new Int16Array(frameSamples);
    frame.set(samples.subarray(begin, begin + frameSamples));
    const codes = new Uint8Array(frameSamples);
    MULAW.compress(frame, codes);
    frames.push({ codes, level: levelDbov(frame) });
  }
  return frames;
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
