import type { Instant, SidetoneError } from "../../environment/index.ts";
import type { AiEvent, WireDirection } from "../ai-session.ts";

/** What the pump has to do for a protocol engine, in this order. */
export type ProtocolOutput =
  | { readonly kind: "send"; readonly text: string }
  | { readonly kind: "event"; readonly event: AiEvent; readonly arrivedAt: Instant }
  | {
      readonly kind: "wire";
      readonly json: string;
      readonly direction: WireDirection;
      readonly at: Instant;
    }
  /** Leave the present connection, if there is one, and open another. */
  | { readonly kind: "connect" }
  | { readonly kind: "close" };

/**
 * A provider's protocol, client side: an engine without I/O and clock. Messages of the server go
 * in; messages for it, and neutral events, come out of `takeOutput`. Nothing that a server sends
 * makes it throw. See `AiSession` for what the verbs mean.
 */
export interface ProviderProtocol {
  /** Whether messages are also put out as `wire`, for ai.jsonl. */
  isTraced: boolean;
  /** Audio handed to the socket so far. */
  readonly sentAudioMs: number;
  /** What the engine saw and threw away. */
  readonly counts: Readonly<Record<string, number>>;
  /** When `handleTimeout` is due. */
  readonly nextTimeout: Instant | undefined;
  /** The connection is open: whoever has to speak first may. */
  handleOpen(now: Instant): void;
  handleMessage(text: string, now: Instant): void;
  /** Kept for `handleClose`, which says what it means. */
  handleSocketError(error: Error): void;
  handleClose(code: number, reason: string, now: Instant): void;
  handleTimeout(now: Instant): void;
  appendAudio(samples: Int16Array, now: Instant): void;
  truncate(itemId: string, playedMs: number, now: Instant): void;
  cancelResponse(responseId: string, now: Instant): void;
  sendToolResult(id: string, result: string, respond: boolean, now: Instant): void;
  requestResponse(instructions: string | undefined, now: Instant): void;
  /** Ends the session from our side. */
  close(now: Instant): void;
  /** Ends the session because of a fault that the pump found. */
  fail(error: SidetoneError, now: Instant): void;
  /** Removes and returns the oldest output not yet taken. */
  takeOutput(): ProtocolOutput | undefined;
}
