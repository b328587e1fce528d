import { parseKeyInformation, writeKeyInformation } from "./key-information.ts";
import { assertKeys, type SrtpKeys } from "./keys.ts";
import { unsupportedParameter } from "./session-parameters.ts";
import { isSrtpSuite } from "./suites.ts";

/** Keys that a peer sends with, as its SDP has them. */
export interface SupportedCrypto {
  readonly kind: "supported";
  /** Names the line within its offer; the answer repeats it. */
  readonly tag: number;
  readonly keys: SrtpKeys;
  /** How many packets the peer will protect with them, where it says so. Not enforced. */
  readonly lifetimePackets?: number;
}

/** A line that cannot be accepted: of a suite or with a parameter that we lack, or malformed. */
export interface UnsupportedCrypto {
  readonly kind: "unsupported";
  /** Half a sentence, without anything secret: "the suite F8_128_HMAC_SHA1_80 is not supported". */
  readonly reason: string;
}

const TAG = /^\d{1,9}$/;
/** What may be repeated in a reason: no key looks like it. */
const SUITE_NAME = /^[A-Z0-9_]{1,32}$/;

/**
 * Reads the value of an `a=crypto` line (RFC 4568 §9): "1 AES_CM_128_HMAC_SHA1_80
 * inline:…|2^20|1:4 WSH=64".
 */
export function parseCryptoAttribute(value: string): SupportedCrypto | UnsupportedCrypto {
  const [tag = "", suite = "", keyParameters = "", ...parameters] = value.trim().split(/[ \t]+/);
  if (!TAG.test(tag)) return unsupported("its tag is not a number");
  if (!isSrtpSuite(suite)) {
    const name = SUITE_NAME.test(suite) ? ` ${suite}` : "";
    return unsupported(`the suite${name} is not supported`);
  }
  const unknown = unsupportedParameter(parameters);
  if (unknown !== undefined) return unsupported(unknown);
  const information = parseKeyInformation(suite, keyParameters);
  if (typeof information === "string") return unsupported(information);
  return { kind: "supported", tag: Number(tag), ...information };
}

/** Writes the value of an `a=crypto` line. Secret: it contains the keys. */
export function writeCryptoAttribute(tag: number, keys: SrtpKeys): string {
  assertKeys(keys);
  return `${tag} ${keys.suite} ${writeKeyInformation(keys)}`;
}

function unsupported(reason: string): UnsupportedCrypto {
  return { kind: "unsupported", reason };
}
