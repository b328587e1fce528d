import { after, type Instant, type Random } from "../../environment/index.ts";

/** What the interval between two reports depends on (RFC 3550 §6.3, the variables of A.7). */
export interface IntervalConditions {
  /** The least mean interval (RFC 3550 §6.2: 5 s). */
  readonly minIntervalMs: number;
  /** For all members together: 5 % of the session's bandwidth (RFC 3550 §6.2). */
  readonly bandwidthBytesPerSecond: number;
  readonly members: number;
  /** Members that sent RTP within the last two intervals, ourselves included. */
  readonly senders: number;
  readonly weSent: boolean;
  /** The mean size of compound packets, with the headers of UDP and IP. */
  readonly averagePacketBytes: number;
  /** Nothing was sent yet: half the minimum is enough. */
  readonly isInitial: boolean;
}

/** Who is there, as far as it was heard. */
export type Membership = Pick<IntervalConditions, "members" | "senders" | "weSent">;

/** How to make a `ReportSchedule`. */
export interface ReportScheduleOptions {
  readonly random: Random;
  readonly minIntervalMs: number;
  readonly bandwidthBytesPerSecond: number;
}

/** Reconsideration makes the mean interval shorter by e - 3/2 (RFC 3550 §6.3.1). */
const COMPENSATION = Math.E - 1.5;
/** RFC 3550 §6.2: senders get a quarter of the bandwidth where they are a quarter or fewer. */
const SENDER_SHARE = 0.25;
/** UDP and IPv4, counted as part of a packet (RFC 3550 §6.2). */
const LOWER_LAYER_BYTES = 28;
/** A likely first packet: SR, one block, CNAME. */
const FIRST_PACKET_BYTES = 80 + LOWER_LAYER_BYTES;
/** A greater datagram than a link carries is not ours and must not stretch the interval. */
const PACKET_BYTES_MAX = 1500;

/** The mean interval before randomisation (RFC 3550 §6.3.1, A.7). */
export function deterministicIntervalMs(conditions: IntervalConditions): number {
  const { members, senders, weSent } = conditions;
  let bytesPerSecond = conditions.bandwidthBytesPerSecond;
  let sharers = members;
  if (senders <= members * SENDER_SHARE) {
    bytesPerSecond *= weSent ? SENDER_SHARE : 1 - SENDER_SHARE;
    sharers = weSent ? senders : members - senders;
  }
  const leastMs = conditions.isInitial ? conditions.minIntervalMs / 2 : conditions.minIntervalMs;
  return Math.max(leastMs, (conditions.averagePacketBytes * sharers * 1000) / bytesPerSecond);
}

/** One drawn interval: 0.5 to 1.5 times the mean, compensated for reconsideration (A.7). */
export function randomIntervalMs(conditions: IntervalConditions, random: Random): number {
  return (deterministicIntervalMs(conditions) * (random() + 0.5)) / COMPENSATION;
}

/** When reports are due: RFC 3550 §6.3 with timer reconsideration (§6.3.6). */
export class ReportSchedule {
  readonly #options: ReportScheduleOptions;
  #averagePacketBytes = FIRST_PACKET_BYTES;
  #isInitial = true;
  #previousAt: Instant | undefined;
  #nextAt: Instant | undefined;

  constructor(options: ReportScheduleOptions) {
    this.#options = options;
  }

  /** When `isDue` has to be asked; `undefined` before the start and after the stop. */
  get nextTimeout(): Instant | undefined {
    return this.#nextAt;
  }

  start(now: Instant, membership: Membership): void {
    this.#previousAt = now;
    this.#nextAt = after(now, this.#draw(membership));
  }

  stop(): void {
    this.#nextAt = undefined;
  }

  /**
   * Whether a report is to be sent now. Where the timer came but a newly drawn interval is not
   * over yet, the timer is set to its end instead (RFC 3550 §6.3.6).
   */
  isDue(now: Instant, membership: Membership): boolean {
    if (this.#nextAt === undefined || this.#previousAt === undefined || now < this.#nextAt) {
      return false;
    }
    const reconsideredAt = after(this.#previousAt, this.#draw(membership));
    if (reconsideredAt <= now) return true;
    this.#nextAt = reconsideredAt;
    return false;
  }

  /** A report left: the next one is scheduled, with an interval drawn anew. */
  handleSent(now: Instant, packetBytes: number, membership: Membership): void {
    this.#averageIn(packetBytes);
    this.#isInitial = false;
    this.#previousAt = now;
    this.#nextAt = after(now, this.#draw(membership));
  }

  /** Accounts for a compound packet of the peer. */
  handleReceived(packetBytes: number): void {
    this.#averageIn(packetBytes);
  }

  #draw(membership: Membership): number {
    const conditions = {
      minIntervalMs: this.#options.minIntervalMs,
      bandwidthBytesPerSecond: this.#options.bandwidthBytesPerSecond,
      averagePacketBytes: this.#averagePacketBytes,
      isInitial: this.#isInitial,
      ...membership,
    };
    return randomIntervalMs(conditions, this.#options.random);
  }

  /** RFC 3550 §6.3.3. */
  #averageIn(packetBytes: number): void {
    const bytes = Math.min(packetBytes, PACKET_BYTES_MAX) + LOWER_LAYER_BYTES;
    this.#averagePacketBytes += (bytes - this.#averagePacketBytes) / 16;
  }
}
