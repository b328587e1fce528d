import type { OutgoingRequest } from "sip.js/lib/core/index.js";
import type { Clock, Instant, Logger, Random, SidetoneError, Timer } from "../environment/index.ts";
import type { NotifyRequest } from "./refer-notification.ts";
import type { SipCore } from "./sip-core.ts";

/** What one call asks of its endpoint. */
export interface CallContext {
  readonly core: SipCore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The arrival of the message that is being handled, else the present. */
  messageInstant(): Instant;
  /** Runs `action`, which sends a message, and returns when that left the socket. */
  sentAt(action: () => void): Instant;
  /** Ends a client transaction that would never end by itself. */
  forgetRequest(request: OutgoingRequest): void;
  /** Does so in 2·64·T1, in case that it has not ended by then. */
  forgetRequestLater(request: OutgoingRequest): Timer;
  /** Why a request of this call could not be sent, or its challenge not be answered; once. */
  takeSendFailure(callId: string): SidetoneError | undefined;
  /** Runs code of the user; what it throws is logged and counted. */
  guard(action: () => void): void;
  /** Calls `handler` at `dueAt`, also after the call, but not after the endpoint was closed. */
  setTimer(dueAt: Instant, handler: () => void): Timer;
  /** From now on NOTIFYs of this dialog, which has ended, go to `handler`. */
  expectNotify(dialogId: string, handler: (notify: NotifyRequest) => void): void;
  /** The call has ended. */
  onEnded(): void;
}
