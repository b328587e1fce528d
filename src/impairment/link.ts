import { after, elapsedMs, type Instant, type Random } from "../environment/index.ts";
import { type DelaySource, delaySource } from "./delay-model.ts";
import { DueQueue } from "./due-queue.ts";
import {
  checkPlan,
  type LinkChange,
  type LinkPlan,
  type LinkSettings,
  type RateLimit,
} from "./link-settings.ts";
import { type LossDecider, lossDecider } from "./loss-model.ts";

/** A packet that comes out of a link. */
export interface LinkOutput<P> {
  readonly packet: P;
  readonly sentAt: Instant;
  /** When it should arrive; who asks late gets it late. */
  readonly dueAt: Instant;
  /** Whether a bit of it is to be wrong (`flipBit`). */
  readonly isCorrupted: boolean;
}

/**
 * What became of the packets so far. Always: `offered + duplicated = delivered + lost + overflowed
 * + underWay`.
 */
export interface LinkCounts {
  readonly offered: number;
  readonly duplicated: number;
  readonly delivered: number;
  /** By the loss model. */
  readonly lost: number;
  /** By a full queue. */
  readonly overflowed: number;
  readonly underWay: number;
  /** Of those delivered. */
  readonly corrupted: number;
  /** Of those delivered: after a packet that was offered later. */
  readonly reordered: number;
}

/** None were offered. */
export const NO_PACKETS: LinkCounts = {
  offered: 0,
  duplicated: 0,
  delivered: 0,
  lost: 0,
  overflowed: 0,
  underWay: 0,
  corrupted: 0,
  reordered: 0,
};

interface Flight<P> extends LinkOutput<P> {
  readonly order: number;
}

const BITS = 8;
const QUEUE_MS = 200;
const QUEUE_PACKETS_MIN = 10;
const PACKET_BYTES = 1500;
/** More packets than this under way are dropped as by a full queue: memory is bounded. */
const UNDER_WAY_MAX = 200_000;

/**
 * One direction of an injured network: packets of any kind go in, and come out later, twice,
 * overtaken, or never. An engine: it has no clock and no socket, and the same seed, packets and
 * instants give the same fate.
 *
 * In this order a packet is lost, doubled, corrupted, queued before the bottleneck, and delayed.
 */
