import { elapsedMs, type Instant } from "../environment/index.ts";

/** How a caller who speaks over the bot is found here, before the provider says so. */
export interface LocalBargeInOptions {
  /** How long the caller must have spoken, pauses left out; default 120 ms. */
  readonly minSpeechMs?: number;
  /** How far above the line's noise speech is at least; default 12 dB. */
  readonly aboveNoiseDb?: number;
  /** How far below the bot's own voice its echo is at least; default 14 dB. */
  readonly echoLossDb?: number;
  /** How late an echo may come: network, buffers and line, there and back; default 600 ms. */
  readonly echoDelayMsMax?: number;
}

const FRAME_MS = 10;
const LEVEL_MIN_DBOV = -96;
/** Below this lie the idle codes of G.711. */
const FLOOR_MIN_DBOV = -62;
const FLOOR_START_DBOV = -52;
const FLOOR_FALL = 0.25;
const FLOOR_RISE_DB = 0.03;
/** A pause of this length ends what was speech: the count begins anew. */
const PAUSE_MS = 150;

/**
 * Finds, in the caller's audio, where the caller speaks while the bot is heard.
 *
 * A frame is the caller's if it stands out of the line's noise and is louder than any echo of what
 * the bot said lately could be: louder than the loudest of its frames within the echo's reach, less
 * what an echo path loses. It does not know what is said, nor whether the bot should stop.
 */
export class LocalBargeIn {
  readonly #minSpeechMs: number;
  readonly #aboveNoiseDb: number;
  readonly #echoLossDb: number;
  readonly #echoDelayMs: number;
  readonly #frameSamples: number;
  /** Levels of what the bot said, newest last. */
  readonly #said: { readonly at: Instant; readonly dbov: number }[] = [];
  #energy = 0;
  #fill = 0;
  #floorDbov = FLOOR_START_DBOV;
  #speechMs = 0;
  #pauseMs = 0;

  constructor(sampleRateHz: number, options: LocalBargeInOptions = {}) {
    this.#frameSamples = (sampleRateHz * FRAME_MS) / 1000;
    this.#minSpeechMs = options.minSpeechMs ?? 120;
    this.#aboveNoiseDb = options.aboveNoiseDb ?? 12;
    this.#echoLossDb = options.echoLossDb ?? 14;
    this.#echoDelayMs = options.echoDelayMsMax ?? 600;
  }

  /** A frame of the bot's that leaves now. */
  handleBotAudio(samples: Int16Array, now: Instant): void {
    // The loudest part of a frame makes the loudest echo.
    let loudest = LEVEL_MIN_DBOV;
    for (let from = 0; from < samples.length; from += this.#frameSamples) {
      const part = samples.subarray(from, from + this.#frameSamples);
      let energy = 0;
      for (const sample of part) energy += sample * sample;
      loudest = Math.max(loudest, dbovOf(energy, part.length));
    }
    this.#said.push({ at: now, dbov: loudest });
    this.#forget(now);
  }

  /**
   * Caller audio as it comes.
   * @returns how long the caller has spoken, once that is long enough; `undefined` until then.
   */
  handleCallerAudio(samples: Int16Array, now: Instant): number | undefined {
    this.#forget(now);
    const echoDbov = this.#said.reduce((most, { dbov }) => Math.max(most, dbov), LEVEL_MIN_DBOV);
    for (const sample of samples) {
      this.#energy += sample * sample;
      this.#fill += 1;
      if (this.#fill < this.#frameSamples) continue;
      this.#handleFrame(dbovOf(this.#energy, this.#fill), echoDbov - this.#echoLossDb);
      this.#energy = 0;
      this.#fill = 0;
    }
    if (this.#speechMs < this.#minSpeechMs) return undefined;
    const spokenMs = this.#speechMs;
    this.reset();
    return spokenMs;
  }

  /** Forgets what the caller has said so far. */
  reset(): void {
    this.#speechMs = 0;
    this.#pauseMs = 0;
  }

  #handleFrame(dbov: number, echoLimitDbov: number): void {
    const aboveDb = dbov - this.#floorDbov;
    const isEcho = dbov <= echoLimitDbov;
    const isSpeech = aboveDb >= this.#aboveNoiseDb && !isEcho;
    if (aboveDb < 0) this.#floorDbov += aboveDb * FLOOR_FALL;
    // Neither an echo nor the caller is the line's noise.
    else if (aboveDb < this.#aboveNoiseDb) this.#floorDbov += FLOOR_RISE_DB;
    this.#floorDbov = Math.max(FLOOR_MIN_DBOV, this.#floorDbov);
    if (isSpeech) {
      this.#speechMs += FRAME_MS;
      this.#pauseMs = 0;
      return;
    }
    this.#pauseMs += FRAME_MS;
    if (this.#pauseMs >= PAUSE_MS) this.#speechMs = 0;
  }

  #forget(now: Instant): void {
    while (this.#said[0] !== undefined && elapsedMs(this.#said[0].at, now) > this.#echoDelayMs) {
      this.#said.shift();
    }
  }
}

function dbovOf(energy: number, samples: number): number {
  return 10 * Math.log10(energy / Math.max(1, samples) / 32_768 ** 2 + 1e-10);
}
