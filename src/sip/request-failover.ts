import type {
  AckableIncomingResponseWithSession,
  ClientTransaction,
  IncomingResponseMessage,
  OutgoingRequestMessage,
} from "sip.js/lib/core/index.js";
import { after, type Clock, type Timer } from "../environment/index.ts";

/** What failover asks of the transport, and of whoever else follows a request. */
export interface FailoverHost {
  readonly clock: Clock;
  /** How long a server may keep silent where another one is left. */
  readonly targetTimeoutMs: number;
  /** `undefined` where DNS has not answered yet. */
  hasNextTarget(request: string): boolean | undefined;
  advanceTarget(request: string): boolean;
  /** Stops repeating the request of a transaction that was given up. */
  forget(branch: string): void;
  /** The transaction was replaced; responses that still come belong to it. */
  retire(transaction: ClientTransaction): void;
  /** A request goes to another server: what went wrong with the one before is no news any more. */
  onNextTarget(callId: string): void;
}

/** Members of sip.js's UserAgentClient, some of which TypeScript takes for protected or private. */
interface RequestInternals {
  delegate?: object | undefined;
  readonly message: OutgoingRequestMessage;
  readonly transaction: ClientTransaction;
  receiveResponse: (response: IncomingResponseMessage) => void;
  cancel?: (...parameters: never[]) => unknown;
  dispose: () => void;
  init: () => void;
}

/** The callbacks that a transaction was given. */
interface TransactionUser {
  onRequestTimeout?: () => void;
  onTransportError?: (error: Error) => void;
  receiveResponse?: (response: IncomingResponseMessage) => void;
}

const SERVICE_UNAVAILABLE = 503;

/**
 * Lets a request outside of a dialog go to the next server when one fails (RFC 3263 §4.3): it
 * answers 503, does not answer in time, or cannot be reached. The next request is the same but for
 * its branch: a transaction of its own. Any other answer is the answer, and a request that is
 * being cancelled, or whose call rings already, goes nowhere else.
 */
export function enableFailover(request: unknown, host: FailoverHost): void {
  new RequestFailover(request as RequestInternals, host).start();
}

class RequestFailover {
  readonly #client: RequestInternals;
  readonly #host: FailoverHost;
  readonly #deliver: RequestInternals["receiveResponse"];
  #timer: Timer | undefined;
  #isOver = false;

  constructor(client: RequestInternals, host: FailoverHost) {
    this.#client = client;
    this.#host = host;
    this.#deliver = client.receiveResponse.bind(client);
  }

  start(): void {
    const client = this.#client;
    client.receiveResponse = (response) => this.#handle(response);
    const dispose = client.dispose.bind(client);
    client.dispose = () => {
      this.#finish();
      dispose();
    };
    const cancel = client.cancel?.bind(client);
    if (cancel !== undefined) {
      client.cancel = (...parameters) => {
        this.#finish();
        return cancel(...parameters);
      };
    }
    this.#armTimer();
  }

  #handle(response: IncomingResponseMessage): void {
    const { statusCode = 0 } = response;
    if (statusCode > 100 && statusCode < 300) this.#finish();
    else if (isFailure(response) && !this.#isOver && this.#goOn(isFromPeer(response))) return;
    else this.#timer?.cancel();
    this.#deliver(response);
  }

  /** @param isAnswered the server answered, so that its transaction has to acknowledge that. */
  #goOn(isAnswered: boolean): boolean {
    const client = this.#client;
    const { message, transaction: given } = client;
    if (!this.#host.advanceTarget(message.toString())) return false;
    this.#timer?.cancel();
    if (!isAnswered) this.#host.forget(given.id);
    this.#leave(given);
    this.#host.retire(given);
    this.#host.onNextTarget(message.callId);
    client.init();
    this.#armTimer();
    return true;
  }

  /**
   * The server may still answer. Nothing that it says matters any more, but a call that it takes
   * has to be acknowledged and ended (RFC 3261 §13.2.2.4), or it would be in one that nobody has.
   */
  #leave(transaction: ClientTransaction): void {
    keepAck(transaction, this.#client.message);
    const { _user: user } = transaction as unknown as { readonly _user: TransactionUser };
    user.onRequestTimeout = () => {};
    user.onTransportError = () => {};
    user.receiveResponse = (response) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode >= 300) return;
      const client = this.#client;
      const { delegate } = client;
      client.delegate = { onAccept: endAtOnce };
      this.#deliver(response);
      client.delegate = delegate;
    };
  }

  #armTimer(): void {
    const { clock, targetTimeoutMs } = this.#host;
    this.#timer = clock.setTimer(after(clock.now(), targetTimeoutMs), () => {
      const hasNext = this.#host.hasNextTarget(this.#client.message.toString());
      if (hasNext === true) this.#goOn(false);
      else if (hasNext === undefined && !this.#isOver) this.#armTimer();
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}

/**
 * sip.js writes the ACK of a rejection that is repeated from its request, which has the branch of
 * another transaction by then.
 */
function keepAck(transaction: ClientTransaction, request: OutgoingRequestMessage): void {
  const inner = transaction as unknown as { ack?: (response: IncomingResponseMessage) => void };
  const ack = inner.ack?.bind(transaction);
  const via = request.getHeader("via") ?? "";
  if (ack === undefined) return;
  inner.ack = (response) => {
    const present = request.getHeader("via") ?? "";
    request.setHeader("via", via);
    ack(response);
    request.setHeader("via", present);
  };
}

/** Requests other than INVITE have nothing to end. */
function endAtOnce(response: Partial<AckableIncomingResponseWithSession>): void {
  response.ack?.();
  response.session?.bye();
}

/** A 503, or what sip.js makes up where there was no answer (408) or no way (503). */
function isFailure(response: IncomingResponseMessage): boolean {
  return (
    response.statusCode === SERVICE_UNAVAILABLE ||
    (response.statusCode === 408 && !isFromPeer(response))
  );
}

function isFromPeer(response: IncomingResponseMessage): boolean {
  return (response as { data?: string }).data !== undefined;
}
