import type { Instant } from "../environment/index.ts";
import type { RecordedAudio } from "../measure/index.ts";
import type { Party } from "../timeline/index.ts";

/** What is known of a call from its first message on. */
export interface CallIdentity {
  /** The SIP Call-ID: joins both parties' facts. */
  readonly callId: string;
  readonly party: Party;
  readonly direction: "outbound" | "inbound";
  readonly local: string;
  readonly remote: string;
  /**
   * Why there is this call beside another one: it came of a transfer (placed for a REFER, or offered
   * with Referred-By or Replaces), or the target of one is asked first.
   */
  readonly purpose?: "transferred" | "consultation";
  /** Milliseconds since 1970, for people only. */
  readonly startedAtWallMs: number;
}

/** What one party's side of a call leaves, beside its facts. */
export interface CallArtifacts {
  readonly identity: CallIdentity;
  readonly audio?: RecordedAudio;
  readonly pcap?: Uint8Array;
  /** The same with its media decrypted, where they were encrypted. */
  readonly plainPcap?: Uint8Array;
  /** One JSON object per line: the AI's events in both directions, redacted. */
  readonly aiEvents?: string;
}

/** An instant of the monotonic clock and what the wall clock showed then. */
export interface WallClockAnchor {
  readonly at: Instant;
  readonly wallClockMs: number;
}
