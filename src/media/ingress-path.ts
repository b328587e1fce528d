import type { Instant, Random } from "../environment/index.ts";
import { IngressOrderer, type IngressOrdererCounts, type RtpPacket } from "../rtp/index.ts";
import { PlayoutScaler } from "./playout-scaler.ts";
import type { ReceivedFormats } from "./received-format.ts";
import type { StreamDecoder } from "./stream-decoder.ts";
import { AXIS_HZ, StreamFormats } from "./stream-formats.ts";

/** How to make an `IngressPath`. */
export interface IngressPathOptions {
  readonly formats: ReceivedFormats;
  /** Of the samples handed out. */
  readonly sampleRateHz: number;
  /** Takes audio in order, as soon as it is there; `samples` are valid during the call. */
  readonly onAudio: (samples: Int16Array, now: Instant) => void;
  /** Takes so many samples of silence. */
  readonly onSilence: (count: number, now: Instant) => void;
  readonly random: Random;
}

/**
 * A received stream for an AI: in order, decoded and gapless, with as little delay as can be.
 * Pauses come as silence, not as comfort noise: there is nobody to be comforted.
 */
export class IngressPath {
  readonly #options: IngressPathOptions;
  readonly #formats: StreamFormats;
  readonly #orderer = new IngressOrderer({ clockRateHz: AXIS_HZ });
  readonly #ticksPerSample: number;
  readonly #scaler: PlayoutScaler;
  #restTicks = 0;
  #decoder: StreamDecoder | undefined;
  /** Lost samples that wait for the packet after them, which may carry them. */
  #lostSamples = 0;
  #concealedSamples = 0;
  #fecRecoveredSamples = 0;
  #insertedSamples = 0;
  #skippedSamples = 0;

  constructor(options: IngressPathOptions) {
    this.#options = options;
    this.#formats = new StreamFormats(options.formats, options.sampleRateHz);
    this.#ticksPerSample = AXIS_HZ / options.sampleRateHz;
    this.#scaler = new PlayoutScaler(options.sampleRateHz);
  }

  /** What became of the packets. */
  get counts(): Readonly<IngressOrdererCounts> {
    return this.#orderer.counts;
  }

