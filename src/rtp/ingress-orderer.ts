import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { DriftWatch } from "./drift-watch.ts";
import { type IngressOutput, OutputQueue, type QueuedPacket } from "./output-queue.ts";
import type { RtpPacket } from "./packet.ts";
import { timestampDistance } from "./sequence.ts";
import { SourceTracker } from "./source-tracker.ts";

/** How to make an `IngressOrderer`. */
export interface IngressOrdererOptions {
  readonly clockRateHz: number;
  /** How long a packet waits for one missing before it; default 40. */
  readonly maxHoldMs?: number;
  /** How long after its expected time a packet is given up; default 60. */
  readonly gapFillAfterMs?: number;
}

/**
 * What became of the packets. At every instant
 * `received = passed + late + discarded + duplicate + other + heldPackets` and
 * `expected = received − duplicate + lost`.
 */
export interface IngressOrdererCounts {
  /** All packets of the stream, whatever their payload. */
  received: number;
  passed: number;
  /** Came after their time was filled. */
  late: number;
  /** Thrown away to keep the output at real time, or for want of room. */
  discarded: number;
  duplicate: number;
  /** Not audio: telephone events, comfort noise. */
  other: number;
  /** Sequence numbers up to the highest that have not come. */
  lost: number;
  expected: number;
  /** Time put out for audio that was sent, as far as one can know, and did not come in time. */
  lostTicks: number;
  /** Silence put out, whatever for. */
  silenceTicks: number;
  /** How often the timestamps were laid on the output's clock anew. */
  anchorings: number;
}

/** What is filled at once, and the usual packet until one has come. */
const FRAME_MS = 20;
/** A shift that the consumer has not made in so many packets is made here, in whole packets. */
const PATIENCE_PACKETS = 250;
/** With nothing to come one cannot tell loss from a pause: so much counts as lost. */
const BLIND_MS = 60;
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
 * differs is followed by 20 ms now and then (`DriftWatch`), 40 s apart at 500 ppm: the consumer
 * makes audio longer or shorter (`pendingShiftTicks`), or else a frame is put in or thrown away.
 * Lateness that lasts, a timestamp jump, another SSRC and a long pause anchor the timestamps anew.
 *
 * The output must be drained after each call, as with any engine here.
 */
