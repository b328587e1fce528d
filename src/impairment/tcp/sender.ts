import { elapsedMs, type Instant } from "../../environment/index.ts";
import type { StallCause, TcpCounts } from "../ai-path.ts";
import type { CongestionAvoidance } from "./congestion-avoidance.ts";
import { CongestionWindow } from "./congestion-window.ts";
import { Rack } from "./rack.ts";
import { RetransmissionQueue } from "./retransmission-queue.ts";
import { RoundTrip, RTO_MIN_MS } from "./round-trip.ts";
import { roundTripSample } from "./round-trip-samples.ts";
import type { Acknowledgement, DataSegment, SentSegment } from "./segment.ts";
import type { TimerGrain } from "./timer-grain.ts";

/** 1500 bytes less the headers of IPv4 and of TCP with timestamps. */
const SEGMENT_BYTES_MAX = 1448;
/** `TCP_TIMEOUT_MIN_US`: what is added to timers of less than a retransmission timeout. */
const TIMEOUT_MIN_MS = 2;

type State = "open" | "disorder" | "recovery" | "loss";
type TimerKind = "retransmission" | "probe" | "reordering";

/** What an acknowledgement brought. */
interface News {
  readonly acked: readonly SentSegment[];
  readonly sacked: readonly SentSegment[];
  readonly advanced: boolean;
  /** Data that were never sent again have arrived, of before the present episode's end. */
  readonly originals: boolean;
  readonly delivered: number;
  readonly echo: Instant;
}

/**
 * One direction's sending half of TCP, as Linux 6 has it by default: SACK, RACK-TLP (RFC 8985), PRR
 * (RFC 6937bis), F-RTO (RFC 5682), undo by timestamps and D-SACK, CUBIC or Reno. An engine: it
 * counts bytes and carries none. The receive window is taken as never full.
 */
export class Sender {
  readonly #queue = new RetransmissionQueue();
  readonly #roundTrip = new RoundTrip();
  readonly #rack = new Rack();
  readonly #avoidance: CongestionAvoidance;
  readonly #window: CongestionWindow;
  readonly #grain: TimerGrain;
  readonly #output: DataSegment[] = [];
  readonly #counts = { segments: 0, retransmissions: 0, tailLossProbes: 0, timeouts: 0 };
  #state: State = "open";
  /** The stream: written, sent, acknowledged by number. */
  #written = 0;
  #sent = 0;
  #acknowledged = 0;
  /** Where writes end of which not all is sent. */
  readonly #writeEnds: number[] = [];
  #lastSentAt: Instant | undefined;
  #timer: { readonly kind: TimerKind; readonly dueAt: Instant } | undefined;
  /** Where the present episode of recovery ends. */
  #highest = 0;
  #probe: { readonly highest: number; readonly isRetransmission: boolean } | undefined;
  #timeoutsInARow = 0;
  /** F-RTO is finding out whether a timeout was spurious. */
  #isDoubtful = false;
  #undo: { readonly from: number; outstanding: number | undefined } | undefined;
  #firstRetransmissionAt: Instant | undefined;
  /** Whether the window kept the next segment waiting. */
  #wasHeld = false;

  constructor(avoidance: CongestionAvoidance, grain: TimerGrain, now: Instant) {
    this.#avoidance = avoidance;
    this.#grain = grain;
    this.#window = new CongestionWindow(avoidance, now);
  }

