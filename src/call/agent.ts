import { checkPlayout } from "../bridge/index.ts";
import { loadCodecs } from "../codec/index.ts";
import {
  after,
  type DatagramSocket,
  type Environment,
  errorText,
  isSidetoneError,
  type SocketAddress,
  type Timer,
} from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import { FrameWheel, type MediaSettings } from "../media/index.ts";
import {
  checkDialogSettings,
  type InboundCall,
  type InjectedFault,
  type OptionsAnswer,
  type OptionsReply,
  type Registration,
  type RegistrationOptions,
  type SipCall,
  type SipCredentials,
  SipEndpoint,
  type SipTrace,
} from "../sip/index.ts";
import { openAgentEndpoint } from "./agent-endpoint.ts";
import type { AgentObserver } from "./agent-observer.ts";
import type { AgentOptions, AnswerPolicy, DialOptions } from "./agent-options.ts";
import { AgentTransfers, comesOfTransfer, type Referral } from "./agent-transfers.ts";
import { beginInvite, checkAnswerPolicy, optionsReply, refuseInvite } from "./answer-policy.ts";
import { Answering } from "./answering.ts";
import { BotTools, type ToolHost } from "./bot-tools.ts";
import { Call } from "./call.ts";
import type { CallIdentity } from "./call-artifacts.ts";
import { CallBudget } from "./call-budget.ts";
import { type CallMedia, prepareCallMedia } from "./call-media.ts";
import type { TransferPolicy } from "./call-transfers.ts";
import { codecsOf } from "./capabilities.ts";
import { describeCapabilities } from "./capability-description.ts";
import { checkMediaSettings } from "./check-media-settings.ts";
import { connectBridge } from "./connect-bridge.ts";
import { connectTester } from "./connect-tester.ts";
import { EarlyNotices } from "./early-notices.ts";
import { type Instrument, InstrumentWatch } from "./instrument-watch.ts";
import { SipNetwork } from "./sip-network.ts";

const DEFAULT_CALL_DURATION_LIMIT_MS = 300_000;
const DEFAULT_RING_TIMEOUT_MS = 30_000;
/** Timer F (RFC 3261 §17.1.2.2). */
const OUTSIDE_REQUEST_LIMIT_MS = 32_000;

/**
 * A SIP user agent with media, in one of two roles: the caller dials, the bot answers and lets an
 * AI speak. It carries many calls at once and owns nothing of what happens within one.
 */
export class Agent {
  readonly #environment: Environment;
  readonly #options: AgentOptions;
  readonly #observer: AgentObserver;
  /** The frame deadlines of all its calls. */
  readonly #wheel: FrameWheel;
  readonly #endpoint: SipEndpoint;
  readonly #budget: CallBudget;
  readonly #durationLimitMs: number;
  readonly #tools: BotTools | undefined;
  readonly #sipNetwork: SipNetwork;
  readonly #calls = new Map<string, Call>();
  readonly #early = new EarlyNotices();
  readonly #ringing = new Set<Timer>();
  #registration: Registration | undefined;
  #answer: AnswerPolicy;
  readonly #transfers: AgentTransfers;
  readonly #instrument: InstrumentWatch | undefined;

