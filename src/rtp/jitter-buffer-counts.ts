/**
 * What became of the packets, in the words of RFC 3611 §4.7.1. At every instant
 * `received = played + late + discarded + duplicate + other + bufferedPackets` and
 * `expected = received − duplicate + lost`.
 */
export interface JitterBufferCounts {
  /** All packets of the stream, whatever their payload. */
  received: number;
  played: number;
  /** Came after their playout time. */
  late: number;
  /** In time, but thrown away: no room, two for one time, skipped, or left over at the end. */
  discarded: number;
  duplicate: number;
  /** Not audio: telephone events. */
  other: number;
  /** Came after a packet with a higher sequence number. */
  reordered: number;
  /** Sequence numbers up to the highest that have not come; one that comes late after all has. */
  lost: number;
  /** From the lowest to the highest sequence number, over all sources (RFC 3550 A.3). */
  expected: number;
  /** Time put into playout, in silence, audio or concealment, to follow delay and drift. */
  insertedMs: number;
  /** Time left out of playout. */
  skippedMs: number;
  /** How much too late the latest of the late ones was. */
  latenessMsMax: number;
}

/** How long packets waited between arrival and playout. */
export interface WaitStatistics {
  readonly meanMs: number;
  readonly maxMs: number;
}

/** All counts at 0. */
export function noCounts(): JitterBufferCounts {
  return {
    received: 0,
    played: 0,
    late: 0,
    discarded: 0,
    duplicate: 0,
    other: 0,
    reordered: 0,
    lost: 0,
    expected: 0,
    insertedMs: 0,
    skippedMs: 0,
    latenessMsMax: 0,
  };
}
