import type {
  AiProvider,
  LocalBargeInOptions,
  ModelPrice,
  PlayoutSettings,
  TokenService,
} from "../bridge/index.ts";
import type { SocketAddress } from "../environment/index.ts";
import type { AiNetwork, NetworkPlan } from "../impairment/index.ts";
import type { MediaSettings } from "../media/index.ts";
import type {
  Demand,
  DialogSettings,
  InviteIdentity,
  MessageFault,
  RegistrarOptions,
  SipCredentials,
  SipSettings,
} from "../sip/index.ts";
import type { Persona } from "../tester/index.ts";
import type { Party } from "../timeline/index.ts";
import type { BotToolOptions } from "./bot-tools.ts";
import type { DialRules } from "./call-budget.ts";
import type { TransferPolicy } from "./call-transfers.ts";
import type { ShardPlace } from "./sip-front.ts";

/**
 * What a bot sends before it answers (RFC 3960): silence, the ringback tone, or what its AI says,
 * who then speaks first and hears the caller.
 */
export type EarlyMedia = "silence" | "ringback" | "greeting";

/** What a bot does with a call that comes in. */
export type AnswerPolicy = AnswerKind & {
  /** Further header lines of its responses to the INVITE: 18x, 200 and refusals. */
  readonly headers?: readonly string[];
  /** What shall go wrong with this side's SIP messages on purpose. */
  readonly faults?: readonly MessageFault[];
};

type AnswerKind =
  /** Rings for `ringMs`, then answers; what the settings do not say is as the agent has it. */
  | {
      readonly kind: "answer";
      readonly ringMs: number;
      readonly media?: MediaSettings;
      readonly dialog?: DialogSettings;
      /** What the caller hears while it rings; default: nothing, there are no media yet. */
      readonly earlyMedia?: EarlyMedia;
      /** Whom the bot's AI may transfer the call to: names that it is told, and their SIP URIs. */
      readonly destinations?: Readonly<Record<string, string>>;
      /**
       * Servers that stand in for those that its AI's tools name: an origin, and the one to ask
       * instead ("http://127.0.0.1:8080").
       */
      readonly httpStandIns?: Readonly<Record<string, string>>;
      /** Takes the place of `AiOptions.network`. */
      readonly aiNetwork?: AiNetwork;
    }
  /** Refuses with a final response, e.g. 486. */
  | { readonly kind: "reject"; readonly statusCode: number; readonly reasonPhrase?: string }
  /** Sends the caller elsewhere with a 3xx, 302 by default; the first Contact is to be tried first. */
  | {
      readonly kind: "redirect";
      readonly contacts: readonly string[];
      readonly statusCode?: number;
    }
  /** Rings and never answers. */
  | { readonly kind: "ringForever" };

/** The AI that a bot bridges its calls to. Plain data: it crosses a thread's border. */
export interface AiOptions {
  /** Whose protocol it speaks. */
  readonly provider: AiProvider;
  /** e.g. ws://127.0.0.1:8080/v1/realtime, or wss://generativelanguage.googleapis.com */
  readonly url: string;
  /** Never logged, reported or recorded. Not needed where a service gives `tokens`. */
  readonly apiKey?: string;
  /**
   * Has each connection opened with an ephemeral token (docs/tokens.md): minted with `apiKey`, or
   * given by a tokens service, so that this machine knows no key.
   */
  readonly tokens?: TokenOptions;
  readonly model: string;
  readonly voice?: string;
  readonly instructions?: string;
  readonly turnDetection?: TurnDetection;
  /** What the AI gets and gives; default pcm (24 kHz). G.711 is passed through, not resampled. */
  readonly audioFormat?: "pcm" | "pcmu" | "pcma";
  /**
   * Caller audio in one message to the AI, 10 to 500 ms; default 20. Longer messages are
   * fewer, and let the AI hear a word later, by up to their length less one packet.
   */
  readonly appendMs?: number;
  /** The language that is spoken, BCP 47 ("en-GB"); default: what the model makes of it. */
  readonly language?: string;
  /** Has what the AI hears transcribed, where that has to be asked for (OpenAI). Default false. */
  readonly transcribes?: boolean;
  /** Asks the AI to speak first, once the call is answered. */
  readonly greets: boolean;
  /**
   * Whether a caller who speaks over the bot is also found in the audio itself, which silences the
   * bot before the provider says so; by itself, it listens to the provider alone.
   */
  readonly localBargeIn?: LocalBargeInOptions;
  /**
   * Whether its speech is held back before it is played into the call, and what is heard where it has
   * run dry; default: it is played as soon as it is there, and silence is heard.
   */
  readonly playout?: PlayoutSettings;
  /** Tools beside those that act on the call. */
  readonly tools?: BotToolOptions;
  /** What its tokens cost where the published prices do not hold: US dollars for a million. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** How long the AI may take to get ready before the call is refused with 503. */
  readonly connectTimeoutMs?: number;
  /**
   * How often a lost connection is opened again, with growing pauses. Default: 5 with Gemini, whose
   * sessions go on, and 0 with the others, whose new session has forgotten all but what was said.
   */
  readonly reconnectAttemptsMax?: number;
  /** How long it may keep quiet while it owes an answer before the call is given up. */
  readonly stallTimeoutMs?: number;
  /**
   * Puts an injured network between bridge and AI, which a call may then change. An empty one does
   * nothing yet. Ephemeral tokens are fetched beside it.
   */
  readonly network?: AiNetwork;
}

