import { setWorldConstructor, World } from "@cucumber/cucumber";
import {
  type AiNetwork,
  type DialOptions,
  type DialogSettings,
  type EarlyMedia,
  type Fact,
  type Instant,
  type LinkPlan,
  type MediaSettings,
  type MessageFault,
  type NetworkDirection,
  type NetworkPlan,
  type Party,
  type Persona,
  type PlayoutSettings,
  type RemoteAgent,
  type Rule,
  type ServerFaults,
  type SipCredentials,
  type SipSettings,
  type SipTlsSettings,
  type StandInServer,
  UsageError,
  type WatchedCall,
} from "../src/index.ts";
import {
  type AgentWish,
  type BotWish,
  type EmbeddedBot,
  type RegistrarWish,
  type Run,
  type RunParameters,
  runOf,
} from "./run.ts";

/** How our bot answers. */
interface BotAnswer {
  readonly ringMs: number;
  readonly media: MediaSettings;
  readonly dialog: DialogSettings;
  readonly earlyMedia?: EarlyMedia;
  readonly aiNetwork?: AiNetwork;
}

/** How our bot does not answer. */
type BotRefusal =
  | { readonly kind: "reject"; readonly statusCode: number; readonly reasonPhrase?: string }
  | { readonly kind: "redirect"; readonly contacts: readonly string[] }
  | { readonly kind: "ringForever" };

/** What one scenario knows: its bot or target, and its calls. */
export class SidetoneWorld extends World<RunParameters> {
  bot: EmbeddedBot | undefined;
  /** The SIP URI to dial, where the bot is not ours. */
  target: string | undefined;
  readonly calls: WatchedCall[] = [];
  /** What the media of calls shall be like that the caller dials from now on. */
  callerMedia: MediaSettings = {};
  /** What they shall use of SIP's extensions. */
  callerDialog: DialogSettings = {};
  /** Calls that a step expected to be refused. */
  readonly expectedRefusals: Set<WatchedCall> = new Set();
  /** What shall go wrong with the caller's messages in calls that it dials from now on. */
  callerFaults: readonly MessageFault[] = [];
  /** Names of the faults that calls were to have. */
  readonly wantedFaults: Set<string> = new Set();
  /** Further header lines of the caller's INVITE, and as whom it calls. */
  callerHeaders: readonly string[] = [];
  callerIdentity: NonNullable<DialOptions["identity"]> = {};
  /** Whom the bot may transfer calls to, by name: SIP URIs. */
  readonly directory: Map<string, string> = new Map();
  /** Servers that stand in for those that the bot's AI would ask, by origin. */
  readonly standIns: Map<string, StandInServer> = new Map();
  /** Agents that were told what to do with transfers. */
  readonly toldAboutTransfers: Set<RemoteAgent> = new Set();
  /** When the scenario began: what came before belongs to others. */
  begunAt: Instant = 0 as Instant;
  /** Agents that got accounts or registered, to be put back. */
  readonly #identified = new Set<RemoteAgent>();
  readonly #wishes: Record<Party, AgentWish> = { caller: {}, bot: {} };
  readonly #accounts: Record<Party, readonly SipCredentials[]> = { caller: [], bot: [] };
  readonly #registering = new Map<Party, RemoteAgent>();
  readonly #networks: Record<Party, NetworkPlan> = { caller: {}, bot: {} };
  readonly #sipNetworks: Record<Party, NetworkPlan> = { caller: {}, bot: {} };
  /** Agents whose SIP goes over an injured network, to be healed. */
  readonly #sipInjured = new Set<RemoteAgent>();
  #botWish: BotWish | undefined;
  #registrar: RemoteAgent | undefined;
  #aiFaults: ServerFaults = {};
  #botHeaders: readonly string[] = [];
  #botFaults: readonly MessageFault[] = [];
  #botRefusal: BotRefusal | undefined;
  #botAnswer: BotAnswer = { ringMs: 0, media: {}, dialog: {} };
  /** Who plays the caller in calls that a tester places from now on. */
  tester: Persona | undefined;
  /** What has to hold of each of its calls. */
  rules: readonly Rule[] = [];
  /** The calls that the tester placed. */
  readonly testerCalls: WatchedCall[] = [];
  /** Ends the watch for calls that began with the scenario. */
  unsubscribe: (() => void) | undefined;

  run(): Promise<Run> {
    return runOf(this.parameters);
  }

  /** The call that steps speak of: the last one that does not belong to the transfer of another. */
  get call(): WatchedCall {
    const call = this.calls.findLast(({ purpose }) => purpose === undefined);
    if (call !== undefined) return call;
    throw new UsageError(
      "ERR_NO_CALL",
      "No call was placed in this scenario yet. Let the caller dial first.",
    );
  }

