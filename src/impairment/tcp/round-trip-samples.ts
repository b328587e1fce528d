import type { Instant } from "../../environment/index.ts";
import type { SentSegment } from "./segment.ts";

/** When segments were sent that an acknowledgement tells the round trip of. */
export interface RoundTripSample {
  /** The first of them: for the smoothed round trip; it holds the wait for a delayed answer. */
  readonly firstSentAt: Instant;
  /** The last of them: for the least round trip. */
  readonly lastSentAt: Instant;
  /** The first that was acknowledged selectively. */
  readonly sackedFirst: SentSegment | undefined;
}

/**
 * Which segments tell the round trip (`tcp_clean_rtx_queue`): those that were sent once, by number
 * before selectively, and by the timestamp's echo where there are none (RFC 7323 §4).
 */
export function roundTripSample(
  acked: readonly SentSegment[],
  sacked: readonly SentSegment[],
  echo: Instant,
): RoundTripSample | undefined {
  const isClean = acked.every(({ wasSentAgain }) => !wasSentAgain);
  const fresh = isClean ? acked.filter(({ isSacked }) => !isSacked) : [];
  const selective = sacked.filter(({ wasSentAgain }) => !wasSentAgain);
  const [sackedFirst] = selective;
  const firstSentAt = (fresh[0] ?? sackedFirst)?.sentAt ?? (acked.length > 0 ? echo : undefined);
  if (firstSentAt === undefined) return undefined;
  const lastSentAt = (selective.at(-1) ?? fresh.at(-1))?.sentAt ?? firstSentAt;
  return { firstSentAt, lastSentAt, sackedFirst };
}
