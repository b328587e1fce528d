import type { Channel, Clock, SocketAddress } from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import type {
  OptionsAnswer,
  RegistrationOptions,
  SipCredentials,
  SipEndpoint,
} from "../sip/index.ts";
import type { AgentOptions, AnswerPolicy, DialOptions } from "./agent-options.ts";
import type { AgentNotice, AgentProcedures } from "./agent-procedures.ts";
import { BindingsWatch } from "./bindings-watch.ts";
import type { CallJournal } from "./call-journal.ts";
import type { TransferPolicy } from "./call-transfers.ts";
import { MessageWatch } from "./message-watch.ts";
import { RegistrationWatch } from "./registration-watch.ts";
import { RemoteProcedures } from "./remote-procedures.ts";
import { type AgentLink, type RunContext, WatchedCall } from "./watched-call.ts";

type CallNotice = Exclude<AgentNotice, { readonly type: "bindings" | "message" | "registration" }>;

/** An agent of ours that works in another thread. */
export interface RemoteAgent {
  readonly uri: string;
  readonly local: SocketAddress;
  readonly party: AgentOptions["party"];
  /** @throws UsageError ERR_TARGET_MALFORMED. */
  dial(target: string, options?: DialOptions): Promise<WatchedCall>;
  answerWith(policy: AnswerPolicy): Promise<void>;
  /**
   * Another network before its SIP over UDP from now on, in the directions that are named.
   * @throws (rejects) UsageError ERR_IMPAIRMENT.
   */
  changeSipNetwork(plan: NetworkPlan): Promise<void>;
  /** From now on it is these to peers, registrars and proxies that ask. */
  useCredentials(accounts: readonly SipCredentials[]): Promise<void>;
  /**
   * Registers an address, in place of the one before, until `unregister` or `close`.
   * @returns the address to be reached at; `registration` tells what becomes of it.
   * @throws UsageError ERR_TARGET_MALFORMED, ERR_TARGET_NOT_ALLOWED and their like.
   */
  register(options: RegistrationOptions): Promise<string>;
  unregister(): Promise<void>;
  readonly registration: RegistrationWatch;
  /**
   * Sends a text outside of calls (RFC 3428); resolves when the peer took it.
   * @throws UsageError ERR_MESSAGE_MALFORMED, ERR_MESSAGE_TOO_LONG, ERR_TARGET_MALFORMED and their
   *   like; RemoteError ERR_MESSAGE_REJECTED.
   */
  sendMessage(target: string, text: string): Promise<void>;
  /** Who is registered at it, where it is a registrar. */
  readonly bindings: BindingsWatch;
  /** The texts that come outside of calls. */
  readonly messages: MessageWatch;
  /**
   * Asks a peer what it can do (RFC 3261 §11); any final response is an answer.
   * @throws RemoteError ERR_SIP_NO_RESPONSE; UsageError ERR_TARGET_MALFORMED and its like.
   */
  queryOptions(target: string): Promise<OptionsAnswer>;
  /** From now on, REFERs in its calls are treated like this. */
  treatTransfers(policy: TransferPolicy): Promise<void>;
  liveState(): Promise<SipEndpoint["liveState"]>;
  /** Ends its calls, gives its ports back and ends its thread. */
  close(): Promise<void>;
}

/**
 * All calls of a run, and the agents that carry them. Facts of both ends of a call meet here on
 * one timeline, joined by the SIP Call-ID.
 */
export class Switchboard {
  readonly clock: Clock;
  readonly #context: RunContext;
  readonly #journal: CallJournal | undefined;
  readonly #calls = new Map<string, WatchedCall>();
  readonly #agents = new Set<RemoteAgent>();
  readonly #links = new Set<AgentLink>();
  readonly #listeners = new Set<(call: WatchedCall) => void>();

  constructor(clock: Clock, context: RunContext, journal?: CallJournal) {
    this.clock = clock;
    this.#context = context;
    this.#journal = journal;
  }

