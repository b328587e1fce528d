import { z } from "zod";
import type { TurnDetection } from "../engine/listener.ts";
import { camelCased } from "./camel-case.ts";

/** Tools as a client declares them. */
export const TOOLS: z.ZodType<Tools> = z.array(
  z.object({ functionDeclarations: z.array(z.object({ name: z.string().min(1) })).optional() }),
);

type Tools = readonly {
  readonly functionDeclarations?: readonly { readonly name: string }[] | undefined;
}[];

/** The fields of `setup` that the embedded server acts on; all others are taken and left alone. */
const SETUP = z.object({
  model: z.string().min(1),
  generationConfig: z
    .object({
      responseModalities: z.array(z.string()).optional(),
      thinkingConfig: z.object({ includeThoughts: z.boolean().optional() }).optional(),
    })
    .optional(),
  tools: TOOLS.optional(),
  realtimeInputConfig: z
    .object({
      automaticActivityDetection: z
        .object({
          disabled: z.boolean().optional(),
          prefixPaddingMs: z.number().min(0).max(5000).optional(),
          silenceDurationMs: z.number().min(0).max(10_000).optional(),
          startOfSpeechSensitivity: z.string().optional(),
        })
        .optional(),
      activityHandling: z.string().optional(),
    })
    .optional(),
  inputAudioTranscription: z.object({}).optional(),
  outputAudioTranscription: z.object({}).optional(),
  sessionResumption: z.object({ handle: z.string().optional() }).optional(),
});

type SetupFields = z.infer<typeof SETUP>;

/** What a session was set up with. */
export interface Setup {
  readonly model: string;
  readonly toolNames: readonly string[];
  /** Whether the model speaks; else it writes. */
  readonly isSpoken: boolean;
  /** Whether the client wants to see what the model thinks. */
  readonly tellsThoughts: boolean;
  /** `undefined`: the client says where turns begin and end. */
  readonly turnDetection: TurnDetection | undefined;
  readonly interrupts: boolean;
  readonly transcribesInput: boolean;
  readonly transcribesOutput: boolean;
  readonly isResumable: boolean;
  readonly handle: string | undefined;
}

/** The provider's defaults. */
const PREFIX_PADDING_MS = 20;
const SILENCE_MS = 500;
const MIN_SPEECH_MS = 100;
const THRESHOLD = 0.5;
/** High sensitivity hears quieter speech; low wants more of it than a "mm-hmm". */
const THRESHOLD_HIGH = 0.4;

/**
 * Reads a `setup`, in camelCase or snake_case; a text says what is wrong with it.
 * @param longSpeechMs what low sensitivity takes for speech.
 */
export function readSetup(value: unknown, longSpeechMs: number): Setup | string {
  const parsed = SETUP.safeParse(camelCased(value));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `Invalid setup: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim();
  }
  const modalities = parsed.data.generationConfig?.responseModalities ?? ["AUDIO"];
  return modalities.join() === "AUDIO" || modalities.join() === "TEXT"
    ? setupOf(parsed.data, longSpeechMs)
    : "responseModalities must be [AUDIO] or [TEXT]: exactly one.";
}

function setupOf(setup: SetupFields, longSpeechMs: number): Setup {
  const input = setup.realtimeInputConfig;
  return {
    model: setup.model,
    toolNames: toolNamesOf(setup.tools),
    isSpoken: setup.generationConfig?.responseModalities?.[0] !== "TEXT",
    tellsThoughts: setup.generationConfig?.thinkingConfig?.includeThoughts === true,
    turnDetection: turnDetectionOf(input?.automaticActivityDetection, longSpeechMs),
    interrupts: input?.activityHandling !== "NO_INTERRUPTION",
    transcribesInput: setup.inputAudioTranscription !== undefined,
    transcribesOutput: setup.outputAudioTranscription !== undefined,
    isResumable: setup.sessionResumption !== undefined,
    handle: setup.sessionResumption?.handle,
  };
}

/** The functions that a list of tools declares; grounding and the like declare none. */
export function toolNamesOf(tools: Tools | undefined): readonly string[] {
  return (tools ?? []).flatMap(({ functionDeclarations }) =>
    (functionDeclarations ?? []).map(({ name }) => name),
  );
}

type Detection = NonNullable<SetupFields["realtimeInputConfig"]>["automaticActivityDetection"];

function turnDetectionOf(detection: Detection, longSpeechMs: number): TurnDetection | undefined {
  if (detection?.disabled === true) return undefined;
  const sensitivity = detection?.startOfSpeechSensitivity;
  return {
    threshold: sensitivity === "START_SENSITIVITY_HIGH" ? THRESHOLD_HIGH : THRESHOLD,
    prefixPaddingMs: detection?.prefixPaddingMs ?? PREFIX_PADDING_MS,
    silenceMs: detection?.silenceDurationMs ?? SILENCE_MS,
    minSpeechMs: sensitivity === "START_SENSITIVITY_LOW" ? longSpeechMs : MIN_SPEECH_MS,
  };
}
