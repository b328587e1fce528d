import type { Voice } from "../../audio/index.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import { bytesPerMs } from "./audio-format.ts";
import type { ItemAudio, ItemView } from "./conversation.ts";
import { OutputItem, type OutputPlace } from "./output-item.ts";
import type { ResponseContext } from "./response-context.ts";

/** What a message says and how. */
export interface MessageOptions {
  readonly voice: Voice;
  /** Whether a function call goes with it. */
  readonly isCommentary: boolean;
  readonly oddSizedDeltas: boolean;
}

/** A spoken (or, where the client wants text, a written) message of the bot. */
export class MessageOutput {
  readonly #context: ResponseContext;
  readonly #item: OutputItem;
  readonly #isSpoken: boolean;
  readonly #bytesPerMs: number;
  readonly #bytes: Buffer;
  readonly #audio: ItemAudio;
  readonly #options: MessageOptions;
  #text = "";
  #sentBytes = 0;

  constructor(context: ResponseContext, place: OutputPlace, options: MessageOptions) {
    const { outputFormat, tellsPhase, outputModalities } = place.settings;
    this.#context = context;
    this.#options = options;
    this.#isSpoken = outputModalities.includes("audio");
    this.#bytesPerMs = bytesPerMs(outputFormat);
    this.#bytes = context.voices.bytesOf(options.voice, outputFormat);
    this.#audio = { bytes: this.#bytes, format: outputFormat, sentMs: 0 };
    this.#item = new OutputItem(context, place, {
      type: "message",
      status: "in_progress",
      role: "assistant",
      ...(tellsPhase ? { phase: options.isCommentary ? "commentary" : "final_answer" } : {}),
      content: [],
    });
  }

  get hasBegun(): boolean {
    return this.#item.hasBegun;
  }

  get view(): ItemView {
    return this.#item.view;
  }

  get sentMs(): number {
    return this.#sentBytes / this.#bytesPerMs;
  }

  get sentText(): string {
    return this.#text;
  }

  get utteranceId(): string {
    return this.#options.voice.id;
  }

  begin(): void {
    this.#item.begin(this.#isSpoken ? this.#audio : undefined);
    this.#emit("response.content_part.added", { part: this.#part() });
  }

  sendText(delta: string): void {
    this.#text += delta;
    const obfuscation = this.#context.ids.obfuscation(delta);
    const type = this.#isSpoken
      ? "response.output_audio_transcript.delta"
      : "response.output_text.delta";
    this.#emit(type, { delta, obfuscation });
  }

  /** Sends one piece of the recording; `truth` is told with it. */
  sendAudio(fromMs: number, toMs: number, truth: ServerEventDraft | undefined): void {
    if (!this.#isSpoken) return;
    const endBytes = this.#byteAt(toMs);
    const delta = this.#bytes.toString("base64", this.#byteAt(fromMs), endBytes);
    if (truth !== undefined) this.#context.tellTruth(truth);
    this.#emit("response.output_audio.delta", { delta });
    this.#sentBytes = endBytes;
    this.#audio.sentMs = this.sentMs;
  }

  /** Ends it; nothing happens where it was not begun, or ended before. */
  end(status: "completed" | "incomplete"): void {
    if (!this.#item.isOpen) return;
    if (this.#isSpoken) {
      this.#emit("response.output_audio.done", {});
      this.#emit("response.output_audio_transcript.done", { transcript: this.#text });
    } else {
      this.#emit("response.output_text.done", { text: this.#text });
    }
    this.#emit("response.content_part.done", { part: this.#part() });
    const content = this.#isSpoken
      ? { type: "output_audio", transcript: this.#text }
      : { type: "output_text", text: this.#text };
    this.#item.end({ status, content: [content] });
  }

  #emit(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.#context.emit({ type, ...this.#item.ids, content_index: 0, ...fields });
  }

  /** A content part is `audio`; the stored content of the same is `output_audio`. */
  #part(): Record<string, unknown> {
    return this.#isSpoken
      ? { type: "audio", transcript: this.#text }
      : { type: "text", text: this.#text };
  }

  #byteAt(ms: number): number {
    const at = Math.round(ms) * this.#bytesPerMs;
    if (at === 0) return 0;
    if (at > this.#bytes.length - this.#bytesPerMs) return this.#bytes.length;
    return this.#options.oddSizedDeltas ? at + 1 : at;
  }
}