export class Link<P> {
  readonly #random: Random;
  readonly #flights = new DueQueue<Flight<P>>();
  readonly #counts = {
    offered: 0,
    duplicated: 0,
    delivered: 0,
    lost: 0,
    overflowed: 0,
    corrupted: 0,
    reordered: 0,
  };
  readonly #ready: LinkOutput<P>[] = [];
  #plan: LinkPlan = {};
  #startedAt: Instant | undefined;
  #settings: LinkSettings = {};
  #loss: LossDecider | undefined;
  #delay: DelaySource | undefined;
  /** Until when the bottleneck is busy with what was offered so far. */
  #busyUntil: Instant | undefined;
  #lastDueAt: Instant | undefined;
  #lastDelivered = -1;
  /** Whether its plan asks for nothing at all. */
  #isClear = true;

  /** @throws UsageError ERR_IMPAIRMENT naming the figure that cannot be. */
  constructor(plan: LinkPlan, random: Random) {
    checkPlan(plan);
    this.#random = random;
    this.#follows(plan);
  }

  get counts(): LinkCounts {
    return { ...this.#counts, underWay: this.#flights.size };
  }

  /** Whether it does nothing to packets now, and nothing is under way. */
  get isIdle(): boolean {
    return this.#isClear && this.#flights.size === 0;
  }

  /** When something is due. */
  get nextTimeout(): Instant | undefined {
    return this.#flights.nextDueAt;
  }

  /**
   * Other settings from `now` on, from which the times of its changes count. A plan that says
   * nothing of changes lets those before go on; what is under way stays so.
   *
   * @throws UsageError ERR_IMPAIRMENT.
   */
  change(plan: LinkPlan, now: Instant): void {
    checkPlan(plan);
    const changes = plan.changes ?? this.#changesFrom(now);
    this.#startedAt = now;
    this.#follows(changes.length === 0 ? withoutChanges(plan) : { ...plan, changes });
  }

  /** A packet enters. The first one starts the time of the plan's changes. */
  handlePacket(packet: P, sizeBytes: number, now: Instant): void {
    this.#startedAt ??= now;
    this.#follow(now);
    this.#counts.offered += 1;
    const order = this.#counts.offered;
    if (this.#loss?.() === true) {
      this.#counts.lost += 1;
      return;
    }
    this.#pass({ packet, sizeBytes, order }, now);
    if (!this.#happens(this.#settings.duplicateRatio)) return;
    this.#counts.duplicated += 1;
    this.#pass({ packet, sizeBytes, order }, now);
  }

  handleTimeout(now: Instant): void {
    for (;;) {
      const flight = this.#flights.takeDue(now);
      if (flight === undefined) return;
      this.#ready.push(flight);
      this.#counts.delivered += 1;
      if (flight.isCorrupted) this.#counts.corrupted += 1;
      if (flight.order < this.#lastDelivered) this.#counts.reordered += 1;
      this.#lastDelivered = Math.max(this.#lastDelivered, flight.order);
    }
  }

  takeOutput(): LinkOutput<P> | undefined {
    return this.#ready.shift();
  }

  #follows(plan: LinkPlan): void {
    this.#plan = plan;
    this.#isClear = Object.keys(plan).length === 0;
    this.#use(plan);
  }

  #pass(
    entry: { readonly packet: P; readonly sizeBytes: number; readonly order: number },
    now: Instant,
  ): void {
    const isCorrupted = this.#happens(this.#settings.corruptRatio);
    const leavesAt = this.#throughBottleneck(entry.sizeBytes, now);
    if (leavesAt === undefined || this.#flights.size >= UNDER_WAY_MAX) {
      this.#counts.overflowed += 1;
      return;
    }
    const delayMs = this.#delay?.() ?? 0;
    const skips = this.#happens(this.#settings.reorderRatio);
    let dueAt = skips ? leavesAt : after(leavesAt, delayMs);
    if (this.#settings.keepsOrder === true && this.#lastDueAt !== undefined) {
      dueAt = dueAt < this.#lastDueAt ? this.#lastDueAt : dueAt;
    }
    this.#lastDueAt = dueAt;
    const { packet, order } = entry;
    this.#flights.put({ packet, sentAt: now, dueAt, isCorrupted, order }, dueAt);
  }

  /** When a packet has left the bottleneck; `undefined` where its queue is full. */
  #throughBottleneck(sizeBytes: number, now: Instant): Instant | undefined {
    const { rate } = this.#settings;
    if (rate === undefined) return now;
    const msPerByte = (BITS * 1000) / rate.bitsPerSecond;
    const startsAt = this.#busyUntil !== undefined && this.#busyUntil > now ? this.#busyUntil : now;
    const waitingBytes = elapsedMs(now, startsAt) / msPerByte;
    // The packet on the wire has left the queue: one that finds the link idle always fits.
    if (waitingBytes > 0 && waitingBytes + sizeBytes > queueBytesMax(rate)) return undefined;
    this.#busyUntil = after(startsAt, sizeBytes * msPerByte);
    return this.#busyUntil;
  }

  /** What of the present plan's changes is not over, with its times since `now`. */
  #changesFrom(now: Instant): readonly LinkChange[] {
    const passedMs = elapsedMs(this.#startedAt ?? now, now);
    return (this.#plan.changes ?? [])
      .map((change) => ({ ...change, atMs: change.atMs - passedMs }))
      .filter(({ atMs, durationMs = Number.POSITIVE_INFINITY }) => atMs + durationMs > 0);
  }

  /** The settings that hold at `now`. */
  #follow(now: Instant): void {
    const { changes } = this.#plan;
    if (changes === undefined || this.#startedAt === undefined) return;
    const sinceMs = elapsedMs(this.#startedAt, now);
    let settings: LinkSettings = this.#plan;
    for (const change of changes) {
      const isOver = sinceMs >= change.atMs + (change.durationMs ?? Number.POSITIVE_INFINITY);
      if (sinceMs >= change.atMs && !isOver) settings = { ...settings, ...change.settings };
    }
    this.#use(settings);
  }

  /** Models keep their state as long as they are the same. */
  #use(settings: LinkSettings): void {
    const { loss, delay } = settings;
    if (loss !== this.#settings.loss) {
      this.#loss = loss === undefined ? undefined : lossDecider(loss, this.#random);
    }
    if (delay !== this.#settings.delay) {
      this.#delay = delay === undefined ? undefined : delaySource(delay, this.#random);
    }
    this.#settings = settings;
  }

  #happens(ratio: number | undefined): boolean {
    return ratio !== undefined && ratio > 0 && this.#random() < ratio;
  }
}

function withoutChanges({ changes: _none, ...settings }: LinkPlan): LinkPlan {
  return settings;
}

function queueBytesMax({ bitsPerSecond, queueBytesMax: bytes }: RateLimit): number {
  const byTime = (bitsPerSecond / BITS) * (QUEUE_MS / 1000);
  return bytes ?? Math.max(byTime, QUEUE_PACKETS_MIN * PACKET_BYTES);
}

/** Turns one bit of a packet over, in place. */
export function flipBit(data: Uint8Array, random: Random): void {
  if (data.length === 0) return;
  const bit = Math.floor(random() * data.length * BITS);
  const index = bit >> 3;
  data[index] = (data[index] ?? 0) ^ (1 << (bit & 7));
}