  /** What stood in for lost audio so far. */
  get concealedMs(): number {
    return (this.#concealedSamples * 1000) / this.#options.sampleRateHz;
  }

  /** Lost audio that the packet after it carried. */
  get fecRecoveredMs(): number {
    return (this.#fecRecoveredSamples * 1000) / this.#options.sampleRateHz;
  }

  /** Put into audio to follow the sender's clock. */
  get insertedMs(): number {
    return (this.#insertedSamples * 1000) / this.#options.sampleRateHz;
  }

  /** Left out of audio to follow the sender's clock. */
  get skippedMs(): number {
    return (this.#skippedSamples * 1000) / this.#options.sampleRateHz;
  }

  /** When `handleTimeout` has something to do; `undefined` before the first packet. */
  get nextTimeout(): Instant | undefined {
    return this.#orderer.nextTimeout;
  }

  /** What resampling adds to the delay. */
  get resamplingDelayMs(): number {
    return this.#decoder?.delayMs ?? 0;
  }

  /** What payload types mean from now on (renegotiation). */
  setFormats(formats: ReceivedFormats): void {
    this.#formats.set(formats);
    this.#decoder = undefined;
  }

  /** Lets the output's clock run before any packet has come. */
  start(now: Instant): void {
    this.#orderer.start(now);
  }

  /** Takes a packet of audio or comfort noise that arrived at `now`; others are ignored. */
  handlePacket(packet: RtpPacket, now: Instant): void {
    const format = this.#formats.of(packet.payloadType);
    if (format?.kind === "comfortNoise") return this.handleOtherPayload(packet, now);
    if (format?.kind !== "audio") return;
    const ticks = this.#formats.decoderOf(packet.payloadType)?.payloadTicks(packet.payload) ?? 0;
    if (ticks === 0) return this.handleOtherPayload(packet, now);
    const { clockRateHz } = format.codec;
    const durationTicks = ticks * this.#formats.axisTicksPer(clockRateHz);
    this.#orderer.handlePacket(this.#formats.onAxis(packet, clockRateHz), durationTicks, now);
    this.#drain(now);
  }

  /** Takes note of a packet of the same stream that is not audio, a telephone event. */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    this.#orderer.handleOtherPayload(packet, now);
    this.#drain(now);
  }

  /** As `handleTimeout`, where the host stood still: what came since `unreadSince` is not missing. */
  handleStall(unreadSince: Instant, now: Instant): void {
    this.#orderer.handleStall(unreadSince);
    this.#drain(now);
  }

  /** Fills what is overdue; to be called once per frame at least. */
  handleTimeout(now: Instant): void {
    this.#orderer.handleTimeout(now);
    this.#drain(now);
  }

  /** Nothing will be handed out any more: packets that are held count as discarded. */
  end(_now: Instant): void {
    this.#orderer.end();
  }

  /** Gives the decoders' memory back. */
  release(): void {
    this.#formats.release();
    this.#decoder = undefined;
  }

  #drain(now: Instant): void {
    for (let piece = this.#orderer.takeOutput(); piece; piece = this.#orderer.takeOutput()) {
      if (piece.kind === "lost") this.#lostSamples += this.#samples(piece.ticks);
      else if (piece.kind === "silence") this.#passSilence(this.#samples(piece.ticks), now);
      else this.#passPacket(piece.payload, piece, now);
    }
    this.#conceal(now);
  }

  #passPacket(
    payload: Uint8Array,
    piece: { readonly payloadType: number; readonly durationTicks: number },
    now: Instant,
  ): void {
    const samples = this.#samples(piece.durationTicks);
    const decoder = this.#formats.decoderOf(piece.payloadType);
    if (decoder === undefined) return this.#passSilence(samples, now);
    this.#recover(decoder, payload, { samples, now });
    this.#conceal(now);
    this.#decoder = decoder;
    const decoded = decoder.decode(payload);
    if (decoded.length > 0) {
      this.#options.onAudio(this.#scaled(decoded), now);
      return;
    }
    this.#lostSamples = samples;
    this.#conceal(now);
  }

  /** Follows the sender's clock. */
  #scaled(decoded: Int16Array): Int16Array {
    const { length } = decoded;
    const wanted = Math.trunc(this.#orderer.pendingShiftTicks / this.#ticksPerSample);
    const scaled = this.#scaler.scale(decoded, wanted, wanted);
    const change = scaled.length - length;
    if (change !== 0) this.#orderer.applyShift(change * this.#ticksPerSample);
    if (change > 0) this.#insertedSamples += change;
    else this.#skippedSamples -= change;
    return scaled;
  }

  /** The packet's predecessor out of the packet, where that was lost and is carried. */
  #recover(
    decoder: StreamDecoder,
    payload: Uint8Array,
    { samples, now }: { readonly samples: number; readonly now: Instant },
  ): void {
    if (this.#lostSamples < samples) return;
    const lostBefore = this.#lostSamples - samples;
    // Decoders take their packets in order: what was lost before that one is concealed first.
    if (lostBefore > 0) {
      this.#lostSamples = lostBefore;
      this.#conceal(now);
    }
    this.#lostSamples = samples;
    const recovered = decoder.recover(payload, samples);
    if (recovered === undefined) return;
    this.#lostSamples = 0;
    this.#fecRecoveredSamples += recovered.length;
    this.#options.onAudio(recovered, now);
  }

  #conceal(now: Instant): void {
    const samples = this.#lostSamples;
    if (samples === 0) return;
    this.#lostSamples = 0;
    if (this.#decoder === undefined) return this.#passSilence(samples, now);
    const concealed = this.#decoder.conceal(samples);
    this.#concealedSamples += concealed.length;
    this.#options.onAudio(concealed, now);
  }

  #passSilence(samples: number, now: Instant): void {
    this.#conceal(now);
    let count = samples;
    const tail = this.#decoder?.drain();
    if (tail !== undefined && tail.length > 0 && tail.length <= count) {
      this.#options.onAudio(tail, now);
      count -= tail.length;
    }
    // What was said before the pause is over: nothing after it is concealed from that.
    this.#decoder = undefined;
    if (count > 0) this.#options.onSilence(count, now);
  }

  #samples(ticks: number): number {
    const total = ticks + this.#restTicks;
    const samples = Math.floor(total / this.#ticksPerSample);
    this.#restTicks = total - samples * this.#ticksPerSample;
    return samples;
  }
}
