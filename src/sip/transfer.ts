import type { Instant } from "../environment/index.ts";
import type { DialogIdentity, NamedDialog } from "./replaces.ts";

/** What a transferor asks its peer for. */
export interface ReferRequest {
  /** Whom the peer shall call: a SIP URI without headers. */
  readonly target: string;
  /** A dialog of ours with that target, which the peer's new call shall take the place of. */
  readonly replaces?: DialogIdentity;
  /** How long to wait for the end of it, from the REFER on; default: as long as the peer says. */
  readonly timeoutMs?: number;
  /** What becomes of it on the way. */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/** A transfer of ours that is under way. `at` is when the message crossed the socket. */
export interface TransferProgress {
  /** `requested` REFER sent · `accepted` 2xx · `progress` a NOTIFY with a provisional status. */
  readonly type: "requested" | "accepted" | "progress";
  readonly at: Instant;
  readonly statusCode?: number;
  readonly reasonPhrase?: string;
}

/**
 * How a transfer of ours ended: `completed` the new call was answered; `failed` it got another final
 * status; `refused` the peer would not even try; `timedOut` REFER or NOTIFYs were waited for in
 * vain; `unreported` the peer went ahead, but does not say how it went (RFC 4488, an ended
 * subscription, or the call ended first).
 */
export interface TransferOutcome {
  readonly result: "completed" | "failed" | "refused" | "timedOut" | "unreported";
  readonly at: Instant;
  /** Of the new call, or of the refusal. */
  readonly statusCode?: number;
  readonly reasonPhrase?: string;
}

/** A peer asks us to place a call (RFC 3515). */
export interface ReceivedRefer {
  /** Whom to call. */
  readonly target: string;
  /** The dialog between the peer and the target that the new call is to take the place of. */
  readonly replaces?: NamedDialog;
  /** Header lines that the new call's INVITE has to carry: Referred-By, Replaces, Require. */
  readonly headers: readonly string[];
  readonly at: Instant;
}

/** Tells the transferor how the new call fares; after a final status nothing more is told. */
export type ReportStatus = (statusCode: number, reasonPhrase?: string) => void;

/** Refused with a final status of 300 to 699; or accepted, and `follow` called after our 202. */
export type ReferDecision =
  | { readonly statusCode: number }
  | { readonly follow: (report: ReportStatus) => void };

/** Decides on a REFER of the peer at once: its transaction does not wait (RFC 4320). */
export type ReferListener = (refer: ReceivedRefer) => ReferDecision;