  get counts(): TcpCounts {
    return { ...this.#counts };
  }

  /** Bytes that were written and not acknowledged by number yet. */
  get bufferedBytes(): number {
    return this.#written - this.#acknowledged;
  }

  /** For tests and traces. */
  get windowSegments(): number {
    return this.#window.segments;
  }

  get nextTimeout(): Instant | undefined {
    return this.#timer?.dueAt;
  }

  takeOutput(): DataSegment | undefined {
    return this.#output.shift();
  }

  /** The handshake measured the round trip. */
  handleHandshake(roundTripMs: number): void {
    this.#roundTrip.handleLeast(roundTripMs);
    this.#roundTrip.handleSample(roundTripMs, 0, 0);
    this.#avoidance.handleRoundTrip(roundTripMs);
  }

  /** The application hands over bytes; Nagle's algorithm is off. */
  write(bytes: number, now: Instant): void {
    const idleMs = this.#lastSentAt === undefined ? 0 : elapsedMs(this.#lastSentAt, now);
    if (this.#queue.count === 0 && idleMs > this.#roundTrip.timeoutMs) {
      this.#window.restart(idleMs, this.#roundTrip.timeoutMs, now);
    }
    this.#written += bytes;
    this.#writeEnds.push(this.#written);
    this.#sendNew(now);
  }

  handleAcknowledgement(ack: Acknowledgement, now: Instant): void {
    if (ack.next < this.#acknowledged) return;
    const lostBefore = this.#queue.lostCount;
    const news = this.#takeIn(ack, now);
    if (ack.duplicate !== undefined) this.#handleDuplicate(ack.duplicate.end);
    let restartsTimer = this.#sampleRoundTrip(news, now);
    this.#settleProbe(ack, news, now);
    const wasReducing = this.#window.isReducing;
    if (this.#isDubious(news)) restartsTimer = this.#recover(news, now) && restartsTimer;
    if (restartsTimer) this.#restartTimer(now);
    if (this.#window.isReducing) {
      const lostMore = this.#queue.lostCount > lostBefore;
      const { advanced } = news;
      this.#window.reduce(news.delivered, this.#queue.inFlight, { advanced, lostMore });
    } else if (!wasReducing || news.advanced) this.#window.grow(this.#growthOf(news), now);
    this.#sendAfter(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#timer === undefined || this.#timer.dueAt > now) return;
    const { kind } = this.#timer;
    this.#timer = undefined;
    if (kind === "reordering") this.#handleReorderingTimeout(now);
    else if (kind === "probe") this.#sendProbe(now);
    else this.#handleRetransmissionTimeout(now);
  }

  #takeIn(ack: Acknowledgement, now: Instant): News {
    const { highestSacked } = this.#queue;
    const sacked = this.#queue.sack(ack.selective);
    const advanced = ack.next > this.#acknowledged;
    if (advanced) this.#timeoutsInARow = 0;
    this.#acknowledged = ack.next;
    const acked = this.#queue.acknowledge(ack.next);
    let originals = false;
    let delivered = 0;
    for (const segment of [...sacked, ...acked.filter(({ isSacked }) => !isSacked)]) {
      delivered += 1;
      this.#rack.handleArrival(segment, now, this.#roundTrip.leastMs);
      if (segment.wasSentAgain) continue;
      if (segment.begin < highestSacked) this.#rack.handleReordering();
      if (segment.end <= this.#highest) originals = true;
    }
    return { acked, sacked, advanced, originals, delivered, echo: ack.echo };
  }

  /** @returns whether the timer is to be set anew. */
  #sampleRoundTrip({ acked, sacked, echo }: News, now: Instant): boolean {
    const sample = roundTripSample(acked, sacked, echo);
    if (sample === undefined) return false;
    const leastMs = elapsedMs(sample.lastSentAt, now);
    this.#roundTrip.handleLeast(leastMs);
    this.#avoidance.handleRoundTrip(leastMs);
    const { firstSentAt, sackedFirst } = sample;
    this.#roundTrip.handleSample(elapsedMs(firstSentAt, now), this.#acknowledged, this.#sent);
    if (acked.length > 0) return true;
    const { head } = this.#queue;
    // Not where the sample is of data sent after the head: the timeout would move on and on.
    return head !== undefined && sackedFirst !== undefined && sackedFirst.sentAt < head.sentAt;
  }

  #handleDuplicate(end: number): void {
    this.#rack.handleDuplicate(this.#acknowledged, this.#sent);
    if (this.#undo?.outstanding !== undefined && end > this.#undo.from) {
      this.#undo.outstanding = Math.max(0, this.#undo.outstanding - 1);
    }
  }

  /** What an answer to a tail loss probe tells (`tcp_process_tlp_ack`). */
  #settleProbe(ack: Acknowledgement, { advanced, sacked }: News, now: Instant): void {
    const probe = this.#probe;
    if (probe === undefined || ack.next < probe.highest) return;
    const cameTwice = ack.duplicate?.end === probe.highest;
    if (!probe.isRetransmission || cameTwice) this.#probe = undefined;
    else if (ack.next > probe.highest) {
      // The probe itself mended the loss: that was congestion all the same.
      this.#probe = undefined;
      this.#window.beginReduction();
      this.#window.endReduction(now);
    } else if (!advanced && sacked.length === 0) this.#probe = undefined;
  }

