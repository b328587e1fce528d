import { ComfortNoiseGenerator } from "../codec/index.ts";
import { assert, type Instant, type Random } from "../environment/index.ts";
import {
  type BurstMetrics,
  JitterBuffer,
  type JitterBufferCounts,
  type PlayoutDelay,
  type PlayoutPiece,
  type RtpPacket,
  type WaitStatistics,
} from "../rtp/index.ts";
import { type HeardAccount, type HeardKind, HeardSamples } from "./heard-account.ts";
import { PlayoutScaler } from "./playout-scaler.ts";
import { ProducedAudio } from "./produced-audio.ts";
import type { ReceivedFormats } from "./received-format.ts";
import { SampleScratch } from "./sample-scratch.ts";
import type { StreamDecoder } from "./stream-decoder.ts";
import { AXIS_HZ, StreamFormats } from "./stream-formats.ts";

/** How to make a `PlayoutPath`. */
export interface PlayoutPathOptions {
  readonly formats: ReceivedFormats;
  /** Of the frames: 8, 16, 24 or 48 kHz. Decoders of other rates are resampled. */
  readonly sampleRateHz: number;
  /** Default: adaptive from 40 to 200 ms. */
  readonly delay?: PlayoutDelay | undefined;
  /** For comfort noise. */
  readonly random: Random;
}

/** How long packets wait for their playout. */
export interface PlayoutDelayReport extends WaitStatistics {
  /** The delay that is aimed at now. */
  readonly presentMs: number;
  /** Audio buffered now. */
  readonly depthMs: number;
}

const ADAPTIVE: PlayoutDelay = { kind: "adaptive" };
const NOISE = new SampleScratch();

/**
 * What the ear hears of a received stream: jitter buffer, decoders, concealment, comfort noise and
 * time scaling, pulled frame by frame.
 */
export class PlayoutPath {
  readonly #formats: StreamFormats;
  readonly #buffer: JitterBuffer;
  readonly #scaler: PlayoutScaler;
  readonly #noise: ComfortNoiseGenerator;
  readonly #heard: HeardSamples;
  readonly #produced = new ProducedAudio();
  readonly #ticksPerSample: number;
  /** Ticks handed out that make no whole sample yet. */
  #restTicks = 0;
  /** Of the audio heard last. */
  #decoder: StreamDecoder | undefined;
  /** Between talkspurts: what is made there, and no audio to conceal from. */
  #pause: "silent" | "comfortNoise" | undefined = "silent";
  #undecodable = 0;

  constructor(options: PlayoutPathOptions) {
    const { sampleRateHz, delay, random } = options;
    this.#ticksPerSample = AXIS_HZ / sampleRateHz;
    assert(Number.isInteger(this.#ticksPerSample), "the session's rate divides 48 kHz");
    this.#formats = new StreamFormats(options.formats, sampleRateHz);
    this.#buffer = new JitterBuffer({ clockRateHz: AXIS_HZ, delay: delay ?? ADAPTIVE });
    this.#scaler = new PlayoutScaler(sampleRateHz);
    this.#noise = new ComfortNoiseGenerator({ sampleRateHz, random });
    this.#heard = new HeardSamples(sampleRateHz);
  }

  /** What became of the packets. */
  get counts(): Readonly<JitterBufferCounts> {
    return this.#buffer.counts;
  }

  /** Packets that wait for their playout. */
  get bufferedPackets(): number {
    return this.#buffer.bufferedPackets;
  }

  /** Audio packets that no decoder could make anything of. */
  get undecodable(): number {
    return this.#undecodable;
  }

  /** What was heard. */
  get heard(): HeardAccount {
    return this.#heard.account;
  }

  /** How long packets waited and wait. */
  get delay(): PlayoutDelayReport {
    const { depthMs, delayMs, waits } = this.#buffer;
    return { presentMs: delayMs, depthMs, meanMs: waits.meanMs, maxMs: waits.maxMs };
  }

  /** The sender's clock against ours: positive where it is fast; `undefined` until it is known. */
  get driftPpm(): number | undefined {
    return this.#buffer.driftPpm;
  }

  /** Bursts of packets that were not played (RFC 3611 §4.7.2). */
  get bursts(): BurstMetrics {
    return this.#buffer.bursts;
  }

  /** What resampling of the audio heard last adds to the delay. */
  get resamplingDelayMs(): number {
    return this.#decoder?.delayMs ?? 0;
  }

  /** What payload types mean from now on (renegotiation). */
  setFormats(formats: ReceivedFormats): void {
    this.#formats.set(formats);
    this.#decoder = undefined;
  }

  /**
   * Takes a packet of audio or comfort noise that arrived at `now`. Packets of other payload types
   * are no business of this path: `handleOtherPayload`, or nothing.
   */
  handlePacket(packet: RtpPacket, now: Instant): void {
    const format = this.#formats.of(packet.payloadType);
    if (format?.kind === "comfortNoise") {
      this.#buffer.handlePacket(this.#formats.onAxis(packet, format.clockRateHz), 0, now);
      return;
    }
    if (format?.kind !== "audio") return;
    const ticks = this.#formats.decoderOf(packet.payloadType)?.payloadTicks(packet.payload) ?? 0;
    if (ticks === 0) {
      this.#undecodable += 1;
      this.#buffer.handleOtherPayload(packet, now);
      return;
    }
    const { clockRateHz } = format.codec;
    const durationTicks = ticks * this.#formats.axisTicksPer(clockRateHz);
    this.#buffer.handlePacket(this.#formats.onAxis(packet, clockRateHz), durationTicks, now);
  }

  /** Takes note of a packet of the same stream that is not audio, a telephone event. */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    this.#buffer.handleOtherPayload(packet, now);
  }

  /** Fills `output` wholly with what is heard now. To be called once per frame. */
  takeFrame(output: Int16Array, now: Instant): void {
    let filled = this.#produced.take(output, 0, this.#heard);
    while (filled < output.length) {
      const waitingTicks = filled * this.#ticksPerSample + this.#restTicks;
      const limitTicks = output.length * this.#ticksPerSample - waitingTicks;
      this.#produce(this.#buffer.take(now, limitTicks, waitingTicks));
      filled += this.#produced.take(output, filled, this.#heard);
    }
  }

  /** Nothing will be taken any more: what is buffered counts as discarded. */
  end(now: Instant): void {
    this.#buffer.end(now);
  }

  /** Gives the decoders' memory back. */
  release(): void {
    this.#formats.release();
    this.#decoder = undefined;
  }

  #produce(piece: PlayoutPiece): void {
    if (piece.kind === "packet") this.#producePacket(piece.payload, piece);
    else if (piece.kind === "lost") this.#produceLost(this.#samples(piece.durationTicks), piece);
    else this.#producePause(this.#samples(piece.durationTicks));
  }