  get calls(): readonly WatchedCall[] {
    return [...this.#calls.values()];
  }

  /** Calls `listener` when a call becomes known, whichever end is first; the result ends that. */
  subscribe(listener: (call: WatchedCall) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens an agent at the other end of `channel`, where `serveAgent` runs.
   * @throws EnvironmentError ERR_PORT_IN_USE and its like.
   */
  async addAgent(channel: Channel, options: AgentOptions): Promise<RemoteAgent> {
    const link = new RemoteProcedures<AgentProcedures, AgentNotice>(channel);
    const registration = new RegistrationWatch(this.clock);
    const bindings = new BindingsWatch(this.clock);
    const messages = new MessageWatch(this.clock);
    link.onNotice = (notice) => {
      if (notice.type === "message") messages.handle(notice.message);
      else if (notice.type === "bindings") bindings.handle(notice.event);
      else if (notice.type === "registration") registration.handle(notice.event);
      else this.#handleNotice(notice, link, options.party);
    };
    try {
      const { uri, local } = await link.call("open", options);
      const { party } = options;
      const agent = this.#remoteAgent(link, {
        uri,
        local,
        party,
        registration,
        messages,
        bindings,
      });
      this.#agents.add(agent);
      this.#links.add(link);
      return agent;
    } catch (error) {
      await link.terminate();
      throw error;
    }
  }

  /** Ends everything; errors of one agent do not keep the others up. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#agents].map((agent) => agent.close()));
  }

  /** Tells every agent to hang up, and waits for nothing. */
  closeNow(): void {
    for (const link of this.#links) void link.call("close", undefined).catch(() => undefined);
  }

  #remoteAgent(
    link: RemoteProcedures<AgentProcedures, AgentNotice>,
    known: Pick<RemoteAgent, "uri" | "local" | "party" | "registration" | "messages" | "bindings">,
  ): RemoteAgent {
    const agent: RemoteAgent = {
      ...known,
      dial: async (target, options = {}) => {
        const { callId } = await link.call("dial", { target, options });
        return this.#callNamed(callId);
      },
      answerWith: (policy) => link.call("answerWith", policy),
      changeSipNetwork: (plan) => link.call("changeSipNetwork", plan),
      useCredentials: (accounts) => link.call("useCredentials", accounts),
      register: (options) => {
        known.registration.begin();
        return link.call("register", options);
      },
      unregister: () => link.call("unregister", undefined),
      sendMessage: (target, text) => link.call("sendMessage", { target, text }),
      queryOptions: (target) => link.call("queryOptions", { target }),
      treatTransfers: (policy) => link.call("treatTransfers", policy),
      liveState: () => link.call("liveState", undefined),
      close: async () => {
        this.#agents.delete(agent);
        try {
          await link.call("close", undefined);
        } finally {
          this.#links.delete(link);
          await link.terminate();
        }
      },
    };
    return agent;
  }

  #handleNotice(notice: CallNotice, link: AgentLink, party: AgentOptions["party"]): void {
    switch (notice.type) {
      case "call":
        this.#journal?.begin(notice.identity);
        this.#callNamed(notice.identity.callId).addEnd(notice.identity, link);
        break;
      case "fact":
        this.#journal?.note(notice.callId, notice.fact);
        this.#callNamed(notice.callId).addFact(notice.fact, link);
        break;
      case "ended":
        this.#journal?.end(notice.callId, party);
        this.#callNamed(notice.callId).endEnded(link);
        break;
    }
  }

  #callNamed(callId: string): WatchedCall {
    const known = this.#calls.get(callId);
    if (known !== undefined) return known;
    const id = String(this.#calls.size + 1).padStart(3, "0");
    const call = new WatchedCall({ id, callId, clock: this.clock, context: this.#context });
    this.#calls.set(callId, call);
    for (const listener of this.#listeners) listener(call);
    return call;
  }
}
