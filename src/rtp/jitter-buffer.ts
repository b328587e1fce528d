import { assert, elapsedMs, type Instant } from "../environment/index.ts";
import { type BurstMetrics, BurstStatistics } from "./burst-statistics.ts";
import { type JitterBufferCounts, noCounts, type WaitStatistics } from "./jitter-buffer-counts.ts";
import type { RtpPacket } from "./packet.ts";
import { PauseGuess } from "./pause-guess.ts";
import { PayloadLender } from "./payload-slot.ts";
import { type PlayoutPiece, PlayoutPieces } from "./playout-piece.ts";
import { type PlayoutDelay, PlayoutPoint } from "./playout-point.ts";
import { type PlayoutSlot, PlayoutStore } from "./playout-store.ts";
import { SequenceTracker } from "./sequence.ts";
import { SourceTracker } from "./source-tracker.ts";
import { type AudioArrival, TalkspurtRules } from "./talkspurt-rules.ts";
import { TimestampAxis } from "./timestamp-axis.ts";

/** How to make a `JitterBuffer`. */
export interface JitterBufferOptions {
  /** Of the timestamps, and of the playout axis. */
  readonly clockRateHz: number;
  readonly delay: PlayoutDelay;
}

/** Far from 0, so that what lies before the first packet has a place too. */
const FIRST_POSITION = 2 ** 32;
/** How far ahead packets are kept; never less than four delays. */
const CAPACITY_MS = 2000;
/** In a stream that has not told its packet duration yet. */
const SPAN_MS = 20;
/** A sender's gap of less than this without a missing packet is rounding, not a pause. */
const TINY_GAP_MS = 2.5;
/** A packet that comes this little behind its time is played by a fixed delay as well. */
const SLACK_MS = 2.5;
/** So much more delay than wanted is thrown away at once: our own pulls had stopped. */
const EXCESS_MS = 500;
/** What is concealed where packets are thrown away, so that the seam does not click. */
const SEAM_MS = 10;

/**
 * A jitter buffer for packets of any duration and pulls of any length.
 *
 * Playout runs on an axis of RTP ticks, on which packets lie by their timestamps. `take` hands out
 * the axis piece by piece: packets whole, and holes as lost or silence. The delay is fixed or
 * follows the jitter (`PlayoutPoint`); in silence the buffer moves playout itself, in audio the
 * consumer does it where it is not heard (`pendingShiftTicks`, `applyShift`).
 *
 * Where an adaptive buffer runs dry, playout waits for the late packet, up to the longest delay;
 * with a fixed delay it goes on and the packet is late. See docs/media.md.
 */
export class JitterBuffer {
  readonly #ticksPerMs: number;
  readonly #capacityTicks: number;
  readonly #point: PlayoutPoint;
  readonly #store = new PlayoutStore();
  readonly #source = new SourceTracker();
  readonly #axis = new TimestampAxis();
  readonly #rules: TalkspurtRules;
  readonly #pauses = new PauseGuess();
  readonly #bursts = new BurstStatistics();
  /** Packets of the present source that are not audio. */
  readonly #others = new SequenceTracker(1024);
  readonly #pieces = new PlayoutPieces();
  readonly #lender = new PayloadLender();
  readonly #counts = noCounts();
  #newest: AudioArrival | undefined;
  /** Counts changes of source, so that packets of an earlier one are told apart. */
  #epoch = 0;
  /** The next tick to hand out. */
  #cursor = FIRST_POSITION;
  #isStarted = false;
  #beganAt: Instant | undefined;
  /** Of the packet handed out last: its end, sequence number and source. */
  #playedEnd = FIRST_POSITION;
  #passed: number | undefined;
  #passedEpoch = 0;
  #wasComfortNoise = false;
  /** Handed out since that packet. */
  #holeTicks = 0;
  /** Of these, as silence. */
  #silentTicks = 0;
  #isBlindHole = false;
  /** Duration of the newest audio packet. */
  #spanTicks: number;
  #waitedMs = 0;
  #waitedMsMax = 0;

