import { UsageError } from "../../environment/index.ts";
import type { AudioFormat } from "../provider/audio-format.ts";
import { SessionCredentials } from "../tokens/session-credentials.ts";
import type { TokenCache } from "../tokens/token-cache.ts";
import type { ToolDefinition } from "../tools.ts";

/** How the server finds the caller's speech; what is left out, the provider's defaults fill. */
export interface GeminiActivityDetection {
  readonly startSensitivity?: "low" | "high";
  readonly endSensitivity?: "low" | "high";
  readonly prefixPaddingMs?: number;
  readonly silenceDurationMs?: number;
  /** False: the bot talks on when the caller interrupts. Default true. */
  readonly interruptsResponse?: boolean;
}

/** How to reach a Gemini Live server, and how the session shall be set. */
export interface GeminiOptions {
  /** `ws:` or `wss:`; without a path, that of the method is added. */
  readonly url: string;
  /**
   * An API key, or an ephemeral token ("auth_tokens/…"). Sent as a header, not in the URL; appears
   * in no error, fact, log or `ai.jsonl`. Not needed where there are `tokens`.
   */
  readonly apiKey?: string;
  /** Gives a fresh token for each session. */
  readonly tokens?: TokenCache;
  readonly model: string;
  readonly voice?: string;
  /** BCP 47, e.g. "en-US". */
  readonly language?: string;
  readonly instructions?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly activityDetection?: GeminiActivityDetection;
  /** Has both sides transcribed. Default true. */
  readonly transcribes?: boolean;
  /** From the start to the open connection. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** From `setup` to `setupComplete`. Default 5 000. */
  readonly setupTimeoutMs?: number;
  /** Silence of the server while it owes a response. Default 15 000. */
  readonly stallTimeoutMs?: number;
  /** Audio gathered into one message. Default 20. */
  readonly appendMs?: number;
  /** Caller audio kept while there is no session; beyond it the oldest is dropped. Default 5 000. */
  readonly readyBufferMs?: number;
  /** Times that a lost connection is opened again, where the server allows to go on. Default 5. */
  readonly resumeAttemptsMax?: number;
}

/** Options with every default filled in. */
export interface GeminiSettings
  extends Required<
    Omit<
      GeminiOptions,
      "apiKey" | "tokens" | "voice" | "language" | "instructions" | "activityDetection"
    >
  > {
  readonly voice: string | undefined;
  readonly language: string | undefined;
  readonly instructions: string | undefined;
  readonly activityDetection: GeminiActivityDetection;
  readonly input: AudioFormat;
  readonly output: AudioFormat;
  readonly credentials: SessionCredentials;
}

/** Gemini takes 16 kHz as its native rate, and always gives 24 kHz. */
const INPUT_RATE_HZ = 16_000;
const OUTPUT_RATE_HZ = 24_000;
const TOKEN_PREFIX = "auth_tokens/";
const SERVICE = "google.ai.generativelanguage";

/**
 * Fills in defaults and refuses what cannot work.
 * @throws UsageError ERR_AI_URL_MALFORMED, ERR_AI_KEY_MISSING.
 */
export function geminiSettings(options: GeminiOptions): GeminiSettings {
  const { apiKey = "", tokens } = options;
  if (tokens === undefined) checkKey(apiKey);
  const isToken = tokens !== undefined || apiKey.startsWith(TOKEN_PREFIX);
  return {
    url: sessionUrl(options.url, isToken),
    credentials: new SessionCredentials(apiKey, tokens),
    model: options.model.startsWith("models/") ? options.model : `models/${options.model}`,
    input: { sampleRateHz: INPUT_RATE_HZ },
    output: { sampleRateHz: OUTPUT_RATE_HZ },
    voice: options.voice,
    language: options.language,
    instructions: options.instructions,
    tools: options.tools ?? [],
    activityDetection: options.activityDetection ?? {},
    transcribes: options.transcribes ?? true,
    ...limits(options),
  };
}

function limits(
  options: GeminiOptions,
): Pick<
  GeminiSettings,
  | "connectTimeoutMs"
  | "setupTimeoutMs"
  | "stallTimeoutMs"
  | "appendMs"
  | "readyBufferMs"
  | "resumeAttemptsMax"
> {
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    setupTimeoutMs: options.setupTimeoutMs ?? 5000,
    stallTimeoutMs: options.stallTimeoutMs ?? 15_000,
    appendMs: options.appendMs ?? 20,
    readyBufferMs: options.readyBufferMs ?? 5000,
    resumeAttemptsMax: options.resumeAttemptsMax ?? 5,
  };
}

/** The key goes into a header, so that control characters would break the request. */
function checkKey(apiKey: string): void {
  if (/^[\u0021-\u007e]+$/u.test(apiKey)) return;
  throw new UsageError(
    "ERR_AI_KEY_MISSING",
    "The AI session's API key is empty or has characters that no key has. Check the configuration.",
  );
}

/** The headers that open a connection with a key or a token. */
export function credentialHeaders(credential: string): Readonly<Record<string, string>> {
  return credential.startsWith(TOKEN_PREFIX)
    ? { Authorization: `Token ${credential}` }
    : { "x-goog-api-key": credential };
}

/** Ephemeral tokens have a method, and a version of the API, of their own. */
function sessionUrl(text: string, isToken: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "ws:" && url.protocol !== "wss:")) {
    throw new UsageError(
      "ERR_AI_URL_MALFORMED",
      'The AI session\'s URL is not a ws: or wss: URL. Write e.g. "wss://generativelanguage.googleapis.com".',
    );
  }
  if (url.pathname === "/") {
    url.pathname = isToken
      ? `/ws/${SERVICE}.v1alpha.GenerativeService.BidiGenerateContentConstrained`
      : `/ws/${SERVICE}.v1beta.GenerativeService.BidiGenerateContent`;
  }
  return url.toString();
}
