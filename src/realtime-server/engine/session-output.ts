import type { Instant } from "../../environment/index.ts";
import type { ServerEventDraft } from "./server-event.ts";

/** What a session wants done; in order. A truth comes before the message that it is about. */
export type SessionOutput =
  | {
      readonly kind: "message";
      readonly text: string;
      /** Default: a text frame. */
      readonly frame?: "binary";
    }
  | { readonly kind: "truth"; readonly draft: ServerEventDraft }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/**
 * The server's end of one connection, whichever protocol it speaks: messages go in with their
 * instant, outputs are drained by the caller, who arms one timer for `nextTimeout`. Nothing that a
 * client sends makes it throw.
 */
export interface SessionEngine {
  readonly nextTimeout: Instant | undefined;
  takeOutput(): SessionOutput | undefined;
  /** Learns when a truth, and with it the message that it is about, was handed to the socket. */
  handleSent(draft: ServerEventDraft, at: Instant): void;
  handleTimeout(now: Instant): void;
  handleMessage(text: string, now: Instant): void;
}
