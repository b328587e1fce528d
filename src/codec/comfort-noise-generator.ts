import type { Random } from "../environment/index.ts";
import { COMFORT_NOISE_LOWEST_DBOV, reflectionOf } from "./comfort-noise-payload.ts";

/** Coefficients beyond this are taken as 0, which RFC 3389 §3.2 allows. */
const ORDER_MAX = 20;
/** How often the parameters take a step towards the newest payload, and how far. */
const STEP_MS = 5;
const STEP_SHARE = 0.15;
const FULL_SCALE = 32_768;
/** A uniform number in ±1 has a variance of 1/3. */
const UNIT_VARIANCE = Math.sqrt(3);

/** What a comfort noise generator must know. */
export interface ComfortNoiseGeneratorOptions {
  readonly sampleRateHz: number;
  readonly random: Random;
}

/**
 * Makes the background noise that a payload of RFC 3389 describes: white noise through an
 * all-pole lattice filter of the payload's reflection coefficients, at its level. Most senders
 * give a level alone, and the noise then is white.
 *
 * The signs of the coefficients are those of WebRTC: noise with a falling spectrum has a negative
 * first one. Level and spectrum glide from one payload to the next with a time constant of 30 ms.
 * Allocates nothing after construction.
 */
export class ComfortNoiseGenerator {
  readonly #random: Random;
  readonly #stepSamples: number;
  readonly #wanted: Float64Array = new Float64Array(ORDER_MAX);
  readonly #reflections: Float64Array = new Float64Array(ORDER_MAX);
  /** The backward prediction errors of the lattice, one sample ago. */
  readonly #backward: Float64Array = new Float64Array(ORDER_MAX + 1);
  #order = 0;
  #wantedDbov = COMFORT_NOISE_LOWEST_DBOV;
  #presentDbov = COMFORT_NOISE_LOWEST_DBOV;
  #hasPayload = false;
  #untilStep = 0;
  #gain = 0;

  constructor(options: ComfortNoiseGeneratorOptions) {
    this.#random = options.random;
    this.#stepSamples = Math.round((STEP_MS * options.sampleRateHz) / 1000);
  }

  /** The level that the newest payload asks for; −127 before the first. */
  get levelDbov(): number {
    return this.#wantedDbov;
  }

  /** Takes a payload; `false`, and nothing changes, where it is empty. */
  update(payload: Uint8Array): boolean {
    if (payload.length === 0) return false;
    this.#wantedDbov = -((payload[0] as number) & 0x7f);
    const order = Math.min(ORDER_MAX, payload.length - 1);
    for (let index = 0; index < ORDER_MAX; index += 1) {
      this.#wanted[index] = index < order ? reflectionOf(payload[index + 1] as number) : 0;
    }
    this.#order = Math.max(this.#order, order);
    if (!this.#hasPayload) {
      this.#presentDbov = this.#wantedDbov;
      this.#reflections.set(this.#wanted);
    }
    this.#hasPayload = true;
    this.#untilStep = 0;
    return true;
  }

  /** Fills `output` with noise; with silence before the first payload. */
  generate(output: Int16Array): void {
    for (let index = 0; index < output.length; index += 1) {
      if (this.#untilStep === 0) this.#step();
      this.#untilStep -= 1;
      const noise = this.#filter((2 * this.#random() - 1) * this.#gain);
      output[index] = Math.max(-32_768, Math.min(32_767, Math.round(noise)));
    }
  }

  /** As new: the next payload counts at once. */
  reset(): void {
    this.#wanted.fill(0);
    this.#reflections.fill(0);
    this.#backward.fill(0);
    this.#order = 0;
    this.#wantedDbov = COMFORT_NOISE_LOWEST_DBOV;
    this.#presentDbov = COMFORT_NOISE_LOWEST_DBOV;
    this.#hasPayload = false;
    this.#untilStep = 0;
    this.#gain = 0;
  }

  /** Moves the parameters towards those wanted and finds the gain of the white noise for them. */
  #step(): void {
    this.#untilStep = this.#stepSamples;
    this.#presentDbov += STEP_SHARE * (this.#wantedDbov - this.#presentDbov);
    let innovation = 1;
    for (let index = 0; index < this.#order; index += 1) {
      const present = this.#reflections[index] as number;
      const next = present + STEP_SHARE * ((this.#wanted[index] as number) - present);
      this.#reflections[index] = next;
      innovation *= 1 - next * next;
    }
    const amplitude = this.#hasPayload ? FULL_SCALE * 10 ** (this.#presentDbov / 20) : 0;
    this.#gain = amplitude * UNIT_VARIANCE * Math.sqrt(innovation);
  }

  /** The all-pole lattice: stable whatever the coefficients within ±1 do. */
  #filter(input: number): number {
    const backward = this.#backward;
    let forward = input;
    for (let stage = this.#order; stage >= 1; stage -= 1) {
      const reflection = this.#reflections[stage - 1] as number;
      const before = backward[stage - 1] as number;
      forward -= reflection * before;
      backward[stage] = before + reflection * forward;
    }
    backward[0] = forward;
    return forward;
  }
}
