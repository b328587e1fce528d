import type { TurnDetection } from "../engine/listener.ts";
import type {
  AudioFormat,
  AudioInputUpdate,
  AudioOutputUpdate,
  ResponseRequest,
  SessionUpdate,
  TranscriptionConfig,
  TurnDetectionConfig,
} from "./session-schema.ts";
import { type ProtocolError, protocolError } from "./wire.ts";

/** The model where the client names none. */
const DEFAULT_MODEL = "gpt-realtime-2.1";
/** Older models end a turn after 200 ms, newer after 500. */
const OLDEST_MODEL = "gpt-realtime";
const OLDEST_MODEL_SILENCE_MS = 200;
/** Speech shorter than this is taken for a noise by `server_vad`. */
const SERVER_VAD_MIN_SPEECH_MS = 30;
const SEMANTIC_VAD_PREFIX_MS = 300;
/** Silence that ends a turn. The real model waits for a meaning; the embedded one for a pause. */
const SEMANTIC_VAD_SILENCE_MS = { low: 600, medium: 300, auto: 300, high: 200 } as const;

/** The effective session: what `session.created` and `session.updated` tell. */
export class SessionConfig {
  readonly id: string;
  readonly #expiresAt: number;
  readonly #modelIsFixed: boolean;
  #model: string;
  #outputModalities: readonly string[] = ["audio"];
  #inputFormat: AudioFormat = { type: "audio/pcm", rate: 24_000 };
  #outputFormat: AudioFormat = { type: "audio/pcm", rate: 24_000 };
  #transcription: TranscriptionConfig = null;
  #noiseReduction: unknown = null;
  #turnDetection: TurnDetectionConfig;
  #voice: unknown;
  #speed = 1;
  #others: Record<string, unknown> = {
    instructions: "You are a helpful voice assistant.",
    tools: [],
    tool_choice: "auto",
    max_output_tokens: "inf",
    tracing: null,
    truncation: "auto",
    prompt: null,
    include: null,
  };

  /** @param expiresAt seconds since 1970, as the provider tells it. */
  constructor(id: string, model: string | undefined, expiresAt: number) {
    this.id = id;
    this.#expiresAt = expiresAt;
    this.#modelIsFixed = model !== undefined;
    this.#model = model ?? DEFAULT_MODEL;
    this.#voice = this.#model === OLDEST_MODEL ? "alloy" : "marin";
    this.#turnDetection = {
      type: "server_vad",
      threshold: 0.5,
      prefix_padding_ms: 300,
      silence_duration_ms: this.#model === OLDEST_MODEL ? OLDEST_MODEL_SILENCE_MS : 500,
      idle_timeout_ms: null,
      create_response: true,
      interrupt_response: true,
    };
  }

  /** A session as its URL and its ephemeral key ask for it; the URL's model wins. */
  static of(
    id: string,
    expiresAt: number,
    asked: { readonly model: string | undefined; readonly session?: SessionUpdate },
  ): SessionConfig {
    const { model: lockedModel, ...session } = asked.session ?? { type: "realtime" };
    const config = new SessionConfig(id, asked.model ?? lockedModel, expiresAt);
    config.update(session, false);
    return config;
  }

  get model(): string {
    return this.#model;
  }

  get inputFormat(): AudioFormat {
    return this.#inputFormat;
  }

  get transcribes(): boolean {
    return this.#transcription !== null;
  }

  get createsResponses(): boolean {
    return this.#turnDetection?.create_response ?? false;
  }

  /** Silence after which the model speaks up; `undefined`: never. */
  get idleTimeoutMs(): number | undefined {
    const detection = this.#turnDetection;
    return detection?.type === "server_vad" ? (detection.idle_timeout_ms ?? undefined) : undefined;
  }

  get interruptsResponses(): boolean {
    return this.#turnDetection?.interrupt_response ?? false;
  }

  /** How the listener finds turns; `undefined`: the client commits them. */
  turnDetection(semanticMinSpeechMs: number): TurnDetection | undefined {
    const detection = this.#turnDetection;
    if (detection === null) return undefined;
    if (detection.type === "server_vad") {
      return {
        threshold: detection.threshold,
        prefixPaddingMs: detection.prefix_padding_ms,
        silenceMs: detection.silence_duration_ms,
        minSpeechMs: SERVER_VAD_MIN_SPEECH_MS,
      };
    }
    return {
      threshold: 0.5,
      prefixPaddingMs: SEMANTIC_VAD_PREFIX_MS,
      silenceMs: SEMANTIC_VAD_SILENCE_MS[detection.eagerness],
      minSpeechMs: semanticMinSpeechMs,
    };
  }

  /** What one response is made with: the session's settings, changed by its request. */
  responseSettings(request: ResponseRequest): ResponseSettings {
    return {
      outputModalities: request.output_modalities ?? this.#outputModalities,
      outputFormat: request.audio?.output?.format ?? this.#outputFormat,
      voice: request.audio?.output?.voice ?? this.#voice,
      maxOutputTokens: request.max_output_tokens ?? this.#others["max_output_tokens"],
      toolNames: this.#toolNames(request),
      metadata: request.metadata ?? null,
      isInConversation: request.conversation !== "none",
      tellsPhase: /^gpt-realtime-[2-9]/u.test(this.#model),
    };
  }

  #toolNames(request: ResponseRequest): readonly string[] {
    const tools = (request.tools ?? this.#others["tools"]) as readonly { name?: string }[];
    const choice = request.tool_choice ?? this.#others["tool_choice"];
    return choice === "none" ? [] : tools.flatMap(({ name }) => name ?? []);
  }

  /** Takes over what `update` names; all of it or, where something is not allowed, nothing. */
  update(update: SessionUpdate, hasSpoken: boolean): ProtocolError | undefined {
    const { type: _type, model, audio, output_modalities: modalities, ...others } = update;
    const refusal = this.#refusal(model, audio?.output?.voice, hasSpoken);
    if (refusal !== undefined) return refusal;
    this.#model = model ?? this.#model;
    this.#outputModalities = modalities ?? this.#outputModalities;
    this.#others = { ...this.#others, ...withoutUndefined(others) };
    this.#updateInput(audio?.input ?? {});
    this.#updateOutput(audio?.output ?? {});
    return undefined;
  }

  #refusal(
    model: string | undefined,
    voice: unknown,
    hasSpoken: boolean,
  ): ProtocolError | undefined {
    if (model !== undefined && model !== this.#model && this.#modelIsFixed) {
      const message = `The model cannot be changed from '${this.#model}' during a session.`;
      return protocolError("invalid_value", message, "session.model");
    }
    if (hasSpoken && voice !== undefined && JSON.stringify(voice) !== JSON.stringify(this.#voice)) {
      const message = "Cannot update a conversation's voice if assistant audio is present.";
      return protocolError("cannot_update_voice", message, "session.audio.output.voice");
    }
    return undefined;
  }

  /** The whole session as the provider shows it. */
  view(): Record<string, unknown> {
    return {
      type: "realtime",
      object: "realtime.session",
      id: this.id,
      model: this.#model,
      output_modalities: this.#outputModalities,
      ...this.#others,
      expires_at: this.#expiresAt,
      audio: {
        input: {
          format: this.#inputFormat,
          transcription: this.#transcription,
          noise_reduction: this.#noiseReduction,
          turn_detection: this.#turnDetection,
        },
        output: { format: this.#outputFormat, voice: this.#voice, speed: this.#speed },
      },
    };
  }

  #updateOutput({ format, voice, speed }: AudioOutputUpdate): void {
    this.#outputFormat = format ?? this.#outputFormat;
    this.#voice = voice ?? this.#voice;
    this.#speed = speed ?? this.#speed;
  }

  #updateInput(input: AudioInputUpdate): void {
    this.#inputFormat = input.format ?? this.#inputFormat;
    if (input.transcription !== undefined) this.#transcription = input.transcription;
    if (input.noise_reduction !== undefined) this.#noiseReduction = input.noise_reduction;
    if (input.turn_detection !== undefined) this.#turnDetection = input.turn_detection;
  }
}

/** What one response is made with. */
export interface ResponseSettings {
  readonly outputModalities: readonly string[];
  readonly outputFormat: AudioFormat;
  readonly voice: unknown;
  readonly maxOutputTokens: unknown;
  readonly toolNames: readonly string[];
  readonly metadata: Readonly<Record<string, string>> | null;
  /** False for a response that leaves no trace in the conversation. */
  readonly isInConversation: boolean;
  /** gpt-realtime-2 and later tell whether a message is commentary or the final answer. */
  readonly tellsPhase: boolean;
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
