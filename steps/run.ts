import {
  AI_PROVIDERS,
  type AiProvider,
  type CallLimits,
  type Demand,
  type EmbeddedAi,
  type Harness,
  type Judge,
  type JudgeParts,
  localAddressFor,
  type ModelPrice,
  openHarness,
  openJudge,
  type Persona,
  type PlayoutSettings,
  type RemoteAgent,
  readPrices,
  readTlsFiles,
  type SipSettings,
  type SipTransport,
  scriptPath,
  type TesterOptions,
  type TurnDetection,
  testerProvider,
  UsageError,
} from "../src/index.ts";

/** The protocols that the embedded AI speaks; the others need their provider. */
type Provider = Extract<AiProvider, "openai" | "azure-openai" | "gemini">;
const EMBEDDED: readonly Provider[] = ["openai", "azure-openai", "gemini"];

const LOOPBACK = "127.0.0.1";
const LOOPBACK_V6 = "::1";

/** World parameters that Sidetone understands, all optional. */
export interface RunParameters extends CallLimits {
  readonly seed?: string;
  readonly reportFolder?: string;
  /** Folder with `caller/` and `bot/` recordings of one's own. */
  readonly voicesFolder?: string;
  /** The address that callers are bound to; default: the one that routes to the target. */
  readonly localAddress?: string;
  /**
   * The protocol by which embedded bots speak to their AI: "openai" (the default), "azure-openai" or
   * "gemini".
   */
  readonly ai?: string;
  /** Modules of tools for embedded bots: paths, or one path (docs/tools.md). */
  readonly tools?: readonly string[] | string;
  /** A file that says what models of AI cost (docs/ai.md). */
  readonly prices?: string;
  /** Hosts beside loopback that may be called: a list, or one text with commas. */
  readonly allow?: readonly string[] | string;
  /** DNS servers instead of this host's: "192.0.2.53", "192.0.2.53:5353". */
  readonly dnsServers?: readonly string[];
  /** By what the caller's requests go where the target does not say: udp, tcp, tls, ws or wss. */
  readonly sipTransport?: SipTransport;
  /** PEM files: authorities that the caller trusts, and its own certificate with the key. */
  readonly sipCa?: string;
  readonly sipCertificate?: string;
  readonly sipKey?: string;
  /** Makes calls in virtual time (docs/virtual-time.md). */
  readonly virtual?: boolean;
}

/** What a scenario wants an agent to be like. */
export interface AgentWish {
  readonly sip?: SipSettings;
  readonly demand?: Demand;
  /** Where it is bound; default: loopback, and for callers what routes to the target. */
  readonly address?: string;
}

/** Which registrar of ours a scenario wants. */
export interface RegistrarWish {
  readonly port?: number;
  readonly demand?: Demand;
}

/** An embedded bot: its AI server and the agent that answers the telephone. */
export interface EmbeddedBot {
  readonly ai: EmbeddedAi;
  readonly agent: RemoteAgent;
}

/** Which embedded bot a scenario wants. */
export interface BotWish {
  readonly script: string;
  readonly turnDetection: TurnDetection;
  /** Whether it speaks first. */
  readonly greets: boolean;
  readonly agent?: AgentWish;
  /** Looks for interruptions in the caller's audio itself, too. */
  readonly localBargeIn?: boolean;
  /** How often a lost connection to the AI is opened again; default: the protocol's. */
  readonly reconnectAttemptsMax?: number;
  /** How the AI's speech is played into the call. */
  readonly playout?: PlayoutSettings;
}

/**
 * What a run shares between its scenarios: one harness, one caller, one bot per script. Starting
 * them takes longer than a call's set-up, and a bot that serves many calls is what users test.
 */
class Run {
  readonly harness: Harness;
  readonly #parameters: RunParameters;
  readonly #provider: Provider;
  /** What models cost by the user's own list. */
  readonly #prices: Prices;
  readonly #bots = new Map<string, Promise<EmbeddedBot>>();
  /** Bots that are the same but for their SIP share one. */
  readonly #ais = new Map<string, Promise<EmbeddedAi>>();
  /** Embedded AIs that play personas, by script. */
  readonly #testers = new Map<string, Promise<EmbeddedAi>>();
  readonly #colleagues = new Map<string, Promise<RemoteAgent>>();
  /** One for each address of this host that calls leave from, and each way to be. */
  readonly #callers = new Map<string, Promise<RemoteAgent>>();
  readonly #registrars = new Map<string, Promise<RemoteAgent>>();
  #judge: Judge | undefined;

