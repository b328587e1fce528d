import type { IncomingInviteRequest } from "sip.js/lib/core/index.js";
import {
  after,
  type Clock,
  type Cryptography,
  type DatagramSocket,
  errorText,
  type Instant,
  type Logger,
  type Network,
  present,
  type Random,
  type SidetoneError,
  type SocketAddress,
  type Timer,
  UsageError,
} from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { DialPolicy } from "./dial-policy.ts";
import { EndedDialogs, replacementFor } from "./dialog-replacement.ts";
import type { SipCredentials } from "./digest-client.ts";
import { EndpointIdentity, type IdentityOptions } from "./endpoint-identity.ts";
import { FaultPump } from "./fault-pump.ts";
import { applyFixes, setLocalTag } from "./fixes.ts";
import { IncomingCall } from "./inbound-call.ts";
import { LateNotifies } from "./late-notifies.ts";
import type { InjectedFault, MessageFault } from "./message-faults.ts";
import { MessageIntake } from "./message-intake.ts";
import { type OpenTransports, openTransports } from "./open-transport.ts";
import { type OptionsAnswer, OptionsQuery } from "./options-query.ts";
import { type CallOptions, OutgoingCall } from "./outbound-call.ts";
import type { Registrar } from "./registrar.ts";
import type { Registration, RegistrationOptions } from "./registration.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { InboundCall, OutboundCall } from "./sip-call.ts";
import { SipCore } from "./sip-core.ts";
import type { SipSettings } from "./sip-settings.ts";
import type { SipTrace } from "./sip-trace.ts";
import { parseTarget } from "./sip-uri.ts";
import type { TransportLayer } from "./transport-layer.ts";
import { isUserInfo } from "./wire-uri.ts";

/** What an endpoint is made of. */
export interface SipEndpointOptions extends IdentityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly cryptography: Cryptography;
  /** Where to bind; port 0 lets the host choose. Not a wildcard: peers are told this address. */
  readonly local: SocketAddress;
  /** The user part of our URI: whom others call. */
  readonly user: string;
  readonly displayName?: string;
  /** The User-Agent header. */
  readonly userAgent: string;
  readonly onTrace?: (trace: SipTrace) => void;
  /** A fault that was asked for happened to a message of this call. */
  readonly onInjected?: (callId: string, fault: InjectedFault) => void;
  /** Transports, their sockets and certificates; default UDP and TCP at `local`. */
  readonly sip?: SipSettings;
  /** A UDP socket that is bound already: the only one that is used. */
  readonly socket?: DatagramSocket;
  /** Call-IDs that we may give out; default: all. For several endpoints at one address. */
  readonly ownsCallId?: (callId: string) => boolean;
  /** Hosts beside loopback that requests may be sent to; see `DialPolicy`. */
  readonly allow?: readonly string[];
  /** Where calls are counted, and refused when there are too many. */
  readonly ledger?: CallLedger;
}

/** Counts calls. What its methods return is called once when the call has ended. */
export interface CallLedger {
  /** We are about to place a call. @throws UsageError where no more may be placed. */
  enterPlaced(): () => void;
  /** Somebody calls us. */
  enterTaken(): () => void;
}

/** What an endpoint still holds; all 0 within 35 s after its last call, or something leaks. */
export interface SipLiveState {
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
  /** Messages that may be repeated yet, or are held back on purpose. */
  readonly retransmissions: number;
}

/** What went wrong without belonging to a call. */
export interface SipFaultCounts {
  /** What came and was no valid SIP message. */
  readonly malformed: number;
  /** Exceptions while a message was handled, or thrown by a listener: bugs, ours or theirs. */
  readonly exceptions: number;
}

/** How long `close` waits for the peers' answers. */
const CLOSE_LIMIT_MS = 2000;
/** Of one of several servers; see `SipSettings.serverTimeoutMs`. */
const SERVER_TIMEOUT_MS = 4000;
/** Those of calls that are over already are never asked for, so their number is bounded. */
const SEND_FAILURES_LIMIT = 1024;
/** As many as are likely to be asked for once more: see RFC 3891 §3. */
const ENDED_DIALOGS_LIMIT = 256;
const SERVER_INTERNAL_ERROR = 500;
const TEMPORARILY_UNAVAILABLE = 480;
const CALL_DOES_NOT_EXIST = 481;
const DECLINE = 603;

