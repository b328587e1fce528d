/**
 * SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714), and their keys in SDP (SDES, RFC 4568). It does no
 * I/O; ciphers come from `Cryptography`.
 */
export {
  parseCryptoAttribute,
  type SupportedCrypto,
  type UnsupportedCrypto,
  writeCryptoAttribute,
} from "./crypto-attribute.ts";
export { areSameKeys, generateKeys, type SrtpKeys } from "./keys.ts";
export {
  rejectionName,
  SRTP_REJECTION,
  type SrtpRejection,
  type SrtpRejectionName,
} from "./rejection.ts";
export type { SrtpCounts } from "./srtp-counts.ts";
export { SrtpReceiver } from "./srtp-receiver.ts";
export { SrtpSender } from "./srtp-sender.ts";
export {
  isSrtpSuite,
  keyBytes,
  SRTP_SUITES,
  type SrtpSuite,
  saltBytes,
  srtpSuiteOf,
} from "./suites.ts";
