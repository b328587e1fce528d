import type { Environment } from "../../environment/index.ts";
import type { AiSession } from "../ai-session.ts";
import type { JsonObject } from "../provider/json-fields.ts";
import { ProtocolSession } from "../provider/protocol-session.ts";
import { credentialHeaders } from "./dialects.ts";
import { type OpenAiOptions, openAiSettings } from "./openai-options.ts";
import { OpenAiProtocol } from "./openai-protocol.ts";
import { sessionObject } from "./session-update.ts";

/**
 * Opens a session with an OpenAI Realtime server, or one of its dialects.
 *
 * Whatever becomes of it arrives at `onEvent`: `ready`, or a fatal `error` (ERR_AI_UNREACHABLE,
 * ERR_AI_UNAUTHORIZED, ERR_AI_STALLED, ERR_AI_CLOSED, ERR_AI_SETTINGS_REJECTED,
 * ERR_AI_FORMAT_MISMATCH), and at last `closed`.
 *
 * @throws UsageError ERR_UNSUPPORTED_AUDIO_FORMAT, ERR_AI_URL_MALFORMED, ERR_AI_KEY_MISSING,
 *   ERR_AI_APPEND_LENGTH.
 */
export function openAiSession(environment: Environment, options: OpenAiOptions): AiSession {
  const settings = openAiSettings(options);
  return new ProtocolSession(environment, {
    provider: settings.dialect.name,
    model: settings.model,
    inputSampleRateHz: settings.input.sampleRateHz,
    outputSampleRateHz: settings.output.sampleRateHz,
    supportsTruncation: true,
    protocol: new OpenAiProtocol(settings, environment.clock.now()),
    connect: () =>
      settings.credentials.connect((credential) =>
        environment.network.connectMessages(settings.url, {
          headers: credentialHeaders(settings.dialect, credential),
          handshakeTimeoutMs: settings.connectTimeoutMs,
        }),
      ),
  });
}

/** The session that a token is minted with: model, voice, instructions and all the rest. */
export function openAiTokenSession(options: OpenAiOptions): JsonObject {
  const settings = openAiSettings({ ...options, apiKey: "not-looked-at" });
  return { type: "realtime", ...sessionObject(settings), model: settings.model };
}
