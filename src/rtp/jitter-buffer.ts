import { assert, elapsedMs, type Instant } from "../environment/index.ts";
import { DriftWatch } from "./drift-watch.ts";
import type { RtpPacket } from "./packet.ts";
import { PlayoutCells } from "./playout-cells.ts";
import { timestampDistance } from "./sequence.ts";
import { SourceTracker } from "./source-tracker.ts";

/** How to make a `JitterBuffer`. */
export interface JitterBufferOptions {
  /** From the arrival of a talkspurt's first packet until it is played. */
  readonly playoutDelayMs: number;
  readonly clockRateHz: number;
  /** Ticks of one packet, which is also the interval of `takeFrame`: 160 for 20 ms at 8 kHz. */
  readonly frameTicks: number;
  /** How far ahead packets are kept; default 2 s, and never below four playout delays. */
  readonly capacityFrames?: number;
}

/** What to play in one frame. */
export type PlayoutFrame =
  /** `payload` is valid until the next call of the buffer. */
  | { readonly kind: "packet"; readonly payload: Uint8Array; readonly timestamp: number }
  /** Audio was sent for this frame, as far as one can know, and is not here: conceal. */
  | { readonly kind: "lost" }
  /** Nothing is due: before the start, in a pause of the sender, during a telephone event. */
  | { readonly kind: "silence" };

/**
 * What became of the packets, in the words of RFC 3611 §4.7.1. At every time
 * `received = played + late + discarded + duplicate + bufferedPackets`.
 */
export interface JitterBufferCounts {
  received: number;
  played: number;
  /** Came after their playout time. */
  late: number;
  /** In time, but thrown away: no room, two for one frame, or a frame skipped for clock drift. */
  discarded: number;
  duplicate: number;
  /** Sequence numbers that playout passed and that never came. */
  lost: number;
  /** Frames put in, and skipped, to follow the sender's clock. */
  insertedFrames: number;
  skippedFrames: number;
}

/** Where a talkspurt's timestamps lie on the playout axis. */
interface Talkspurt {
  readonly frame: number;
  readonly timestamp: number;
  /** The extended sequence number of the packet that began it. */
  readonly sequence: number;
  /** Of its source: packets before it are its own, come out of order. */
  readonly isFirst: boolean;
}

const LOST: PlayoutFrame = { kind: "lost" };
const SILENCE: PlayoutFrame = { kind: "silence" };

/** Far from 0, so that frames before the first packet's have a number too. */
const FIRST_FRAME = 1 << 20;
const DEFAULT_CAPACITY_MS = 2000;
/** A receive pause after which the next packet sets the playout point anew. */
const LONG_SILENCE_MS = 1000;
/** Packets this far behind the playout point belong to another timestamp base. */
const MAX_BEHIND_MS = 1000;
/** When all packets have been late for so long, the path has become longer for good. */
const LATE_RUN_MS = 200;
const LATE_RUN_PACKETS = 5;
/**
 * With nothing buffered one cannot tell loss from a pause. So much is concealed, which is what
 * G.711 Appendix I takes to fade out; then it is silence.
 */
const MAX_BLIND_CONCEALMENT_MS = 60;
/** Forgives the rounding of instants. */
const EPSILON = 1e-6;

/**
 * A jitter buffer of fixed delay.
 *
 * Playout runs on an axis of frames, one per `takeFrame`. The first packet of a talkspurt is played
 * in the first frame at or after its arrival + delay; the following ones lie by their RTP
 * timestamps. A marker with a gap before it, a timestamp jump, another SSRC, a long silence and
 * lasting lateness begin a new talkspurt. Clock drift is followed by one skipped or inserted frame
 * now and then (`DriftWatch`).
 *
 * Packets of other payload types are not played; `handleOtherPayload` tells of them, so that their
 * sequence numbers do not count as lost. It knows no codec: one packet is one frame, and a sender
 * with another packet length than `frameTicks` needs a buffer made for that length.
 */
