import type { G711Law } from "../../codec/index.ts";

/** How audio stands in the bytes of a provider's messages: s16le, or G.711 with a `law`. */
export interface AudioFormat {
  readonly sampleRateHz: number;
  /** G.711, a byte per sample; without it samples are s16le. */
  readonly law?: G711Law;
}
