import { levelDbov } from "../audio/index.ts";
import { type Random, randomInteger } from "../environment/index.ts";

/** Speech whose first and last sample are the first and last of all: nothing is to be interpreted. */
export interface SpeechCut {
  readonly fixture: string;
  readonly samples: Int16Array;
}

/** Speech to cut from, at the rate of the call. */
export interface SpeechStock {
  readonly fixture: string;
  readonly samples: Int16Array;
}

/** The level of the very first and last speech, over both of these lengths. */
const EDGE_LEVEL_DBOV = -26;
const EDGE_MS = [10, 40] as const;
/** No pause so near to an edge: else a lost packet could take all that is beyond it. */
const UNBROKEN_MS = 160;
const PART_MS = 20;
const UNBROKEN_LEVEL_DBOV = -35;
const TRIES = 20_000;

/**
 * Cuts a piece of about `durationMs` out of the stock, from loud speech to loud speech.
 *
 * Where natural speech begins is a matter of definition, by some 10 ms; where this begins is not.
 */
export function cutSpeech(
  stock: readonly SpeechStock[],
  durationMs: number,
  sampleRateHz: number,
  random: Random,
): SpeechCut {
  const wanted = Math.round((durationMs * sampleRateHz) / 1000);
  for (let tried = 0; tried < TRIES; tried += 1) {
    const { fixture, samples } = stock[randomInteger(random, stock.length)] as SpeechStock;
    const room = samples.length - wanted;
    if (room <= 0) continue;
    const begin = randomInteger(random, room);
    const cut = samples.subarray(begin, begin + wanted);
    if (beginsAndEndsLoud(cut, sampleRateHz) && isUnbroken(cut, sampleRateHz))
      return { fixture, samples: cut.slice() };
  }
  throw new Error(`Bug: the fixtures hold no ${durationMs} ms between two loud places.`);
}

function beginsAndEndsLoud(cut: Int16Array, sampleRateHz: number): boolean {
  return EDGE_MS.every((ms) => {
    const count = (ms * sampleRateHz) / 1000;
    return (
      levelDbov(cut.subarray(0, count)) >= EDGE_LEVEL_DBOV &&
      levelDbov(cut.subarray(cut.length - count)) >= EDGE_LEVEL_DBOV
    );
  });
}

function isUnbroken(cut: Int16Array, sampleRateHz: number): boolean {
  const count = (PART_MS * sampleRateHz) / 1000;
  const parts = UNBROKEN_MS / PART_MS;
  return Array.from({ length: parts }, (_, part) => part).every(
    (part) =>
      levelDbov(cut.subarray(part * count, (part + 1) * count)) >= UNBROKEN_LEVEL_DBOV &&
      levelDbov(cut.subarray(cut.length - (part + 1) * count, cut.length - part * count)) >=
        UNBROKEN_LEVEL_DBOV,
  );
}
