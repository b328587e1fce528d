import { elapsedMs, type Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import type { PlayoutPoint } from "./playout-point.ts";
import { timestampDistance } from "./sequence.ts";
import type { TimestampAxis } from "./timestamp-axis.ts";

/** An audio packet that has come, and where playout is. */
export interface AudioArrival {
  packet: RtpPacket;
  /** Extended. */
  sequence: number;
  now: Instant;
  cursor: number;
  /** Duration of the packet before it. */
  spanTicks: number;
}

/** A receive pause after which lateness means that the sender's timestamps stood still. */
const LONG_PAUSE_MS = 1000;
/** A packet this far off its time belongs to another timestamp base. */
const JUMP_MS = 1000;
/** When all packets have been late for so long, the path has become longer for good. */
const LATE_RUN_MS = 100;
const LATE_RUN_PACKETS = 5;

/**
 * Tells whether a packet goes on with the timestamps before it or must be laid on the playout axis
 * anew: at the beginning, after a jump, and when it comes too late by the present base and there
 * is reason to think that it will not be the last.
 */
export class TalkspurtRules {
  readonly #axis: TimestampAxis;
  readonly #point: PlayoutPoint;
  readonly #jumpMs: number;
  #lastArrivalAt: Instant | undefined;
  #newestTimestamp = 0;
  #newestSequence = 0;
  #lateRun = 0;
  #lateSince: Instant | undefined;

  constructor(axis: TimestampAxis, point: PlayoutPoint) {
    this.#axis = axis;
    this.#point = point;
    this.#jumpMs = Math.max(JUMP_MS, 2 * point.maxMs);
  }

  /** The highest extended sequence number of audio. */
  get newestSequence(): number {
    return this.#newestSequence;
  }

  /** Whether a sender has two packets for one time; the second has no place. */
  isSameTime({ packet, sequence }: AudioArrival): boolean {
    if (!this.#axis.isLaid || sequence <= this.#newestSequence) return false;
    return packet.timestamp === this.#newestTimestamp;
  }

  /** Whether timestamps from this packet on are to be laid anew. */
  beginsTalkspurt(arrival: AudioArrival): boolean {
    const { packet, sequence, now, cursor } = arrival;
    if (!this.#axis.isLaid) return true;
    if (sequence < this.#newestSequence) return false;
    if (timestampDistance(this.#newestTimestamp, packet.timestamp) < 0) return true;
    const position = this.#axis.position(packet.timestamp);
    if (Math.abs(this.#point.delayOf(position, now)) > this.#jumpMs) return true;
    if (position >= cursor) return false;
    const pauseMs = this.#lastArrivalAt === undefined ? 0 : elapsedMs(this.#lastArrivalAt, now);
    if (pauseMs >= LONG_PAUSE_MS) return true;
    if (packet.marker && !this.#isContinuous(arrival)) return true;
    return this.#isLastinglyLate(now);
  }

  /** Another source begins. */
  reset(): void {
    this.#newestSequence = 0;
    this.noteInTime();
  }

  /** A packet that is not audio has come. */
  noteArrival(now: Instant): void {
    this.#lastArrivalAt = now;
  }

  /** An audio packet has come, after `beginsTalkspurt` was asked. */
  noteAudio({ packet, sequence, now }: AudioArrival): void {
    this.#lastArrivalAt = now;
    if (sequence <= this.#newestSequence) return;
    this.#newestTimestamp = packet.timestamp;
    this.#newestSequence = sequence;
  }

  /** It was too late. */
  noteLate(now: Instant): void {
    this.#lateSince ??= now;
    this.#lateRun += 1;
  }

  /** It was not. */
  noteInTime(): void {
    this.#lateRun = 0;
    this.#lateSince = undefined;
  }

  /** Some senders set the marker within a talkspurt, or on every packet; that means nothing. */
  #isContinuous({ packet, sequence, spanTicks }: AudioArrival): boolean {
    const ticks = timestampDistance(this.#newestTimestamp, packet.timestamp);
    const expected = (sequence - this.#newestSequence) * spanTicks;
    return Math.abs(ticks - expected) <= spanTicks / 2;
  }

  #isLastinglyLate(now: Instant): boolean {
    return (
      this.#lateSince !== undefined &&
      this.#lateRun >= LATE_RUN_PACKETS &&
      elapsedMs(this.#lateSince, now) >= LATE_RUN_MS
    );
  }
}
