import {
  after,
  type Clock,
  type Instant,
  type Logger,
  present,
  type Random,
  type SidetoneError,
  type Timer,
} from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { LateNotifies } from "./late-notifies.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { SipCore } from "./sip-core.ts";
import type { TransportLayer } from "./transport-layer.ts";

/** What contexts are made of. */
interface ContextParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly core: SipCore;
  readonly transport: Pick<TransportLayer, "messageInstant" | "sentAt" | "forget">;
  readonly lateNotifies: LateNotifies;
  readonly guard: (action: () => void) => void;
}

/** Those of calls that are over already are never asked for, so their number is bounded. */
const SEND_FAILURES_LIMIT = 1024;

/** Why requests could not be sent, until somebody asks: by Call-ID. */
export class SendFailures {
  readonly #logger: Logger;
  readonly #errors = new Map<string, SidetoneError>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(callId: string, error: SidetoneError): void {
    this.#logger.warn("A SIP request could not be sent.", { code: error.code });
    if (this.#errors.size >= SEND_FAILURES_LIMIT) this.#errors.clear();
    this.#errors.set(callId, error);
  }

  take(callId: string): SidetoneError | undefined {
    const error = this.#errors.get(callId);
    this.#errors.delete(callId);
    return error;
  }

  forget(callId: string): void {
    this.#errors.delete(callId);
  }
}

/** What calls, registrations and single requests ask of their endpoint. */
export class CallContexts {
  readonly #parts: ContextParts;
  readonly #failures: SendFailures;
  /** Timers that would outlive whoever set them. */
  readonly #lingering = new Set<Timer>();

  constructor(parts: ContextParts, failures: SendFailures) {
    this.#parts = parts;
    this.#failures = failures;
  }

  open(onEnded: () => void): CallContext {
    const { core, clock, random, logger, transport, lateNotifies, guard } = this.#parts;
    return {
      core,
      clock,
      random,
      logger,
      messageInstant: () => transport.messageInstant,
      sentAt: (action) => transport.sentAt(action),
      forgetRequest: (request) => {
        core.forgetRequest(request);
        transport.forget(present(request.message.branch, "it was sent, so it has a branch"));
      },
      forgetRequestLater: (request) => {
        const dueAt = after(clock.now(), 2 * TRANSACTION_TIMEOUT_MS);
        return this.#setTimer(dueAt, () => core.forgetRequest(request));
      },
      setTimer: (dueAt, handler) => this.#setTimer(dueAt, handler),
      expectNotify: (dialogId, handler) => lateNotifies.expect(dialogId, handler),
      takeSendFailure: (callId) => this.#failures.take(callId),
      guard,
      onEnded,
    };
  }

  /** The endpoint closes. */
  cancelTimers(): void {
    for (const timer of this.#lingering) timer.cancel();
  }

  /** A timer that ends with the endpoint, at the latest. */
  #setTimer(dueAt: Instant, handler: () => void): Timer {
    const timer = this.#parts.clock.setTimer(dueAt, () => {
      this.#lingering.delete(timer);
      handler();
    });
    this.#lingering.add(timer);
    return {
      cancel: () => {
        this.#lingering.delete(timer);
        timer.cancel();
      },
    };
  }
}
