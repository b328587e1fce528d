import type {
  IncomingInviteRequest,
  IncomingMessageRequest,
  IncomingRequestMessage,
  ResponseOptions,
} from "sip.js/lib/core/index.js";
import { after, errorText, type SocketAddress, UsageError } from "../environment/index.ts";
import { CallContexts, SendFailures } from "./call-contexts.ts";
import { DialPolicy } from "./dial-policy.ts";
import { EndedDialogs, replacementFor } from "./dialog-replacement.ts";
import type { SipCredentials } from "./digest-client.ts";
import { EndpointIdentity } from "./endpoint-identity.ts";
import {
  checkOptions,
  requireServer,
  type SipEndpointOptions,
  type SipFaultCounts,
  type SipLiveState,
} from "./endpoint-options.ts";
import { FaultPump } from "./fault-pump.ts";
import { applyFixes, setLocalTag } from "./fixes.ts";
import { IncomingCall } from "./inbound-call.ts";
import { LateNotifies } from "./late-notifies.ts";
import type { MessageFault } from "./message-faults.ts";
import { MessageIntake } from "./message-intake.ts";
import { type OpenTransports, openTransports } from "./open-transport.ts";
import { answerOptions, type OptionsReply } from "./options-answer.ts";
import { type CallOptions, OutgoingCall } from "./outbound-call.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import type { Registrar } from "./registrar.ts";
import type { Registration, RegistrationOptions } from "./registration.ts";
import type { InboundCall, OutboundCall } from "./sip-call.ts";
import { SipCore, type SipCoreOptions } from "./sip-core.ts";
import { parseTarget } from "./sip-uri.ts";
import { StandaloneRequests } from "./standalone-requests.ts";
import type { MessageAnswer, MessageListener } from "./text-exchange.ts";
import { answerMessage } from "./text-message.ts";
import type { TransportLayer } from "./transport-layer.ts";

