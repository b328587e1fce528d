/** A source of numbers in [0, 1). Always passed in, so that a seed repeats a run. */
export type Random = () => number;

/** Hashes a text to 32 bits (FNV-1a). */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * A repeatable generator (sfc32): the same seed gives the same sequence on every machine.
 *
 * It is not fit for secrets; see `Cryptography.randomBytes` for those.
 */
export function seededRandom(seed: string | number): Random {
  const text = String(seed);
  let a = hash32(text);
  let b = hash32(`${text}/b`);
  let c = hash32(`${text}/c`);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}

/** An integer in [0, bound). */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `length` characters of [0-9A-Za-z]: for tags, branches and event ids. */
export function randomToken(random: Random, length: number): string {
  let token = "";
  for (let index = 0; index < length; index += 1) {
    token += ALPHANUMERIC.charAt(randomInteger(random, ALPHANUMERIC.length));
  }
  return token;
}
