import { Resampler } from "../audio/index.ts";
import { type AudioEncoder, OPUS } from "../codec/index.ts";
import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { encodeRtp, RTP_HEADER_BYTES } from "../rtp/index.ts";

/** What an item of speech belongs to; the caller's audio is one item without end. */
export interface SpeechItem {
  readonly responseId: string;
  readonly itemId: string;
}

/** A packet that leaves, and where its audio lies on the stream's RTP clock. */
export interface SentPacket {
  readonly data: Uint8Array;
  readonly item: SpeechItem;
  readonly timestamp: number;
}

/** How to send. */
export interface AudioSenderOptions {
  /** Of the samples. */
  readonly sampleRateHz: number;
  /**
   * Whether packets leave 20 ms apart, however fast their audio comes (an AI's bursts); else as soon
   * as there is audio for one (a caller's, who speaks in real time).
   */
  readonly isPaced: boolean;
}

export const PACKET_MS = 20;
/** Of Opus's RTP clock (RFC 7587 §4.1). */
export const TICKS_PER_MS = 48;
const OPUS_PAYLOAD_TYPE = 111;
const PACKET_TICKS = PACKET_MS * TICKS_PER_MS;
const PACKET_SAMPLES = (PACKET_MS * OPUS.sampleRateHz) / 1000;
/** What WebRTC's endpoints use by default: voice, FEC for what gets lost. */
const ENCODING = {
  ptimeMs: PACKET_MS,
  opus: { inbandFec: true, expectedLossPercent: 10 },
} as const;
const SCRATCH = new Uint8Array(1500);

interface QueuedItem {
  readonly item: SpeechItem;
  readonly pieces: Int16Array[];
  samples: number;
  /** No more of it will come: what is left is padded to a whole packet. */
  isComplete: boolean;
}

/**
 * Sends speech as RTP packets of Opus, 20 ms each, with in-band FEC. It has no clock and no socket;
 * between items it sends nothing, and its timestamps go on with time.
 */
export class AudioSender {
  readonly #options: AudioSenderOptions;
  readonly #encoder: AudioEncoder = OPUS.createEncoder(ENCODING);
  readonly #resampler: Resampler | undefined;
  readonly #queue: QueuedItem[] = [];
  readonly #packet = new Int16Array(PACKET_SAMPLES);
  readonly #output: SentPacket[] = [];
  #sequenceNumber = 0;
  #timestamp = 0;
  #dueAt: Instant | undefined;
  #lastAt: Instant | undefined;
  #sentPackets = 0;

  constructor(options: AudioSenderOptions) {
    this.#options = options;
    const { sampleRateHz } = options;
    this.#resampler =
      sampleRateHz === OPUS.sampleRateHz
        ? undefined
        : new Resampler({ fromHz: sampleRateHz, toHz: OPUS.sampleRateHz });
  }

  /** Audio that has left. */
  get sentMs(): number {
    return this.#sentPackets * PACKET_MS;
  }

  /** When the next packet leaves; `undefined` where there is not enough for one. */
  get nextTimeout(): Instant | undefined {
    return this.#canSend ? this.#dueAt : undefined;
  }

  /** Whether speech of a response has not left yet. */
  holds(responseId: string): boolean {
    return this.#queue.some(({ item, samples }) => item.responseId === responseId && samples > 0);
  }

  /** Queues speech of an item; what it is sent after is complete. */
  push(item: SpeechItem, samples: Int16Array, now: Instant): void {
    let queued = this.#queue.at(-1);
    if (queued?.item.itemId !== item.itemId || queued.item.responseId !== item.responseId) {
      this.finish();
      queued = { item, pieces: [], samples: 0, isComplete: false };
      this.#queue.push(queued);
    }
    if (this.#dueAt === undefined || this.#hasPaused(now)) this.#dueAt = now;
    const converted = this.#converted(samples);
    queued.pieces.push(converted);
    queued.samples += converted.length;
    if (!this.#options.isPaced) while (this.#canSend) this.#send(now);
  }

  /** No more of the present item will come for now. */
  finish(): void {
    const queued = this.#queue.at(-1);
    if (queued !== undefined) queued.isComplete = true;
  }

  /** Forgets what has not left of a response, or of all. */
  clear(responseId: string | undefined): void {
    const kept = this.#queue.filter(
      ({ item }) => responseId !== undefined && item.responseId !== responseId,
    );
    this.#queue.splice(0, this.#queue.length, ...kept);
  }

  handleTimeout(now: Instant): void {
    while (this.#canSend && this.#dueAt !== undefined && this.#dueAt <= now)
      this.#send(this.#dueAt);
  }

  takeOutput(): SentPacket | undefined {
    return this.#output.shift();
  }

  /** Gives the encoder's memory back. */
  release(): void {
    this.#encoder.release();
  }

  get #canSend(): boolean {
    const first = this.#queue[0];
    if (first === undefined) return false;
    return first.samples >= PACKET_SAMPLES || (first.isComplete && first.samples > 0);
  }

  /**
   * What comes now is then spoken from now on, and not after what was spoken last. A delta that is a
   * little late goes on where the one before ended: its packets catch up.
   */
  #hasPaused(now: Instant): boolean {
    return !this.#canSend && this.#dueAt !== undefined && elapsedMs(this.#dueAt, now) > PACKET_MS;
  }

  #send(now: Instant): void {
    const queued = this.#queue[0] as QueuedItem;
    const filled = takeSamples(queued, this.#packet);
    this.#packet.fill(0, filled);
    if (queued.samples === 0 && queued.isComplete) this.#queue.shift();
    const marker = this.#advance(now);
    const length = this.#encoder.encode(this.#packet, SCRATCH);
    const { item } = queued;
    const header = {
      marker,
      payloadType: OPUS_PAYLOAD_TYPE,
      sequenceNumber: this.#sequenceNumber,
      timestamp: this.#timestamp,
      ssrc: 1,
    };
    const data = new Uint8Array(RTP_HEADER_BYTES + length);
    encodeRtp(header, SCRATCH.subarray(0, length), data);
    this.#output.push({ data, item, timestamp: this.#timestamp });
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xff_ff;
    this.#sentPackets += 1;
    this.#lastAt = now;
    this.#dueAt = after(now, PACKET_MS);
  }

  /** Sets the timestamp of the packet that leaves now; whether it begins a talkspurt. */
  #advance(now: Instant): boolean {
    const passedMs = this.#lastAt === undefined ? undefined : elapsedMs(this.#lastAt, now);
    if (passedMs === undefined) return true;
    const pauseMs = this.#options.isPaced ? Math.max(0, passedMs - PACKET_MS) : 0;
    this.#timestamp += PACKET_TICKS + Math.round(pauseMs * TICKS_PER_MS);
    return pauseMs > 0;
  }

  /** Copied: whoever handed the samples over may use them again. */
  #converted(samples: Int16Array): Int16Array {
    if (this.#resampler === undefined) return samples.slice();
    const output = new Int16Array(this.#resampler.outputLength(samples.length));
    return output.subarray(0, this.#resampler.process(samples, output));
  }
}

/** Moves what there is of an item to `output`; how much that was. */
function takeSamples(queued: QueuedItem, output: Int16Array): number {
  let filled = 0;
  while (filled < output.length && queued.pieces.length > 0) {
    const piece = queued.pieces[0] as Int16Array;
    const count = Math.min(piece.length, output.length - filled);
    output.set(piece.subarray(0, count), filled);
    filled += count;
    if (count === piece.length) queued.pieces.shift();
    else queued.pieces[0] = piece.subarray(count);
  }
  queued.samples -= filled;
  return filled;
}