  constructor(
    harness: Harness,
    parameters: RunParameters,
    ai: { readonly provider: Provider; readonly prices: Prices },
  ) {
    this.harness = harness;
    this.#parameters = parameters;
    this.#provider = ai.provider;
    this.#prices = ai.prices;
  }

  /** The caller that reaches `target`. */
  async caller(target: string, wish: AgentWish = {}): Promise<RemoteAgent> {
    const { localAddress, ...rest } = this.#parameters;
    const address = wish.address ?? localAddress ?? (await this.#addressTowards(target, rest));
    const sip = await this.#callerSip(wish.sip);
    const key = JSON.stringify([address, sip]);
    let caller = this.#callers.get(key);
    if (caller === undefined) {
      const local = { address, port: 0 };
      caller = this.harness.addAgent({ party: "caller", user: "caller", local, sip });
      this.#callers.set(key, caller);
    }
    return caller;
  }

  /** In virtual time there is loopback alone, and nobody to ask for names. */
  #addressTowards(target: string, options: RunParameters): Promise<string> | string {
    if (options.virtual !== true) return localAddressFor(target, options);
    return target.includes("[") ? LOOPBACK_V6 : LOOPBACK;
  }

  /** What the run's parameters say, then the scenario. */
  async #callerSip(wanted: SipSettings = {}): Promise<SipSettings> {
    const { sipTransport, sipCa, sipCertificate, sipKey } = this.#parameters;
    const tls = await readTlsFiles({
      ...(sipCa === undefined ? {} : { ca: sipCa }),
      ...(sipCertificate === undefined ? {} : { certificate: sipCertificate }),
      ...(sipKey === undefined ? {} : { key: sipKey }),
    });
    return {
      ...(sipTransport === undefined ? {} : { transport: sipTransport }),
      ...wanted,
      tls: { ...tls, ...wanted.tls },
    };
  }

  /** A small registrar of ours. */
  registrar({ port = 0, demand }: RegistrarWish): Promise<RemoteAgent> {
    const key = JSON.stringify([port, demand]);
    let registrar = this.#registrars.get(key);
    if (registrar === undefined) {
      registrar = this.harness.addAgent({
        party: "bot",
        user: "registrar",
        local: { address: this.#parameters.localAddress ?? LOOPBACK, port },
        registrar: {},
        ...(demand === undefined ? {} : { demand }),
      });
      this.#registrars.set(key, registrar);
    }
    return registrar;
  }

  bot(wanted: BotWish): Promise<EmbeddedBot> {
    const key = JSON.stringify(wanted);
    let bot = this.#bots.get(key);
    if (bot === undefined) {
      bot = this.#startBot(wanted);
      this.#bots.set(key, bot);
    }
    return bot;
  }

  /** The AI that plays a persona: a provider's where the environment names one, else the embedded. */
  async tester(persona: Persona): Promise<TesterOptions> {
    const chosen = testerProvider();
    const prices = this.#prices;
    if (chosen !== undefined) return { persona, ai: { ...chosen, prices } };
    const { script } = persona;
    if (script === undefined) throw noScript(persona.name);
    let ai = this.#testers.get(script);
    if (ai === undefined) {
      ai = this.harness.startEmbeddedAi({ scriptPath: scriptPath(script) });
      this.#testers.set(script, ai);
    }
    const served = await ai;
    const provider = this.#provider;
    return {
      persona,
      ai: {
        provider,
        url: embeddedUrl(provider, served),
        apiKey: served.apiKey,
        model: MODELS[provider],
        prices,
      },
    };
  }

  /** The language model that judges; one for all, which remembers what its server takes. */
  judge(): JudgeParts {
    this.#judge ??= openJudge();
    const { voices } = this.harness;
    return { judge: this.#judge, textOf: (fixture) => voices.lookUp("caller", fixture)?.text };
  }

  /** An agent of ours that calls are transferred to; it says nothing. */
  colleague(name: string): Promise<RemoteAgent> {
    let colleague = this.#colleagues.get(name);
    if (colleague === undefined) {
      colleague = this.harness.addAgent({
        party: "bot",
        user: name.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-"),
        local: { address: "127.0.0.1", port: 0 },
      });
      this.#colleagues.set(name, colleague);
    }
    return colleague;
  }

  #ai(wish: Omit<BotWish, "agent">): Promise<EmbeddedAi> {
    const key = JSON.stringify(wish);
    let ai = this.#ais.get(key);
    if (ai === undefined) {
      ai = this.harness.startEmbeddedAi({ scriptPath: scriptPath(wish.script) });
      this.#ais.set(key, ai);
    }
    return ai;
  }

  async #startBot(wanted: BotWish): Promise<EmbeddedBot> {
    const { script, turnDetection, greets, agent: wish = {}, reconnectAttemptsMax } = wanted;
    const ai = await this.#ai({ script, turnDetection, greets });
    const agent = await this.harness.addAgent({
      party: "bot",
      user: "bot",
      local: { address: wish.address ?? LOOPBACK, port: 0 },
      ...(wish.sip === undefined ? {} : { sip: wish.sip }),
      ...(wish.demand === undefined ? {} : { demand: wish.demand }),
      answer: { kind: "answer", ringMs: 0 },
      ai: {
        provider: this.#provider,
        url: embeddedUrl(this.#provider, ai),
        apiKey: ai.apiKey,
        model: MODELS[this.#provider],
        prices: this.#prices,
        turnDetection,
        greets,
        tools: { modules: listOf(this.#parameters.tools) },
        ...(wanted.localBargeIn === true ? { localBargeIn: {} } : {}),
        ...(wanted.playout === undefined ? {} : { playout: wanted.playout }),
        ...(reconnectAttemptsMax === undefined ? {} : { reconnectAttemptsMax }),
      },
    });
    return { ai, agent };
  }
}

type Prices = Readonly<Record<string, ModelPrice>>;

/** What embedded bots ask for; the embedded AI does not mind. */
const MODELS: Readonly<Record<Provider, string>> = {
  openai: "gpt-realtime",
  "azure-openai": "gpt-realtime",
  gemini: "gemini-3.8-live",
};

function noScript(name: string): UsageError {
  return new UsageError(
    "ERR_TESTER_WITHOUT_AI",
    `Nobody can play the persona "${name}": it names no script for the embedded AI, and SIDETONE_TESTER names no provider. See docs/ai-tester.md.`,
    { context: { name } },
  );
}

let current: Promise<Run> | undefined;
/** The present run, once it is open. */
let opened: Run | undefined;

/** The run of this process; opened at its first scenario. */
export function runOf(parameters: RunParameters): Promise<Run> {
  current ??= open(parameters);
  return current;
}

/** Whether the run was interrupted: its calls are hung up, and no new one may begin. */
export function isRunAborted(): boolean {
  return opened?.harness.isAborted ?? false;
}

/** Ends the run, if one was opened. */
export async function endRun(): Promise<void> {
  const run = await current;
  current = undefined;
  opened = undefined;
  await run?.harness.close();
}

async function open(parameters: RunParameters): Promise<Run> {
  const { allow, ai, tools: _tools, prices: priceList, ...rest } = parameters;
  const provider = providerNamed(ai ?? "openai");
  const prices = priceList === undefined ? {} : await readPrices(priceList);
  const hosts = typeof allow === "string" ? allow.split(",").map((host) => host.trim()) : allow;
  const harness = await openHarness({ ...rest, ...(hosts === undefined ? {} : { allow: hosts }) });
  opened = new Run(harness, parameters, { provider, prices });
  return opened;
}

function listOf(paths: readonly string[] | string = []): readonly string[] {
  return typeof paths === "string" ? paths.split(",").map((path) => path.trim()) : paths;
}

/** Azure's clients ask for another path. */
function embeddedUrl(provider: Provider, ai: EmbeddedAi): string {
  if (provider === "gemini") return ai.geminiUrl;
  return provider === "azure-openai" ? ai.url.replace("/v1/", "/openai/v1/") : ai.url;
}

function providerNamed(name: string): Provider {
  const provider = EMBEDDED.find((each) => each === name);
  if (provider !== undefined) return provider;
  const isKnown = AI_PROVIDERS.some((each) => each === name);
  throw new UsageError(
    "ERR_AI_PROVIDER_UNKNOWN",
    isKnown
      ? `The embedded AI does not speak "${name}": only ${EMBEDDED.join(", ")}. Add an agent with that provider's URL and key instead.`
      : `Embedded bots speak to their AI by one of ${EMBEDDED.join(", ")}; "${name}" is not known.`,
  );
}

export type { Run };
