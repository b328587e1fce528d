import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { DriftWatch } from "./drift-watch.ts";
import { type IngressOutput, OutputQueue, type QueuedPacket } from "./output-queue.ts";
import type { RtpPacket } from "./packet.ts";
import { timestampDistance } from "./sequence.ts";
import { SourceTracker } from "./source-tracker.ts";

/** How to make an `IngressOrderer`. */
export interface IngressOrdererOptions {
  readonly clockRateHz: number;
  /** Ticks of the usual packet and of one piece of filled silence: 160 for 20 ms at 8 kHz. */
  readonly frameTicks: number;
  /** How long a packet waits for one missing before it; default 40. */
  readonly maxHoldMs?: number;
  /** How long after its expected time a packet is replaced by silence; default 60. */
  readonly gapFillAfterMs?: number;
  /** Ticks that a payload stands for; default one per byte, as G.711 and G.722 have it. */
  readonly payloadTicks?: (payload: Uint8Array) => number;
}

/** What became of the packets; `received = passed + late + discarded + duplicate + held`. */
export interface IngressOrdererCounts {
  received: number;
  passed: number;
  /** Came after their time was filled. */
  late: number;
  /** Thrown away to keep the output at real time, or for want of room. */
  discarded: number;
  duplicate: number;
  /** Sequence numbers given up and not seen since. */
  lost: number;
  /** Silence put out, whatever for. */
  silenceTicks: number;
  /** How often the timestamps were laid on the output's clock anew. */
  anchorings: number;
}

/** A pause of arrivals after which late timestamps are believed: the sender's clock had stopped. */
const LONG_SILENCE_MS = 500;
/** Packets this far behind the output belong to another timestamp base. */
const MAX_BEHIND_MS = 1000;
/** When all packets have been late for so long, the path has become longer for good. */
const LATE_RUN_MS = 200;
const LATE_RUN_PACKETS = 5;
const MAX_HELD_PACKETS = 64;
/** Forgives the rounding of instants. */
const EPSILON_TICKS = 1e-3;

/**
 * Puts received audio in order for the AI with as little delay as can be: packets in order pass in
 * the same call, and only a gap makes the following ones wait.
 *
 * The output is one unbroken clock: audio, or silence for what did not come (loss, DTX, a held
 * call). With `elapsed` since the first packet (or `start`), as long as timeouts are handled:
 * `elapsed - gapFillAfterMs ≤ output ≤ elapsed + gapFillAfterMs + one packet`. A sender whose clock
 * differs is followed by one inserted or discarded frame now and then (`DriftWatch`), 40 s apart at
 * 500 ppm; lateness that lasts, a timestamp jump, another SSRC and a long pause anchor the
 * timestamps anew.
 *
 * The output must be drained after each call, as with any engine here.
 */
