import { Resampler } from "../audio/index.ts";
import { type AudioDecoder, OPUS } from "../codec/index.ts";
import { after, type Instant } from "../environment/index.ts";
import type { AudioWork } from "../impairment/index.ts";
import { PlayoutScaler } from "../media/index.ts";
import {
  decodeRtp,
  JitterBuffer,
  type LostPiece,
  type PacketPiece,
  type PlayoutDelay,
} from "../rtp/index.ts";
import { PACKET_MS, TICKS_PER_MS } from "./audio-sender.ts";

/** A stretch of audio that is due, and where it lies on the stream's RTP clock. */
export interface ReceivedAudio {
  readonly timestamp: number;
  /** `undefined`: the sender pauses, for so many samples. */
  readonly samples: Int16Array | undefined;
  readonly sampleCount: number;
}

/** Follows the jitter, as a browser does; with less than 40 ms the packet behind a lost one is not there yet. */
const DELAY: PlayoutDelay = { kind: "adaptive", minMs: 40, maxMs: 500 };
const FRAME_TICKS = PACKET_MS * TICKS_PER_MS;
const TICKS_PER_SAMPLE = (TICKS_PER_MS * 1000) / OPUS.sampleRateHz;
const DECODED = new Int16Array(5760);

/**
 * Plays a stream of `AudioSender`: jitter buffer, FEC, concealment and time scaling, 20 ms at a time
 * from the first packet on. It has no clock and no socket.
 */
export class AudioReceiver {
  readonly #buffer = new JitterBuffer({ clockRateHz: TICKS_PER_MS * 1000, delay: DELAY });
  readonly #decoder: AudioDecoder = OPUS.createDecoder();
  readonly #scaler = new PlayoutScaler(OPUS.sampleRateHz);
  readonly #resampler: Resampler | undefined;
  readonly #output: ReceivedAudio[] = [];
  #dueAt: Instant | undefined;
  /** Made by earlier pulls beyond their 20 ms. */
  #aheadTicks = 0;
  /** Up to where the stream has been played. */
  #cursor: number | undefined;
  #hasAudio = false;
  readonly #ticks = { played: 0, concealed: 0, fecRecovered: 0, inserted: 0, skipped: 0 };

  constructor(sampleRateHz: number) {
    this.#resampler =
      sampleRateHz === OPUS.sampleRateHz
        ? undefined
        : new Resampler({ fromHz: OPUS.sampleRateHz, toHz: sampleRateHz });
  }

  get work(): AudioWork {
    const { played, concealed, fecRecovered, inserted, skipped } = this.#ticks;
    const { waits, counts } = this.#buffer;
    return {
      playedMs: played / TICKS_PER_MS,
      concealedMs: concealed / TICKS_PER_MS,
      fecRecoveredMs: fecRecovered / TICKS_PER_MS,
      insertedMs: inserted / TICKS_PER_MS,
      skippedMs: skipped / TICKS_PER_MS,
      bufferMsMean: waits.meanMs,
      bufferMsMax: waits.maxMs,
      latePackets: counts.late,
    };
  }

  /** Up to which tick of the sender's clock the stream was played; `undefined` before its first. */
  get cursor(): number | undefined {
    return this.#cursor;
  }

  /** When the next 20 ms are due. */
  get nextTimeout(): Instant | undefined {
    return this.#dueAt;
  }

  /** A packet arrives; what is none of RTP is dropped. */
  handlePacket(data: Uint8Array, now: Instant): void {
    const packet = decodeRtp(data);
    if (packet.kind !== "rtp") return;
    const ticks = this.#decoder.payloadTicks(packet.payload);
    if (ticks === 0) return;
    this.#buffer.handlePacket(packet, ticks, now);
    this.#dueAt ??= now;
  }

  handleTimeout(now: Instant): void {
    while (this.#dueAt !== undefined && this.#dueAt <= now) {
      this.#pull(this.#dueAt);
      this.#dueAt = after(this.#dueAt, PACKET_MS);
    }
  }

  takeOutput(): ReceivedAudio | undefined {
    return this.#output.shift();
  }

  /** Gives the decoder's memory back. */
  release(): void {
    this.#decoder.release();
  }

  #pull(now: Instant): void {
    let madeTicks = this.#aheadTicks;
    while (madeTicks < FRAME_TICKS) {
      const piece = this.#buffer.take(now, FRAME_TICKS - madeTicks, madeTicks);
      if (piece.kind === "packet") madeTicks += this.#playPacket(piece);
      else if (piece.kind === "lost") madeTicks += this.#playLost(piece);
      else madeTicks += this.#pause(piece.durationTicks);
    }
    this.#aheadTicks = madeTicks - FRAME_TICKS;
  }

  #playPacket(piece: PacketPiece): number {
    const count = this.#decoder.decode(piece.payload, DECODED);
    const decoded = DECODED.slice(0, count);
    const wanted = Math.trunc(this.#buffer.pendingShiftTicks / TICKS_PER_SAMPLE);
    const whereQuiet = Math.trunc(this.#buffer.quietShiftTicks / TICKS_PER_SAMPLE);
    const scaled = this.#scaler.scale(decoded, wanted, whereQuiet);
    const change = (scaled.length - count) * TICKS_PER_SAMPLE;
    if (change !== 0) this.#buffer.applyShift(change);
    this.#ticks.played += piece.durationTicks;
    this.#ticks.inserted += Math.max(0, change);
    this.#ticks.skipped += Math.max(0, -change);
    this.#ticks.concealed += piece.missedTicks;
    this.#hasAudio = true;
    this.#emit(piece.timestamp, scaled);
    this.#cursor = piece.timestamp + piece.durationTicks;
    return scaled.length * TICKS_PER_SAMPLE;
  }

  #playLost({ durationTicks, next }: LostPiece): number {
    if (!this.#hasAudio) return this.#pause(durationTicks);
    const lost = new Int16Array(Math.max(1, Math.round(durationTicks / TICKS_PER_SAMPLE)));
    const isRecovered = next !== undefined && this.#decoder.recover(next, lost);
    if (isRecovered) this.#ticks.fecRecovered += durationTicks;
    else {
      this.#decoder.conceal(lost);
      this.#ticks.concealed += durationTicks;
    }
    this.#emit(this.#cursor ?? 0, lost);
    this.#cursor = (this.#cursor ?? 0) + durationTicks;
    return durationTicks;
  }

  #pause(durationTicks: number): number {
    this.#hasAudio = false;
    if (this.#cursor === undefined) return durationTicks;
    this.#emitPause(this.#cursor, durationTicks);
    this.#cursor += durationTicks;
    return durationTicks;
  }

  #emit(timestamp: number, samples: Int16Array): void {
    const converted = this.#converted(samples);
    this.#output.push({ timestamp, samples: converted, sampleCount: converted.length });
  }

  #emitPause(timestamp: number, durationTicks: number): void {
    const silence = this.#converted(new Int16Array(Math.round(durationTicks / TICKS_PER_SAMPLE)));
    this.#output.push({ timestamp, samples: undefined, sampleCount: silence.length });
  }

  #converted(samples: Int16Array): Int16Array {
    if (this.#resampler === undefined) return samples.slice();
    const output = new Int16Array(this.#resampler.outputLength(samples.length));
    return output.subarray(0, this.#resampler.process(samples, output));
  }
}
