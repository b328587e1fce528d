const SEQUENCE_SPAN = 0x1_0000;
const HALF_SPAN = 0x8000;

/**
 * The 48-bit index (rollover count · 2¹⁶ + sequence number) that a packet most likely has: the one
 * nearest to the highest so far (RFC 3711 §3.3.1 and Appendix A).
 *
 * @param highest index accepted; -1 before the first packet of a source, which is taken to lie in
 * the first cycle. No index is below 0: a sequence number that would need the cycle before the first
 * is taken as a leap forwards.
 */
export function estimateIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const highestSequence = highest % SEQUENCE_SPAN;
  const cycle = highest - highestSequence;
  if (highestSequence < HALF_SPAN) {
    const isBefore = sequence - highestSequence > HALF_SPAN;
    return isBefore && cycle > 0 ? cycle - SEQUENCE_SPAN + sequence : cycle + sequence;
  }
  const isAfter = highestSequence - HALF_SPAN > sequence;
  return isAfter ? cycle + SEQUENCE_SPAN + sequence : cycle + sequence;
}
