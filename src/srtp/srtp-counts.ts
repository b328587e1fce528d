import type { SrtpRejectionName } from "./rejection.ts";

/** What became of the packets: each is counted once. */
export type SrtpCounts = Readonly<MutableSrtpCounts>;

/** As `SrtpCounts`, for the one who counts. */
export type MutableSrtpCounts = Record<SrtpRejectionName | "accepted", number>;

/** All zero. */
export function emptyCounts(): MutableSrtpCounts {
  return {
    accepted: 0,
    malformed: 0,
    authenticationFailed: 0,
    replayed: 0,
    tooOld: 0,
    unencrypted: 0,
    unknownKey: 0,
    tooManySources: 0,
    keyExhausted: 0,
  };
}
