import { after, type Clock, elapsedMs, type Instant } from "../../src/environment/index.ts";

/** What a sender puts on a connection: messages of so many bytes, each at its time. */
export interface Traffic {
  /** Since the start; in order. */
  readonly messages: readonly { readonly atMs: number; readonly sizeBytes: number }[];
}

const FRAME_MS = 20;
/** 20 ms of 24 kHz PCM16 in base64, with the JSON around it: `input_audio_buffer.append`. */
export const PCM_FRAME_BYTES = 1340;
/** The same of G.711, which a telephone's bridge passes through where the provider takes it. */
export const G711_FRAME_BYTES = 276;
const DELTA_MS = 200;
/** The same of 200 ms: `response.output_audio.delta`, with its four ids. */
const DELTA_BYTES = 13_050;
/** How much faster than real time the AI speaks. */
const BURST_SPEED = 4;
const RESPONSE_MS = 4000;
/** From the start of one response to the next: it is heard, and the caller speaks. */
const TURN_MS = 8000;

/** What a bridge sends: 20 ms frames in real time. */
export function frames(durationMs: number, sizeBytes: number): Traffic {
  const count = Math.floor(durationMs / FRAME_MS);
  const messages = Array.from({ length: count }, (_, index) => ({
    atMs: index * FRAME_MS,
    sizeBytes,
  }));
  return { messages };
}

/** What an AI sends: responses of 4 s in deltas of 200 ms, four times as fast; one in 8 s. */
export function bursts(durationMs: number): Traffic {
  const messages = [];
  for (let startMs = 0; startMs < durationMs; startMs += TURN_MS) {
    for (let spokenMs = 0; spokenMs < RESPONSE_MS; spokenMs += DELTA_MS) {
      messages.push({ atMs: startMs + spokenMs / BURST_SPEED, sizeBytes: DELTA_BYTES });
    }
  }
  return { messages };
}

/** One end of a stream of bytes, as much as traffic needs of it. */
export interface ByteSink {
  send(data: Uint8Array): void;
}

/**
 * Sends the messages at their times on absolute deadlines; resolves once the last one has been given
 * to the connection.
 *
 * @returns when each was.
 */
export function sendTraffic(
  sink: ByteSink,
  { messages }: Traffic,
  { clock, startAt }: { readonly clock: Clock; readonly startAt: Instant },
): Promise<readonly Instant[]> {
  const sentAt: Instant[] = [];
  return new Promise((resolve) => {
    const next = (): void => {
      const message = messages[sentAt.length];
      if (message === undefined) return resolve(sentAt);
      clock.setTimer(after(startAt, message.atMs), () => {
        sentAt.push(clock.now());
        sink.send(new Uint8Array(message.sizeBytes));
        next();
      });
    };
    next();
  });
}

/** Notes when each message of a stream is there as a whole. */
export class TrafficReceiver {
  readonly arrivedAt: Instant[] = [];
  readonly #ends: readonly number[];
  #received = 0;

  constructor({ messages }: Traffic) {
    let total = 0;
    this.#ends = messages.map(({ sizeBytes }) => {
      total += sizeBytes;
      return total;
    });
  }

  get isComplete(): boolean {
    return this.arrivedAt.length === this.#ends.length;
  }

  handleData(data: Uint8Array, now: Instant): void {
    this.#received += data.length;
    for (;;) {
      const end = this.#ends[this.arrivedAt.length];
      if (end === undefined || end > this.#received) return;
      this.arrivedAt.push(now);
    }
  }
}

/** How late messages came, beyond the link's own delay, and how often nothing came for long. */
export interface TrafficFigures {
  readonly messages: number;
  /** Of all messages: from the sending of one to its whole arrival, less the link's delay. */
  readonly excessMs: readonly number[];
  /** Runs of messages that were late by more than 100 ms, however many messages each holds up. */
  readonly stallsPerMinute: number;
}

const STALL_MS = 100;

/** Figures of one run; `linkMs` is the delay of the link itself, one way. */
export function trafficFigures(
  sentAt: readonly Instant[],
  arrivedAt: readonly Instant[],
  linkMs: number,
): TrafficFigures {
  const excessMs = arrivedAt.map((at, index) => elapsedMs(sentAt[index] ?? at, at) - linkMs);
  let stalls = 0;
  let isStalled = false;
  for (const excess of excessMs) {
    if (excess > STALL_MS && !isStalled) stalls += 1;
    isStalled = excess > STALL_MS;
  }
  const [first, last] = [sentAt[0], sentAt.at(-1)];
  const minutes = first === undefined || last === undefined ? 0 : elapsedMs(first, last) / 60_000;
  return {
    messages: excessMs.length,
    excessMs,
    stallsPerMinute: minutes === 0 ? 0 : stalls / minutes,
  };
}