  #isDubious({ advanced, sacked }: News): boolean {
    return this.#state !== "open" || sacked.length > 0 || !advanced;
  }

  /**
   * `tcp_fastretrans_alert`.
   * @returns whether the timer may be set anew; not where one for reordering was set.
   */
  #recover(news: News, now: Instant): boolean {
    if (this.#state === "open") this.#firstRetransmissionAt = undefined;
    else if (this.#state === "recovery" && this.#acknowledged >= this.#highest) {
      this.#endRecovery(news, now);
    }
    if (this.#state === "recovery") {
      if (news.advanced) this.#tryUndoPartly(news, now);
    } else if (this.#state === "loss") this.#judgeTimeout(news, now);
    const mayRestart = this.#detectLoss(now);
    if (this.#state === "loss") return mayRestart;
    if (this.#state !== "recovery") {
      if (this.#queue.lostCount > 0) this.#enterRecovery();
      else this.#keepOpen();
    }
    return mayRestart;
  }

  #endRecovery(news: News, now: Instant): void {
    this.#rack.handleRecovered();
    if (this.#mayUndo(news)) this.#undoReduction(now);
    this.#window.endReduction(now);
    this.#undo = undefined;
    this.#state = "open";
  }

  #tryUndoPartly(news: News, now: Instant): void {
    if (this.#undo === undefined || !this.#wasDelayed(news) || this.#queue.sentAgainCount > 0)
      return;
    this.#rack.handleReordering();
    this.#undoReduction(now);
    this.#keepOpen();
  }

  /** The end of a recovery by timeout, or of the doubt whether it was needed (`tcp_process_loss`). */
  #judgeTimeout(news: News, now: Instant): void {
    const isSpurious = news.advanced && this.#mayUndo(news);
    if (isSpurious || (this.#isDoubtful && news.originals)) return this.#leaveLoss(now, true);
    const isOver = this.#acknowledged >= this.#highest;
    if (this.#isDoubtful) this.#isDoubtful = this.#staysDoubtful(news, isOver, now);
    if (isOver) this.#leaveLoss(now, this.#mayUndo(news));
  }

  #staysDoubtful(news: News, isOver: boolean, now: Instant): boolean {
    // Data sent after the timeout arrive beside a hole: the loss was real.
    if (this.#sent > this.#highest) return news.sacked.length === 0 && news.advanced;
    return news.advanced && !isOver ? this.#tryNew(now) : true;
  }

  /** F-RTO's step 2b (RFC 5682 §3.1): new data instead of old ones; says whether there were any. */
  #tryNew(now: Instant): boolean {
    this.#highest = this.#sent;
    this.#sendNew(now);
    return this.#sent > this.#highest;
  }

  #leaveLoss(now: Instant, wasSpurious: boolean): void {
    if (wasSpurious) this.#undoReduction(now);
    this.#undo = undefined;
    this.#isDoubtful = false;
    this.#state = "open";
    this.#keepOpen();
  }

  #undoReduction(now: Instant): void {
    this.#queue.unmarkLost();
    this.#window.undo(now);
    this.#undo = undefined;
    this.#rack.hasAdvanced = true;
  }

  #mayUndo(news: News): boolean {
    return this.#undo !== undefined && (this.#undo.outstanding === 0 || this.#wasDelayed(news));
  }

  /** What arrived was sent before anything was sent again (Eifel, RFC 3522). */
  #wasDelayed({ echo }: News): boolean {
    return this.#firstRetransmissionAt !== undefined && echo < this.#firstRetransmissionAt;
  }

  #keepOpen(): void {
    const isOpen = this.#queue.sackedCount + this.#queue.lostCount === 0;
    const state = isOpen ? "open" : "disorder";
    if (this.#state === state) return;
    this.#state = state;
    this.#highest = this.#sent;
  }

  #enterRecovery(): void {
    this.#rememberForUndo();
    this.#highest = this.#sent;
    this.#probe = undefined;
    if (!this.#window.isReducing) this.#window.beginReduction();
    this.#state = "recovery";
  }

  #rememberForUndo(): void {
    const outstanding = this.#queue.sentAgainCount || undefined;
    this.#undo = { from: this.#acknowledged, outstanding };
  }

  #detectLoss(now: Instant): boolean {
    if (!this.#rack.hasAdvanced) return true;
    const againMs = this.#rack.detect(this.#queue, now, this.#surroundings);
    if (againMs === undefined) return true;
    this.#setTimer("reordering", againMs + TIMEOUT_MIN_MS, now);
    return false;
  }

  get #surroundings(): Parameters<Rack["detect"]>[2] {
    const { leastMs, smoothedMs } = this.#roundTrip;
    const isRecovering = this.#state === "recovery" || this.#state === "loss";
    return { leastMs, smoothedMs, isRecovering };
  }

  #growthOf({ delivered, acked }: News): number {
    return acked.length > 0 ? delivered : 0;
  }

  #sendAfter(now: Instant): void {
    if (this.#state === "recovery" || this.#state === "loss") this.#sendLost(now);
    this.#sendNew(now);
  }

  #handleReorderingTimeout(now: Instant): void {
    const { inFlight, lostCount } = this.#queue;
    this.#rack.detect(this.#queue, now, this.#surroundings);
    if (this.#queue.inFlight !== inFlight) {
      if (this.#state !== "recovery") this.#enterRecovery();
      const lostMore = this.#queue.lostCount > lostCount;
      this.#window.reduce(1, this.#queue.inFlight, { advanced: false, lostMore });
      this.#sendLost(now);
    }
    if (this.#timer?.kind !== "retransmission") this.#setRetransmissionTimer(now);
  }

  /** RFC 8985 §7: new data where there are any, else the last segment once more. */
  #sendProbe(now: Instant): void {
    const { last } = this.#queue;
    if (last !== undefined && this.#probe === undefined) {
      const isRetransmission = this.#written === this.#sent;
      this.#counts.tailLossProbes += 1;
      if (isRetransmission) this.#sendAgain(last, "tailLossProbe", now);
      else this.#sendSegment(now);
      this.#probe = { highest: this.#sent, isRetransmission };
    }
    this.#timer = undefined;
    this.#setRetransmissionTimer(now);
  }

  /** `tcp_enter_loss`. */
  #handleRetransmissionTimeout(now: Instant): void {
    const { head } = this.#queue;
    if (head === undefined) return;
    this.#counts.timeouts += 1;
    const isNewEpisode = this.#state === "open" || this.#state === "disorder";
    const isFirst =
      isNewEpisode ||
      this.#highest <= this.#acknowledged ||
      (this.#state === "loss" && this.#timeoutsInARow === 0);
    for (const segment of this.#queue) {
      if (segment === head || this.#rack.remainingMs(segment, now) <= 0) {
        this.#queue.markLost(segment);
      }
    }
    this.#window.handleTimeout(isFirst, this.#queue.inFlight, now);
    if (isFirst) this.#rememberForUndo();
    this.#isDoubtful = isFirst || this.#timeoutsInARow > 0;
    this.#state = "loss";
    this.#highest = this.#sent;
    this.#probe = undefined;
    this.#timeoutsInARow += 1;
    this.#sendAgain(head, "retransmissionTimeout", now);
    this.#roundTrip.backOff();
    this.#setTimer("retransmission", this.#roundTrip.timeoutMs, now);
  }

  /** `tcp_xmit_retransmit_queue`. */
  #sendLost(now: Instant): void {
    const { head } = this.#queue;
    const cause = this.#state === "loss" ? "retransmissionTimeout" : "fastRetransmission";
    for (const segment of this.#queue) {
      if (this.#queue.inFlight >= this.#window.segments) return;
      if (this.#queue.sentAgainCount >= this.#queue.lostCount) return;
      if (!segment.isLost || segment.isSentAgain) continue;
      this.#sendAgain(segment, cause, now);
      this.#window.handleSent(1);
      if (segment === head && this.#timer?.kind !== "reordering") {
        this.#setTimer("retransmission", this.#roundTrip.timeoutMs, now);
      }
    }
  }

  #sendAgain(segment: SentSegment, cause: StallCause, now: Instant): void {
    this.#queue.markSentAgain(segment, now);
    this.#firstRetransmissionAt ??= now;
    if (this.#undo !== undefined) this.#undo.outstanding = (this.#undo.outstanding ?? 0) + 1;
    this.#counts.retransmissions += 1;
    const { begin, end, isPushed } = segment;
    this.#emit({ begin, end, sentAt: now, isPushed, cause });
  }

  /** `tcp_write_xmit`. */
  #sendNew(now: Instant): void {
    if (this.#written === this.#sent) return;
    let count = 0;
    while (this.#written > this.#sent && this.#queue.inFlight < this.#window.segments) {
      this.#sendSegment(now);
      count += 1;
    }
    this.#wasHeld = this.#written > this.#sent;
    this.#noteUse(now);
    this.#window.handleSent(count);
    if (count > 0) this.#armProbe(now);
  }

  #noteUse(now: Instant): void {
    const stream = { acknowledged: this.#acknowledged, sent: this.#sent };
    const { timeoutMs } = this.#roundTrip;
    const isOpen = this.#state === "open";
    const { inFlight, count: packetsOut } = this.#queue;
    this.#window.handleUse({ inFlight, packetsOut }, stream, { now, timeoutMs, isOpen });
  }

  #sendSegment(now: Instant): void {
    const wasEmpty = this.#queue.count === 0;
    if (this.#queue.inFlight === 0 && this.#lastSentAt !== undefined) {
      this.#avoidance.handleIdle(elapsedMs(this.#lastSentAt, now), now);
    }
    const begin = this.#sent;
    const end = Math.min(begin + SEGMENT_BYTES_MAX, this.#written);
    this.#sent = end;
    const isPushed = (this.#writeEnds[0] ?? end + 1) <= end;
    while ((this.#writeEnds[0] ?? end + 1) <= end) this.#writeEnds.shift();
    const segment = { begin, end, sentAt: now, isPushed };
    this.#queue.add(segment);
    this.#emit(this.#wasHeld ? { ...segment, cause: "congestionWindow" } : segment);
    if (wasEmpty || this.#timer?.kind === "probe") this.#setRetransmissionTimer(now);
  }

  #emit(segment: DataSegment): void {
    this.#counts.segments += 1;
    this.#lastSentAt = segment.sentAt;
    this.#output.push(segment);
  }

  #restartTimer(now: Instant): void {
    if (this.#queue.count === 0) this.#timer = undefined;
    else if (!this.#armProbe(now)) this.#setRetransmissionTimer(now);
  }

  /** `tcp_schedule_loss_probe`: only while nothing tells of a loss. */
  #armProbe(now: Instant): boolean {
    if (this.#state !== "open" || this.#queue.count === 0) return false;
    const { smoothedMs, timeoutMs } = this.#roundTrip;
    const extraMs = this.#queue.count === 1 ? RTO_MIN_MS : TIMEOUT_MIN_MS;
    const probeMs = smoothedMs === 0 ? timeoutMs : 2 * smoothedMs + extraMs;
    const untilTimeoutMs = this.#untilTimeoutMs(now);
    this.#setTimer("probe", untilTimeoutMs > 0 ? Math.min(probeMs, untilTimeoutMs) : probeMs, now);
    return true;
  }

  /** `tcp_rearm_rto`: other timers do not put off the timeout. */
  #setRetransmissionTimer(now: Instant): void {
    if (this.#queue.count === 0) {
      this.#timer = undefined;
      return;
    }
    const isOther = this.#timer?.kind === "probe" || this.#timer?.kind === "reordering";
    const delayMs = isOther ? Math.max(1, this.#untilTimeoutMs(now)) : this.#roundTrip.timeoutMs;
    this.#setTimer("retransmission", delayMs, now);
  }

  #untilTimeoutMs(now: Instant): number {
    const { head } = this.#queue;
    return this.#roundTrip.timeoutMs - (head === undefined ? 0 : elapsedMs(head.sentAt, now));
  }

  #setTimer(kind: TimerKind, delayMs: number, now: Instant): void {
    this.#timer = { kind, dueAt: this.#grain.expiry(now, delayMs) };
  }
}