export class IngressOrderer {
  readonly #ticksPerMs: number;
  readonly #frameTicks: number;
  readonly #maxHoldMs: number;
  readonly #gapFillAfterMs: number;
  readonly #payloadTicks: (payload: Uint8Array) => number;
  readonly #source = new SourceTracker();
  readonly #sequences = this.#source.sequences;
  readonly #drift: DriftWatch;
  readonly #queue = new OutputQueue();
  /** Packets after a gap, by sequence number. */
  readonly #held: QueuedPacket[] = [];
  readonly #counts: IngressOrdererCounts = {
    received: 0,
    passed: 0,
    late: 0,
    discarded: 0,
    duplicate: 0,
    lost: 0,
    silenceTicks: 0,
    anchorings: 0,
  };
  #startedAt: Instant | undefined;
  /** Ticks put out so far. */
  #output = 0;
  #nextSequence = 0;
  #firstSequence = 0;
  /** `timestamp` lies at `anchorTicks` of the output; `undefined` until a source's first packet. */
  #anchorTicks: number | undefined;
  #anchorTimestamp = 0;
  #lastArrivalAt: Instant | undefined;
  #pauseMs = 0;
  #lateRun = 0;
  #lateSince: Instant | undefined;
  /** Packets to throw away because the sender's clock is ahead. */
  #excessFrames = 0;

  constructor(options: IngressOrdererOptions) {
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#frameTicks = options.frameTicks;
    this.#maxHoldMs = options.maxHoldMs ?? 40;
    this.#gapFillAfterMs = options.gapFillAfterMs ?? 60;
    this.#payloadTicks = options.payloadTicks ?? ((payload) => payload.length);
    const frameMs = options.frameTicks / this.#ticksPerMs;
    const baselineMsMin = -Math.min(2 * frameMs, this.#gapFillAfterMs);
    this.#drift = new DriftWatch({ frameMs, baselineMsMin, baselineMsMax: 0 });
  }

  /** What became of the packets so far. */
  get counts(): Readonly<IngressOrdererCounts> {
    return this.#counts;
  }

  /** Audio packets that wait for one missing before them. */
  get heldPackets(): number {
    return this.#held.reduce((count, entry) => count + (entry.isAudio ? 1 : 0), 0);
  }

  /** When `handleTimeout` has something to do; `undefined` before the clock has started. */
  get nextTimeout(): Instant | undefined {
    if (this.#startedAt === undefined) return undefined;
    const fillAt = after(this.#startedAt, this.#output / this.#ticksPerMs + this.#gapFillAfterMs);
    const head = this.#held[0];
    if (head === undefined) return fillAt;
    const releaseAt = after(head.arrivedAt, this.#maxHoldMs);
    return releaseAt < fillAt ? releaseAt : fillAt;
  }

  /** Starts the output's clock before any packet has come. */
  start(now: Instant): void {
    this.#startedAt ??= now;
  }

  /** Takes an audio packet that arrived at `now`. */
  handlePacket(packet: RtpPacket, now: Instant): void {
    this.#counts.received += 1;
    this.start(now);
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") {
      this.#counts.late += 1;
      return;
    }
    if (origin === "new") this.#beginSource(packet, now);
    this.#admit(packet, true, now);
    this.handleTimeout(now);
  }

  /**
   * Takes note of a packet of the same stream that is not audio, a telephone event: nothing is
   * missing where its sequence number stands.
   */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    if (this.#source.classify(packet, now) !== "current") return;
    this.#admit(packet, false, now);
  }

  /** Fills what is overdue with silence and lets go what was held long enough. */
  handleTimeout(now: Instant): void {
    if (this.#startedAt === undefined) return;
    this.#releaseExpired(now);
    const overdueTicks =
      this.#realTicks(now) - this.#gapFillAfterMs * this.#ticksPerMs - this.#output;
    if (overdueTicks < -EPSILON_TICKS) return;
    const frames = Math.floor((overdueTicks + EPSILON_TICKS) / this.#frameTicks) + 1;
    this.#fill(frames * this.#frameTicks, now);
  }

  /** Removes and returns the next piece of the output; a payload is valid until the next call. */
  takeOutput(): IngressOutput | undefined {
    return this.#queue.take();
  }

  #beginSource(packet: RtpPacket, now: Instant): void {
    while (this.#held.length > 0) this.#releaseHead(now);
    this.#source.begin(packet, now);
    this.#nextSequence = this.#sequences.extend(packet.sequenceNumber);
    this.#firstSequence = this.#nextSequence;
    this.#anchorTicks = undefined;
  }

  #admit(packet: RtpPacket, isAudio: boolean, now: Instant): void {
    const sequence = this.#sequences.extend(packet.sequenceNumber);
    if (!this.#sequences.mark(sequence)) {
      if (isAudio) this.#counts.duplicate += 1;
      return;
    }
    this.#pauseMs = this.#lastArrivalAt === undefined ? 0 : elapsedMs(this.#lastArrivalAt, now);
    this.#lastArrivalAt = now;
    if (sequence < this.#nextSequence) {
      if (isAudio) this.#counts.late += 1;
      if (sequence > this.#firstSequence) this.#counts.lost -= 1;
      return;
    }
    const entry = this.#queue.reserve();
    if (entry === undefined) {
      if (isAudio) this.#counts.discarded += 1;
      return;
    }
    entry.set(packet, { sequence, isAudio, arrivedAt: now });
    this.#hold(entry);
    this.#releaseInOrder(now);
    while (this.#held.length > MAX_HELD_PACKETS) this.#releaseHead(now);
  }

  #hold(entry: QueuedPacket): void {
    let index = this.#held.length;
    while (index > 0 && (this.#held[index - 1] as QueuedPacket).sequence > entry.sequence) {
      index -= 1;
    }
    if (index === this.#held.length) this.#held.push(entry);
    else this.#held.splice(index, 0, entry);
  }

  #releaseInOrder(now: Instant): void {
    while (this.#held[0]?.sequence === this.#nextSequence) this.#releaseHead(now);
  }

  #releaseExpired(now: Instant): void {
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      if (elapsedMs(after(head.arrivedAt, this.#maxHoldMs), now) < 0) return;
      this.#releaseHead(now);
      this.#releaseInOrder(now);
    }
  }

  /** Lets the first held packet go, giving up what is missing before it. */
  #releaseHead(now: Instant): void {
    const entry = this.#held.shift();
    if (entry === undefined) return;
    this.#counts.lost += entry.sequence - this.#nextSequence;
    this.#nextSequence = entry.sequence + 1;
    if (!entry.isAudio || !this.#place(entry, now)) this.#queue.release(entry);
  }

  /** Puts a packet at its place in the output; false where it is too late or in excess. */
  #place(entry: QueuedPacket, now: Instant): boolean {
    const ticks = this.#payloadTicks(entry.payload);
    let position = this.#positionOf(entry.timestamp);
    if (position === undefined || this.#mustAnchor(position + ticks, ticks, now)) {
      position = this.#anchor(entry.timestamp, now);
    }
    const shiftFrames = this.#drift.observe(
      this.#realTicks(entry.arrivedAt) / this.#ticksPerMs - position / this.#ticksPerMs,
    );
    if (position < this.#output) return this.#drop("late", now);
    const isInExcess = this.#excessFrames > 0 && position === this.#output;
    if (isInExcess || position + ticks > this.#limitTicks(ticks, now)) {
      this.#excessFrames = Math.max(0, this.#excessFrames - 1);
      this.#shift(-ticks);
      return this.#drop("discarded", now);
    }
    this.#silence(position - this.#output);
    this.#queue.put(entry);
    this.#counts.passed += 1;
    this.#output += ticks;
    this.#lateRun = 0;
    this.#lateSince = undefined;
    this.#follow(shiftFrames);
    return true;
  }

  /** Where in the output a timestamp lies. */
  #positionOf(timestamp: number): number | undefined {
    if (this.#anchorTicks === undefined) return undefined;
    return this.#anchorTicks + timestampDistance(this.#anchorTimestamp, timestamp);
  }

  /** Whether this position shows that the timestamps no longer lie where they did. */
  #mustAnchor(end: number, ticks: number, now: Instant): boolean {
    const begin = end - ticks;
    if (begin > this.#output) return end > this.#limitTicks(ticks, now);
    if (begin === this.#output) return false;
    const behindMs = (this.#output - begin) / this.#ticksPerMs;
    return (
      this.#pauseMs >= LONG_SILENCE_MS || behindMs > MAX_BEHIND_MS || this.#isLastinglyLate(now)
    );
  }

  #isLastinglyLate(now: Instant): boolean {
    return (
      this.#lateSince !== undefined &&
      this.#lateRun >= LATE_RUN_PACKETS &&
      elapsedMs(this.#lateSince, now) >= LATE_RUN_MS
    );
  }

  /** Lays a timestamp at real time, or at the output's end where that is ahead. */
  #anchor(timestamp: number, now: Instant): number {
    this.#silence(Math.floor(this.#realTicks(now)) - this.#output);
    this.#anchorTicks = this.#output;
    this.#anchorTimestamp = timestamp;
    this.#counts.anchorings += 1;
    this.#excessFrames = 0;
    this.#drift.reset();
    return this.#output;
  }

  /** Goes along with a sender whose clock is slow (frames > 0) or fast. */
  #follow(shiftFrames: number): void {
    if (shiftFrames > 0) {
      this.#silence(shiftFrames * this.#frameTicks);
      this.#shift(shiftFrames * this.#frameTicks);
    } else if (shiftFrames < 0) this.#excessFrames = -shiftFrames;
  }

  #shift(ticks: number): void {
    if (this.#anchorTicks !== undefined) this.#anchorTicks += ticks;
  }

  #drop(why: "late" | "discarded", now: Instant): boolean {
    this.#counts[why] += 1;
    if (why === "late") {
      this.#lateRun += 1;
      this.#lateSince ??= now;
    }
    return false;
  }

  /** Puts out overdue silence, but lets held packets take their place in it. */
  #fill(ticks: number, now: Instant): void {
    const end = this.#output + ticks;
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      const position = head.isAudio ? this.#positionOf(head.timestamp) : undefined;
      if (position !== undefined && position > end) break;
      this.#releaseHead(now);
      this.#releaseInOrder(now);
    }
    this.#silence(end - this.#output);
  }

  #silence(ticks: number): void {
    if (ticks <= 0) return;
    this.#queue.putSilence(ticks);
    this.#counts.silenceTicks += ticks;
    this.#output += ticks;
  }

  /** Ticks of real time since the start. */
  #realTicks(now: Instant): number {
    return elapsedMs(this.#startedAt ?? now, now) * this.#ticksPerMs;
  }

  /** The output may not be ahead of this. */
  #limitTicks(ticks: number, now: Instant): number {
    return (
      this.#realTicks(now) +
      this.#gapFillAfterMs * this.#ticksPerMs +
      Math.max(this.#frameTicks, ticks) +
      EPSILON_TICKS
    );
  }
}
