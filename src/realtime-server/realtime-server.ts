import type { VoiceLibrary } from "../audio/index.ts";
import {
  type Environment,
  errorText,
  type HttpRequest,
  type HttpResponse,
  type ListeningServer,
  type Logger,
  type MessageSocket,
  present,
  randomToken,
  type ServerHandlers,
  type SocketAddress,
  seededRandom,
  type TlsIdentity,
  type UpgradeDecision,
} from "../environment/index.ts";
import type { Faults } from "./engine/faults.ts";
import { Repertoire } from "./engine/repertoire.ts";
import type { ServerEvent, ServerEventDraft } from "./engine/server-event.ts";
import type { ServerSettings } from "./engine/server-settings.ts";
import type { SessionEngine } from "./engine/session-output.ts";
import { AuthTokens, isTokenPath, refusal, type TokenGrant } from "./gemini/auth-tokens.ts";
import { GeminiServerSession } from "./gemini/gemini-server-session.ts";
import { credentialOf, isGeminiPath } from "./gemini/handshake.ts";
import { ResumableSessions } from "./gemini/sessions.ts";
import { EncodedVoices } from "./openai/audio-format.ts";
import { ClientSecrets } from "./openai/client-secrets.ts";
import { judgeHandshake, refuse, unauthorized } from "./openai/handshake.ts";
import { ServerSession, type ServerSessionOptions } from "./openai/server-session.ts";
import { Ids } from "./openai/wire.ts";
import { geminiRefusal, openAiRefusal, refusedStatus } from "./refusals.ts";
import type { Script } from "./script/script.ts";
import { pumpSession } from "./session-pump.ts";
import type { SpeechRecogniser } from "./speech/plug-ins.ts";

/** How the embedded AI is to be. */
export interface RealtimeServerOptions {
  /** Port 0 lets the host choose. */
  readonly listen: SocketAddress;
  /** A second port, for https: and wss:; the official SDKs insist on it. */
  readonly tls?: SecureListening;
  readonly script: Script;
  readonly voices: VoiceLibrary;
  /** Understands what was not recorded; without it, recordings are compared with. */
  readonly recogniser?: SpeechRecogniser | undefined;
  /** The only key that opens a connection; one is made up where none is given. */
  readonly apiKey?: string;
  /** From sending `speech_stopped` to sending the first audio; the script's where not given. */
  readonly answerDelayMs?: number;
  readonly faults?: Faults;
  /** The provider's limit is an hour. */
  readonly sessionMsMax?: number;
}

/** Where and as whom the server listens for TLS. Plain data. */
export interface SecureListening {
  /** Port 0 lets the host choose. */
  readonly listen: SocketAddress;
  readonly identity: TlsIdentity;
}

/** What may change while the server runs; it holds from each connection's next turn. */
export interface RealtimeServerChanges {
  readonly script?: Script;
  /** Recordings for `script`, instead of those from the start. */
  readonly voices?: VoiceLibrary;
  /** `undefined` gives the delay back to the script. */
  readonly answerDelayMs?: number | undefined;
  /** Replaces all faults; `{}` ends them, those of the next connection among them. */
  readonly faults?: Faults;
  /** Faults of the next connection alone, in place of all others. */
  readonly faultsOfNext?: Faults;
}

const SESSION_MS_MAX = 3_600_000;

/**
 * The embedded AI: a real server on a real socket that speaks the OpenAI Realtime and the Gemini
 * Live protocol, listens to real audio, answers by a script, and tells when it did what.
 */
export class RealtimeServer {
  /** Called for each thing that the server did, with the instant at its socket. */
  onEvent: ((event: ServerEvent) => void) | undefined;
  readonly apiKey: string;
  readonly #environment: Environment;
  readonly #voices: VoiceLibrary;
  readonly #recogniser: SpeechRecogniser | undefined;
  readonly #encodedVoices = new EncodedVoices();
  readonly #secrets: ClientSecrets;
  readonly #tokens: AuthTokens;
  readonly #geminiSessions = new ResumableSessions();
  readonly #sessionMsMax: number;
  #settings: ServerSettings;
  #server: ListeningServer | undefined;
  #secureServer: ListeningServer | undefined;
  #connections = 0;
  #faultsOfNext: Faults | undefined;
  /** It went down on purpose, and stays so. */
  #isDown = false;

