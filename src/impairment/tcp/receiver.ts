import { elapsedMs, type Instant, instant } from "../../environment/index.ts";
import type { Acknowledgement, ByteRange, DataSegment } from "./segment.ts";
import type { TimerGrain } from "./timer-grain.ts";

/** `TCP_ATO_MIN`: how long an acknowledgement waits for a second segment, at least. */
const DELAY_MIN_MS = 40;
/** `TCP_DELACK_MAX`. */
const DELAY_MAX_MS = 200;
/** `TCP_MAX_QUICKACKS`: so many are sent at once when data begin to come. */
const QUICK_MAX = 16;
/** What fits into the header beside a timestamp. */
const SELECTIVE_MAX = 3;

/** What a segment did. */
export interface Arrival {
  /** How many bytes of the stream can be read now that could not before. */
  readonly readable: number;
}

/**
 * One direction's receiving half of TCP as Linux has it: acknowledgements at once or delayed (quick
 * mode, pingpong mode), selective ones, and those of duplicates. An engine; it counts bytes.
 */
export class Receiver {
  readonly #grain: TimerGrain;
  #next = 0;
  /** What came beyond the first hole, in order and apart. */
  #beyond: ByteRange[] = [];
  #latest: ByteRange | undefined;
  #duplicate: ByteRange | undefined;
  #echo: Instant = instant(0);
  #lastAcknowledged = 0;
  #segmentBytes = 0;
  #quick = 0;
  #delayMs = 0;
  #cameAt: Instant | undefined;
  #isPingpong = false;
  #isDueNow = false;
  #dueAt: Instant | undefined;

  constructor(grain: TimerGrain) {
    this.#grain = grain;
  }

  /** When an acknowledgement has to go, with or without data. */
  get nextTimeout(): Instant | undefined {
    return this.#dueAt;
  }

  /** Whether an acknowledgement has to go now. */
  get isDue(): boolean {
    return this.#isDueNow;
  }

  handleSegment(segment: DataSegment, now: Instant, timeoutMs: number): Arrival {
    const length = segment.end - segment.begin;
    this.#segmentBytes = Math.max(this.#segmentBytes, Math.min(length, 1448));
    if (segment.end <= this.#next) {
      this.#handleDuplicate(segment);
      return { readable: 0 };
    }
    this.#adaptDelay(now, timeoutMs);
    if (segment.begin <= this.#lastAcknowledged) this.#echo = segment.sentAt;
    const before = this.#next;
    if (segment.begin > this.#next) this.#keep(segment);
    else this.#advance(segment.end);
    this.#decide(segment.isPushed, now);
    return { readable: this.#next - before };
  }

  handleTimeout(now: Instant): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    this.#dueAt = undefined;
    if (this.#isPingpong) {
      this.#isPingpong = false;
      this.#delayMs = DELAY_MIN_MS;
    } else this.#delayMs = Math.min(DELAY_MAX_MS, 2 * this.#delayMs);
    this.#isDueNow = true;
  }

  /** Data of ours leave: they answer what came (pingpong mode), and carry what is acknowledged. */
  handleDataSent(now: Instant): void {
    if (this.#cameAt !== undefined && elapsedMs(this.#cameAt, now) < this.#delayMs) {
      this.#isPingpong = true;
    }
  }

  /** What is to be said now; it counts as said. */
  acknowledge(): Acknowledgement {
    this.#isDueNow = false;
    this.#dueAt = undefined;
    if (this.#quick > 0) this.#quick -= 1;
    this.#lastAcknowledged = this.#next;
    const duplicate = this.#duplicate;
    this.#duplicate = undefined;
    const selective = this.#selective();
    const ack = { next: this.#next, selective, echo: this.#echo };
    return duplicate === undefined ? ack : { ...ack, duplicate };
  }

  #handleDuplicate(segment: DataSegment): void {
    this.#duplicate = { begin: segment.begin, end: segment.end };
    this.#quick = QUICK_MAX;
    this.#isPingpong = false;
    this.#delayMs = DELAY_MIN_MS;
    this.#isDueNow = true;
  }

  /** `tcp_event_data_recv`. */
  #adaptDelay(now: Instant, timeoutMs: number): void {
    const sinceMs = this.#cameAt === undefined ? undefined : elapsedMs(this.#cameAt, now);
    this.#cameAt = now;
    if (sinceMs === undefined) {
      this.#quick = QUICK_MAX;
      this.#delayMs = DELAY_MIN_MS;
    } else if (sinceMs <= DELAY_MIN_MS / 2) {
      this.#delayMs = this.#delayMs / 2 + DELAY_MIN_MS / 2;
    } else if (sinceMs < this.#delayMs) {
      this.#delayMs = Math.min(timeoutMs, this.#delayMs / 2 + sinceMs);
    } else if (sinceMs > timeoutMs) this.#quick = QUICK_MAX;
  }

  #advance(end: number): void {
    this.#next = Math.max(this.#next, end);
    for (;;) {
      const [first] = this.#beyond;
      if (first === undefined || first.begin > this.#next) break;
      this.#next = Math.max(this.#next, first.end);
      this.#beyond.shift();
      // The sender learns at once that a hole is filled.
      if (this.#beyond.length === 0) this.#isDueNow = true;
    }
  }

  #keep({ begin, end }: DataSegment): void {
    if (this.#beyond.some((range) => range.begin <= begin && end <= range.end)) {
      this.#duplicate = { begin, end };
      this.#isDueNow = true;
      return;
    }
    const touching = this.#beyond.filter((range) => range.begin <= end && begin <= range.end);
    const merged = {
      begin: Math.min(begin, ...touching.map((range) => range.begin)),
      end: Math.max(end, ...touching.map((range) => range.end)),
    };
    this.#beyond = [...this.#beyond.filter((range) => !touching.includes(range)), merged].toSorted(
      (one, other) => one.begin - other.begin,
    );
    this.#latest = merged;
  }

  /**
   * `__tcp_ack_snd_check`, and `tcp_cleanup_rbuf`: the application reads at once, and the end of
   * what the other one wrote is acknowledged when it has been read.
   */
  #decide(isPushed: boolean, now: Instant): void {
    const isMuch = this.#next - this.#lastAcknowledged > this.#segmentBytes;
    const isQuick = this.#quick > 0 && !this.#isPingpong;
    const isWhole = isPushed && !this.#isPingpong;
    if (isMuch || isQuick || isWhole || this.#beyond.length > 0) this.#isDueNow = true;
    if (this.#isDueNow || this.#dueAt !== undefined) return;
    const mostMs = this.#isPingpong ? DELAY_MAX_MS : DELAY_MAX_MS / 2;
    this.#dueAt = this.#grain.expiry(now, Math.min(mostMs, this.#delayMs));
  }

  #selective(): readonly ByteRange[] {
    const latest = this.#beyond.find(
      ({ begin, end }) =>
        this.#latest !== undefined && begin <= this.#latest.begin && this.#latest.end <= end,
    );
    const others = this.#beyond.filter((range) => range !== latest).toReversed();
    return [...(latest === undefined ? [] : [latest]), ...others].slice(0, SELECTIVE_MAX);
  }
}
