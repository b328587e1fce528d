import type { Instant } from "../../environment/index.ts";
import type { HeardTurn, ListenerEvent } from "../engine/listener.ts";
import type { Recognition } from "../engine/repertoire.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import type { Conversation } from "./conversation.ts";
import type { Outbox } from "./outbox.ts";
import type { SessionConfig } from "./session-config.ts";
import type { CallerTurn } from "./trigger.ts";
import type { Ids } from "./wire.ts";

/** The caller pauses, or has stopped. */
export type TurnPause = Extract<ListenerEvent, { kind: "paused" | "stopped" }>;

/** What recognition shares with the rest of its session. */
export interface TurnRecognitionOptions {
  readonly settings: () => ServerSettings;
  readonly ids: Ids;
  readonly outbox: Outbox;
  readonly config: SessionConfig;
  readonly conversation: Conversation;
}

/** What was said in the caller's turns, and their transcripts where the session asks for them. */
export class TurnRecognition {
  readonly #options: TurnRecognitionOptions;
  #turns: CallerTurn[] = [];
  #dueAt: Instant | undefined;
  /** What was recognised in a pause, and where the speech before it ended. */
  #overheard: { readonly speechEndMs: number; readonly recognition: Recognition } | undefined;

  constructor(options: TurnRecognitionOptions) {
    this.#options = options;
  }

  get dueAt(): Instant | undefined {
    return this.#dueAt;
  }

  add(turn: CallerTurn, now: Instant): void {
    this.#turns.push(turn);
    this.#dueAt = now;
  }

  /**
   * Recognises while the silence that ends a turn is still running, so that an answer delay of 0
   * can be kept. More speech makes it worthless; then it is done again at the turn's end.
   */
  listenAhead({ speechEndMs, turn }: TurnPause): void {
    const { repertoire } = this.#options.settings();
    this.#overheard = { speechEndMs, recognition: repertoire.recognise(turn) };
  }

  /** What was recognised ahead of the turn's end, unless more was said since. */
  takeOverheard(speechEndMs: number): Recognition | undefined {
    const overheard = this.#overheard;
    this.#overheard = undefined;
    return overheard?.speechEndMs === speechEndMs ? overheard.recognition : undefined;
  }

  /** Costs some ms; so the events that led here have been sent before. */
  recognise(): void {
    const turns = this.#turns;
    this.#turns = [];
    this.#dueAt = undefined;
    const { outbox, config } = this.#options;
    const { repertoire } = this.#options.settings();
    for (const turn of turns) {
      turn.recognition ??= repertoire.recognise(turn.heard);
      const { phraseId, score, text } = turn.recognition;
      outbox.tellTruth({ type: "heard", turn: turn.number, phraseId, score });
      if (config.transcribes) this.#transcribe(turn, text);
    }
  }

  #transcribe(turn: CallerTurn, transcript: string): void {
    const { outbox, conversation, ids } = this.#options;
    const type = "conversation.item.input_audio_transcription";
    const place = { item_id: turn.itemId, content_index: 0 };
    if (transcript !== "") {
      const obfuscation = ids.obfuscation(transcript);
      outbox.emit({ type: `${type}.delta`, ...place, delta: transcript, obfuscation });
    }
    const seconds = Math.ceil(durationMs(turn.heard) / 1000);
    const usage = { type: "duration", seconds };
    outbox.emit({ type: `${type}.completed`, ...place, transcript, usage });
    const item = conversation.find(turn.itemId);
    if (item === undefined) return;
    item.view = { ...item.view, content: [{ type: "input_audio", transcript }] };
  }
}

export function durationMs(heard: HeardTurn): number {
  return (heard.samples.length * 1000) / heard.sampleRateHz;
}
