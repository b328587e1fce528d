import type { Instant } from "../environment/index.ts";

/**
 * Who recorded a fact: the agent that placed the call, or the agent that answered it. Both ends
 * of one call may stand on one timeline, joined by the SIP Call-ID, where both are ours.
 */
export type Party = "caller" | "bot";

/** What every fact has. `at` is when it happened at the socket, never when it was written. */
export interface FactBase {
  readonly at: Instant;
  readonly party: Party;
}
