import {
  PhraseRecogniser,
  resample,
  spokenForm,
  type Voice,
  type VoiceLibrary,
} from "../../audio/index.ts";
import { isSidetoneError, UsageError } from "../../environment/index.ts";
import type { Pacing, Script, ScriptTool, ScriptTurn } from "../script/script.ts";
import type { HeardTurn } from "./listener.ts";

/** One thing that the bot does in a response. */
export type ReplyPart =
  | { readonly kind: "speech"; readonly voice: Voice }
  | { readonly kind: "tool"; readonly tool: ScriptTool; readonly followUp: Reply | undefined };

/** What the bot does in one response; nothing at all where it has no parts. */
export interface Reply {
  readonly parts: readonly ReplyPart[];
  /** Overrides every other answer delay. */
  readonly afterMs?: number | undefined;
}

/** What the recogniser made of a turn. */
export interface Recognition {
  readonly phraseId: string | undefined;
  readonly score: number;
}

/** What most clients send; the recogniser prepares itself for a rate when it first meets it. */
const USUAL_RATE_HZ = 24_000;

/** A reply without words or deeds. */
export const NO_REPLY: Reply = { parts: [] };

/** A script joined to its recordings. Immutable and shared by all connections. */
export class Repertoire {
  readonly pacing: Pacing;
  readonly answerDelayMs: number;
  readonly semanticMinSpeechMs: number;
  readonly greeting: Reply | undefined;
  readonly otherwise: Reply;
  readonly #interrupted: Reply | undefined;
  readonly #phrases: ReadonlyMap<string, { readonly voice: Voice; readonly reply: Reply }>;
  readonly #recogniser: PhraseRecogniser;

  /**
   * @throws UsageError ERR_SCRIPT_UNKNOWN_PHRASE where the script names what was not recorded,
   *   ERR_SCRIPT_DUPLICATE_PHRASE where two turns hear the same.
   */
  constructor(script: Script, voices: VoiceLibrary) {
    const binding = new Binding(script, voices);
    this.pacing = script.pacing;
    this.answerDelayMs = script.answerDelayMs;
    this.semanticMinSpeechMs = script.semanticVad.minSpeechMs;
    this.greeting = binding.optionalSpeech(script.greeting, "greeting");
    this.otherwise = binding.speech(script.otherwise, "otherwise");
    this.#interrupted = binding.optionalSpeech(script.interrupted, "interrupted");
    this.#phrases = binding.phrases();
    this.#recogniser = new PhraseRecogniser([...this.#phrases.values()].map(({ voice }) => voice));
  }

  /**
   * Recognises each phrase once. Until then the recogniser runs unoptimised, which takes some
   * 100 ms: too long within a short answer delay.
   */
  rehearse(): void {
    for (const { voice } of this.#phrases.values()) {
      const samples = resample(voice.samples, voice.sampleRateHz, USUAL_RATE_HZ);
      this.#recogniser.recognise(samples, USUAL_RATE_HZ);
    }
  }

  /** Finds which phrase was said. It takes some milliseconds: the costliest thing that we do. */
  recognise(turn: HeardTurn): Recognition {
    if (turn.speech.length === 0) return { phraseId: undefined, score: 0 };
    const { id, score } = this.#recogniser.recognise(turn.speech, turn.sampleRateHz);
    return { phraseId: id, score };
  }

  /** The words of a phrase; empty for one that was not recognised. */
  textOf(phraseId: string | undefined): string {
    return (phraseId === undefined ? undefined : this.#phrases.get(phraseId)?.voice.text) ?? "";
  }

  /** The phrase written as `text`, if the script knows it. */
  phraseWritten(text: string): string | undefined {
    const wanted = spokenForm(text);
    for (const [id, { voice }] of this.#phrases) {
      if (spokenForm(voice.text) === wanted) return id;
    }
    return undefined;
  }

  /** What to do on hearing a phrase, or something else while the bot was being talked over. */
  replyTo(phraseId: string | undefined, interrupted: boolean): Reply {
    const known = phraseId === undefined ? undefined : this.#phrases.get(phraseId);
    if (known !== undefined) return known.reply;
    return interrupted ? (this.#interrupted ?? this.otherwise) : this.otherwise;
  }
}

/** Looks a script's words up among the recordings. */
class Binding {
  readonly #script: Script;
  readonly #voices: VoiceLibrary;

  constructor(script: Script, voices: VoiceLibrary) {
    this.#script = script;
    this.#voices = voices;
  }

  phrases(): Map<string, { voice: Voice; reply: Reply }> {
    const phrases = new Map<string, { voice: Voice; reply: Reply }>();
    const listensTo = this.#script.voice === "bot" ? "caller" : "bot";
    for (const [index, turn] of this.#script.turns.entries()) {
      const path = `turns.${index}`;
      const reply = this.#reply(turn, path);
      for (const phrase of turn.hears) {
        const voice = this.#find(listensTo, phrase, `${path}.hears`);
        if (phrases.has(voice.id)) throw this.#duplicate(voice.id, `${path}.hears`);
        phrases.set(voice.id, { voice, reply });
      }
    }
    return phrases;
  }

  speech(phrase: string, path: string): Reply {
    return { parts: [{ kind: "speech", voice: this.#find(this.#script.voice, phrase, path) }] };
  }

  optionalSpeech(phrase: string | undefined, path: string): Reply | undefined {
    return phrase === undefined ? undefined : this.speech(phrase, path);
  }

  #reply(turn: ScriptTurn, path: string): Reply {
    const speech = this.optionalSpeech(turn.says, `${path}.says`)?.parts ?? [];
    const followUp = this.optionalSpeech(turn.then?.says, `${path}.then.says`);
    const called: readonly ReplyPart[] =
      turn.tool === undefined ? [] : [{ kind: "tool", tool: turn.tool, followUp }];
    const parts =
      turn.order === "speech-then-tool" ? [...speech, ...called] : [...called, ...speech];
    return { parts, afterMs: turn.afterMs };
  }

  #find(voice: "bot" | "caller", phrase: string, path: string): Voice {
    try {
      return this.#voices.find(voice, phrase);
    } catch (cause) {
      if (!isSidetoneError(cause)) throw cause;
      throw new UsageError(
        "ERR_SCRIPT_UNKNOWN_PHRASE",
        `${this.#place(path)} names a phrase that is not recorded. ${cause.message}`,
        { context: { ...cause.context, path }, cause },
      );
    }
  }

  #duplicate(phraseId: string, path: string): UsageError {
    return new UsageError(
      "ERR_SCRIPT_DUPLICATE_PHRASE",
      `${this.#place(path)} hears "${phraseId}", which an earlier turn hears already. Remove one.`,
      { context: { path, phraseId } },
    );
  }

  #place(path: string): string {
    const line = this.#script.lines[path];
    return `${this.#script.fileName}${line === undefined ? "" : `, line ${line}`}: ${path}`;
  }
}
