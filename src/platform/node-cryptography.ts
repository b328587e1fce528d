import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import {
  type AesBlocks,
  type AesGcm,
  assert,
  type Cryptography,
  type HashName,
  type HmacSha1,
  type Random,
  randomInteger,
} from "../environment/index.ts";

/** Messages up to this length are hashed in one call: each call into OpenSSL costs about 0.9 µs. */
const JOINED_BYTES_MAX = 2048;

/** OpenSSL behind `Cryptography`. */
export class NodeCryptography implements Cryptography {
  readonly #random: Random | undefined;
  /** Shared by all of our HMACs: what is in it matters only during one call. */
  readonly #joined = new Uint8Array(JOINED_BYTES_MAX);

  /**
   * @param random replaces the host's random bytes, so that tests in virtual time repeat bit for
   * bit. Never for real keys.
   */
  constructor(random?: Random) {
    this.#random = random;
  }

  randomBytes(count: number): Uint8Array {
    const random = this.#random;
    if (random === undefined) return new Uint8Array(randomBytes(count));
    return Uint8Array.from({ length: count }, () => randomInteger(random, 256));
  }

  aesBlocks(key: Uint8Array): AesBlocks {
    // Without padding and chaining a block never waits for the next: one cipher serves for ever.
    const cipher = createCipheriv(`aes-${aesBits(key)}-ecb`, key, null).setAutoPadding(false);
    return { encrypt: (input, output) => output.set(cipher.update(input)) };
  }

  hmacSha1(key: Uint8Array): HmacSha1 {
    return new NodeHmacSha1(createSecretKey(key), this.#joined);
  }

  aesGcm(key: Uint8Array): AesGcm {
    return new NodeAesGcm(aesBits(key), createSecretKey(key));
  }

  hash(name: HashName, data: Uint8Array): Uint8Array {
    return new Uint8Array(createHash(OPENSSL_NAMES[name]).update(data).digest());
  }

  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  }
}

const OPENSSL_NAMES: Readonly<Record<HashName, string>> = {
  MD5: "md5",
  "SHA-256": "sha256",
  "SHA-512-256": "sha512-256",
};

class NodeHmacSha1 implements HmacSha1 {
  readonly #key: KeyObject;
  readonly #joined: Uint8Array;
  /** The first bytes of `#joined`, as many as the message before had: calls repeat one length. */
  #view: Uint8Array;

  constructor(key: KeyObject, joined: Uint8Array) {
    this.#key = key;
    this.#joined = joined;
    this.#view = joined;
  }

  digest(data: Uint8Array, suffix: Uint8Array, output: Uint8Array): void {
    const hmac = createHmac("sha1", this.#key);
    const bytes = data.length + suffix.length;
    if (bytes <= JOINED_BYTES_MAX) {
      this.#joined.set(data);
      this.#joined.set(suffix, data.length);
      if (this.#view.length !== bytes) this.#view = this.#joined.subarray(0, bytes);
      hmac.update(this.#view);
    } else {
      hmac.update(data).update(suffix);
    }
    output.set(hmac.digest());
  }
}

const GCM_TAG_BYTES = 16;
const GCM_OPTIONS = { authTagLength: GCM_TAG_BYTES } as const;

class NodeAesGcm implements AesGcm {
  readonly #cipher: "aes-128-gcm" | "aes-256-gcm";
  readonly #key: KeyObject;

  constructor(bits: 128 | 256, key: KeyObject) {
    this.#cipher = `aes-${bits}-gcm`;
    this.#key = key;
  }

  seal(iv: Uint8Array, aad: Uint8Array, plain: Uint8Array, output: Uint8Array): void {
    const cipher = createCipheriv(this.#cipher, this.#key, iv, GCM_OPTIONS);
    cipher.setAAD(aad);
    const sealed = cipher.update(plain);
    cipher.final();
    output.set(sealed);
    output.set(cipher.getAuthTag(), sealed.length);
  }

  open(iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array, output: Uint8Array): boolean {
    const tagOffset = sealed.length - GCM_TAG_BYTES;
    if (tagOffset < 0) return false;
    const decipher = createDecipheriv(this.#cipher, this.#key, iv, GCM_OPTIONS);
    decipher.setAuthTag(sealed.subarray(tagOffset));
    decipher.setAAD(aad);
    const plain = decipher.update(sealed.subarray(0, tagOffset));
    try {
      decipher.final();
    } catch {
      // OpenSSL's only way to say that the tag is wrong.
      return false;
    }
    output.set(plain);
    return true;
  }
}

function aesBits(key: Uint8Array): 128 | 256 {
  assert(key.length === 16 || key.length === 32, "our suites have AES keys of 16 or 32 bytes");
  return key.length === 16 ? 128 : 256;
}
