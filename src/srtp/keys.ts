import { assert, type Cryptography } from "../environment/index.ts";
import { keyBytes, type SrtpSuite, saltBytes } from "./suites.ts";

/** What protects one direction of a session. Secret: it belongs in no log, fact or message. */
export interface SrtpKeys {
  readonly suite: SrtpSuite;
  /** `keyBytes(suite)` long. */
  readonly masterKey: Uint8Array;
  /** `saltBytes(suite)` long. */
  readonly masterSalt: Uint8Array;
  /** Stands in every packet where set (RFC 3711 §3.1): 1 to 128 bytes. */
  readonly mki?: Uint8Array;
}

/** Fresh keys of `suite`, without MKI. Each direction of each session needs its own. */
export function generateKeys(suite: SrtpSuite, cryptography: Cryptography): SrtpKeys {
  return {
    suite,
    masterKey: cryptography.randomBytes(keyBytes(suite)),
    masterSalt: cryptography.randomBytes(saltBytes(suite)),
  };
}

/** RFC 4568 §9.2. */
export const MKI_BYTES_MAX = 128;

/** Key and salt have the lengths that their suite wants: whoever made the keys saw to it. */
export function assertKeys({ suite, masterKey, masterSalt, mki }: SrtpKeys): void {
  assert(masterKey.length === keyBytes(suite), "a master key has its suite's length");
  assert(masterSalt.length === saltBytes(suite), "a master salt has its suite's length");
  assert((mki?.length ?? 0) <= MKI_BYTES_MAX, "an MKI has up to 128 bytes");
}

/**
 * Whether both would protect alike. After a renegotiation with the same keys the sender and the
 * receiver must go on as they are: a new one would start at rollover count 0 (RFC 3711 §3.3.1) and
 * use keystream twice.
 */
export function areSameKeys(left: SrtpKeys, right: SrtpKeys): boolean {
  return (
    left.suite === right.suite &&
    areSameBytes(left.masterKey, right.masterKey) &&
    areSameBytes(left.masterSalt, right.masterSalt) &&
    areSameBytes(left.mki ?? NO_BYTES, right.mki ?? NO_BYTES)
  );
}

const NO_BYTES = new Uint8Array(0);

function areSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