/** How long `close` waits for the peers' answers. */
const CLOSE_LIMIT_MS = 2000;
/** Of one of several servers; see `SipSettings.serverTimeoutMs`. */
const SERVER_TIMEOUT_MS = 4000;
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
  /** Is told the texts that come outside of calls (RFC 3428); each was answered 200 already. */
  onMessage: MessageListener | undefined;
  /** Says what an INVITE would get now; default: it would be taken, or get 480 without `onInvite`. */
  onOptions: (() => OptionsReply) | undefined;
  readonly #options: SipEndpointOptions;
  readonly #core: SipCore;
  readonly #transport: TransportLayer;
  readonly #intake: MessageIntake;
  readonly #identity: EndpointIdentity;
  readonly #faults: FaultPump;
  readonly #calls = new Set<OutgoingCall | IncomingCall>();
  readonly #outgoing = new Map<string, OutgoingCall>();
  readonly #liveCallIds = new Set<string>();
  readonly #sendFailures: SendFailures;
  readonly #contexts: CallContexts;
  readonly #requests: StandaloneRequests;
  readonly #ended = new EndedDialogs(ENDED_DIALOGS_LIMIT);
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
    this.#sendFailures = new SendFailures(options.logger);
    this.local = transports.local;
    this.uri = transports.uri;
    this.#faults = new FaultPump(options.clock, options.onInjected ?? (() => {}));
    this.#transport = transports.connect({
      faults: this.#faults,
      onMessage: (crossing) => this.#guard(() => this.#intake.handleMessage(crossing)),
      onSendFailed: (callId, error) => this.#sendFailures.note(callId, error),
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
        failover: this.#failover(),
      },
      {
        onInvite: (request) => this.#handleInvite(request),
        onMessage: (request) => this.#handleMessage(request),
        // RFC 6665 §4.1.3: we have no subscription that it could belong to.
        onNotify: (request) => request.reject({ statusCode: CALL_DOES_NOT_EXIST }),
        // RFC 3515 §2.4.2: only who is in a call with us may refer us.
        onRefer: (request) => request.reject({ statusCode: DECLINE }),
      },
    );
    const lateNotifies = new LateNotifies(this.#core);
    this.#contexts = new CallContexts(
      {
        ...options,
        core: this.#core,
        transport: this.#transport,
        lateNotifies,
        guard: (action) => this.#guard(action),
      },
      this.#sendFailures,
    );
    this.#requests = new StandaloneRequests(this.#core, this.#contexts);
    this.#core.answerOptions = (message) => this.#answerOptions(message);
    this.#identity = new EndpointIdentity(options);
    this.#intake = new MessageIntake({
      core: this.#core,
      logger: options.logger,
      now: () => this.#transport.messageInstant,
      isOurs: (via, channel) => this.#transport.isOurs(via, channel),
      callOf: (callId) => this.#outgoing.get(callId),
      takeRequest: (message) => lateNotifies.take(message),
      ...this.#identity.serverRoles,
    });
    this.#identity.attach(this.#core, {
      outgoingCall: (callId) => this.#outgoing.get(callId),
      onRefused: (callId, error) => this.#sendFailures.note(callId, error),
    });
  }

  /** How its requests go on where a server fails. */
  #failover(): SipCoreOptions["failover"] {
    const { sip } = this.#options;
    return {
      targetTimeoutMs: sip?.serverTimeoutMs ?? SERVER_TIMEOUT_MS,
      hasNextTarget: (request) => this.#transport.hasNextTarget(request),
      advanceTarget: (request) => this.#transport.advanceTarget(request),
      forget: (branch) => this.#transport.forget(branch),
      onNextTarget: (callId) => this.#sendFailures.forget(callId),
    };
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
      connections: this.#transport.connectionCount,
    };
  }

  /** What goes wrong on purpose in calls that come in from now on. */
  set inboundFaults(faults: readonly MessageFault[]) {
    this.#faults.inbound = faults;
  }

  /**
   * Breaks every TCP, TLS and WebSocket connection that is open, without a word to the peer, as a
   * fault on purpose. Later messages go by new ones.
   * @returns how many that were.
   */
  breakConnections(): number {
    return this.#transport.breakConnections();
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
      this.#contexts.open(() => {
        leave?.();
        this.#outgoing.delete(call.callId);
        this.#forget(call);
        this.#sendFailures.forget(call.callId);
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
  async queryOptions(target: string, timeoutMs: number): Promise<OptionsAnswer> {
    this.#assertOpen();
    return this.#requests.queryOptions(target, timeoutMs);
  }

  /**
   * Sends a text outside of any call (RFC 3428); resolves when the peer took it.
   * @throws RemoteError ERR_MESSAGE_REJECTED, with `statusCode` in its context (408 where no answer
   *   came in time); EnvironmentError or RemoteError where it could not be sent; UsageError
   *   ERR_MESSAGE_MALFORMED, ERR_MESSAGE_TOO_LONG, and as `call`.
   */
  async sendMessage(target: string, text: string, timeoutMs: number): Promise<MessageAnswer> {
    this.#assertOpen();
    return this.#requests.sendMessage(target, text, timeoutMs);
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
    return this.#identity.register((onEnded) => this.#contexts.open(onEnded), options);
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
    this.#requests.abandon();
    const ends = [...this.#calls].map((call) => call.shutDown());
    await this.#limited(Promise.all([...ends, this.#identity.shutDown()]));
    this.#identity.abandon();
    for (const call of this.#calls) call.abandon();
    this.#contexts.cancelTimers();
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
      this.#contexts.open(() => {
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

  #handleMessage(request: IncomingMessageRequest): void {
    setLocalTag(request, this.#core.newTag());
    const context = this.#contexts.open(() => {});
    answerMessage(request, { context, lifecycle: this });
  }

  /** RFC 3261 §11.2: as an INVITE would be answered; within a dialog that would be taken. */
  #answerOptions(message: IncomingRequestMessage): ResponseOptions {
    const nobody = { statusCode: TEMPORARILY_UNAVAILABLE };
    const taken = { statusCode: 200 };
    let reply: OptionsReply = this.onInvite === undefined ? nobody : taken;
    this.#guard(() => {
      reply = this.onOptions?.() ?? reply;
    });
    return answerOptions(
      message,
      this.#core,
      message.toTag === "" ? reply : { ...reply, ...taken },
    );
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