export class JitterBuffer {
  readonly #delayMs: number;
  readonly #frameTicks: number;
  readonly #frameMs: number;
  readonly #cells: PlayoutCells;
  readonly #source = new SourceTracker();
  readonly #sequences = this.#source.sequences;
  readonly #drift: DriftWatch;
  readonly #counts: JitterBufferCounts = {
    received: 0,
    played: 0,
    late: 0,
    discarded: 0,
    duplicate: 0,
    lost: 0,
    insertedFrames: 0,
    skippedFrames: 0,
  };
  /** Counts changes of source, so that packets of an earlier one are told apart. */
  #epoch = 0;
  #talkspurt: Talkspurt | undefined;
  #formerTalkspurt: Talkspurt | undefined;
  /** The frame that the next `takeFrame` plays, and when the one before it was (to be) taken. */
  #cursor = FIRST_FRAME;
  #cursorAt: Instant | undefined;
  #isStarted = false;
  #lastArrivalAt: Instant | undefined;
  #newestTimestamp = 0;
  #newestAudioSequence = 0;
  /** The range of sequence numbers that playout has passed. */
  #firstPassed = 0;
  #passed: number | undefined;
  #emptyFrames = 0;
  #lateRun = 0;
  #lateSince: Instant | undefined;
  #pendingShiftFrames = 0;

  constructor(options: JitterBufferOptions) {
    const { playoutDelayMs, clockRateHz, frameTicks } = options;
    this.#delayMs = playoutDelayMs;
    this.#frameTicks = frameTicks;
    this.#frameMs = (frameTicks * 1000) / clockRateHz;
    const capacityMs = Math.max(DEFAULT_CAPACITY_MS, 4 * playoutDelayMs);
    this.#cells = new PlayoutCells(options.capacityFrames ?? Math.ceil(capacityMs / this.#frameMs));
    assert(this.#cells.capacity * this.#frameMs > playoutDelayMs, "the delay fits the capacity");
    this.#drift = new DriftWatch({
      frameMs: this.#frameMs,
      baselineMsMin: -3 * this.#frameMs,
      baselineMsMax: this.#frameMs,
    });
  }

  /** What became of the packets so far. */
  get counts(): Readonly<JitterBufferCounts> {
    return this.#counts;
  }

  /** Packets that wait for their playout. */
  get bufferedPackets(): number {
    return this.#cells.buffered;
  }

  /** Takes an audio packet that arrived at `now`; its payload is copied. */
  handlePacket(packet: RtpPacket, now: Instant): void {
    this.#counts.received += 1;
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") {
      this.#counts.late += 1;
      return;
    }
    if (origin === "new") this.#beginSource(packet, now);
    const sequence = this.#sequences.extend(packet.sequenceNumber);
    if (this.#sequences.has(sequence)) {
      this.#counts.duplicate += 1;
      return;
    }
    if (this.#beginsTalkspurt(packet, sequence, now)) this.#beginTalkspurt(packet, sequence, now);
    if (sequence >= (this.#sequences.highest ?? 0)) {
      this.#newestTimestamp = packet.timestamp;
      this.#newestAudioSequence = sequence;
    }
    this.#noteArrival(sequence, now);
    this.#insert(packet, sequence, now);
  }

  /**
   * Takes note of a packet of the same stream that is not audio, a telephone event: its sequence
   * number is not missing, and as long as nothing follows it the sender is pausing.
   */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    if (this.#source.classify(packet, now) !== "current") return;
    const sequence = this.#sequences.extend(packet.sequenceNumber);
    if (!this.#sequences.has(sequence)) this.#noteArrival(sequence, now);
  }

  /** What to play now. To be called once per frame; calls that catch up may share their `now`. */
  takeFrame(now: Instant): PlayoutFrame {
    if (!this.#isStarted) this.#start(now);
    this.#cursorAt = now;
    if (this.#pendingShiftFrames > 0) return this.#insertFrame();
    while (this.#pendingShiftFrames < 0) this.#skipFrame();

    const frame = this.#cursor;
    this.#cursor += 1;
    const cell = this.#cells.take(frame);
    if (cell === undefined) return this.#emptyFrame(frame);
    this.#counts.played += 1;
    this.#emptyFrames = 0;
    if (cell.epoch === this.#epoch) this.#pass(cell.sequence);
    return cell.output;
  }

  #beginSource(packet: RtpPacket, now: Instant): void {
    this.#source.begin(packet, now);
    this.#epoch += 1;
    this.#talkspurt = undefined;
    this.#formerTalkspurt = undefined;
    this.#passed = undefined;
  }

  #beginsTalkspurt(packet: RtpPacket, sequence: number, now: Instant): boolean {
    const talkspurt = this.#talkspurt;
    if (talkspurt === undefined) return true;
    if (sequence < (this.#sequences.highest ?? 0)) return false;
    if (this.#lastArrivalAt !== undefined) {
      if (elapsedMs(this.#lastArrivalAt, now) >= LONG_SILENCE_MS) return true;
    }
    if (packet.marker && !this.#isContinuous(packet, sequence)) return true;
    const frame = this.#frameOf(packet.timestamp, talkspurt);
    if (frame >= this.#cursor + this.#cells.capacity) return true;
    if ((this.#cursor - frame) * this.#frameMs > MAX_BEHIND_MS) return true;
    return this.#isLastinglyLate(now);
  }

  /** Some senders set the marker within a talkspurt, or on every packet; that means nothing. */
  #isContinuous(packet: RtpPacket, sequence: number): boolean {
    const ticks = timestampDistance(this.#newestTimestamp, packet.timestamp);
    return ticks === (sequence - this.#newestAudioSequence) * this.#frameTicks;
  }

  #isLastinglyLate(now: Instant): boolean {
    return (
      this.#lateSince !== undefined &&
      this.#lateRun >= LATE_RUN_PACKETS &&
      elapsedMs(this.#lateSince, now) >= LATE_RUN_MS
    );
  }

  #beginTalkspurt(packet: RtpPacket, sequence: number, now: Instant): void {
    let frame = FIRST_FRAME;
    if (this.#isStarted) {
      frame = Math.max(this.#firstFrameAt(now + this.#delayMs), this.#cells.endFrame, this.#cursor);
    } else if (this.#cells.buffered > 0) {
      frame = this.#cells.endFrame;
    } else {
      // Until frames are taken, the axis hangs on the first packet's playout time.
      this.#cursorAt = (now + this.#delayMs - this.#frameMs) as Instant;
      this.#cursor = FIRST_FRAME;
    }
    this.#formerTalkspurt = this.#talkspurt;
    const isFirst = this.#talkspurt === undefined;
    this.#talkspurt = { frame, timestamp: packet.timestamp, sequence, isFirst };
    this.#lateRun = 0;
    this.#lateSince = undefined;
    this.#pendingShiftFrames = 0;
    this.#drift.reset();
  }

  /** The first frame that is taken at or after `at`. */
  #firstFrameAt(at: number): number {
    return this.#cursor - 1 + Math.ceil((at - (this.#cursorAt ?? at)) / this.#frameMs - EPSILON);
  }

  #frameOf(timestamp: number, talkspurt: Talkspurt): number {
    const ticks = timestampDistance(talkspurt.timestamp, timestamp);
    return talkspurt.frame + Math.floor(ticks / this.#frameTicks);
  }

  #noteArrival(sequence: number, now: Instant): void {
    this.#sequences.mark(sequence);
    this.#lastArrivalAt = now;
    const wasCountedLost =
      this.#passed !== undefined && sequence < this.#passed && sequence > this.#firstPassed;
    if (wasCountedLost) this.#counts.lost -= 1;
  }

  #insert(packet: RtpPacket, sequence: number, now: Instant): void {
    const talkspurt = this.#talkspurtOf(sequence);
    const frame = talkspurt && this.#frameOf(packet.timestamp, talkspurt);
    if (frame === undefined || this.#isOvertaken(sequence, frame)) {
      this.#counts.discarded += 1;
      return;
    }
    if (talkspurt === this.#talkspurt) this.#observeDrift(frame, now);
    if (this.#isStarted && frame < this.#cursor) {
      this.#countLate(now);
      return;
    }
    this.#lateRun = 0;
    this.#lateSince = undefined;
    const isInReach = Math.abs(frame - this.#cursor) < this.#cells.capacity;
    const isStored =
      isInReach && this.#cells.store(frame, { packet, sequence, epoch: this.#epoch });
    if (!isStored) this.#counts.discarded += 1;
  }

  /** The talkspurt of a packet; `undefined` for one from before the last two. */
  #talkspurtOf(sequence: number): Talkspurt | undefined {
    const former = this.#formerTalkspurt;
    if (this.#talkspurt === undefined || sequence >= this.#talkspurt.sequence) {
      return this.#talkspurt;
    }
    if (former === undefined) return this.#talkspurt;
    return sequence >= former.sequence || former.isFirst ? former : undefined;
  }

  /** A pause may be played shorter than it was sent: then its end has no place any more. */
  #isOvertaken(sequence: number, frame: number): boolean {
    const talkspurt = this.#talkspurt;
    return talkspurt !== undefined && sequence < talkspurt.sequence && frame >= talkspurt.frame;
  }

  #observeDrift(frame: number, now: Instant): void {
    const playedAt = (this.#cursorAt ?? now) + (frame - this.#cursor + 1) * this.#frameMs;
    const shift = this.#drift.observe(now + this.#delayMs - playedAt);
    if (shift !== 0 && this.#isStarted) {
      this.#pendingShiftFrames = Math.max(shift, -this.#cells.capacity);
    }
  }

  #countLate(now: Instant): void {
    this.#counts.late += 1;
    this.#lateSince ??= now;
    this.#lateRun += 1;
  }

  /** Lays the first taken frame at its place before the first packet's playout time. */
  #start(now: Instant): void {
    this.#isStarted = true;
    if (this.#cursorAt === undefined) return;
    const frames = elapsedMs(this.#cursorAt, now) / this.#frameMs;
    this.#cursor += Math.floor(frames + EPSILON) - 1;
    // Where frames are taken late, what has waited for too long is beyond its time.
    this.#counts.discarded += this.#cells.discardBefore(this.#cursor);
  }

  #discard(frame: number): void {
    if (this.#cells.take(frame) !== undefined) this.#counts.discarded += 1;
  }

  #insertFrame(): PlayoutFrame {
    this.#pendingShiftFrames -= 1;
    this.#counts.insertedFrames += 1;
    return this.#emptyFrames === 0 && this.#passed !== undefined ? LOST : SILENCE;
  }

  #skipFrame(): void {
    this.#pendingShiftFrames += 1;
    this.#counts.skippedFrames += 1;
    this.#discard(this.#cursor);
    this.#cursor += 1;
  }

  /** Playout has come to this sequence number: what is missing below it is lost. */
  #pass(sequence: number): void {
    if (this.#passed === undefined) this.#firstPassed = sequence;
    else if (sequence > this.#passed) {
      this.#counts.lost += this.#sequences.countMissing(this.#passed + 1, sequence - 1);
    } else return;
    this.#passed = sequence;
  }

  #emptyFrame(frame: number): PlayoutFrame {
    if (this.#passed === undefined) return SILENCE;
    this.#emptyFrames += 1;
    const next = this.#cells.firstAfter(frame);
    if (next !== undefined && next.epoch === this.#epoch) {
      const missing = this.#sequences.countMissing(this.#passed + 1, next.sequence - 1);
      return this.#emptyFrames <= missing ? LOST : SILENCE;
    }
    const isPausing = (this.#sequences.highest ?? 0) > this.#newestAudioSequence;
    if (isPausing) return SILENCE;
    return this.#emptyFrames * this.#frameMs <= MAX_BLIND_CONCEALMENT_MS ? LOST : SILENCE;
  }
}