/**
 * A SIP user agent (RFC 3261) over UDP, TCP, TLS and WebSocket: places and takes any number of
 * calls at a time.
 *
 * Nothing that comes from the network is thrown; it arrives as an event of a call, in the trace or
 * in `counts`.
 */
export class SipEndpoint {
  readonly local: SocketAddress;
  /** Our own URI: sip:user@ip:port, with the transport where that is not UDP. */
  readonly uri: string;
  /** Called for each new call; where it is not set, callers get 480. */
  onInvite: ((call: InboundCall) => void) | undefined;
  readonly #options: SipEndpointOptions;
  readonly #core: SipCore;
  readonly #transport: TransportLayer;
  readonly #intake: MessageIntake;
  readonly #identity: EndpointIdentity;
  readonly #faults: FaultPump;
  readonly #calls = new Set<OutgoingCall | IncomingCall>();
  readonly #outgoing = new Map<string, OutgoingCall>();
  readonly #liveCallIds = new Set<string>();
  readonly #queries = new Set<OptionsQuery>();
  readonly #lingering = new Set<Timer>();
  readonly #sendFailures = new Map<string, SidetoneError>();
  readonly #ended = new EndedDialogs(ENDED_DIALOGS_LIMIT);
  readonly #lateNotifies: LateNotifies;
  #exceptions = 0;
  #closed: Promise<void> | undefined;

  /**
   * Binds the sockets.
   * @throws EnvironmentError ERR_PORT_IN_USE, ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED; UsageError
   *   ERR_SIP_USER_MALFORMED, ERR_ADDRESS_UNSPECIFIED, ERR_SIP_TRANSPORT, ERR_TLS_MATERIAL.
   */
  static async open(options: SipEndpointOptions): Promise<SipEndpoint> {
    checkOptions(options);
    requireServer(options);
    applyFixes();
    return new SipEndpoint(options, await openTransports(options));
  }

