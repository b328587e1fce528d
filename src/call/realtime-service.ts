import { loadVoices, type VoiceLibrary } from "../audio/index.ts";
import {
  type Channel,
  type Environment,
  type FileStore,
  present,
  type SocketAddress,
} from "../environment/index.ts";
import {
  parseScript,
  RealtimeServer,
  type RealtimeServerOptions,
  type ServerEvent,
  type SpeechRecogniser,
  type SpeechSynthesiser,
  withSynthesisedSpeech,
} from "../realtime-server/index.ts";
import { RemoteProcedures, serveProcedures } from "./remote-procedures.ts";

/** How the embedded AI is started. Plain data: it crosses a thread's border. */
export interface EmbeddedAiOptions {
  /** Port 0 lets the host choose. */
  readonly listen: SocketAddress;
  /** A second port, for TLS. Certificate and key cross the border, and go nowhere else. */
  readonly tls?: NonNullable<Parameters<typeof RealtimeServer.start>[1]["tls"]>;
  readonly scriptPath: string;
  /** The folder that holds `caller/` and `bot/`. */
  readonly voicesFolder: string;
  /** From speech-stopped to the first audio, exact; default: what the script says. */
  readonly answerDelayMs?: number;
  readonly faults?: ServerFaults;
  /** What says the texts that are not recorded: "espeak-ng", "espeak-ng:VOICE", or a module. */
  readonly speech?: string | undefined;
  /** What understands what is not recorded: "sherpa-onnx:CONFIG.json", or a module. */
  readonly recogniser?: string | undefined;
}

/** Makes what the names in `EmbeddedAiOptions` stand for. */
export interface SpeechPlugIns {
  synthesiser(name: string): Promise<SpeechSynthesiser>;
  recogniser(name: string): Promise<SpeechRecogniser>;
}

/** What may be changed while the embedded AI runs; it holds for connections made after it. */
export interface EmbeddedAiChanges {
  readonly scriptPath?: string;
  readonly answerDelayMs?: number;
  /** Replace all others; `{}` ends them. */
  readonly faults?: ServerFaults;
  /** Faults of the next connection alone. */
  readonly faultsOfNext?: ServerFaults;
}

/** What the embedded AI does wrong on request; docs/embedded-server.md. */
export type ServerFaults = NonNullable<Parameters<RealtimeServer["configure"]>[0]["faults"]>;

/** How the embedded AI is reached. */
interface EmbeddedAiAccess {
  /** By the OpenAI protocol. */
  readonly url: string;
  /** By the Gemini protocol. */
  readonly geminiUrl: string;
  /** Where https: and wss: are spoken; `undefined` where no TLS was asked for. */
  readonly secureOrigin: string | undefined;
  readonly apiKey: string;
}

/** The verbs of the embedded AI, as another thread calls them. */
type RealtimeProcedures = {
  start(options: EmbeddedAiOptions): Promise<EmbeddedAiAccess>;
  configure(changes: EmbeddedAiChanges): Promise<void>;
  close(nothing: undefined): Promise<void>;
};

/** Serves one embedded AI to the other end of `channel`: the body of its thread. */
export function serveRealtimeServer(
  channel: Channel,
  environment: Environment,
  files: FileStore,
  plugIns: SpeechPlugIns,
): void {
  let server: RealtimeServer | undefined;
  let recordings: VoiceLibrary | undefined;
  let synthesiser: SpeechSynthesiser | undefined;
  /** The script, and a voice for everything that it says. */
  const read = async (path: string): Promise<Pick<RealtimeServerOptions, "script" | "voices">> => {
    const script = parseScript(await files.readText(path), path);
    const voices = present(recordings, "the recordings are loaded before the first script");
    if (synthesiser === undefined) return { script, voices };
    return { script, voices: await withSynthesisedSpeech(voices, script, synthesiser) };
  };
  const procedures: RealtimeProcedures = {
    start: async ({ scriptPath, voicesFolder, speech, recogniser, ...options }) => {
      recordings = await loadVoices(files, voicesFolder);
      if (speech !== undefined) synthesiser = await plugIns.synthesiser(speech);
      server = await RealtimeServer.start(environment, {
        ...options,
        ...(await read(scriptPath)),
        recogniser: recogniser === undefined ? undefined : await plugIns.recogniser(recogniser),
      });
      server.onEvent = (event) => notify(event);
      const { url, geminiUrl, secureOrigin, apiKey } = server;
      return { url, geminiUrl, secureOrigin, apiKey };
    },
    configure: async ({ scriptPath, ...changes }) => {
      const script = scriptPath === undefined ? {} : await read(scriptPath);
      server?.configure({ ...changes, ...script });
    },
    close: async () => {
      await server?.close();
    },
  };
  const send = serveProcedures(channel, procedures);
  const notify = (event: ServerEvent): void => send(event);
}

/** The embedded AI, as a run sees it from its own thread. */
export class EmbeddedAi {
  readonly url: string;
  readonly geminiUrl: string;
  readonly secureOrigin: string | undefined;
  readonly apiKey: string;
  /** What the server itself did, with its own instants: ground truth for measurements. */
  readonly events: ServerEvent[] = [];
  readonly #link: RemoteProcedures<RealtimeProcedures, ServerEvent>;

  private constructor(
    link: RemoteProcedures<RealtimeProcedures, ServerEvent>,
    access: EmbeddedAiAccess,
  ) {
    this.#link = link;
    this.url = access.url;
    this.geminiUrl = access.geminiUrl;
    this.secureOrigin = access.secureOrigin;
    this.apiKey = access.apiKey;
    link.onNotice = (event) => this.events.push(event);
  }

  /** @throws UsageError ERR_SCRIPT_MALFORMED, ERR_FIXTURE_MISSING; EnvironmentError ERR_PORT_IN_USE. */
  static async start(channel: Channel, options: EmbeddedAiOptions): Promise<EmbeddedAi> {
    const link = new RemoteProcedures<RealtimeProcedures, ServerEvent>(channel);
    try {
      return new EmbeddedAi(link, await link.call("start", options));
    } catch (error) {
      await link.terminate();
      throw error;
    }
  }

  configure(changes: EmbeddedAiChanges): Promise<void> {
    return this.#link.call("configure", changes);
  }

  async close(): Promise<void> {
    try {
      await this.#link.call("close", undefined);
    } finally {
      await this.#link.terminate();
    }
  }
}