export class IngressOrderer {
  readonly #ticksPerMs: number;
  readonly #frameTicks: number;
  readonly #maxHoldMs: number;
  readonly #gapFillAfterMs: number;
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
    other: 0,
    lost: 0,
    expected: 0,
    lostTicks: 0,
    silenceTicks: 0,
    anchorings: 0,
  };
  #startedAt: Instant | undefined;
  /** Ticks put out so far. */
  #output = 0;
  #nextSequence = 0;
  /** Of missing packets before the one that is being placed. */
  #missing = 0;
  /** Filled since the packet put out last; `undefined` before the first. */
  #holeTicks: number | undefined;
  #isPausing = false;
  /** `timestamp` lies at `anchorTicks` of the output; `undefined` until a source's first packet. */
  #anchorTicks: number | undefined;
  #anchorTimestamp = 0;
  #lastArrivalAt: Instant | undefined;
  #hasStalled = false;
  #pauseMs = 0;
  #lateRun = 0;
  #lateSince: Instant | undefined;
  /** By how much the consumer is asked to make audio longer, and for how many packets already. */
  #pendingTicks = 0;
  #pendingPackets = 0;

  constructor(options: IngressOrdererOptions) {
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#frameTicks = FRAME_MS * this.#ticksPerMs;
    this.#maxHoldMs = options.maxHoldMs ?? 40;
    this.#gapFillAfterMs = options.gapFillAfterMs ?? 60;
    const baselineMsMin = -Math.min(2 * FRAME_MS, this.#gapFillAfterMs);
    this.#drift = new DriftWatch({ frameMs: FRAME_MS, baselineMsMin, baselineMsMax: 0 });
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

  /**
   * By how much the consumer should make audio longer (+) or shorter (−), where that is not heard,
   * to follow the sender's clock; mostly 0.
   */
  get pendingShiftTicks(): number {
    return this.#pendingTicks;
  }

  /** The consumer has made audio longer (+) or shorter (−) by so much. */
  applyShift(ticks: number): void {
    this.#pendingTicks -= ticks;
    this.#output += ticks;
    this.#shift(ticks);
  }

  /** Starts the output's clock before any packet has come. */
  start(now: Instant): void {
    this.#startedAt ??= now;
  }

  /** Takes an audio packet that arrived at `now`; its payload is copied. */
  handlePacket(packet: RtpPacket, durationTicks: number, now: Instant): void {
    this.#counts.received += 1;
    this.start(now);
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") this.#countStraggler(packet, "late");
    else {
      if (origin === "new") this.#beginSource(packet, now);
      this.#admit(packet, durationTicks, now);
      if (!this.#hasStalled) this.handleTimeout(now);
    }
    this.#sumExpected();
  }

  /**
   * Takes note of a packet of the same stream that is not audio, a telephone event or comfort
   * noise: nothing is missing where its sequence number stands.
   */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    this.#counts.received += 1;
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") this.#countStraggler(packet, "other");
    else if (origin === "new" && this.#source.isForeign(packet)) {
      this.#source.noteUnattached();
      this.#counts.other += 1;
    } else {
      if (origin === "new") this.#beginSource(packet, now);
      this.#admit(packet, undefined, now);
    }
    this.#sumExpected();
  }

  /**
   * As `handleTimeout`, where the host stood still: what came since `unreadSince` is about to be
   * read, packet by packet, and none of it counts as missing before `handleTimeout` is called again.
   */
  handleStall(unreadSince: Instant): void {
    this.handleTimeout(unreadSince);
    this.#hasStalled = true;
  }

  /** Fills what is overdue with silence and lets go what was held long enough. */
  handleTimeout(now: Instant): void {
    this.#hasStalled = false;
    if (this.#startedAt === undefined) return;
    this.#releaseExpired(now);
    const overdueTicks =
      this.#realTicks(now) - this.#gapFillAfterMs * this.#ticksPerMs - this.#output;
    if (overdueTicks < -EPSILON_TICKS) return;
    const frames = Math.floor((overdueTicks + EPSILON_TICKS) / this.#frameTicks) + 1;
    this.#fillUntil(this.#output + frames * this.#frameTicks, now);
  }

  /** Removes and returns the next piece of the output; a payload is valid until the next call. */
  takeOutput(): IngressOutput | undefined {
    return this.#queue.take();
  }

  /** Nothing will be taken any more: packets that are held count as discarded. */
  end(): void {
    this.#counts.discarded += this.heldPackets;
    for (const entry of this.#held.splice(0)) this.#queue.release(entry);
  }

  #beginSource(packet: RtpPacket, now: Instant): void {
    while (this.#held.length > 0) this.#releaseHead(now);
    this.#source.begin(packet, now);
    this.#nextSequence = this.#sequences.extend(packet.sequenceNumber);
    this.#anchorTicks = undefined;
  }

  #countStraggler(packet: RtpPacket, fate: "late" | "other"): void {
    const isDuplicate = this.#source.noteStraggler(packet) === "duplicate";
    this.#counts[isDuplicate ? "duplicate" : fate] += 1;
  }

  #sumExpected(): void {
    this.#counts.expected = this.#source.expected;
    this.#counts.lost = this.#source.lost;
  }

  #admit(packet: RtpPacket, durationTicks: number | undefined, now: Instant): void {
    const isAudio = durationTicks !== undefined;
    const sequence = this.#sequences.extend(packet.sequenceNumber);
    if (this.#source.note(sequence) === "duplicate") {
      this.#counts.duplicate += 1;
      return;
    }
    if (!isAudio) this.#counts.other += 1;
    this.#pauseMs = this.#lastArrivalAt === undefined ? 0 : elapsedMs(this.#lastArrivalAt, now);
    this.#lastArrivalAt = now;
    const isBehind = sequence < this.#nextSequence;
    const entry = isBehind ? undefined : this.#queue.reserve();
    if (entry === undefined) {
      if (isAudio) this.#counts[isBehind ? "late" : "discarded"] += 1;
      return;
    }
    entry.set(packet);
    entry.durationTicks = durationTicks ?? 0;
    entry.sequence = sequence;
    entry.isAudio = isAudio;
    entry.arrivedAt = now;
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
    this.#missing += entry.sequence - this.#nextSequence;
    this.#nextSequence = entry.sequence + 1;
    this.#isPausing = !entry.isAudio;
    if (!entry.isAudio || !this.#place(entry, now)) this.#queue.release(entry);
  }

  /** Puts a packet at its place in the output; false where it is too late or in excess. */
  #place(entry: QueuedPacket, now: Instant): boolean {
    const ticks = entry.durationTicks;
    let position = this.#positionOf(entry.timestamp);
    if (position === undefined || this.#mustAnchor(position + ticks, ticks, now)) {
      position = this.#anchor(entry.timestamp, now);
    }
    const shiftFrames = this.#drift.observe(
      this.#realTicks(entry.arrivedAt) / this.#ticksPerMs - position / this.#ticksPerMs,
    );
    if (position < this.#output) return this.#drop("late", now);
    const isInExcess = this.#mustShift && -this.#pendingTicks >= ticks && position === this.#output;
    if (isInExcess || position + ticks > this.#limitTicks(ticks, now)) {
      if (this.#pendingTicks < 0) this.#pendingTicks = Math.min(0, this.#pendingTicks + ticks);
      this.#shift(-ticks);
      return this.#drop("discarded", now);
    }
    this.#fillHole(position - this.#output, this.#missing * ticks - (this.#holeTicks ?? 0));
    this.#queue.put(entry);
    this.#counts.passed += 1;
    this.#output += ticks;
    this.#holeTicks = 0;
    this.#missing = 0;
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
    this.#pendingTicks = 0;
    this.#drift.reset();
    return this.#output;
  }

  /** Goes along with a sender whose clock is slow (frames > 0) or fast. */
  #follow(shiftFrames: number): void {
    if (this.#pendingTicks === 0) this.#pendingPackets = 0;
    this.#pendingPackets += 1;
    // The watch tells the whole deviation again as long as it lasts.
    if (shiftFrames !== 0) this.#pendingTicks = shiftFrames * this.#frameTicks;
    if (!this.#mustShift || this.#pendingTicks <= 0) return;
    const ticks = this.#pendingTicks;
    this.#pendingTicks = 0;
    this.#fillHole(ticks, ticks);
    this.#holeTicks = 0;
    this.#shift(ticks);
  }

  get #mustShift(): boolean {
    return this.#pendingPackets > PATIENCE_PACKETS;
  }

  #shift(ticks: number): void {
    if (this.#anchorTicks !== undefined) this.#anchorTicks += ticks;
  }

  #drop(why: "late" | "discarded", now: Instant): boolean {
    this.#counts[why] += 1;
    this.#missing += 1;
    if (why === "late") {
      this.#lateRun += 1;
      this.#lateSince ??= now;
    }
    return false;
  }

  /** Puts out what is overdue, but lets held packets take their place in it. */
  #fillUntil(end: number, now: Instant): void {
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      const position = head.isAudio ? this.#positionOf(head.timestamp) : undefined;
      if (position !== undefined && position > end) break;
      this.#releaseHead(now);
      this.#releaseInOrder(now);
    }
    const isBlind = this.#holeTicks !== undefined && !this.#isPausing;
    const lostTicks = isBlind ? BLIND_MS * this.#ticksPerMs - (this.#holeTicks ?? 0) : 0;
    this.#fillHole(end - this.#output, lostTicks);
  }

  /** Puts out so much without a packet, the first part of it as lost audio. */
  #fillHole(ticks: number, lostTicks: number): void {
    const lost = this.#holeTicks === undefined ? 0 : Math.max(0, Math.min(ticks, lostTicks));
    if (lost > 0) {
      this.#queue.fill("lost", lost);
      this.#counts.lostTicks += lost;
      this.#output += lost;
      if (this.#holeTicks !== undefined) this.#holeTicks += lost;
    }
    this.#silence(ticks - lost);
  }

  #silence(ticks: number): void {
    if (ticks <= 0) return;
    this.#queue.fill("silence", ticks);
    this.#counts.silenceTicks += ticks;
    this.#output += ticks;
    if (this.#holeTicks !== undefined) this.#holeTicks += ticks;
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
