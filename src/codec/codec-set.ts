import { UsageError } from "../environment/index.ts";
import type { Codec, CodecId } from "./codec.ts";
import { PCMA, PCMU } from "./g711.ts";
import { G722 } from "./g722.ts";
import { L16_8000, L16_16000 } from "./l16.ts";
import { OPUS } from "./opus.ts";
import { loadOpus } from "./opus-library.ts";

/** All codecs that there are. */
export const CODECS: readonly Codec[] = [PCMU, PCMA, G722, OPUS, L16_16000, L16_8000];

/**
 * The codec that `id` names, in any case (RFC 4855 §3: encoding names are case-insensitive).
 *
 * @throws UsageError ERR_UNKNOWN_CODEC naming those that exist.
 */
export function codecOf(id: string): Codec {
  const codec = CODECS.find((candidate) => candidate.id.toLowerCase() === id.toLowerCase());
  if (codec !== undefined) return codec;
  const known = CODECS.map((candidate) => candidate.id);
  throw new UsageError("ERR_UNKNOWN_CODEC", `Unknown codec. Use one of ${known.join(", ")}.`, {
    context: { codec: id, known },
  });
}

/**
 * Makes ready what `ids` need before their encoders and decoders can be created: the WebAssembly
 * module of Opus (some 20 ms), once per thread.
 *
 * @throws EnvironmentError ERR_CODEC_UNAVAILABLE where a module cannot be loaded.
 */
export async function loadCodecs(ids: readonly CodecId[]): Promise<void> {
  if (ids.includes("opus")) await loadOpus();
}