/** Where an agent's ephemeral tokens come from. */
export type TokenOptions =
  | { readonly from: "provider"; readonly lifetimeMs?: number }
  | ({ readonly from: "service" } & TokenService);

/** Who decides that the caller has finished, and how (names as in OpenAI's API). */
export type TurnDetection =
  | {
      readonly type: "server_vad";
      readonly threshold?: number;
      readonly prefixPaddingMs?: number;
      readonly silenceDurationMs?: number;
      /** False: the bot talks on when the caller interrupts. */
      readonly interruptResponse?: boolean;
    }
  | {
      readonly type: "semantic_vad";
      readonly eagerness?: "low" | "medium" | "high" | "auto";
      readonly interruptResponse?: boolean;
    };

/** An agent: a SIP user agent with media and, for a bot, an AI. Plain data. */
export interface AgentOptions {
  readonly party: Party;
  /** The user part of its SIP URI. */
  readonly user: string;
  readonly displayName?: string;
  /** Port 0 lets the host choose. RTP binds on the same address. */
  readonly local: SocketAddress;
  /** How its SIP travels: transports, certificates; default UDP and TCP at `local`. */
  readonly sip?: SipSettings;
  /** Codecs, encryption, RTCP, jitter buffer; a call may change each (`DialOptions`). */
  readonly media?: MediaSettings;
  /** What its calls use of SIP's extensions; a call may change each. */
  readonly dialog?: DialogSettings;
  /**
   * What the network does to its SIP over UDP, each direction by itself; default: nothing. With
   * `threads`, each of them has one of its own.
   */
  readonly sipNetwork?: NetworkPlan;
  /** Its calls are spread over so many threads that share its SIP address; default 1. */
  readonly threads?: number;
  /** Set for each of those threads by the one that they belong to. */
  readonly shard?: ShardPlace;
  /** Whether it keeps a stereo recording and packets; default true. */
  readonly keepsRecordings?: boolean;
  /** The peer counts as vanished after so long without RTP; default 10 000. */
  readonly silentPeerLimitMs?: number;
  /** No call outlives this; default 300 000. */
  readonly callDurationLimitMs?: number;
  /** Whom and how much it may call; the harness sets it. Default: loopback only. */
  readonly dialling?: DialRules;
  readonly answer?: AnswerPolicy;
  /** What it does when it is asked to call somebody else; default: it calls. */
  readonly transfers?: TransferPolicy;
  /** Accounts for peers, registrars and proxies that ask who calls. Never logged or recorded. */
  readonly credentials?: readonly SipCredentials[];
  /** Whom it lets call: others are asked for credentials with 401. */
  readonly demand?: Demand;
  /** Be a small registrar for others, in memory; it routes nothing. */
  readonly registrar?: RegistrarOptions;
  readonly ai?: AiOptions;
}

/** Who plays the caller of a call. Plain data: it crosses a thread's border. */
export interface TesterOptions {
  readonly persona: Persona;
  /** Instructions, voice, turn detection and who speaks first are the persona's. */
  readonly ai: Omit<AiOptions, "instructions" | "voice" | "turnDetection" | "greets" | "tools">;
}

/** How to place a call. */
export interface DialOptions {
  /** A model plays the caller. */
  readonly tester?: TesterOptions;
  /** CANCEL when the call is not answered by then; default 30 000. */
  readonly ringTimeoutMs?: number;
  readonly offer?: "early" | "late";
  /** What this call's media shall be like; what is not said is as the agent has it. */
  readonly media?: MediaSettings;
  /** What shall go wrong with the caller's SIP messages on purpose. */
  readonly faults?: readonly MessageFault[];
  /** As whom it is placed, and whom it asks for; default: ourselves, and the target. */
  readonly identity?: InviteIdentity;
  /** A call beside another one, to ask whether that may be transferred. */
  readonly purpose?: "consultation";
  /** What this call uses of SIP's extensions; what is not said is as the agent has it. */
  readonly dialog?: DialogSettings;
  /** Further header lines, e.g. "X-Test: 1". */
  readonly headers?: readonly string[];
}
