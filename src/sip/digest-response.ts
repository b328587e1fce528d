import type { Cryptography, HashName } from "../environment/index.ts";

/** Digest algorithms that we know (RFC 7616 §6.1, RFC 8760 §2.1), strongest first. */
const ALGORITHMS = [
  "SHA-512-256",
  "SHA-512-256-sess",
  "SHA-256",
  "SHA-256-sess",
  "MD5",
  "MD5-sess",
] as const;

/** `-sess`: the key depends on the nonces as well as on the password. */
export type DigestAlgorithm = (typeof ALGORITHMS)[number];

export type QualityOfProtection = "auth" | "auth-int";

/** What a digest is computed of (RFC 7616 §3.4.1). */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly user: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly cnonce: string;
  /** Eight hexadecimal digits. */
  readonly nonceCount: string;
  /** `undefined`: as RFC 2069 had it, without nonce count. */
  readonly qop: QualityOfProtection | undefined;
  readonly method: string;
  /** The digest-uri as it stands in the credentials. */
  readonly uri: string;
  /** What auth-int covers. */
  readonly body: Uint8Array;
}

const encoder = new TextEncoder();

/** The algorithm of that name, in any letter case; `undefined` where we do not know it. */
export function algorithmNamed(name: string): DigestAlgorithm | undefined {
  const lower = name.toLowerCase();
  return ALGORITHMS.find((each) => each.toLowerCase() === lower);
}

/** 0 for the weakest; an algorithm and its `-sess` are worth the same. */
export function algorithmStrength(algorithm: DigestAlgorithm): number {
  return ["MD5", "SHA-256", "SHA-512-256"].indexOf(hashOf(algorithm));
}

/** The `response` of credentials: lower-case hexadecimal (RFC 7616 §3.4.1). */
export function digestResponse(cryptography: Cryptography, input: DigestInput): string {
  const name = hashOf(input.algorithm);
  const hash = (data: Uint8Array): string => hexOf(cryptography.hash(name, data));
  const text = (...parts: string[]): string => hash(encoder.encode(parts.join(":")));
  const secret = text(input.user, input.realm, input.password);
  // RFC 7616 §3.4.2: A1 of "-sess".
  const ha1 = input.algorithm.endsWith("-sess") ? text(secret, input.nonce, input.cnonce) : secret;
  // §3.4.3: A2.
  const ha2 =
    input.qop === "auth-int"
      ? text(input.method, input.uri, hash(input.body))
      : text(input.method, input.uri);
  return input.qop === undefined
    ? text(ha1, input.nonce, ha2)
    : text(ha1, input.nonce, input.nonceCount, input.cnonce, input.qop, ha2);
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function hashOf(algorithm: DigestAlgorithm): HashName {
  return algorithm.replace(/-sess$/, "") as HashName;
}
