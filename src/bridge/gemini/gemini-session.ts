import type { Environment } from "../../environment/index.ts";
import type { AiSession } from "../ai-session.ts";
import { ProtocolSession } from "../provider/protocol-session.ts";
import { credentialHeaders, type GeminiOptions, geminiSettings } from "./gemini-options.ts";
import { GeminiProtocol } from "./gemini-protocol.ts";

/**
 * Opens a session with a Gemini Live server.
 *
 * Whatever becomes of it arrives at `onEvent`, as with `openAiSession`. A connection that is lost
 * is followed by another where the server allows to go on: `resumed`.
 *
 * @throws UsageError ERR_AI_URL_MALFORMED, ERR_AI_KEY_MISSING.
 */
export function geminiSession(environment: Environment, options: GeminiOptions): AiSession {
  const settings = geminiSettings(options);
  return new ProtocolSession(environment, {
    provider: "gemini",
    model: settings.model,
    inputSampleRateHz: settings.input.sampleRateHz,
    outputSampleRateHz: settings.output.sampleRateHz,
    supportsTruncation: false,
    protocol: new GeminiProtocol(settings, environment.clock.now()),
    connect: () =>
      settings.credentials.connect((credential) =>
        environment.network.connectMessages(settings.url, {
          headers: credentialHeaders(credential),
          handshakeTimeoutMs: settings.connectTimeoutMs,
        }),
      ),
  });
}
