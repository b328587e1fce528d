import { UsageError } from "../../environment/index.ts";
import { SessionCredentials } from "../tokens/session-credentials.ts";
import type { TokenCache } from "../tokens/token-cache.ts";
import type { ToolDefinition } from "../tools.ts";
import { DIALECTS, type OpenAiDialect, type OpenAiDialectName } from "./dialects.ts";
import { type OpenAiAudioFormat, WIRE_FORMATS, type WireFormat } from "./wire-format.ts";

/** How the server decides that the caller speaks; what is left out, the provider's defaults fill. */
export type OpenAiTurnDetection =
  | {
      readonly type: "server_vad";
      readonly threshold?: number;
      readonly prefixPaddingMs?: number;
      readonly silenceDurationMs?: number;
      readonly idleTimeoutMs?: number;
      readonly createResponse?: boolean;
      readonly interruptResponse?: boolean;
    }
  | {
      readonly type: "semantic_vad";
      readonly eagerness?: "low" | "medium" | "high" | "auto";
      readonly createResponse?: boolean;
      readonly interruptResponse?: boolean;
    };

/** How to reach an OpenAI Realtime server, and how the session shall be set. */
export interface OpenAiOptions {
  /** Who is spoken to; default "openai". */
  readonly dialect?: OpenAiDialectName;
  /** `ws:` or `wss:`; the model is added as query where the URL names none. */
  readonly url: string;
  /**
   * A key, or an ephemeral token of one's own; not needed where there are `tokens`. Sent as a header;
   * appears in no error, fact, log or `ai.jsonl`.
   */
  readonly apiKey?: string;
  /** Gives a fresh token for each connection. */
  readonly tokens?: TokenCache;
  readonly model: string;
  readonly voice?: string;
  readonly instructions?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly turnDetection?: OpenAiTurnDetection;
  /** Default `pcm`. G.711 is passed through without being resampled. */
  readonly inputFormat?: OpenAiAudioFormat;
  readonly outputFormat?: OpenAiAudioFormat;
  /** Has the caller transcribed by the server. */
  readonly transcription?: {
    readonly model: string;
    readonly language?: string;
    readonly prompt?: string;
  };
  /** From the start to `session.created`. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** From `session.update` to `session.updated`. Default 5 000. */
  readonly sessionUpdateTimeoutMs?: number;
  /** Silence of the server while it owes a response. Default 15 000. */
  readonly stallTimeoutMs?: number;
  /** Audio gathered into one append message, 10 to 500. Default 20. */
  readonly appendMs?: number;
  /**
   * Times that a lost connection is opened again. The new session is told what was said, and has
   * forgotten the rest. Default 0: a harness that did so by itself would hide an outage.
   */
  readonly reconnectAttemptsMax?: number;
  /** Caller audio kept until the session is ready; beyond it the oldest is dropped. Default 5 000. */
  readonly readyBufferMs?: number;
}

const APPEND_MS = 20;
const APPEND_MS_MIN = 10;
/** The AI would hear speech so late that its turn detection is a different one. */
const APPEND_MS_MAX = 500;

/** Options with every default filled in. */
export interface OpenAiSettings {
  readonly dialect: OpenAiDialect;
  readonly url: string;
  readonly credentials: SessionCredentials;
  readonly model: string;
  readonly input: WireFormat;
  readonly output: WireFormat;
  readonly voice: string | undefined;
  readonly instructions: string | undefined;
  readonly tools: readonly ToolDefinition[];
  readonly turnDetection: OpenAiTurnDetection | undefined;
  readonly transcription: OpenAiOptions["transcription"];
  readonly connectTimeoutMs: number;
  readonly sessionUpdateTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly appendMs: number;
  readonly readyBufferMs: number;
  readonly reconnectAttemptsMax: number;
}

/**
 * Fills in defaults and refuses what cannot work.
 * @throws UsageError ERR_UNSUPPORTED_AUDIO_FORMAT, ERR_AI_URL_MALFORMED, ERR_AI_KEY_MISSING,
 *   ERR_AI_APPEND_LENGTH.
 */
export function openAiSettings(options: OpenAiOptions): OpenAiSettings {
  if (options.tokens === undefined) checkApiKey(options.apiKey ?? "");
  const dialect = DIALECTS[options.dialect ?? "openai"];
  return {
    dialect,
    url: sessionUrl(options.url, options.model, dialect),
    credentials: new SessionCredentials(options.apiKey, options.tokens),
    model: options.model,
    input: formatNamed("input", options.inputFormat ?? "pcm"),
    output: formatNamed("output", options.outputFormat ?? "pcm"),
    voice: options.voice,
    instructions: options.instructions,
    tools: options.tools ?? [],
    turnDetection: options.turnDetection,
    transcription: options.transcription,
    ...limits(options),
    appendMs: checkedAppendMs(options.appendMs ?? APPEND_MS),
  };
}

function limits(
  options: OpenAiOptions,
): Pick<
  OpenAiSettings,
  | "connectTimeoutMs"
  | "sessionUpdateTimeoutMs"
  | "stallTimeoutMs"
  | "readyBufferMs"
  | "reconnectAttemptsMax"
> {
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    sessionUpdateTimeoutMs: options.sessionUpdateTimeoutMs ?? 5000,
    stallTimeoutMs: options.stallTimeoutMs ?? 15_000,
    readyBufferMs: options.readyBufferMs ?? 5000,
    reconnectAttemptsMax: options.reconnectAttemptsMax ?? 0,
  };
}

function checkedAppendMs(appendMs: number): number {
  if (appendMs >= APPEND_MS_MIN && appendMs <= APPEND_MS_MAX) return appendMs;
  throw new UsageError(
    "ERR_AI_APPEND_LENGTH",
    `Caller audio cannot be sent to the AI in messages of ${appendMs} ms (appendMs). Use ${APPEND_MS_MIN} to ${APPEND_MS_MAX}; ${APPEND_MS} is the default.`,
    { context: { appendMs, min: APPEND_MS_MIN, max: APPEND_MS_MAX } },
  );
}

function formatNamed(which: string, name: OpenAiAudioFormat): WireFormat {
  const format: WireFormat | undefined = WIRE_FORMATS[name];
  // From a configuration file or from JavaScript, any text may come.
  // oxlint-disable-next-line typescript/no-unnecessary-condition
  if (format !== undefined) return format;
  throw new UsageError(
    "ERR_UNSUPPORTED_AUDIO_FORMAT",
    `The AI session's ${which} format "${name}" is not known. Use one of ${Object.keys(WIRE_FORMATS).join(", ")}.`,
    { context: { which, format: name } },
  );
}

/** The key goes into a header, so that control characters would break the request. */
function checkApiKey(apiKey: string): void {
  if (/^[\u0021-\u007e]+$/u.test(apiKey)) return;
  throw new UsageError(
    "ERR_AI_KEY_MISSING",
    "The AI session's API key is empty or has characters that no key has. Check the configuration.",
  );
}

function sessionUrl(text: string, model: string, dialect: OpenAiDialect): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "ws:" && url.protocol !== "wss:")) {
    throw new UsageError(
      "ERR_AI_URL_MALFORMED",
      `The AI session's URL is not a ws: or wss: URL. Write e.g. "${dialect.exampleUrl}".`,
    );
  }
  for (const [name, value] of Object.entries({ ...dialect.query, model })) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  return url.toString();
}
