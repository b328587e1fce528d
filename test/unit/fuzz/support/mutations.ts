import { type Random, randomInteger } from "../../../../src/environment/index.ts";

/** The largest input that is made: what one UDP datagram over Ethernet holds. */
const INPUT_BYTES_MAX = 1500;
const EXTREME_OCTETS = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];
const EXTREME_WORDS = [0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff];

type Mutation = (input: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  truncate,
  extend,
  overwriteOctet,
  overwriteWord,
  cutOut,
  repeatPart,
  splice,
];

/**
 * The next input of a fuzz run: usually a valid one of the corpus with one to four mutations, now
 * and then a valid one as it is, or noise that may begin like a valid one.
 *
 * @param validShare how many of all are valid.
 */
export function nextInput(
  corpus: readonly Uint8Array[],
  random: Random,
  validShare = 0.05,
): Uint8Array {
  if (random() < validShare) return pick(corpus, random).slice();
  const kind = random();
  if (kind < 0.1) return noise(random);
  if (kind < 0.2) return noiseBehind(pick(corpus, random), random);
  let input: Uint8Array = pick(corpus, random).slice();
  const count = 1 + randomInteger(random, 4);
  for (let index = 0; index < count; index += 1) {
    input = pick(MUTATIONS, random)(input, random, corpus);
  }
  return input.subarray(0, INPUT_BYTES_MAX).slice();
}

/** One of the values, each as likely. */
export function pick<T>(values: readonly T[], random: Random): T {
  return values[randomInteger(random, values.length)] as T;
}

/** Random octets, at most as many as a datagram holds; often few. */
function noise(random: Random): Uint8Array {
  const length = Math.floor(INPUT_BYTES_MAX * random() ** 4);
  return Uint8Array.from({ length }, () => randomInteger(random, 256));
}

function noiseBehind(valid: Uint8Array, random: Random): Uint8Array {
  const kept = randomInteger(random, Math.min(valid.length, 16) + 1);
  return joined(valid.subarray(0, kept), noise(random)).subarray(0, INPUT_BYTES_MAX);
}

function flipBits(input: Uint8Array, random: Random): Uint8Array {
  const count = 1 + randomInteger(random, 8);
  for (let index = 0; index < count && input.length > 0; index += 1) {
    const offset = randomInteger(random, input.length);
    input[offset] = (input[offset] as number) ^ (1 << randomInteger(random, 8));
  }
  return input;
}

function truncate(input: Uint8Array, random: Random): Uint8Array {
  return input.slice(0, randomInteger(random, input.length + 1));
}

function extend(input: Uint8Array, random: Random): Uint8Array {
  return joined(input, noise(random));
}

function overwriteOctet(input: Uint8Array, random: Random): Uint8Array {
  if (input.length > 0) input[randomInteger(random, input.length)] = pick(EXTREME_OCTETS, random);
  return input;
}

/** Lengths and counts are such words. */
function overwriteWord(input: Uint8Array, random: Random): Uint8Array {
  if (input.length < 2) return input;
  const offset = randomInteger(random, input.length >> 1) * 2;
  const word = pick(EXTREME_WORDS, random);
  input[offset] = word >> 8;
  if (offset + 1 < input.length) input[offset + 1] = word;
  return input;
}

function cutOut(input: Uint8Array, random: Random): Uint8Array {
  const begin = randomInteger(random, input.length + 1);
  const end = begin + randomInteger(random, input.length - begin + 1);
  return joined(input.subarray(0, begin), input.subarray(end));
}

function repeatPart(input: Uint8Array, random: Random): Uint8Array {
  const begin = randomInteger(random, input.length + 1);
  return joined(input, input.subarray(begin));
}

function splice(input: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const other = pick(corpus, random);
  const cut = randomInteger(random, input.length + 1);
  return joined(input.subarray(0, cut), other.subarray(randomInteger(random, other.length + 1)));
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}
