import { UsageError } from "../environment/index.ts";
import type { Codec } from "./codec.ts";
import { PCMA, PCMU } from "./g711.ts";

const CODECS: readonly Codec[] = [PCMU, PCMA];

/**
 * The codec of an SDP encoding name, in any case (RFC 4855 §3: names are case-insensitive).
 *
 * @throws UsageError ERR_UNKNOWN_CODEC naming those that exist.
 */
export function codecNamed(name: string): Codec {
  const codec = CODECS.find((candidate) => candidate.name === name.toUpperCase());
  if (codec !== undefined) return codec;
  const known = CODECS.map((candidate) => candidate.name);
  throw new UsageError("ERR_UNKNOWN_CODEC", `Unknown codec. Use one of ${known.join(", ")}.`, {
    context: { codec: name, known },
  });
}