  private constructor(environment: Environment, options: RealtimeServerOptions) {
    const { random, clock } = environment;
    this.#environment = environment;
    this.#voices = options.voices;
    this.#recogniser = guarded(options.recogniser, environment.logger);
    this.#sessionMsMax = options.sessionMsMax ?? SESSION_MS_MAX;
    this.apiKey = options.apiKey ?? `sk-embedded-${randomToken(random, 24)}`;
    this.#secrets = new ClientSecrets(this.apiKey, clock, new Ids(random));
    this.#tokens = new AuthTokens(this.apiKey, clock, random);
    this.#settings = {
      repertoire: new Repertoire(options.script, options.voices, this.#recogniser),
      answerDelayMs: options.answerDelayMs,
      faults: options.faults ?? {},
    };
  }

  /**
   * Starts to listen.
   * @throws UsageError ERR_SCRIPT_UNKNOWN_PHRASE, ERR_SCRIPT_DUPLICATE_PHRASE; EnvironmentError as
   *   `Network.listenHttp` throws it.
   */
  static async start(
    environment: Environment,
    options: RealtimeServerOptions,
  ): Promise<RealtimeServer> {
    const server = new RealtimeServer(environment, options);
    server.#settings.repertoire.rehearse();
    await server.#listen(options);
    return server;
  }

  async #listen({ listen, tls }: RealtimeServerOptions): Promise<void> {
    const { network } = this.#environment;
    const handlers: ServerHandlers = {
      onRequest: (request) => Promise.resolve(this.#answer(request)),
      onUpgrade: (request) => this.#judge(request),
    };
    this.#server = await network.listenHttp(listen, handlers);
    if (tls === undefined) return;
    try {
      const { identity } = tls;
      this.#secureServer = await network.listenHttp(tls.listen, { ...handlers, tls: identity });
    } catch (error) {
      await this.#server.close();
      throw error;
    }
  }

