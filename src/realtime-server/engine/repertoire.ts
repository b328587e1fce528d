import {
  PhraseRecogniser,
  resample,
  spokenForm,
  type Voice,
  type VoiceLibrary,
} from "../../audio/index.ts";
import { isSidetoneError, UsageError } from "../../environment/index.ts";
import { lineAt } from "../script/parse-script.ts";
import type {
  Condition,
  CueName,
  Pacing,
  Script,
  ScriptReaction,
  ScriptTool,
  StateValue,
} from "../script/script.ts";
import { closestPhrase, type WrittenPhrase } from "../speech/closest-phrase.ts";
import type { SpeechRecogniser } from "../speech/plug-ins.ts";
import type { HeardTurn } from "./listener.ts";

/** One thing that the bot does in a response. */
export type ReplyPart =
  | { readonly kind: "speech"; readonly voice: Voice }
  | { readonly kind: "tool"; readonly tool: ScriptTool; readonly followUp: FollowUp | undefined };

/** What may follow a function's output. */
export type FollowUp = readonly Reaction[];

/** A reply, when it is given, and what is remembered of it. `Brain` chooses. */
export interface Reaction {
  readonly when: Readonly<Record<string, Condition>>;
  readonly reply: Reply;
  readonly set: Readonly<Record<string, StateValue>>;
  readonly add: Readonly<Record<string, number>>;
}

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
  /** The words; empty where they are not known. */
  readonly text: string;
}

/** What most clients send; the recogniser prepares itself for a rate when it first meets it. */
const USUAL_RATE_HZ = 24_000;

/** A reply without words or deeds. */
export const NO_REPLY: Reply = { parts: [] };

/** How a client tells a scripted AI to follow a cue, anywhere in its instructions. */
const CUE = /\[cue: ?(silence|interrupt|backchannel)\]/u;

/** The cue in a client's instructions, if there is one. */
export function cueIn(instructions: string | undefined): CueName | undefined {
  return CUE.exec(instructions ?? "")?.[1] as CueName | undefined;
}

/** A script joined to its recordings. Immutable and shared by all connections. */
export class Repertoire {
  readonly pacing: Pacing;
  readonly answerDelayMs: number;
  readonly semanticMinSpeechMs: number;
  readonly silenceMs: number | undefined;
  /** What a conversation begins with. */
  readonly state: Readonly<Record<string, StateValue>>;
  /** What is said to a request before anybody has spoken. */
  readonly greeting: readonly Reaction[];
  readonly hasGreeting: boolean;
  readonly #otherwise: readonly Reaction[];
  readonly #interrupted: readonly Reaction[];
  readonly #cues: ReadonlyMap<CueName, readonly Reaction[]>;
  readonly #phrases: ReadonlyMap<string, KnownPhrase>;
  readonly #recogniser: PhraseRecogniser;
  readonly #openRecogniser: SpeechRecogniser | undefined;

  /**
   * @param openRecogniser understands what was not recorded; recordings are then not needed for
   *   what the script hears, and not compared with.
   * @throws UsageError ERR_SCRIPT_UNKNOWN_PHRASE where the script names what was not recorded,
   *   ERR_SCRIPT_DUPLICATE_PHRASE where two turns hear the same.
   */
  constructor(script: Script, voices: VoiceLibrary, openRecogniser?: SpeechRecogniser) {
    const binding = new Binding(script, voices, openRecogniser !== undefined);
    this.#openRecogniser = openRecogniser;
    this.pacing = script.pacing;
    this.answerDelayMs = script.answerDelayMs;
    this.semanticMinSpeechMs = script.semanticVad.minSpeechMs;
    this.silenceMs = script.silenceMs;
    this.state = script.state;
    this.#otherwise = binding.reactions(script.otherwise, "otherwise");
    this.#interrupted = binding.reactions(script.interrupted, "interrupted");
    this.hasGreeting = script.greeting !== undefined;
    this.greeting = this.hasGreeting
      ? binding.reactions(script.greeting, "greeting")
      : this.#otherwise;
    this.#cues = binding.cues();
    this.#phrases = binding.phrases();
    this.#recogniser = new PhraseRecogniser(this.#recordings);
  }