  private constructor(options: SipEndpointOptions, transports: OpenTransports) {
    this.#options = options;
    this.local = transports.local;
    this.uri = transports.uri;
    this.#faults = new FaultPump(options.clock, options.onInjected ?? (() => {}));
    this.#transport = transports.connect({
      faults: this.#faults,
      onMessage: (crossing) => this.#guard(() => this.#intake.handleMessage(crossing)),
      onSendFailed: (callId, error) => this.#noteSendFailure(callId, error),
      isLive: (callId) => this.#liveCallIds.has(callId),
    });
    this.#core = new SipCore(
      {
        ...options,
        local: this.local,
        displayName: options.displayName ?? "",
        transport: this.#transport,
        dialPolicy: new DialPolicy(options.allow),
        outboundProxy: options.sip?.outboundProxy,
        failover: {
          targetTimeoutMs: options.sip?.serverTimeoutMs ?? SERVER_TIMEOUT_MS,
          hasNextTarget: (request) => this.#transport.hasNextTarget(request),
          advanceTarget: (request) => this.#transport.advanceTarget(request),
          forget: (branch) => this.#transport.forget(branch),
          onNextTarget: (callId) => this.#sendFailures.delete(callId),
        },
      },
      {
        onInvite: (request) => this.#handleInvite(request),
        // RFC 6665 §4.1.3: we have no subscription that it could belong to.
        onNotify: (request) => request.reject({ statusCode: CALL_DOES_NOT_EXIST }),
        // RFC 3515 §2.4.2: only who is in a call with us may refer us.
        onRefer: (request) => request.reject({ statusCode: DECLINE }),
      },
    );
    this.#lateNotifies = new LateNotifies(this.#core);
    this.#identity = new EndpointIdentity(options);
    this.#intake = new MessageIntake({
      core: this.#core,
      logger: options.logger,
      now: () => this.#transport.messageInstant,
      isOurs: (via, channel) => this.#transport.isOurs(via, channel),
      callOf: (callId) => this.#outgoing.get(callId),
      takeRequest: (message) => this.#lateNotifies.take(message),
      ...this.#identity.serverRoles,
    });
    this.#identity.attach(this.#core, {
      outgoingCall: (callId) => this.#outgoing.get(callId),
      onRefused: (callId, error) => this.#noteSendFailure(callId, error),
    });
  }

  /** Where others are registered, if we are their registrar. */
  get registrar(): Registrar | undefined {
    return this.#identity.registrar;
  }

  get liveState(): SipLiveState {
    return {
      calls: this.#calls.size,
      dialogs: this.#core.dialogs.size,
      transactions: this.#core.userAgentClients.size + this.#core.userAgentServers.size,
      retransmissions: this.#transport.retransmissionCount + this.#faults.pendingCount,
    };
  }

  /** What goes wrong on purpose in calls that come in from now on. */
  set inboundFaults(faults: readonly MessageFault[]) {
    this.#faults.inbound = faults;
  }

  get counts(): SipFaultCounts {
    return {
      malformed: this.#intake.malformedCount + this.#transport.garbageCount,
      exceptions: this.#exceptions,
    };
  }

  /**
   * Places a call. Whatever goes wrong from here on arrives as its `ended` event, never before
   * this returns.
   * @throws UsageError ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED, ERR_TARGET_NOT_ALLOWED,
   *   ERR_NUMBER_REFUSED, ERR_HEADER_MALFORMED, ERR_HEADER_RESERVED, ERR_ENDPOINT_CLOSED, and what
   *   the ledger throws.
   */
  call(target: string, options: CallOptions): OutboundCall {
    this.#assertOpen();
    let leave: (() => void) | undefined;
    const call = new OutgoingCall(
      this.#context(() => {
        leave?.();
        this.#outgoing.delete(call.callId);
        this.#forget(call);
        this.#sendFailures.delete(call.callId);
      }),
      parseTarget(target),
      options,
    );
    // Made, checked and counted, in this order; the first packet leaves at `start`.
    leave = this.#options.ledger?.enterPlaced();
    this.#faults.arm(call.callId, options.faults ?? []);
    this.#keep(call);
    this.#outgoing.set(call.callId, call);
    call.start(options.ringTimeoutMs);
    return call;
  }

  /**
   * Asks a peer for its capabilities (RFC 3261 §11): whether it is there at all. Any final response
   * is an answer.
   * @throws RemoteError ERR_SIP_NO_RESPONSE; EnvironmentError or RemoteError where the request could
   *   not be sent; UsageError as `call`.
   */
  queryOptions(target: string, timeoutMs: number): Promise<OptionsAnswer> {
    this.#assertOpen();
    const uri = parseTarget(target);
    this.#core.dialPolicy.require(uri);
    const query: OptionsQuery = new OptionsQuery(
      this.#context(() => this.#queries.delete(query)),
      uri,
    );
    this.#queries.add(query);
    return query.run(timeoutMs);
  }

  /** From now on we are these to whoever asks. */
  useCredentials(accounts: readonly SipCredentials[]): void {
    this.#identity.useCredentials(accounts);
  }

  /**
   * Registers an address of ours and keeps it registered (RFC 3261 §10.2), until it, or the
   * endpoint, is closed. Requests from now on come from that address.
   * @throws UsageError as `call`.
   */
  register(options: RegistrationOptions): Registration {
    this.#assertOpen();
    this.#core.dialPolicy.require(parseTarget(options.registrar));
    return this.#identity.register((onEnded) => this.#context(onEnded), options);
  }

  /**
   * Takes registrations back, ends all calls with BYE, CANCEL or 480, waits 2 s at most for the peers' answers and closes the
   * socket. Afterwards nothing of the endpoint keeps the process alive.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.onInvite = undefined;
    this.#faults.disarm();
    for (const query of this.#queries) query.abandon();
    const ends = [...this.#calls].map((call) => call.shutDown());
    await this.#limited(Promise.all([...ends, this.#identity.shutDown()]));
    this.#identity.abandon();
    for (const call of this.#calls) call.abandon();
    for (const timer of this.#lingering) timer.cancel();
    // Disposes all dialogs and transactions, and with them sip.js's timers.
    this.#core.reset();
    await this.#transport.close();
  }

  /** Waits for `work`, but not longer than `CLOSE_LIMIT_MS`. */
  #limited(work: Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(after(clock.now(), CLOSE_LIMIT_MS), resolve);
      void work.finally(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #handleInvite(request: IncomingInviteRequest): void {
    const listener = this.onInvite;
    setLocalTag(request, this.#core.newTag());
    if (listener === undefined) {
      request.reject({ statusCode: TEMPORARILY_UNAVAILABLE });
      return;
    }
    const replacement = replacementFor(request.message, this.#calls, this.#ended);
    if (replacement.kind === "refused") {
      request.reject({ statusCode: replacement.statusCode });
      return;
    }
    // Stops the caller from repeating its INVITE while we ring (RFC 3261 §17.2.1).
    request.trying();
    const leave = this.#options.ledger?.enterTaken();
    const call: IncomingCall = new IncomingCall(
      this.#context(() => {
        leave?.();
        this.#forget(call);
      }),
      request,
      replacement.kind === "replaces" ? replacement.call : undefined,
    );
    this.#keep(call);
    this.#guard(() => {
      try {
        listener(call);
      } catch (error) {
        if (call.state === "early") call.reject(SERVER_INTERNAL_ERROR);
        throw error;
      }
    });
  }

  #keep(call: OutgoingCall | IncomingCall): void {
    this.#calls.add(call);
    this.#liveCallIds.add(call.callId);
  }

  #forget(call: OutgoingCall | IncomingCall): void {
    this.#faults.handleCallEnded(call.callId);
    this.#calls.delete(call);
    this.#liveCallIds.delete(call.callId);
    if (call.dialog !== undefined) this.#ended.add(call.dialog);
  }

  #context(onEnded: () => void): CallContext {
    const { clock, random, logger } = this.#options;
    return {
      core: this.#core,
      clock,
      random,
      logger,
      messageInstant: () => this.#transport.messageInstant,
      sentAt: (action) => this.#transport.sentAt(action),
      forgetRequest: (request) => {
        this.#core.forgetRequest(request);
        this.#transport.forget(present(request.message.branch, "it was sent, so it has a branch"));
      },
      forgetRequestLater: (request) => {
        const dueAt = after(clock.now(), 2 * TRANSACTION_TIMEOUT_MS);
        this.#setTimer(dueAt, () => this.#core.forgetRequest(request));
      },
      setTimer: (dueAt, handler) => this.#setTimer(dueAt, handler),
      expectNotify: (dialogId, handler) => this.#lateNotifies.expect(dialogId, handler),
      takeSendFailure: (callId) => {
        const error = this.#sendFailures.get(callId);
        this.#sendFailures.delete(callId);
        return error;
      },
      guard: (action) => this.#guard(action),
      onEnded,
    };
  }

  /** A timer that ends with the endpoint, at the latest. */
  #setTimer(dueAt: Instant, handler: () => void): Timer {
    const timer = this.#options.clock.setTimer(dueAt, () => {
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

  #noteSendFailure(callId: string, error: SidetoneError): void {
    this.#options.logger.warn("A SIP request could not be sent.", { code: error.code });
    if (this.#sendFailures.size >= SEND_FAILURES_LIMIT) this.#sendFailures.clear();
    this.#sendFailures.set(callId, error);
  }

  /** Runs code that the network set off; nothing may be thrown back into the socket. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#exceptions += 1;
      this.#options.logger.error("Handling a SIP message failed.", { error: errorText(error) });
    }
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return;
    throw new UsageError("ERR_ENDPOINT_CLOSED", "The SIP endpoint was closed; open another one.");
  }
}

/** A WebSocket server gets all our requests, so it must be one that may be called. */
function requireServer({ sip, allow }: SipEndpointOptions): void {
  const host = /^wss?:\/\/([^/\s?#]+)/u.exec(sip?.webSocketUrl ?? "")?.[1];
  if (host !== undefined) new DialPolicy(allow).require(`sip:${host}`);
}

function checkOptions({ user, displayName, local }: SipEndpointOptions): void {
  if (!isUserInfo(user) || user.includes(":")) {
    throw new UsageError(
      "ERR_SIP_USER_MALFORMED",
      "The user of a SIP endpoint may not be empty nor contain characters that need %-escapes.",
    );
  }
  if (/[\r\n]/.test(displayName ?? "")) {
    throw new UsageError("ERR_SIP_USER_MALFORMED", "The display name has a line end in it.");
  }
  if (/^(0\.0\.0\.0|::|)$/.test(local.address)) {
    throw new UsageError(
      "ERR_ADDRESS_UNSPECIFIED",
      `A SIP endpoint cannot be bound to "${local.address}", because peers are told its address. Give one of this machine's own.`,
    );
  }
}
