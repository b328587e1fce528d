import { spokenForm, type Voice, VoiceLibrary } from "../../audio/index.ts";
import { UsageError } from "../../environment/index.ts";
import { speechSpan } from "../engine/turn-detector.ts";
import type { Script, ScriptReaction } from "../script/script.ts";
import type { SpeechSynthesiser } from "./plug-ins.ts";

const RATE_HZ_MIN = 8000;
const RATE_HZ_MAX = 48_000;

/**
 * The recordings, and what the script says beside them, spoken by a synthesiser. Recordings win.
 * @throws UsageError ERR_MODULE_FAILED where it gives what is no speech.
 */
export async function withSynthesisedSpeech(
  voices: VoiceLibrary,
  script: Script,
  synthesiser: SpeechSynthesiser,
): Promise<VoiceLibrary> {
  const added: Voice[] = [];
  for (const text of textsSaid(script)) {
    if (voices.lookUp(script.voice, text) !== undefined) continue;
    // One after the other: an engine need not be able to do more.
    // oxlint-disable-next-line no-await-in-loop
    added.push(voiceOf(text, await synthesiser.synthesise(text)));
  }
  const other = script.voice === "bot" ? "caller" : "bot";
  return new VoiceLibrary(
    new Map([
      [script.voice, [...voices.all(script.voice), ...added]],
      [other, voices.all(other)],
    ]),
  );
}

function voiceOf(text: string, speech: unknown): Voice {
  const { samples, sampleRateHz } = (speech ?? {}) as Readonly<Record<string, unknown>>;
  const isRate =
    typeof sampleRateHz === "number" && sampleRateHz >= RATE_HZ_MIN && sampleRateHz <= RATE_HZ_MAX;
  if (!(samples instanceof Int16Array) || samples.length === 0 || !isRate) {
    throw new UsageError(
      "ERR_MODULE_FAILED",
      "The speech synthesiser gave no speech: it must return { samples: Int16Array, sampleRateHz } of 8 to 48 kHz.",
    );
  }
  const span = speechSpan(samples, sampleRateHz) ?? { from: 0, to: samples.length };
  const ms = (sample: number): number => (sample * 1000) / sampleRateHz;
  return {
    id: spokenForm(text),
    text,
    samples,
    sampleRateHz,
    onsetMs: ms(span.from),
    offsetMs: ms(span.to),
  };
}

/** Everything that a script says, each text once. */
function textsSaid({ greeting, turns, otherwise, interrupted, cues }: Script): ReadonlySet<string> {
  const texts = new Set<string>();
  const collect = (reactions: readonly ScriptReaction[] | undefined): void => {
    for (const { says, then } of reactions ?? []) {
      if (says !== undefined) texts.add(says);
      collect(then);
    }
  };
  for (const each of [greeting, turns, otherwise, interrupted, ...Object.values(cues)])
    collect(each);
  return texts;
}
