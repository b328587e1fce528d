/** Zeros of the predictor. */
const ZEROS = 6;

/**
 * The adaptive predictor of one sub-band of ITU-T G.722: two poles, six zeros, adapted by the signs
 * of what was decoded (blocks 4L and 4H, §6.2.1.4 and §6.2.2.4). All arithmetic is that of 16-bit
 * words with saturation where the Recommendation's can overflow.
 */
export class G722Predictor {
  /** Coefficients of the zeros (BL, BH). */
  readonly #zeros: Int32Array = new Int32Array(ZEROS);
  /** The quantised differences that they weigh, newest first, doubled and saturated. */
  readonly #differences: Int32Array = new Int32Array(ZEROS);
  #pole1 = 0;
  #pole2 = 0;
  /** The last two partially reconstructed signals, of which only the signs matter. */
  #partial1 = 0;
  #partial2 = 0;
  /** The last reconstructed signal, doubled and saturated. */
  #doubled1 = 0;
  #zeroSum = 0;
  #prediction = 0;

  /** What the next sample is expected to be. */
  get prediction(): number {
    return this.#prediction;
  }

  /** Takes the quantised difference of the present sample from its prediction. */
  update(difference: number): void {
    const partial = saturate(difference + this.#zeroSum);
    const doubled = saturate(2 * saturate(this.#prediction + difference));
    const zeroSum = updateZeros(this.#zeros, this.#differences, difference);
    this.#zeroSum = zeroSum;
    this.#updatePoles(partial);
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
    const poleSum =
      (Math.imul(this.#pole1, doubled) >> 15) + (Math.imul(this.#pole2, this.#doubled1) >> 15);
    this.#doubled1 = doubled;
    this.#prediction = saturate(saturate(poleSum) + zeroSum);
  }

  /** Adapts the second pole (UPPOL2), then the first (UPPOL1), which the second one bounds. */
  #updatePoles(partial: number): void {
    const isLike1 = (partial ^ this.#partial1) >= 0;
    const isLike2 = (partial ^ this.#partial2) >= 0;
    const quadrupled = saturate(this.#pole1 << 2);
    const turned = isLike1 ? saturate(-quadrupled) : quadrupled;
    const moved2 = (turned >> 7) + (isLike2 ? 128 : -128);
    const pole2 = within(moved2 + (Math.imul(this.#pole2, 32_512) >> 15), 12_288);
    this.#pole2 = pole2;
    const moved1 = (Math.imul(this.#pole1, 32_640) >> 15) + (isLike1 ? 192 : -192);
    this.#pole1 = within(moved1, 15_360 - pole2);
  }
}

/** `value` within 16 bits. */
export function saturate(value: number): number {
  if (value > 32_767) return 32_767;
  return value < -32_768 ? -32_768 : value;
}

function within(value: number, bound: number): number {
  if (value > bound) return bound;
  return value < -bound ? -bound : value;
}

/** Adapts the zeros (UPZERO), shifts the differences, gives their weighed sum (FILTEZ). */
function updateZeros(zeros: Int32Array, differences: Int32Array, difference: number): number {
  const step = difference === 0 ? 0 : 128;
  let sum = 0;
  for (let index = ZEROS - 1; index >= 0; index -= 1) {
    // All bits set where the signs differ: then the step is taken backwards.
    const unlike = (difference ^ (differences[index] as number)) >> 31;
    const zero = (Math.imul(zeros[index] as number, 32_640) >> 15) + ((step ^ unlike) - unlike);
    zeros[index] = zero;
    const next = index === 0 ? saturate(2 * difference) : (differences[index - 1] as number);
    differences[index] = next;
    const product = Math.imul(next, zero) >> 15;
    // Twice -32 768 is the only product that saturates by itself.
    sum = saturate(sum + (product === 32_768 ? 32_767 : product));
  }
  return sum;
}
