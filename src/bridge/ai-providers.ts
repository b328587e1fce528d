/** Whose protocol a session may speak: Gemini's, or OpenAI's in one of its dialects. */
export const AI_PROVIDERS = [
  "openai",
  "azure-openai",
  "azure-voice-live",
  "xai",
  "gemini",
] as const;

/** A name that options, world parameters and `--ai` take. */
export type AiProvider = (typeof AI_PROVIDERS)[number];
