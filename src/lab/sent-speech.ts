import { levelDbov } from "../audio/index.ts";
import { MULAW } from "../codec/index.ts";
import { after, type Instant } from "../environment/index.ts";
import { sequenceDistance } from "../rtp/index.ts";
import type { CapturedRtp } from "./captured-packets.ts";

/** Quieter frames may be like others: they tell nothing of where speech is. */
const DISTINCT_LEVEL_DBOV = -35;

/** Packets of speech from which a concealer makes more (G.711 Appendix I keeps 48.75 ms). */
const HISTORY_PACKETS = 3;
/** From concealment back to what arrives (ibid.: up to 10 ms). */
const CROSSFADE_MS = 10;

/** One frame of known speech, and the packet that carried it. */
export interface SentFrame {
  readonly packet: CapturedRtp;
  /** Whether it reached the other side's socket in time to be in its capture. */
  readonly hasArrived: boolean;
  /** Where the frame's first sample is in the speech. */
  readonly firstSample: number;
  readonly isDistinct: boolean;
}

/**
 * Known speech, found in the RTP (PCMU) that left a socket by the bytes of its packets: no detector
 * is asked, and no plan believed. Instants are departures.
 */
export class SentSpeech {
  readonly frames: readonly SentFrame[];
  readonly #samples: number;
  readonly #options: FindOptions;
  /** The packets after the speech. */
  readonly #followers: readonly CapturedRtp[];

  private constructor(
    frames: readonly SentFrame[],
    samples: number,
    options: FindOptions,
    followers: readonly CapturedRtp[],
  ) {
    this.frames = frames;
    this.#samples = samples;
    this.#options = options;
    this.#followers = followers;
  }

  /**
   * @param sent what left, in order.
   * @param arrived sequence numbers of what the other side's capture holds.
   * @returns `undefined` where the packets do not hold the speech, whole and in order.
   */
  static find(
    samples: Int16Array,
    sent: readonly CapturedRtp[],
    options: FindOptions,
  ): SentSpeech | undefined {
    const { frameSamples, arrived } = options;
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
        hasArrived: arrived.has(packet.sequenceNumber),
        firstSample: index * frameSamples,
        isDistinct: level >= DISTINCT_LEVEL_DBOV,
      });
    }
    return new SentSpeech(found, samples.length, options, sent.slice(first + frames.length));
  }

  /** When the speech up to this sample had left, its packet's first sample leaving with the packet. */
  departureOf(endSample: number): Instant {
    const frame = this.#frameOf(endSample - 1);
    return after(frame.packet.at, this.#ms(endSample - frame.firstSample));
  }

  /** When a sample was spoken, its packet's last sample being spoken as the packet leaves. */
  spokenAt(sample: number): Instant {
    const frame = this.#frameOf(sample);
    const { frameSamples } = this.#options;
    return after(frame.packet.at, this.#ms(sample - frame.firstSample - frameSamples));
  }

  /** When the first sample that arrived left. */
  get firstArrivedAt(): Instant | undefined {
    return this.frames.find(({ hasArrived }) => hasArrived)?.packet.at;
  }

  /**
   * When the last speech that is heard left: at the earliest the end of the last that arrived. Where
   * packets there or soon after were lost, it may be as late as the end of what the concealer made
   * in their place, of speech that it still had.
   */
  get lastHeard(): { readonly earliest: Instant; readonly latest: Instant } | undefined {
    const last = this.frames.findLast(({ hasArrived }) => hasArrived);
    if (last === undefined) return undefined;
    const { frameSamples } = this.#options;
    const earliest = this.departureOf(Math.min(last.firstSample + frameSamples, this.#samples));
    return { earliest, latest: this.#concealedUntil(last) ?? earliest };
  }

  /** Whether a packet at the edges was lost, so that the first or last sample is not heard as such. */
  get hasLostEdge(): boolean {
    const { frames } = this;
    const last = frames.at(-1);
    const isWhole = frames[0]?.hasArrived === true && last?.hasArrived === true;
    return !isWhole || this.#concealedUntil(last) !== undefined;
  }

  /** When concealment of losses soon after a frame has ended; `undefined` where nothing was lost. */
  #concealedUntil(last: SentFrame): Instant | undefined {
    const missing = this.frames.slice(this.frames.indexOf(last) + 1).map(({ packet }) => packet);
    const rest = [...missing, ...this.#followers];
    const { arrived } = this.#options;
    let until: Instant | undefined;
    let limit = HISTORY_PACKETS;
    for (let index = 0; index < Math.min(limit, rest.length); index += 1) {
      const packet = rest[index] as CapturedRtp;
      if (arrived.has(packet.sequenceNumber)) continue;
      const next = rest.findIndex(
        (each, place) => place > index && arrived.has(each.sequenceNumber),
      );
      if (next < 0) break;
      until = after((rest[next] as CapturedRtp).at, CROSSFADE_MS);
      limit = next + HISTORY_PACKETS;
      index = next;
    }
    return until;
  }

  #frameOf(sample: number): SentFrame {
    const found = this.frames.findLast(({ firstSample }) => firstSample <= sample);
    return found ?? (this.frames[0] as SentFrame);
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#options.rateHz;
  }
}

/** How the speech was sent. */
export interface FindOptions {
  readonly rateHz: number;
  readonly frameSamples: number;
  readonly arrived: ReadonlySet<number>;
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