  private constructor(
    environment: Environment,
    options: AgentOptions,
    endpoint: SipEndpoint,
    watch: {
      readonly observer: AgentObserver;
      readonly instrument: Instrument | undefined;
      readonly budget: CallBudget;
      readonly durationLimitMs: number;
      readonly tools: BotTools | undefined;
      readonly sipNetwork: SipNetwork;
    },
  ) {
    this.#environment = environment;
    this.#options = options;
    this.#observer = watch.observer;
    this.#endpoint = endpoint;
    this.#budget = watch.budget;
    this.#durationLimitMs = watch.durationLimitMs;
    this.#tools = watch.tools;
    this.#sipNetwork = watch.sipNetwork;
    this.#wheel = new FrameWheel(environment.clock);
    this.#answer = options.answer ?? { kind: "reject", statusCode: 480 };
    endpoint.inboundFaults = this.#answer.faults ?? [];
    this.#transfers = new AgentTransfers({
      clock: environment.clock,
      policy: options.transfers ?? { kind: "accept" },
      place: (refer, referral) => this.#place(refer.target, { headers: refer.headers }, referral),
      callNamed: (callId) => this.#calls.get(callId),
    });
    endpoint.onInvite = (invite) => {
      void this.#handleInvite(invite);
    };
    endpoint.onMessage = (message) => watch.observer.onMessage?.(message);
    if (endpoint.registrar !== undefined) {
      endpoint.registrar.onBindings = (aor, bindings) =>
        watch.observer.onBindings?.({ aor, contacts: bindings.map(({ contact }) => contact) });
    }
    endpoint.onOptions = () => this.#optionsReply();
    const { instrument } = watch;
    if (instrument !== undefined) {
      const calls = (): Iterable<Call> => this.#calls.values();
      this.#instrument = new InstrumentWatch(environment.clock, instrument, calls);
    }
  }

  /**
   * @throws EnvironmentError ERR_PORT_IN_USE and its like; UsageError ERR_ALLOW_MALFORMED,
   *   ERR_LIMIT_MALFORMED, ERR_CALL_LIMIT, ERR_PLAYOUT_SETTINGS, ERR_IMPAIRMENT, and as `checkMediaSettings` and
   *   `BotTools.load`.
   */
  static async open(
    environment: Environment,
    options: AgentOptions,
    watch: {
      readonly observer: AgentObserver;
      readonly instrument?: Instrument;
      /** Loads the modules that `ai.tools` names. */
      readonly toolHost?: ToolHost;
      /** Bound already, and shared with the agent's other threads (`options.shard`). */
      readonly sipSocket?: DatagramSocket;
    },
  ): Promise<Agent> {
    let agent: Agent | undefined;
    const { answer, ai } = options;
    if (answer !== undefined) checkAnswerPolicy(answer);
    checkPlayout(ai?.playout ?? {});
    checkDialogSettings(options.dialog ?? {});
    const budget = new CallBudget(options.dialling);
    const { callDurationLimitMs } = options;
    const durationLimitMs = budget.durationMs(callDurationLimitMs, DEFAULT_CALL_DURATION_LIMIT_MS);
    await loadCodecs(codecsOf(checkMediaSettings(options.media ?? {})));
    const tools = await BotTools.load(environment, ai, watch.toolHost);
    const { sipSocket } = watch;
    const sipNetwork = new SipNetwork(environment, options.sipNetwork);
    const endpoint = await openAgentEndpoint(environment, options, {
      budget,
      sipSocket,
      sipNetwork,
      onTrace: (trace) => agent?.handleTrace(trace),
      onInjected: (callId, fault) => agent?.handleInjected(callId, fault),
    });
    agent = new Agent(environment, options, endpoint, {
      observer: watch.observer,
      instrument: watch.instrument,
      budget,
      durationLimitMs,
      tools,
      sipNetwork,
    });
    return agent;
  }

  get uri(): string {
    return this.#endpoint.uri;
  }

  get local(): SocketAddress {
    return this.#endpoint.local;
  }

  /** Live SIP state and calls: all zero when nothing leaked. */
  get liveState(): SipEndpoint["liveState"] {
    return this.#endpoint.liveState;
  }

  /**
   * From now on, incoming calls are treated like this.
   * @throws UsageError for media settings that make no sense (`checkMediaSettings`).
   */
  answerWith(policy: AnswerPolicy): void {
    checkAnswerPolicy(policy);
    this.#answer = policy;
    this.#endpoint.inboundFaults = policy.faults ?? [];
  }

  /**
   * Another network before its SIP over UDP from now on, in the directions that are named.
   * @throws UsageError ERR_IMPAIRMENT.
   */
  changeSipNetwork(plan: NetworkPlan): void {
    this.#sipNetwork.change(plan);
  }

  /** From now on it is these to whoever asks. */
  useCredentials(accounts: readonly SipCredentials[]): void {
    this.#endpoint.useCredentials(accounts);
  }

  /**
   * Registers an address, in place of the one before; what becomes of it is told by events.
   * @returns the address to be reached at.
   * @throws UsageError as `SipEndpoint.register`.
   */
  async register(options: RegistrationOptions): Promise<string> {
    await this.unregister();
    const registration = this.#endpoint.register(options);
    registration.onEvent = (event) => this.#observer.onRegistration?.(event);
    this.#registration = registration;
    return registration.aor;
  }

  /** Takes the registration back, if there is one. */
  async unregister(): Promise<void> {
    await this.#registration?.close();
    this.#registration = undefined;
  }

  /**
   * Sends a text outside of calls; see `SipEndpoint.sendMessage`.
   * @throws UsageError, RemoteError as that.
   */
  async sendMessage(target: string, text: string): Promise<void> {
    await this.#endpoint.sendMessage(target, text, OUTSIDE_REQUEST_LIMIT_MS);
  }

  /**
   * Breaks all connections of its SIP, in the name of one call, as a fault on purpose.
   * @returns whether there was one.
   */
  breakConnections(callId: string): boolean {
    const count = this.#endpoint.breakConnections();
    if (count > 0) {
      const at = this.#environment.clock.now();
      const fault = { name: "dropped connection", effect: "dropped", direction: "sent" } as const;
      this.handleInjected(callId, { ...fault, at, startLine: "connection" });
    }
    return count > 0;
  }

  /** Asks a peer what it can do; see `SipEndpoint.queryOptions`. */
  queryOptions(target: string): Promise<OptionsAnswer> {
    return this.#endpoint.queryOptions(target, OUTSIDE_REQUEST_LIMIT_MS);
  }

  /** From now on, REFERs in its calls are treated like this. */
  treatTransfers(policy: TransferPolicy): void {
    this.#transfers.policy = policy;
  }

  /** The call with this Call-ID, while it is known. */
  call(callId: string): Call | undefined {
    return this.#calls.get(callId);
  }

  /** Forgets an ended call and what it recorded. */
  forget(callId: string): void {
    this.#calls.delete(callId);
  }

  /**
   * Places a call; what becomes of it is told by its facts.
   * @throws UsageError ERR_TARGET_MALFORMED, ERR_TARGET_NOT_ALLOWED, ERR_NUMBER_REFUSED,
   *   ERR_CALL_LIMIT, ERR_CALLS_EXHAUSTED, ERR_TOO_MANY_CALLS, and as `checkMediaSettings`.
   */
  dial(target: string, options: DialOptions = {}): Promise<Call> {
    return this.#place(target, options);
  }

  async #place(target: string, options: DialOptions, referral?: Referral): Promise<Call> {
    const ringTimeoutMs = this.#budget.ringMs(options.ringTimeoutMs, DEFAULT_RING_TIMEOUT_MS);
    const parts = await this.#prepareMedia(options.media);
    const { negotiator } = parts;
    let sip: SipCall | undefined;
    negotiator.onNegotiated = (negotiated) => {
      parts.media.start(negotiated, sip?.state === "early");
    };
    try {
      sip = this.#endpoint.call(target, {
        negotiator,
        offer: options.offer ?? "early",
        ringTimeoutMs,
        headers: options.headers ?? [],
        identity: options.identity ?? {},
        faults: options.faults ?? [],
        settings: { ...this.#options.dialog, ...options.dialog },
      });
      const beside = referral === undefined ? options.purpose : "transferred";
      const call = this.#admit(sip, parts, "outbound", beside);
      if (options.tester !== undefined) {
        connectTester(this.#environment, options.tester, { ...parts, call });
      }
      if (referral === undefined) return call;
      this.#transfers.notePlaced(call, referral);
      void this.#talkByAi(call, parts);
      return call;
    } catch (error) {
      await parts.media.release();
      throw error;
    }
  }

  /** A SIP message of any call, as it crossed the socket. */
  handleTrace(trace: SipTrace): void {
    this.#tell(trace.callId, (call) => call.handleTrace(trace));
  }

  /** A fault that was asked for happened to a message of any call. */
  handleInjected(callId: string, fault: InjectedFault): void {
    this.#tell(callId, (call) => call.record({ kind: "sipFault", ...fault }));
  }

  /** Tells a call at once, or as soon as it is known. */
  #tell(callId: string, tell: (call: Call) => void): void {
    const call = this.#calls.get(callId);
    if (call === undefined) this.#early.add(callId, tell);
    else tell(call);
  }

  /** Ends every call (BYE, CANCEL or refusal) and gives the ports back. */
  async close(): Promise<void> {
    this.#instrument?.stop();
    for (const timer of this.#ringing) timer.cancel();
    await this.#endpoint.close();
  }

  #optionsReply(): OptionsReply {
    const { dialog, media } = this.#options;
    const describe = (wanted: MediaSettings): string =>
      describeCapabilities(this.#environment, this.local.address, { ...media, ...wanted });
    return optionsReply(this.#answer, { dialog, describe });
  }

  async #handleInvite(invite: InboundCall): Promise<void> {
    const policy = this.#answer;
    const wanted = beginInvite(invite, policy, this.#options.dialog);
    let parts: CallMedia;
    try {
      parts = await this.#prepareMedia(wanted?.media);
    } catch (error) {
      this.#environment.logger.error("The media of a call could not be prepared.", {
        reason: errorText(error),
      });
      invite.reject(503);
      return;
    }
    const call = this.#admit(invite, parts, "inbound");
    this.#transfers.noteOffered(call, invite);
    refuseInvite(invite, policy);
    if (policy.kind !== "answer" || call.hasEnded) return;
    const greets = this.#options.ai?.greets === true;
    const answering = new Answering({ ...parts, invite, call, greets, policy });
    try {
      const rings = this.#ringFor(policy.ringMs);
      await this.#connectAi(call, parts);
      answering.openEarlyMedia();
      await rings;
      if (answering.answer()) this.#transfers.noteReplaced(invite);
    } catch (error) {
      this.#refuse(call, invite, error);
    }
  }

  /** A bot that was transferred goes on with an AI session of its own, which speaks when answered. */
  async #talkByAi(call: Call, parts: CallMedia): Promise<void> {
    const { ai } = this.#options;
    if (ai === undefined) return;
    try {
      await this.#connectAi(call, parts);
      if (ai.greets) call.greetWhenAnswered();
    } catch (error) {
      if (!isSidetoneError(error)) throw error;
      call.fail(error, { endedBy: "local", reason: "error" });
    }
  }

  async #connectAi(call: Call, parts: CallMedia): Promise<void> {
    const { ai } = this.#options;
    if (ai === undefined || this.#tools === undefined) return;
    const {
      destinations = {},
      httpStandIns = {},
      aiNetwork = ai.network,
    } = this.#answer.kind === "answer" ? this.#answer : {};
    const injured = aiNetwork === undefined ? ai : { ...ai, network: aiNetwork };
    await connectBridge(this.#environment, injured, {
      call,
      trace: parts.trace,
      tools: this.#tools,
      httpStandIns,
      transfers: { destinations, dial: (target) => this.dial(target, { purpose: "consultation" }) },
    });
  }

  /** The AI is not to be had, or media cannot be agreed on: refused before it is answered. */
  #refuse(call: Call, invite: InboundCall, error: unknown): void {
    if (call.hasEnded) return;
    if (!isSidetoneError(error)) throw error;
    call.recordFault(error);
    if (invite.state === "early") {
      invite.reject(/^ERR_(?:SDP|SRTP)/u.test(error.code) ? 488 : 503);
    }
  }

  #ringFor(ringMs: number): Promise<void> {
    if (ringMs <= 0) return Promise.resolve();
    const { clock } = this.#environment;
    return new Promise((resolve) => {
      const timer = clock.setTimer(after(clock.now(), ringMs), () => {
        this.#ringing.delete(timer);
        resolve();
      });
      this.#ringing.add(timer);
    });
  }

  #prepareMedia(wanted: MediaSettings = {}): Promise<CallMedia> {
    const { address } = this.local;
    return prepareCallMedia(this.#environment, this.#options, {
      address,
      wheel: this.#wheel,
      wanted,
    });
  }

  // oxlint-disable-next-line max-params -- the last is for calls beside another one only.
  #admit(
    sip: SipCall,
    parts: CallMedia,
    direction: CallIdentity["direction"],
    beside?: CallIdentity["purpose"],
  ): Call {
    const { clock } = this.#environment;
    const purpose = comesOfTransfer(sip) ? "transferred" : beside;
    const identity: CallIdentity = {
      callId: sip.callId,
      party: this.#options.party,
      direction,
      local: this.uri,
      remote: sip.remote,
      ...(purpose === undefined ? {} : { purpose }),
      startedAtWallMs: clock.wallClockMs(),
    };
    // Told first: a call that ended meanwhile (CANCEL) ends as soon as it is made.
    this.#observer.onCall(identity);
    const call = new Call({
      identity,
      sip,
      media: parts.media,
      player: parts.player,
      trace: parts.trace,
      negotiator: parts.negotiator,
      path: parts.path,
      sipNetwork: this.#sipNetwork,
      clock,
      observer: this.#observer,
      lag: () => this.#instrument?.lag,
      durationLimitMs: this.#durationLimitMs,
    });
    parts.recorder.record = call.record;
    this.#calls.set(sip.callId, call);
    this.#early.tell(call);
    this.#transfers.watch(call);
    call.start();
    return call;
  }
}
