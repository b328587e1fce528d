import type { JsonObject } from "../provider/json-fields.ts";
import { type OpenAiDialect, putAt, type SessionSetting } from "./dialects.ts";
import type { OpenAiSettings, OpenAiTurnDetection } from "./openai-options.ts";
import { formatJson, type WireFormat } from "./wire-format.ts";

/** `session.update` with what the options ask for; the rest stays as the server has it. */
export function sessionUpdate(eventId: string, settings: OpenAiSettings): JsonObject {
  return { type: "session.update", event_id: eventId, session: sessionObject(settings) };
}

/** The session that the options ask for, as the dialect writes it. */
export function sessionObject(settings: OpenAiSettings): JsonObject {
  const { dialect, voice, instructions, transcription, turnDetection, tools } = settings;
  const session: Record<string, unknown> = { ...dialect.fixed };
  const put = (setting: SessionSetting, value: unknown): void => {
    const place = dialect.places[setting];
    if (place !== undefined && value !== undefined) putAt(session, place, value);
  };
  put("modalities", dialect.modalities);
  put("instructions", instructions);
  put("inputFormat", formatValue(dialect, settings.input));
  put("inputRate", settings.input.sampleRateHz);
  put("transcription", transcription);
  put("turnDetection", turnDetection && turnDetectionOf(dialect, turnDetection));
  put("outputFormat", formatValue(dialect, settings.output));
  put("voice", voice === undefined ? undefined : dialect.voice(voice));
  put(
    "tools",
    tools.map((tool) => ({ type: "function", ...tool })),
  );
  put("toolChoice", "auto");
  return session;
}

/** An audio format as the dialect writes it. */
export function formatValue({ formatNames }: OpenAiDialect, format: WireFormat): unknown {
  return formatNames === undefined ? formatJson(format) : formatNames[format.name];
}

function turnDetectionOf(dialect: OpenAiDialect, detection: OpenAiTurnDetection): JsonObject {
  const common = {
    type: dialect.turnDetectionNames[detection.type] ?? detection.type,
    create_response: detection.createResponse,
    interrupt_response: detection.interruptResponse,
  };
  const all =
    detection.type === "semantic_vad"
      ? { ...common, eagerness: detection.eagerness }
      : {
          ...common,
          threshold: detection.threshold,
          prefix_padding_ms: detection.prefixPaddingMs,
          silence_duration_ms: detection.silenceDurationMs,
          idle_timeout_ms: detection.idleTimeoutMs,
        };
  // What is left out, the server's defaults fill.
  const known = Object.entries(all).filter(
    ([name, value]) => value !== undefined && !dialect.unknownTurnFields.includes(name),
  );
  return Object.fromEntries(known);
}