  /**
   * Recognises each phrase once. Until then the recogniser runs unoptimised, which takes some
   * 100 ms: too long within a short answer delay.
   */
  rehearse(): void {
    for (const voice of this.#recordings) {
      const samples = resample(voice.samples, voice.sampleRateHz, USUAL_RATE_HZ);
      (this.#openRecogniser ?? this.#recogniser).recognise(samples, USUAL_RATE_HZ);
    }
  }

  /** Finds which phrase was said. It takes some milliseconds: the costliest thing that we do. */
  recognise(turn: HeardTurn): Recognition {
    if (turn.speech.length === 0) return { phraseId: undefined, score: 0, text: "" };
    if (this.#openRecogniser !== undefined) {
      const text = this.#openRecogniser.recognise(turn.speech, turn.sampleRateHz);
      const { id: phraseId, score } = closestPhrase(text, [...this.#phrases.values()]);
      return { phraseId, score, text };
    }
    const { id, score } = this.#recogniser.recognise(turn.speech, turn.sampleRateHz);
    const text = id === undefined ? "" : (this.#phrases.get(id)?.text ?? "");
    return { phraseId: id, score, text };
  }

  get #recordings(): readonly Voice[] {
    return [...this.#phrases.values()].flatMap(({ voice }) => voice ?? []);
  }

  /** The phrase written as `text`, if the script knows it. */
  phraseWritten(text: string): string | undefined {
    const wanted = spokenForm(text);
    for (const { id, text: phrase } of this.#phrases.values()) {
      if (spokenForm(phrase) === wanted) return id;
    }
    return undefined;
  }

  /** What may be done on hearing a phrase, or something else while the bot was talked over. */
  reactionsTo(phraseId: string | undefined, interrupted: boolean): readonly Reaction[] {
    const known = phraseId === undefined ? undefined : this.#phrases.get(phraseId);
    const unknown = interrupted ? [...this.#interrupted, ...this.#otherwise] : this.#otherwise;
    return known === undefined ? unknown : [...known.reactions, ...unknown];
  }

  /** Whether the script says what to do about silence. */
  get hasSilenceCue(): boolean {
    return this.#cues.has("silence");
  }

  /** What may be done without having heard anything; nothing where the script does not say. */
  reactionsToCue(cue: CueName): readonly Reaction[] {
    return this.#cues.get(cue) ?? [];
  }
}

/** What the script listens for, and what it does then. */
interface KnownPhrase extends WrittenPhrase {
  readonly voice: Voice | undefined;
  readonly reactions: Reaction[];
}

/** Looks a script's words up among the recordings. */
class Binding {
  readonly #script: Script;
  readonly #voices: VoiceLibrary;
  /** Whether it hears what was not recorded. */
  readonly #hearsAnything: boolean;

  constructor(script: Script, voices: VoiceLibrary, hearsAnything: boolean) {
    this.#script = script;
    this.#voices = voices;
    this.#hearsAnything = hearsAnything;
  }

  phrases(): Map<string, KnownPhrase> {
    const phrases = new Map<string, KnownPhrase>();
    const certain = new Set<string>();
    const listensTo = this.#script.voice === "bot" ? "caller" : "bot";
    for (const [index, turn] of this.#script.turns.entries()) {
      const path = `turns.${index}`;
      const reaction = this.#reaction(turn, path);
      for (const phrase of turn.hears) {
        const written = this.#written(listensTo, phrase, `${path}.hears`);
        const { id } = written;
        // After a turn without conditions no other one comes to its turn.
        if (certain.has(id)) throw this.#duplicate(id, `${path}.hears`);
        if (turn.when === undefined) certain.add(id);
        const known = phrases.get(id);
        if (known === undefined) phrases.set(id, { ...written, reactions: [reaction] });
        else known.reactions.push(reaction);
      }
    }
    return phrases;
  }

  reactions(list: readonly ScriptReaction[] | undefined, path: string): readonly Reaction[] {
    return (list ?? []).map((each, index) => this.#reaction(each, `${path}.${index}`));
  }

  cues(): Map<CueName, readonly Reaction[]> {
    const cues = Object.entries(this.#script.cues) as [CueName, readonly ScriptReaction[]][];
    return new Map(cues.map(([cue, list]) => [cue, this.reactions(list, `cues.${cue}`)]));
  }

  #reaction(written: ScriptReaction, path: string): Reaction {
    const { when = {}, set = {}, add = {} } = written;
    return { when, set, add, reply: this.#reply(written, path) };
  }

  #reply(written: ScriptReaction, path: string): Reply {
    const { says, tool, tools = tool === undefined ? [] : [tool], then, order, afterMs } = written;
    const speech: readonly ReplyPart[] =
      says === undefined
        ? []
        : [{ kind: "speech", voice: this.#find(this.#script.voice, says, `${path}.says`) }];
    const followUp = then === undefined ? undefined : this.reactions(then, `${path}.then`);
    const called: readonly ReplyPart[] = tools.map((each) => ({
      kind: "tool",
      tool: each,
      followUp,
    }));
    const parts = order === "speech-then-tool" ? [...speech, ...called] : [...called, ...speech];
    return { parts, afterMs };
  }

  #written(voice: "bot" | "caller", phrase: string, path: string): Omit<KnownPhrase, "reactions"> {
    const recorded = this.#hearsAnything
      ? this.#voices.lookUp(voice, phrase)
      : this.#find(voice, phrase, path);
    const { id, text } = recorded ?? { id: spokenForm(phrase), text: phrase };
    return { id, text, voice: recorded };
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
    const line = lineAt(this.#script.lines, path.split("."));
    return `${this.#script.fileName}, line ${line}: ${path}`;
  }
}
