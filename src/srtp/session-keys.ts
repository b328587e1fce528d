import type { Cryptography } from "../environment/index.ts";
import { CounterMode } from "./counter-mode.ts";
import type { SrtpKeys } from "./keys.ts";
import { suiteParameters } from "./suites.ts";

/** What protects the RTP or the RTCP of one direction. */
export interface SessionKeys {
  readonly cipherKey: Uint8Array;
  readonly salt: Uint8Array;
  /** For HMAC-SHA1; empty for suites that authenticate by GCM. */
  readonly authenticationKey: Uint8Array;
}

const AUTHENTICATION_KEY_BYTES = 20;

/** RFC 3711 §4.3.2: the first label of three; those of RTCP follow those of RTP. */
const FIRST_LABEL = { rtp: 0, rtcp: 3 } as const;

/**
 * Derives the session keys from the master key (RFC 3711 §4.3, with AES-256 as RFC 6188 §3), once
 * per session: the key derivation rate is 0.
 */
export function deriveSessionKeys(
  keys: SrtpKeys,
  kind: "rtp" | "rtcp",
  cryptography: Cryptography,
): SessionKeys {
  const { keyBytes, saltBytes, mode } = suiteParameters(keys.suite);
  const derivation = new CounterMode(cryptography.aesBlocks(keys.masterKey), keys.masterSalt);
  const label = FIRST_LABEL[kind];
  return {
    cipherKey: derive(derivation, label, keyBytes),
    authenticationKey: derive(derivation, label + 1, mode === "gcm" ? 0 : AUTHENTICATION_KEY_BYTES),
    salt: derive(derivation, label + 2, saltBytes),
  };
}

/** The label lies in byte 7 of the counter block, where a packet has the last byte of its SSRC. */
function derive(derivation: CounterMode, label: number, bytes: number): Uint8Array {
  const derived = new Uint8Array(bytes);
  const frame = { ssrc: label, index: 0, word: 0, bodyStart: 0, bodyEnd: bytes };
  derivation.apply(frame, derived, derived);
  return derived;
}
