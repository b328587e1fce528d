import { ALAW, MULAW } from "../../codec/index.ts";
import type { AudioFormat } from "../provider/audio-format.ts";
import type { JsonObject } from "../provider/json-fields.ts";

/** OpenAI's audio formats: `pcm` is 24 kHz s16le; `pcmu` and `pcma` are G.711 at 8 kHz. */
export type OpenAiAudioFormat = "pcm" | "pcmu" | "pcma";

/** An audio format as it stands in the session's settings and in the audio's bytes. */
export interface WireFormat extends AudioFormat {
  readonly name: OpenAiAudioFormat;
  readonly type: "audio/pcm" | "audio/pcmu" | "audio/pcma";
}

/** The formats that OpenAI takes. */
export const WIRE_FORMATS: Readonly<Record<OpenAiAudioFormat, WireFormat>> = {
  pcm: { name: "pcm", type: "audio/pcm", sampleRateHz: 24_000 },
  pcmu: { name: "pcmu", type: "audio/pcmu", sampleRateHz: 8000, law: MULAW },
  pcma: { name: "pcma", type: "audio/pcma", sampleRateHz: 8000, law: ALAW },
};

/** As `session.update` names it: only PCM has a rate. */
export function formatJson({ type, sampleRateHz }: WireFormat): JsonObject {
  return type === "audio/pcm" ? { type, rate: sampleRateHz } : { type };
}