  constructor(options: JitterBufferOptions) {
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#point = new PlayoutPoint(options.delay, this.#ticksPerMs);
    this.#capacityTicks = Math.max(CAPACITY_MS, 4 * this.#point.maxMs) * this.#ticksPerMs;
    this.#spanTicks = SPAN_MS * this.#ticksPerMs;
    this.#rules = new TalkspurtRules(this.#axis, this.#point);
  }

  /** What became of the packets so far. */
  get counts(): Readonly<JitterBufferCounts> {
    return this.#counts;
  }

  /** Packets that wait for their playout. */
  get bufferedPackets(): number {
    return this.#store.size;
  }

  /** Audio that waits for its playout. */
  get depthMs(): number {
    return this.#store.bufferedTicks / this.#ticksPerMs;
  }

  /** The delay that is aimed at now: how long the least delayed packet is to wait. */
  get delayMs(): number {
    return this.#point.targetMs;
  }

  /** How long the packets played so far have waited. */
  get waits(): WaitStatistics {
    const meanMs = this.#counts.played === 0 ? 0 : this.#waitedMs / this.#counts.played;
    return { meanMs, maxMs: this.#waitedMsMax };
  }

  /** The sender's clock against ours: positive where it is fast; `undefined` until it is known. */
  get driftPpm(): number | undefined {
    return this.#point.driftPpm;
  }

  /** Bursts of packets that were not played, for a VoIP metrics block (RFC 3611 §4.7.2). */
  get bursts(): BurstMetrics {
    return this.#bursts.metrics(this.#spanTicks / this.#ticksPerMs);
  }

  /**
   * By how much the consumer should make audio longer (+) or shorter (−), where that is not heard;
   * 0 while playout is near enough to where it should be.
   */
  get pendingShiftTicks(): number {
    return Math.round(this.#point.audibleMoveMs * this.#ticksPerMs);
  }

  /** The same for audio that is quiet enough: a smaller deviation is worth a move there. */
  get quietShiftTicks(): number {
    const wanted = this.pendingShiftTicks;
    return wanted === 0 ? Math.round(this.#point.quietMoveMs * this.#ticksPerMs) : wanted;
  }

  /** The consumer has made audio longer (+) or shorter (−) by so much. */
  applyShift(ticks: number): void {
    this.#countShift(ticks);
    this.#point.clock.shift(-ticks);
  }

  /**
   * Takes a packet of audio, or of comfort noise with duration 0, that arrived at `now`. Its
   * payload is copied.
   */
  handlePacket(packet: RtpPacket, durationTicks: number, now: Instant): void {
    this.#counts.received += 1;
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") this.#countStraggler(packet, "late");
    else {
      if (origin === "new") this.#beginSource(packet, now);
      const sequence = this.#note(packet);
      if (sequence !== undefined) this.#accept(packet, sequence, durationTicks, now);
    }
    this.#sumExpected();
  }

  /**
   * Takes note of a packet of the same stream that is not audio, a telephone event: its sequence
   * number is not missing, and as long as nothing follows it the sender is pausing.
   */
  handleOtherPayload(packet: RtpPacket, now: Instant): void {
    this.#counts.received += 1;
    const origin = this.#source.classify(packet, now);
    if (origin === "straggler") this.#countStraggler(packet, "other");
    else if (origin === "new" && this.#source.isForeign(packet)) {
      // Some gateways send events with an SSRC of their own; the audio goes on beside them.
      this.#source.noteUnattached();
      this.#counts.other += 1;
    } else {
      if (origin === "new") this.#beginSource(packet, now);
      const sequence = this.#note(packet);
      if (sequence !== undefined) {
        this.#others.mark(sequence);
        this.#counts.other += 1;
        this.#rules.noteArrival(now);
      }
    }
    this.#sumExpected();
  }

  /**
   * The next piece of playout, for a pull at `now`. To be called until a pull has all it needs; a
   * packet comes whole, other pieces are at most `limitTicks` long.
   *
   * @param waitingTicks how much of the pull is filled already, from what came before.
   */
  take(now: Instant, limitTicks: number, waitingTicks: number = 0): PlayoutPiece {
    assert(limitTicks > 0, "a pull wants at least one tick");
    if (!this.#isStarted) this.#start(now);
    this.#point.clock.noteTake(now, this.#cursor, limitTicks, waitingTicks);
    if (this.#point.actualMs - this.#point.targetMs > EXCESS_MS)
      return this.#skipExcess(limitTicks);
    for (let head = this.#store.head; head !== undefined; head = this.#store.head) {
      const behind = this.#cursor - head.position;
      if (behind < 0) return this.#gapPiece(head, limitTicks, now);
      if (behind * 2 <= this.#spanOf(head)) return this.#play(head, now);
      this.#discardHead();
    }
    return this.#emptyPiece(limitTicks);
  }

  /** Nothing will be taken any more: what is buffered counts as discarded. */
  end(_now: Instant): void {
    while (this.#store.size > 0) this.#discardHead();
  }

  #beginSource(packet: RtpPacket, now: Instant): void {
    this.#source.begin(packet, now);
    this.#epoch += 1;
    this.#axis.reset();
    this.#rules.reset();
    this.#others.reset();
  }

  /** The extended number of a packet of the present source; `undefined` for a duplicate. */
  #note(packet: RtpPacket): number | undefined {
    const sequence = this.#source.sequences.extend(packet.sequenceNumber);
    const order = this.#source.note(sequence);
    if (order === "reordered") this.#counts.reordered += 1;
    if (order !== "duplicate") return sequence;
    this.#counts.duplicate += 1;
    return undefined;
  }

  #countStraggler(packet: RtpPacket, fate: "late" | "other"): void {
    const isDuplicate = this.#source.noteStraggler(packet) === "duplicate";
    this.#counts[isDuplicate ? "duplicate" : fate] += 1;
    if (!isDuplicate) this.#counts.reordered += 1;
  }

  #sumExpected(): void {
    this.#counts.expected = this.#source.expected;
    this.#counts.lost = this.#source.lost;
  }

  #accept(packet: RtpPacket, sequence: number, durationTicks: number, now: Instant): void {
    const arrival = this.#arrival(packet, sequence, now);
    if (this.#rules.isSameTime(arrival)) {
      this.#counts.discarded += 1;
      return;
    }
    if (durationTicks > 0) this.#point.notePacketTicks(durationTicks);
    if (this.#rules.beginsTalkspurt(arrival)) this.#anchor(packet, sequence, now);
    this.#rules.noteAudio(arrival);
    if (durationTicks > 0) this.#spanTicks = durationTicks;
    const position = this.#positionOf(packet, sequence);
    if (position === undefined || position > this.#cursor + this.#capacityTicks) {
      this.#counts.discarded += 1;
      return;
    }
    const isPresent = this.#axis.isPresent(sequence);
    const delayMs = isPresent ? this.#point.observe(position, now) : 0;
    if (this.#isStarted && position < this.#cursor) {
      const lateMs = (this.#cursor - position) / this.#ticksPerMs;
      this.#point.noteTooLate(delayMs);
      if (!this.#reopens(position, delayMs)) {
        this.#counts.late += 1;
        this.#counts.latenessMsMax = Math.max(this.#counts.latenessMsMax, lateMs);
        this.#rules.noteLate(now);
        return;
      }
    }
    this.#rules.noteInTime();
    const slot = this.#store.reserve();
    slot.set(packet);
    slot.position = position;
    slot.durationTicks = durationTicks;
    slot.sequence = sequence;
    slot.epoch = this.#epoch;
    slot.arrivedAt = now;
    this.#store.insert(slot);
  }

  /** One object for all arrivals, so that none allocates. */
  #arrival(packet: RtpPacket, sequence: number, now: Instant): AudioArrival {
    const cursor = this.#cursor;
    const spanTicks = this.#spanTicks;
    this.#newest ??= { packet, sequence, now, cursor, spanTicks };
    this.#newest.packet = packet;
    this.#newest.sequence = sequence;
    this.#newest.now = now;
    this.#newest.cursor = cursor;
    this.#newest.spanTicks = spanTicks;
    return this.#newest;
  }

  #positionOf(packet: RtpPacket, sequence: number): number | undefined {
    if (this.#axis.isPresent(sequence)) return this.#axis.position(packet.timestamp);
    return this.#axis.formerPosition(packet.timestamp, sequence);
  }

  /** From here on timestamps lie so that this packet is played after the delay. */
  #anchor(packet: RtpPacket, sequence: number, now: Instant): void {
    const { clock, beginningMs } = this.#point;
    if (!clock.isRunning) {
      this.#beganAt = now;
      clock.begin(now, this.#cursor);
    }
    const due = clock.onPull(clock.positionAt(now + beginningMs));
    const end = this.#store.endPosition ?? this.#cursor;
    this.#axis.lay(packet.timestamp, Math.max(due, end, this.#cursor), sequence);
    this.#point.rebase();
  }

  /**
   * Whether playout goes back to a packet that comes after its time. Some of it has been concealed
   * already, so playout becomes later; nothing is played twice.
   */
  #reopens(position: number, delayMs: number): boolean {
    const behindTicks = this.#cursor - position;
    if (position < this.#playedEnd - SLACK_MS * this.#ticksPerMs) return false;
    if (behindTicks > SLACK_MS * this.#ticksPerMs) {
      if (!this.#point.isAdaptive || delayMs > this.#point.maxMs) return false;
      // Where what comes after it is here already, only what has hardly begun is worth waiting for.
      if (this.#store.size > 0 && behindTicks * 2 > this.#spanTicks) return false;
    }
    this.#moveCursor(-behindTicks);
    return true;
  }

  /** Lays the first pull where time has come to since the first packet. */
  #start(now: Instant): void {
    this.#isStarted = true;
    if (this.#beganAt !== undefined) {
      this.#cursor += Math.floor(elapsedMs(this.#beganAt, now) * this.#ticksPerMs);
    }
    this.#point.clock.begin(now, this.#cursor);
  }

  #spanOf(slot: PlayoutSlot): number {
    return slot.durationTicks > 0 ? slot.durationTicks : this.#spanTicks;
  }

  #play(head: PlayoutSlot, now: Instant): PlayoutPiece {
    const missedTicks = this.#missedTicks(head);
    this.#pass(head);
    const end = head.position + head.durationTicks;
    const overlap = this.#cursor - head.position;
    if (overlap > 0) this.#moveCursor(-overlap);
    this.#cursor = end;
    this.#playedEnd = end;
    this.#holeTicks = 0;
    this.#silentTicks = 0;
    this.#isBlindHole = false;
    this.#wasComfortNoise = head.durationTicks === 0;
    this.#counts.played += 1;
    const waitedMs = elapsedMs(head.arrivedAt, now);
    this.#waitedMs += waitedMs;
    this.#waitedMsMax = Math.max(this.#waitedMsMax, waitedMs);
    this.#store.removeHead();
    return this.#pieces.packet(head, this.#lender.lend(head.payload), missedTicks);
  }

  /** A hole that was taken for a pause, after a while, proves to be loss when its end comes. */
  #missedTicks(head: PlayoutSlot): number {
    if (this.#silentTicks === 0) return 0;
    const lostTicks = this.#absentBefore(head) * this.#spanOf(head);
    const concealedTicks = this.#holeTicks - this.#silentTicks;
    return Math.max(0, Math.min(this.#silentTicks, lostTicks - concealedTicks));
  }

  /** Playout has come to this packet: what is missing before it was not played. */
  #pass(head: PlayoutSlot): void {
    const absent = this.#absentBefore(head);
    if (this.#isBlindHole) this.#pauses.learn(absent > 0 || !this.#isPlayoutWhole(head));
    this.#bursts.handleMissing(absent);
    this.#bursts.handlePlayed();
    this.#passed = head.sequence;
    this.#passedEpoch = head.epoch;
  }

  /** Whether the hole before a packet is a pause of the sender, by its timestamps. */
  #isPlayoutWhole(head: PlayoutSlot): boolean {
    return head.position - this.#playedEnd > this.#spanTicks / 2;
  }

  /** Audio packets between the one played last and this one that did not come in time. */
  #absentBefore(head: PlayoutSlot): number {
    if (this.#passed === undefined || head.epoch !== this.#passedEpoch) return 0;
    const first = this.#passed + 1;
    const others = head.epoch === this.#epoch ? this.#others.count(first, head.sequence - 1) : 0;
    return Math.max(0, head.sequence - first - others);
  }

  #gapPiece(head: PlayoutSlot, limitTicks: number, now: Instant): PlayoutPiece {
    const gap = head.position - this.#cursor;
    const absent = this.#absentBefore(head);
    if (absent === 0) {
      if (gap > TINY_GAP_MS * this.#ticksPerMs) return this.#silentGap(head, limitTicks, now);
      this.#moveCursor(gap);
      return this.#play(head, now);
    }
    // The packet right before this one is among the missing: its place is never a pause.
    const spanTicks = this.#spanOf(head);
    if (gap <= spanTicks) {
      return this.#lost(gap, this.#lender.lend(head.payload), head.payloadType);
    }
    const earlierTicks = gap - spanTicks;
    const lostTicks = (absent - 1) * spanTicks - this.#holeTicks;
    if (lostTicks > 0) return this.#lost(Math.min(limitTicks, earlierTicks, lostTicks));
    return this.#silence(Math.min(limitTicks, earlierTicks));
  }

  /** A pause of the sender, whose end is known: here playout can be moved unheard. */
  #silentGap(head: PlayoutSlot, limitTicks: number, now: Instant): PlayoutPiece {
    const { clock, silentMoveMs } = this.#point;
    const gap = head.position - this.#cursor;
    const wanted = this.#cursor + Math.max(0, gap + silentMoveMs * this.#ticksPerMs);
    // A packet that begins within a pull would be needed before its time.
    const begin = silentMoveMs !== 0 || gap < limitTicks ? clock.onPull(wanted) : head.position;
    this.#moveCursor(head.position - begin);
    if (this.#cursor >= head.position) return this.#play(head, now);
    return this.#silence(Math.min(limitTicks, head.position - this.#cursor));
  }

  #emptyPiece(limitTicks: number): PlayoutPiece {
    if (this.#passed === undefined || this.#isPausing()) return this.#silence(limitTicks);
    if (this.#holeTicks === 0) this.#isBlindHole = true;
    const blindTicks = this.#pauses.blindMs * this.#ticksPerMs - this.#holeTicks;
    if (blindTicks <= 0) return this.#silence(limitTicks);
    return this.#lost(Math.min(limitTicks, blindTicks));
  }

  /** Whether the sender has said that it sends no audio now. */
  #isPausing(): boolean {
    if (this.#wasComfortNoise) return true;
    return (this.#source.sequences.highest ?? 0) > this.#rules.newestSequence;
  }

  #lost(ticks: number, next?: Uint8Array, nextPayloadType?: number): PlayoutPiece {
    this.#cursor += ticks;
    this.#holeTicks += ticks;
    return this.#pieces.lost(ticks, next, nextPayloadType);
  }

  #silence(ticks: number): PlayoutPiece {
    this.#cursor += ticks;
    this.#holeTicks += ticks;
    this.#silentTicks += ticks;
    return this.#pieces.silence(ticks);
  }

  /** Throws away audio that our own missing pulls have left behind. */
  #skipExcess(limitTicks: number): PlayoutPiece {
    const excessMs = this.#point.actualMs - this.#point.targetMs - this.#point.clock.pullMs;
    let target = this.#cursor + Math.round(excessMs * this.#ticksPerMs);
    while (this.#store.head !== undefined && this.#store.head.position < target) {
      const { head } = this.#store;
      if (head.position + this.#spanOf(head) > target) target = head.position;
      else this.#discardHead();
    }
    this.#moveCursor(target - this.#cursor);
    const seamTicks = Math.min(limitTicks, SEAM_MS * this.#ticksPerMs);
    this.#moveCursor(-seamTicks);
    return this.#lost(seamTicks);
  }

  #discardHead(): void {
    this.#store.removeHead();
    this.#counts.discarded += 1;
  }

  /** Moves playout on the axis: back to put time in, ahead to leave time out. */
  #moveCursor(ticks: number): void {
    this.#cursor += ticks;
    this.#point.clock.shift(ticks);
    this.#countShift(-ticks);
  }

  #countShift(insertedTicks: number): void {
    // Before the first packet there is no playout to be moved.
    if (this.#passed === undefined) return;
    const ms = insertedTicks / this.#ticksPerMs;
    if (ms > 0) this.#counts.insertedMs += ms;
    else this.#counts.skippedMs -= ms;
  }
}