  /** The SIP URI to dial. */
  requireTarget(): string {
    if (this.target !== undefined) return this.target;
    throw new UsageError(
      "ERR_NO_TARGET",
      'The scenario names no bot. Begin with "Given a bot that plays the script …" or "Given the bot under test at …".',
    );
  }

  /** Lets calls go to a bot of ours; where it runs already, to that. */
  async chooseBot(wish: BotWish): Promise<void> {
    const run = await this.run();
    this.#botWish = wish;
    this.bot = await run.bot({ ...wish, agent: this.#wishes.bot });
    this.target = this.bot.agent.uri;
    if (this.#accounts.bot.length > 0) await this.#identify(this.bot.agent, "bot");
    await this.#injureSip(this.bot.agent, "bot");
  }

  /** Lets calls go to a bot that is like this as well. */
  async wantBot(
    change: Pick<BotWish, "localBargeIn" | "reconnectAttemptsMax" | "playout">,
  ): Promise<void> {
    void this.botAgent;
    if (this.#botWish === undefined) return;
    await this.chooseBot({ ...this.#botWish, ...change });
    await this.#instructBot();
  }

  /** The same for how its AI's speech is played; what is not said is as it was. */
  async wantPlayout(change: PlayoutSettings): Promise<void> {
    await this.wantBot({ playout: { ...this.#botWish?.playout, ...change } });
  }

  /** The caller's agent, as it is wanted now, with its accounts. */
  async caller(target: string = this.requireTarget()): Promise<RemoteAgent> {
    const run = await this.run();
    const caller = await run.caller(target, this.#wishes.caller);
    if (this.#accounts.caller.length > 0) await this.#identify(caller, "caller");
    await this.#injureSip(caller, "caller");
    return caller;
  }

  /** From now on an agent is like this; what is not said is as it was. */
  async wantAgent(party: Party, change: AgentWish): Promise<void> {
    this.#wishes[party] = { ...this.#wishes[party], ...change };
    if (party === "caller" || this.#botWish === undefined) return;
    // Another one takes the place of the one that runs, which is what it was again.
    await this.bot?.agent.answerWith({ kind: "answer", ringMs: 0 });
    await this.chooseBot(this.#botWish);
    await this.#instructBot();
  }

  /** The same for how its SIP travels. */
  wantSip(party: Party, change: SipSettings): Promise<void> {
    return this.wantAgent(party, { sip: { ...this.#wishes[party].sip, ...change } });
  }

  /** The same for how that is secured. */
  wantTls(party: Party, change: SipTlsSettings, others: SipSettings = {}): Promise<void> {
    const tls = { ...this.#wishes[party].sip?.tls, ...change };
    return this.wantSip(party, { ...others, tls });
  }

  /** From now on a side is also this user to whoever asks. */
  async useAccount(party: Party, account: SipCredentials): Promise<void> {
    this.#accounts[party] = [...this.#accounts[party], account];
    if (party === "bot") await this.#identify(this.botAgent, "bot");
  }

  async #identify(agent: RemoteAgent, party: Party): Promise<void> {
    this.#identified.add(agent);
    await agent.useCredentials(this.#accounts[party]);
  }

  async startRegistrar(wish: RegistrarWish): Promise<void> {
    const run = await this.run();
    this.#registrar = await run.registrar(wish);
    this.note(`the registrar is ${this.#registrar.uri}`);
  }

  /** The registrar of ours that the scenario started. */
  get registrar(): RemoteAgent {
    if (this.#registrar !== undefined) return this.#registrar;
    throw new UsageError(
      "ERR_NO_REGISTRAR",
      'The scenario has no registrar of ours. Begin with "Given a registrar of ours".',
    );
  }

  /** Registers a side; what becomes of it is seen later. */
  async register(party: Party, registrar: string, aor?: string): Promise<void> {
    const agent = party === "bot" ? this.botAgent : await this.caller(registrar);
    this.#registering.set(party, agent);
    this.#identified.add(agent);
    await agent.register({ registrar, ...(aor === undefined ? {} : { aor }) });
  }

  /** The agent that registers, or did, for a side. */
  registeringAgent(party: Party): RemoteAgent {
    const agent = this.#registering.get(party);
    if (agent !== undefined) return agent;
    throw new UsageError(
      "ERR_NOT_REGISTERING",
      `The ${party} does not register in this scenario. Let it register first.`,
    );
  }

  /** Agents that others use, too, are nobody again. */
  async forgetIdentities(): Promise<void> {
    const agents = [...this.#identified];
    await Promise.all(
      agents.map(async (agent) => {
        await agent.unregister();
        await agent.useCredentials([]);
      }),
    );
  }

  /** The bot's agent, for steps that tell it what to do. */
  get botAgent(): RemoteAgent {
    if (this.bot !== undefined) return this.bot.agent;
    throw new UsageError(
      "ERR_BOT_NOT_OURS",
      "This step tells the bot what to do, but the bot under test is not one of ours.",
    );
  }

  /** From now on our bot answers, and like this; what is not said is as it was. */
  async letBotAnswer(how: Partial<BotAnswer> = {}): Promise<void> {
    this.#botAnswer = { ...this.#botAnswer, ...how };
    this.#botRefusal = undefined;
    await this.#instructBot();
  }

  /** Changes what one side wants of its media, for calls that begin from now on. */
  async wantMedia(party: Party, change: MediaSettings): Promise<void> {
    if (party === "caller") this.callerMedia = { ...this.callerMedia, ...change };
    else await this.letBotAnswer({ media: { ...this.#botAnswer.media, ...change } });
  }

  /** Adds to what the network does to one direction of a side, now and from now on. */
  async wantNetwork(party: Party, direction: NetworkDirection, change: LinkPlan): Promise<void> {
    const before = this.#networks[party][direction];
    await this.useNetwork(party, { [direction]: { ...before, ...change } });
  }

  /** The same for another network in its place, in the directions that are named. */
  async useNetwork(party: Party, plan: NetworkPlan): Promise<void> {
    const live = this.calls.filter((call) => !call.hasEnded && call.parties.includes(party));
    await Promise.all(live.map((call) => call.changeNetwork(plan, party)));
    // What passes by itself is of the calls that are up, where there are any.
    const lasting = live.length === 0 ? plan : withoutChanges(plan);
    this.#networks[party] = { ...this.#networks[party], ...lasting };
    await this.wantMedia(party, { network: this.#networks[party] });
  }

  /** Adds to what the network does between our bot and its AI, now and from now on. */
  async wantAiNetwork(direction: NetworkDirection, change: LinkPlan): Promise<void> {
    const before = this.#botAnswer.aiNetwork?.[direction];
    await this.useAiNetwork({ [direction]: { ...before, ...change } });
  }

  /** The same for another network in its place, in what is named. */
  async useAiNetwork(change: AiNetwork): Promise<void> {
    const { transport, backend, sent, received } = change;
    const plan = { ...(sent && { sent }), ...(received && { received }) };
    const live = this.calls.filter((call) => !call.hasEnded && call.parties.includes("bot"));
    await Promise.all(live.map((call) => call.changeAiNetwork(plan)));
    const lasting = live.length === 0 ? plan : withoutChanges(plan);
    const { backend: backendBefore, ...before } = this.#botAnswer.aiNetwork ?? {};
    // What carries it is told as a whole: another transport has no backend of the one before.
    const backendNow = transport === undefined ? backendBefore : backend;
    await this.letBotAnswer({
      aiNetwork: {
        ...before,
        ...(transport && { transport }),
        ...(backendNow && { backend: backendNow }),
        ...lasting,
      },
    });
  }

  /** Adds to what the network does to one direction of a side's SIP over UDP, from now on. */
  async wantSipNetwork(party: Party, direction: NetworkDirection, change: LinkPlan): Promise<void> {
    const before = this.#sipNetworks[party];
    await this.useSipNetwork(party, { [direction]: { ...before[direction], ...change } });
  }

  /** The same for another network in its place, in the directions that are named. */
  async useSipNetwork(party: Party, plan: NetworkPlan): Promise<void> {
    this.#sipNetworks[party] = { ...this.#sipNetworks[party], ...plan };
    const agent = party === "bot" ? this.botAgent : await this.caller();
    this.#sipInjured.add(agent);
    await agent.changeSipNetwork(plan);
  }

  /** An agent that takes the place of another stands in the same network. */
  async #injureSip(agent: RemoteAgent, party: Party): Promise<void> {
    const plan = this.#sipNetworks[party];
    if (this.#sipInjured.has(agent) || Object.keys(plan).length === 0) return;
    this.#sipInjured.add(agent);
    await agent.changeSipNetwork(plan);
  }

  /** Nothing is done to SIP any more: other scenarios use the same agents. */
  async healSip(): Promise<void> {
    const healthy = { sent: { changes: [] }, received: { changes: [] } };
    await Promise.all([...this.#sipInjured].map((agent) => agent.changeSipNetwork(healthy)));
  }

  /** Changes what one side uses of SIP's extensions, for calls that begin from now on. */
  async wantDialog(party: Party, change: DialogSettings): Promise<void> {
    if (party === "caller") this.callerDialog = { ...this.callerDialog, ...change };
    else await this.letBotAnswer({ dialog: { ...this.#botAnswer.dialog, ...change } });
  }

  /** From now on our bot refuses calls, or lets them ring. */
  async letBotRefuse(refusal: BotRefusal): Promise<void> {
    this.#botRefusal = refusal;
    await this.#instructBot();
  }

  /** From now on the responses of our bot to an INVITE have this header line, too. */
  async sendBotHeader(line: string): Promise<void> {
    this.#botHeaders = [...this.#botHeaders, line];
    await this.#instructBot();
  }

  /** From now on calls can be transferred to this name, by our bot's AI as well. */
  async knowColleague(name: string, uri: string): Promise<void> {
    this.directory.set(name, uri);
    if (this.bot !== undefined) await this.#instructBot();
  }

  /** Starts a server in place of one that our bot's AI may ask from now on. */
  async standInFor(origin: string): Promise<void> {
    const { harness } = await this.run();
    const server = await harness.startStandIn(origin);
    this.standIns.set(server.origin, server);
    server.onRequest = (request) => {
      const fact: Fact = { ...request, party: "bot" };
      this.calls.findLast(({ purpose }) => purpose === undefined)?.timeline.add(fact);
    };
    await this.#instructBot();
  }

  /** From now on our bot's AI does this wrong, too. */
  async wantAiFaults(change: ServerFaults): Promise<void> {
    void this.botAgent;
    this.#aiFaults = { ...this.#aiFaults, ...change };
    await this.bot?.ai.configure({ faults: this.#aiFaults });
  }

  /** The server that steps speak of: the last one. */
  get standIn(): StandInServer {
    const server = [...this.standIns.values()].at(-1);
    if (server !== undefined) return server;
    throw new UsageError(
      "ERR_NO_STAND_IN",
      'The scenario has no HTTP server yet. Begin with "Given an HTTP server stands in for …".',
    );
  }

  async #instructBot(): Promise<void> {
    const destinations = Object.fromEntries(this.directory);
    const httpStandIns = Object.fromEntries(
      [...this.standIns.values()].map(({ origin, url }) => [origin, url]),
    );
    await this.botAgent.answerWith({
      ...(this.#botRefusal ?? {
        kind: "answer",
        ...this.#botAnswer,
        destinations,
        httpStandIns,
      }),
      headers: this.#botHeaders,
      faults: this.#botFaults,
    });
  }

  /** Makes something go wrong with the messages of one side, in calls that begin from now on. */
  async wantFaults(party: Party, ...faults: readonly MessageFault[]): Promise<void> {
    if (party === "caller") this.callerFaults = [...this.callerFaults, ...faults];
    else {
      this.#botFaults = [...this.#botFaults, ...faults];
      await this.#instructBot();
    }
    for (const { name } of faults) this.wantedFaults.add(name);
  }

  /**
   * A name of the directory, or a SIP URI, as a SIP URI.
   * @throws UsageError ERR_COLLEAGUE_UNKNOWN.
   */
  addressOf(nameOrUri: string): string {
    const known = this.directory.get(nameOrUri);
    if (known !== undefined) return known;
    if (/^sips?:/iu.test(nameOrUri)) return nameOrUri;
    const names = [...this.directory.keys()].map((name) => `"${name}"`).join(", ");
    throw new UsageError(
      "ERR_COLLEAGUE_UNKNOWN",
      `There is nobody called "${nameOrUri}" to transfer to; there is ${names === "" ? "nobody at all" : names}. Name them in a Given step, or give a SIP URI.`,
    );
  }

  /** Places a call from the caller to the bot, as the scenario has it so far. */
  async dial(how: Pick<DialOptions, "ringTimeoutMs" | "tester"> = {}): Promise<void> {
    const target = this.requireTarget();
    const caller = await this.caller(target);
    const call = await caller.dial(target, {
      ...how,
      media: this.callerMedia,
      dialog: this.callerDialog,
      faults: this.callerFaults,
      headers: this.callerHeaders,
      identity: this.callerIdentity,
    });
    if (!this.calls.includes(call)) this.calls.push(call);
  }

  /** Says in the report what a step saw. */
  note(evidence: string): void {
    this.log(evidence);
  }
}

function withoutChanges(plan: NetworkPlan): NetworkPlan {
  return Object.fromEntries(
    Object.entries(plan).map(([direction, { changes: _passing, ...lasting }]) => [
      direction,
      lasting,
    ]),
  );
}

setWorldConstructor(SidetoneWorld);
