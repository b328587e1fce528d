import type { Instant } from "../../environment/index.ts";
import type { StallCause } from "../ai-path.ts";

/** Bytes of the stream: the first one, and the one after the last; counted from 0 without end. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** What a packet says of what its sender has received. */
export interface Acknowledgement {
  /** All before this byte has come. */
  readonly next: number;
  /** What came beyond it (RFC 2018), the latest first; at most four. */
  readonly selective: readonly ByteRange[];
  /** What came twice (RFC 2883). */
  readonly duplicate?: ByteRange;
  /** The timestamp of what is acknowledged (RFC 7323). */
  readonly echo: Instant;
}

/** A data segment as it is sent. */
export interface DataSegment extends ByteRange {
  readonly sentAt: Instant;
  /** Ends a write of the application (PSH). */
  readonly isPushed: boolean;
  /** Why it is sent again, where it is; or why it was sent late. */
  readonly cause?: StallCause;
}

/** A segment that was sent and is not acknowledged by number. */
export interface SentSegment extends ByteRange {
  sentAt: Instant;
  readonly isPushed: boolean;
  isSacked: boolean;
  isLost: boolean;
  /** Sent again since it was last taken for lost. */
  isSentAgain: boolean;
  /** Sent again at any time. */
  wasSentAgain: boolean;
}
