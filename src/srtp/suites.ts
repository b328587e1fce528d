import { UsageError } from "../environment/index.ts";

/** Crypto suites by their SDP names: RFC 4568 §6.2, RFC 6188 §4 and RFC 7714 §14.2. */
export type SrtpSuite =
  | "AES_CM_128_HMAC_SHA1_80"
  | "AES_CM_128_HMAC_SHA1_32"
  | "AES_256_CM_HMAC_SHA1_80"
  | "AES_256_CM_HMAC_SHA1_32"
  | "AEAD_AES_128_GCM"
  | "AEAD_AES_256_GCM";

/** Sizes that a suite prescribes, in bytes. */
export interface SuiteParameters {
  readonly mode: "counter" | "gcm";
  readonly keyBytes: number;
  readonly saltBytes: number;
  readonly rtpTagBytes: number;
  readonly rtcpTagBytes: number;
}

// RTCP keeps the long tag where RTP has the short one: a forged BYE would end the call (RFC 3711
// §5.2, RFC 4568 §6.2.2).
const PARAMETERS: Readonly<Record<SrtpSuite, SuiteParameters>> = {
  AES_CM_128_HMAC_SHA1_80: counterMode(16, 10),
  AES_CM_128_HMAC_SHA1_32: counterMode(16, 4),
  AES_256_CM_HMAC_SHA1_80: counterMode(32, 10),
  AES_256_CM_HMAC_SHA1_32: counterMode(32, 4),
  AEAD_AES_128_GCM: galoisCounterMode(16),
  AEAD_AES_256_GCM: galoisCounterMode(32),
};

/**
 * The suites that we speak, in the order in which we offer them: strong before short tags, and
 * first the one that every implementation has.
 */
export const SRTP_SUITES: readonly SrtpSuite[] = [
  "AES_CM_128_HMAC_SHA1_80",
  "AEAD_AES_128_GCM",
  "AEAD_AES_256_GCM",
  "AES_256_CM_HMAC_SHA1_80",
  "AES_CM_128_HMAC_SHA1_32",
  "AES_256_CM_HMAC_SHA1_32",
];

/** Whether `name` is a suite that we speak. Upper and lower case differ. */
export function isSrtpSuite(name: string): name is SrtpSuite {
  return Object.hasOwn(PARAMETERS, name);
}

/** @throws UsageError ERR_UNKNOWN_SRTP_SUITE naming those that exist. */
export function srtpSuiteOf(name: string): SrtpSuite {
  if (isSrtpSuite(name)) return name;
  throw new UsageError(
    "ERR_UNKNOWN_SRTP_SUITE",
    `"${name}" is no SRTP suite that we know. Choose among ${SRTP_SUITES.join(", ")}.`,
    { context: { name } },
  );
}

/** The sizes of `suite`. */
export function suiteParameters(suite: SrtpSuite): SuiteParameters {
  return PARAMETERS[suite];
}

/** Bytes of the master key of `suite`. */
export function keyBytes(suite: SrtpSuite): number {
  return PARAMETERS[suite].keyBytes;
}

/** Bytes of the master salt of `suite`. */
export function saltBytes(suite: SrtpSuite): number {
  return PARAMETERS[suite].saltBytes;
}

function counterMode(keySize: 16 | 32, rtpTagBytes: 10 | 4): SuiteParameters {
  return { mode: "counter", keyBytes: keySize, saltBytes: 14, rtpTagBytes, rtcpTagBytes: 10 };
}

function galoisCounterMode(keySize: 16 | 32): SuiteParameters {
  return { mode: "gcm", keyBytes: keySize, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16 };
}
