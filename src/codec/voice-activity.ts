const BLOCK_MS = 5;
/** How much louder than the background a block of speech is. */
const MARGIN = 10 ** (6 / 10);
/** Nothing below this is speech, nothing above the floor's ceiling plus margin is background. */
const SPEECH_MIN_DBOV = -62;
const FLOOR_MAX_DBOV = -42;
/** The background is followed down within some 50 ms, and up by this. */
const RISE_DB_PER_S = 4;
const FALL_SHARE = 0.1;
/** The level that the background is followed by is smoothed over some 20 ms. */
const SMOOTHING_SHARE = 0.25;
/** Before this the background is the quietest so far. */
const SETTLING_MS = 100;

/**
 * Tells frames with speech from background, for discontinuous transmission: it would rather send
 * a frame too many than cut a word. It looks at blocks of 5 ms, in their whole band and in their
 * high frequencies, where soft consonants show first, each against a floor of its own that follows
 * the background. Sound louder than −36 dBov always counts as speech: music and tones are sent.
 */
export class VoiceActivity {
  readonly #blockSamples: number;
  readonly #fullBand: BandFloor = new BandFloor();
  readonly #highBand: BandFloor = new BandFloor();
  #filled = 0;
  #previous = 0;

  constructor(options: { readonly sampleRateHz: number }) {
    this.#blockSamples = Math.round((BLOCK_MS * options.sampleRateHz) / 1000);
  }

  /** Takes the next frame, of any length; whether any of it may be speech. */
  handleFrame(frame: Int16Array): boolean {
    let isSpeech = false;
    for (let index = 0; index < frame.length; index += 1) {
      const sample = frame[index] as number;
      this.#fullBand.add(sample);
      this.#highBand.add(sample - this.#previous);
      this.#previous = sample;
      this.#filled += 1;
      if (this.#filled === this.#blockSamples) isSpeech = this.#endBlock() || isSpeech;
    }
    return isSpeech;
  }

  #endBlock(): boolean {
    const isFull = this.#fullBand.endBlock(this.#filled);
    const isHigh = this.#highBand.endBlock(this.#filled);
    this.#filled = 0;
    return isFull || isHigh;
  }
}

const FLOOR_MIN = meanSquare(SPEECH_MIN_DBOV) / MARGIN;
const FLOOR_MAX = meanSquare(FLOOR_MAX_DBOV);
const RISE_PER_BLOCK = 10 ** ((RISE_DB_PER_S * BLOCK_MS) / 1000 / 10);
const SETTLING_BLOCKS = SETTLING_MS / BLOCK_MS;

/** The background power of one band. */
class BandFloor {
  #floor = FLOOR_MAX;
  #smoothed = 0;
  #blocks = 0;
  #energy = 0;

  /** Takes the next sample of the band. */
  add(sample: number): void {
    this.#energy += sample * sample;
  }

  /** Ends a block of so many samples; whether it stands out. */
  endBlock(samples: number): boolean {
    const power = this.#energy / samples;
    this.#energy = 0;
    this.#smoothed += (this.#blocks === 0 ? 1 : SMOOTHING_SHARE) * (power - this.#smoothed);
    this.#blocks += 1;
    if (this.#blocks <= SETTLING_BLOCKS) this.#floor = Math.min(this.#floor, this.#smoothed);
    else if (this.#smoothed > this.#floor) this.#floor *= RISE_PER_BLOCK;
    else this.#floor += FALL_SHARE * (this.#smoothed - this.#floor);
    this.#floor = Math.max(FLOOR_MIN, Math.min(FLOOR_MAX, this.#floor));
    return power > this.#floor * MARGIN;
  }
}

function meanSquare(levelDbov: number): number {
  return 32_768 ** 2 * 10 ** (levelDbov / 10);
}
