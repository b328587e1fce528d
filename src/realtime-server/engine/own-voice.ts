import type { Voice } from "../../audio/index.ts";
import type { Reply } from "./repertoire.ts";

const FRAME_MS = 10;
/**
 * How far below the bot's loudest moment its echo is expected to lie at least. A line's echo path
 * loss is 15 dB or more in practice (ITU-T G.131 has 21 dB and more); a caller is about as loud as
 * the bot.
 */
const ECHO_LOSS_DB_MIN = 14;
/** How much longer than its audio lasts an echo may be on its way: buffers, network, line. */
export const ECHO_REST_MS = 500;

const loudest = new WeakMap<Voice, number>();

/**
 * What louder than this in the caller's audio, in dBov, is not the echo of a reply; `undefined`
 * where nothing is said.
 */
export function echoLimitOf({ parts }: Reply): number | undefined {
  const levels = parts.flatMap((part) => (part.kind === "speech" ? [loudestDbov(part.voice)] : []));
  return levels.length === 0 ? undefined : Math.max(...levels) - ECHO_LOSS_DB_MIN;
}

function loudestDbov(voice: Voice): number {
  const known = loudest.get(voice);
  if (known !== undefined) return known;
  const length = (voice.sampleRateHz * FRAME_MS) / 1000;
  let most = 0;
  for (let from = 0; from + length <= voice.samples.length; from += length) {
    const frame = voice.samples.subarray(from, from + length);
    most = Math.max(
      most,
      frame.reduce((sum, sample) => sum + sample * sample, 0),
    );
  }
  const level = 10 * Math.log10(most / length / 32_768 ** 2 + 1e-10);
  loudest.set(voice, level);
  return level;
}
