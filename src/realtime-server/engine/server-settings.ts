import type { Faults } from "./faults.ts";
import type { Repertoire } from "./repertoire.ts";

/** What all connections share; looked at anew for each turn, so that it may change in between. */
export interface ServerSettings {
  readonly repertoire: Repertoire;
  /** Overrides the script's delay, not that of a single turn (`afterMs`). */
  readonly answerDelayMs: number | undefined;
  readonly faults: Faults;
}
