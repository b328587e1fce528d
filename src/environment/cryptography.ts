/** AES on single blocks (ECB), keyed once: what AES counter mode is built of. */
export interface AesBlocks {
  /**
   * Encrypts whole blocks of 16 bytes. `output` is at least as long as `input` and may be the same
   * memory.
   */
  encrypt(input: Uint8Array, output: Uint8Array): void;
}

/** HMAC-SHA1 (RFC 2104), keyed once. */
export interface HmacSha1 {
  /** Writes the 20 bytes of HMAC(`data` followed by `suffix`) to the start of `output`. */
  digest(data: Uint8Array, suffix: Uint8Array, output: Uint8Array): void;
}

/** AES-GCM with tags of 16 bytes (NIST SP 800-38D), keyed once. */
export interface AesGcm {
  /** Writes the ciphertext and behind it the tag: `plain.length + 16` bytes. */
  seal(iv: Uint8Array, aad: Uint8Array, plain: Uint8Array, output: Uint8Array): void;
  /**
   * The reverse of `seal`; `sealed` is ciphertext and tag.
   * @returns whether the tag is right. Where it is not, `output` is left as it was.
   */
  open(iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array, output: Uint8Array): boolean;
}

/** Hashes that HTTP digest names (RFC 7616 §6.1): of 16, 32 and 32 bytes. */
export type HashName = "MD5" | "SHA-256" | "SHA-512-256";

/**
 * What protocols need of cryptography. Keys have 16 or 32 bytes for AES and any length for HMAC;
 * they are copied, so that callers may overwrite theirs.
 */
export interface Cryptography {
  /** Bytes fit for keys; unlike `Random`, a run's seed does not repeat them. */
  randomBytes(count: number): Uint8Array;
  aesBlocks(key: Uint8Array): AesBlocks;
  hmacSha1(key: Uint8Array): HmacSha1;
  aesGcm(key: Uint8Array): AesGcm;
  hash(name: HashName, data: Uint8Array): Uint8Array;
  /** Compares without telling by its duration where the first difference is. */
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
