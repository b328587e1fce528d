/** Speech codecs: G.711 µ-law and A-law, exact to the ITU-T Software Tool Library. */
export type { Codec } from "./codec.ts";
export { codecNamed } from "./codec-named.ts";
export { PCMA, PCMU } from "./g711.ts";
