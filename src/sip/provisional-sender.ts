import type {
  Body,
  IncomingInviteRequest,
  IncomingPrackRequest,
  IncomingRequestMessage,
  Session,
} from "sip.js/lib/core/index.js";
import { after, elapsedMs, type Instant, type Timer } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";

/** A provisional response that is to be sent. */
export interface Provisional {
  readonly statusCode: number;
  readonly body?: Body | undefined;
  readonly isReliable: boolean;
  readonly extraHeaders: readonly string[];
}

/** What a PRACK is answered with. */
export interface PrackAnswer {
  readonly statusCode: number;
  readonly body?: Body;
}

/** Whose provisional responses they are. */
export interface ProvisionalOwner {
  readonly context: CallContext;
  readonly request: IncomingInviteRequest;
  /** It has left the socket, and made its dialog. */
  readonly onSent: (provisional: Provisional, session: Session, at: Instant) => void;
  /** PRACK came for it; what is returned answers that. */
  readonly onPrack: (provisional: Provisional, message: IncomingRequestMessage) => PrackAnswer;
  /** No response with a description waits any more. */
  readonly onSettled: () => void;
  /** None came within 64·T1. */
  readonly onUnacknowledged: () => void;
}

interface Waiting {
  readonly provisional: Provisional;
  readonly rseq: number;
  readonly since: Instant;
  intervalMs: number;
}

const T1_MS = 500;
const CALL_DOES_NOT_EXIST = 481;
/** RFC 3262 §3: the first number is at random, so that none can be guessed. */
const FIRST_RSEQ_LIMIT = 2 ** 31 - 1;

/**
 * Sends the provisional responses of a call that we got, reliably where that is wanted: each again
 * until its PRACK comes, and one after the other (RFC 3262 §3).
 */
export class ProvisionalSender {
  readonly #owner: ProvisionalOwner;
  readonly #queue: Provisional[] = [];
  #waiting: Waiting | undefined;
  #timer: Timer | undefined;
  #lastRseq: number;
  #hasStopped = false;

  constructor(owner: ProvisionalOwner) {
    this.#owner = owner;
    this.#lastRseq = 1 + Math.floor(owner.context.random() * (FIRST_RSEQ_LIMIT - 1024));
  }

  /** Whether a description went out reliably and was not acknowledged yet: no 2xx may follow. */
  get awaitsPrack(): boolean {
    return [this.#waiting?.provisional, ...this.#queue].some((each) => each?.body !== undefined);
  }

  /** Sends it, or does so once those before it were acknowledged. */
  send(provisional: Provisional): void {
    this.#queue.push(provisional);
    this.#sendNext();
  }

  /** A final response goes out: nothing is repeated any more (RFC 3262 §3). */
  stop(): void {
    this.#hasStopped = true;
    this.#queue.length = 0;
    this.#timer?.cancel();
  }

  /** RFC 3262 §3: a PRACK that matches no response waiting for one gets 481. */
  handlePrack(request: IncomingPrackRequest): void {
    const { message } = request;
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#isFor(waiting, message)) {
      request.reject({ statusCode: CALL_DOES_NOT_EXIST });
      return;
    }
    this.#waiting = undefined;
    this.#timer?.cancel();
    const { statusCode, body } = this.#owner.onPrack(waiting.provisional, message);
    if (statusCode >= 300) request.reject({ statusCode });
    else request.accept({ statusCode, ...(body === undefined ? {} : { body }) });
    this.#sendNext();
    if (!this.awaitsPrack) this.#owner.onSettled();
  }

  #isFor({ rseq }: Waiting, message: IncomingRequestMessage): boolean {
    const { cseq } = this.#owner.request.message;
    const rack = (message.getHeader("RAck") ?? "").trim().split(/\s+/);
    return Number(rack[0]) === rseq && Number(rack[1]) === cseq && rack[2] === "INVITE";
  }

  #sendNext(): void {
    if (this.#hasStopped || this.#waiting !== undefined) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    if (!next.isReliable) {
      this.#transmit(next, []);
      this.#sendNext();
      return;
    }
    this.#lastRseq += 1;
    const since = this.#owner.context.clock.now();
    this.#waiting = { provisional: next, rseq: this.#lastRseq, since, intervalMs: T1_MS };
    this.#transmit(next, reliableHeaders(this.#lastRseq));
    this.#arm(this.#waiting);
  }

  #transmit(provisional: Provisional, reliability: readonly string[]): void {
    const { context, request, onSent } = this.#owner;
    let session: Session | undefined;
    const at = context.sentAt(() => {
      session = this.#reply(request, provisional, reliability);
    });
    if (session !== undefined) onSent(provisional, session, at);
  }

  #reply(
    request: IncomingInviteRequest,
    { statusCode, body, extraHeaders }: Provisional,
    reliability: readonly string[],
  ): Session {
    const response = request.progress({
      statusCode,
      extraHeaders: [...extraHeaders, ...reliability],
      ...(body === undefined ? {} : { body }),
    });
    return response.session;
  }

  /** RFC 3262 §3: after T1, then twice as long each time, for 64·T1 in all. */
  #arm(waiting: Waiting): void {
    const { clock } = this.#owner.context;
    this.#timer = clock.setTimer(after(clock.now(), waiting.intervalMs), () => {
      if (elapsedMs(waiting.since, clock.now()) >= TRANSACTION_TIMEOUT_MS) {
        this.#waiting = undefined;
        this.#owner.onUnacknowledged();
        return;
      }
      const { provisional, rseq } = waiting;
      this.#reply(this.#owner.request, provisional, reliableHeaders(rseq));
      waiting.intervalMs *= 2;
      this.#arm(waiting);
    });
  }
}

function reliableHeaders(rseq: number): string[] {
  return ["Require: 100rel", `RSeq: ${rseq}`];
}