  #producePacket(
    payload: Uint8Array,
    piece: {
      readonly payloadType: number;
      readonly durationTicks: number;
      readonly missedTicks: number;
    },
  ): void {
    if (piece.missedTicks > 0) {
      this.#heard.conceded(Math.floor(piece.missedTicks / this.#ticksPerSample));
    }
    if (this.#formats.of(piece.payloadType)?.kind === "comfortNoise") {
      this.#noise.update(payload);
      this.#pause = "comfortNoise";
      return;
    }
    const samples = this.#samples(piece.durationTicks);
    const decoder = this.#formats.decoderOf(piece.payloadType);
    if (decoder === undefined) return this.#producePause(samples);
    this.#decoder = decoder;
    const decoded = decoder.decode(payload);
    if (decoded.length === 0) return this.#produced.put(decoder.conceal(samples), "concealed", 0);
    this.#pause = undefined;
    this.#produceScaled(decoded);
  }

  #produceScaled(decoded: Int16Array): void {
    const { length } = decoded;
    const wanted = Math.trunc(this.#buffer.pendingShiftTicks / this.#ticksPerSample);
    const whereQuiet = Math.trunc(this.#buffer.quietShiftTicks / this.#ticksPerSample);
    const scaled = this.#scaler.scale(decoded, wanted, whereQuiet);
    const change = scaled.length - length;
    if (change !== 0) this.#buffer.applyShift(change * this.#ticksPerSample);
    if (change < 0) this.#heard.addSkipped(-change);
    this.#produced.put(scaled, "played", Math.max(0, change));
  }

  #produceLost(
    samples: number,
    piece: {
      readonly next?: Uint8Array | undefined;
      readonly nextPayloadType?: number | undefined;
    },
  ): void {
    const { next, nextPayloadType } = piece;
    if (next !== undefined && nextPayloadType !== undefined) {
      const recovered = this.#formats.decoderOf(nextPayloadType)?.recover(next, samples);
      if (recovered !== undefined) {
        this.#pause = undefined;
        this.#produced.put(recovered, "fecRecovered", 0);
        return;
      }
    }
    // After a pause there is nothing to conceal from but what was over long ago.
    const decoder = this.#pause === undefined ? this.#decoder : undefined;
    if (decoder === undefined && this.#pause === "silent") {
      this.#produced.putSilence(samples, "concealed");
    } else if (decoder === undefined) this.#producePause(samples);
    else this.#produced.put(decoder.conceal(samples), "concealed", 0);
  }

  #producePause(samples: number): void {
    if (this.#pause === undefined) this.#pause = "silent";
    if (this.#pause === "silent") {
      this.#produced.putSilence(samples);
      return;
    }
    const noise = NOISE.view(samples);
    this.#noise.generate(noise);
    this.#produced.put(noise, "comfortNoise" satisfies HeardKind, 0);
  }

  /** Whole samples of these ticks; the rest is kept for the next piece. */
  #samples(ticks: number): number {
    const total = ticks + this.#restTicks;
    const samples = Math.floor(total / this.#ticksPerSample);
    this.#restTicks = total - samples * this.#ticksPerSample;
    return samples;
  }
}
