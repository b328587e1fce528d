import { type Random, randomInteger, seededRandom } from "../environment/index.ts";
import { cutSpeech, type SpeechCut, type SpeechStock } from "./reference-speech.ts";

/** Speech of the caller with its annotated edges, in ms of `samples`. */
export interface CallerSpeech extends SpeechStock {
  readonly onsetMs: number;
  readonly offsetMs: number;
}

/** What the reference bot and its caller have to speak with, at the rate of their calls. */
export interface ReferenceVoices {
  readonly sampleRateHz: number;
  readonly bot: readonly SpeechStock[];
  readonly questions: readonly CallerSpeech[];
  readonly interruption: CallerSpeech;
}

/** Something said, and when its first sample is due: in ms from the beginning of the plan. */
export interface PlannedSpeech<Speech extends SpeechStock> {
  readonly atMs: number;
  readonly speech: Speech;
}

/**
 * One call of the reference bot. The caller asks; the bot answers; the caller interrupts; the bot
 * stops in mid-word, and answers again when the caller has finished; then it presses keys and
 * hangs up.
 */
export interface ReferencePlan {
  readonly question: PlannedSpeech<CallerSpeech>;
  readonly answer: PlannedSpeech<SpeechCut>;
  readonly interruption: PlannedSpeech<CallerSpeech>;
  readonly secondAnswer: PlannedSpeech<SpeechCut>;
  readonly digitsAtMs: number;
  readonly digits: string;
  readonly byeAtMs: number;
}

/** What a planned latency may be; below 0 the two overlap. */
const LATENCY_MS = [-250, 1500] as const;
const INTO_ANSWER_MS = [800, 1600] as const;
/** Later, the second answer could follow the first within a second: a pause, for all one hears. */
const STOP_MS = [100, 1100] as const;
const SECOND_ANSWER_MS = [700, 1500] as const;
/** Sooner, on a host that sends late, the caller would not have finished when it begins. */
const SECOND_LATENCY_MS = [400, 1500] as const;
const KEYS = "0123456789*#";
const KEY_COUNT = [2, 4] as const;
/** Duration and pause of a key, as the sender has them. */
const KEY_MS = 200;
const REST_MS = 300;

/** The plan of a call: the same seed gives the same plan. */
export function planReferenceCall(voices: ReferenceVoices, seed: string): ReferencePlan {
  const random = seededRandom(seed);
  const { bot, questions, interruption, sampleRateHz } = voices;
  const question = questions[randomInteger(random, questions.length)] as CallerSpeech;
  const answerAtMs = question.offsetMs + between(random, LATENCY_MS);
  const interruptionAtMs = answerAtMs + between(random, INTO_ANSWER_MS);
  const answerMs = interruptionAtMs - answerAtMs + between(random, STOP_MS);
  const secondAtMs = interruptionAtMs + interruption.offsetMs + between(random, SECOND_LATENCY_MS);
  const secondMs = between(random, SECOND_ANSWER_MS);
  const digits = keys(random);
  const digitsAtMs = secondAtMs + secondMs + REST_MS;
  return {
    question: { atMs: 0, speech: question },
    answer: { atMs: answerAtMs, speech: cutSpeech(bot, answerMs, sampleRateHz, random) },
    interruption: { atMs: interruptionAtMs, speech: interruption },
    secondAnswer: { atMs: secondAtMs, speech: cutSpeech(bot, secondMs, sampleRateHz, random) },
    digitsAtMs,
    digits,
    byeAtMs: digitsAtMs + digits.length * KEY_MS + REST_MS,
  };
}

function between(random: Random, [low, high]: readonly [number, number]): number {
  return low + random() * (high - low);
}

function keys(random: Random): string {
  const [least, most] = KEY_COUNT;
  const count = least + randomInteger(random, most - least + 1);
  return Array.from({ length: count }, () => KEYS.charAt(randomInteger(random, KEYS.length))).join(
    "",
  );
}
