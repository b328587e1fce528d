import type { Codec } from "../codec/index.ts";

/** What a payload type that we may receive stands for. */
export type ReceivedFormat =
  | { readonly kind: "audio"; readonly codec: Codec }
  | { readonly kind: "comfortNoise"; readonly clockRateHz: number }
  | { readonly kind: "telephoneEvent"; readonly clockRateHz: number };

/** By payload type. */
export type ReceivedFormats = ReadonlyMap<number, ReceivedFormat>;