  /** Answers what is no WebSocket: the token endpoints of both protocols. */
  #answer(request: HttpRequest): HttpResponse {
    const status = this.#isDown ? 503 : refusedStatus(this.#settings.faults);
    if (status === undefined) return this.#tokens.answer(request) ?? this.#secrets.answer(request);
    return isTokenPath(request.target)
      ? refusal(status, ...geminiRefusal(status))
      : refuse(status, ...openAiRefusal(status)).response;
  }

  /** Where a client that speaks the OpenAI protocol connects; it may add `?model=…`. */
  get url(): string {
    return `${this.geminiUrl}/v1/realtime`;
  }

  /** Where a client that speaks the Gemini protocol connects; it adds the path of the method. */
  get geminiUrl(): string {
    return `ws://${hostOf(present(this.#server, "start() set it before it returned"))}`;
  }

  /**
   * The origin of the TLS listener, for `OpenAI({ baseURL: `${secureOrigin}/v1` })` and the like;
   * `undefined` without one.
   */
  get secureOrigin(): string | undefined {
    return this.#secureServer === undefined ? undefined : `https://${hostOf(this.#secureServer)}`;
  }

  /**
   * Changes what the AI does; what is not named stays.
   * @throws UsageError ERR_SCRIPT_UNKNOWN_PHRASE, ERR_SCRIPT_DUPLICATE_PHRASE.
   */
  configure(changes: RealtimeServerChanges): void {
    const { script, faults, voices = this.#voices } = changes;
    const endsAll = faults !== undefined && Object.keys(faults).length === 0;
    this.#faultsOfNext = changes.faultsOfNext ?? (endsAll ? undefined : this.#faultsOfNext);
    if (faults !== undefined) this.#isDown = false;
    const { repertoire, answerDelayMs } = this.#settings;
    this.#settings = {
      repertoire:
        script === undefined ? repertoire : new Repertoire(script, voices, this.#recogniser),
      answerDelayMs: "answerDelayMs" in changes ? changes.answerDelayMs : answerDelayMs,
      faults: faults ?? this.#settings.faults,
    };
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#secureServer?.close()]);
  }

  /** The settings of a new connection: its own faults, where it was given some. */
  #settingsOfNext(): () => ServerSettings {
    const faults = this.#isDown ? { refuseConnection: true } : this.#faultsOfNext;
    this.#faultsOfNext = undefined;
    return () => (faults === undefined ? this.#settings : { ...this.#settings, faults });
  }

  #judge(request: HttpRequest): UpgradeDecision {
    const settings = this.#settingsOfNext();
    if (isGeminiPath(request.target)) return this.#judgeGemini(request, settings);
    const handshake = judgedWithFaults(request, settings().faults, this.#secrets);
    this.#connections += 1;
    const connection = this.#connections;
    if (!handshake.accepted) {
      this.#tell(connection, { type: "refused", status: handshake.response.status });
      return { accept: false, response: handshake.response };
    }
    const { model, subprotocol } = handshake;
    const grant = this.#secrets.grantOf(handshake.key);
    return {
      accept: true,
      ...(subprotocol === undefined ? {} : { subprotocol }),
      onConnection: (socket) => this.#serve(socket, connection, { model, ...grant, settings }),
    };
  }

  #judgeGemini(request: HttpRequest, settings: () => ServerSettings): UpgradeDecision {
    const credential = credentialOf(request) ?? "";
    const grant = this.#tokens.grantOf(credential);
    const isKnown = credential === this.apiKey || grant !== undefined;
    this.#connections += 1;
    const connection = this.#connections;
    const status = refusedStatus(settings().faults) ?? (isKnown ? undefined : 401);
    if (status === undefined) {
      return {
        accept: true,
        onConnection: (socket) => this.#serveGemini(socket, connection, { grant, settings }),
      };
    }
    const response = refusal(status, ...geminiRefusal(status));
    this.#tell(connection, { type: "refused", status });
    return { accept: false, response };
  }

  #serveGemini(
    socket: MessageSocket,
    connection: number,
    asked: { readonly grant: TokenGrant | undefined; readonly settings: () => ServerSettings },
  ): void {
    const { clock, random } = this.#environment;
    const session = new GeminiServerSession({
      ...asked,
      random: seededRandom(randomToken(random, 16)),
      voices: this.#encodedVoices,
      sessions: this.#geminiSessions,
      openedAt: clock.now(),
      sessionMsMax: this.#sessionMsMax,
    });
    this.#pump(session, socket, connection);
  }

  #serve(
    socket: MessageSocket,
    connection: number,
    asked: Pick<ServerSessionOptions, "model" | "session" | "settings">,
  ): void {
    const { clock, random } = this.#environment;
    const session = new ServerSession({
      random: seededRandom(randomToken(random, 16)),
      ...asked,
      voices: this.#encodedVoices,
      openedAt: clock.now(),
      wallClockMs: clock.wallClockMs(),
      sessionMsMax: this.#sessionMsMax,
    });
    this.#pump(session, socket, connection);
  }

  #pump(session: SessionEngine, socket: MessageSocket, connection: number): void {
    this.#tell(connection, { type: "connected" });
    pumpSession(session, socket, this.#environment.clock, (draft, at) => {
      const isEnd = draft.type === "faultInjected" && draft.fault === "closeOnTurn";
      if (isEnd) this.#isDown = this.#settings.faults.closeOnTurn?.staysDown === true;
      this.onEvent?.({ ...draft, connection, at });
    });
  }

  #tell(connection: number, draft: ServerEventDraft): void {
    this.onEvent?.({ ...draft, connection, at: this.#environment.clock.now() });
  }
}

function hostOf({ local: { address, port } }: ListeningServer): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** A recogniser that fails has understood nothing; the log says so. */
function guarded(
  recogniser: SpeechRecogniser | undefined,
  logger: Logger,
): SpeechRecogniser | undefined {
  return (
    recogniser && {
      recognise: (samples, sampleRateHz) => {
        try {
          const text: unknown = recogniser.recognise(samples, sampleRateHz);
          if (typeof text === "string") return text;
          logger.warn("The speech recogniser gave no text.");
        } catch (error) {
          logger.warn("The speech recogniser failed.", { error: errorText(error) });
        }
        return "";
      },
    }
  );
}

function judgedWithFaults(
  request: HttpRequest,
  faults: Faults,
  secrets: ClientSecrets,
): ReturnType<typeof judgeHandshake> {
  const status = refusedStatus(faults);
  if (status !== undefined) return refuse(status, ...openAiRefusal(status));
  return faults.tokenExpired === true ? unauthorized() : judgeHandshake(request, secrets.isValid);
}
