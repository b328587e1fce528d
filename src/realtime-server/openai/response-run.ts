import { after, type Instant, instant } from "../../environment/index.ts";
import type { PlannedStep } from "../engine/performance-plan.ts";
import type { Reply } from "../engine/repertoire.ts";
import { FunctionCallOutput } from "./function-call-output.ts";
import { MessageOutput } from "./message-output.ts";
import type { ResponseContext } from "./response-context.ts";
import type { ResponseSettings } from "./session-config.ts";

/** Why a response was cancelled, as `status_details` tells it. */
export type CancelReason = "turn_detected" | "client_cancelled";

/** How a reply is to be performed. */
export interface Performance {
  readonly reply: Reply;
  readonly steps: readonly PlannedStep[];
  /** When the first audio leaves. */
  readonly firstAudioAt: Instant;
  /** The delay that was asked for, in ms; told with the first audio. */
  readonly answerDelayMs: number;
  readonly oddSizedDeltas: boolean;
}

/** Milliseconds of input and output audio that cost one token. */
const INPUT_TOKEN_MS = 100;
const OUTPUT_TOKEN_MS = 50;
const CHARACTERS_PER_TOKEN = 4;

/**
 * One response, from `response.created` to `response.done`: renders the planned steps as events of
 * the protocol, in the order that was recorded from the provider.
 */
export class ResponseRun {
  readonly id: string;
  readonly turn: number;
  readonly settings: ResponseSettings;
  readonly #context: ResponseContext;
  readonly #inputMs: number;
  #performance: Performance | undefined;
  #steps: readonly PlannedStep[] = [];
  #nextStep = 0;
  #outputs: (MessageOutput | FunctionCallOutput)[] = [];
  #cancelReason: CancelReason | undefined;
  #isDone = false;
  #hasSentAudio = false;

  /** @param inputMs audio that the response listens to; it only counts for `usage`. */
  constructor(
    context: ResponseContext,
    settings: ResponseSettings,
    input: { readonly turn: number; readonly audioMs: number },
  ) {
    this.id = context.ids.next("resp");
    this.turn = input.turn;
    this.settings = settings;
    this.#context = context;
    this.#inputMs = input.audioMs;
    context.tellTruth({ type: "responseCreated", responseId: this.id, turn: this.turn });
    context.emit({ type: "response.created", response: this.#view("in_progress") });
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get hasSentAudio(): boolean {
    return this.#hasSentAudio;
  }

  /** When a client that plays at real time has played what was sent; 0 where nothing was. */
  get playedAt(): Instant {
    const { firstAudioAt } = this.#performance ?? {};
    return firstAudioAt === undefined ? instant(0) : after(firstAudioAt, this.#sentMs());
  }

  /** Whether it still has to be told what to do. */
  get isThinking(): boolean {
    return this.#performance === undefined && !this.#isDone;
  }

  get nextTimeout(): Instant | undefined {
    const step = this.#steps[this.#nextStep];
    if (step === undefined || this.#performance === undefined) return undefined;
    return after(this.#performance.firstAudioAt, step.atMs);
  }

  /** Begins to perform; from now on `nextTimeout` tells when something is due. */
  perform(performance: Performance): void {
    this.#performance = performance;
    this.#steps = performance.steps;
    this.#outputs = performance.reply.parts.map((part, outputIndex) => {
      const place = { responseId: this.id, outputIndex, settings: this.settings };
      return part.kind === "tool"
        ? new FunctionCallOutput(this.#context, place, part)
        : new MessageOutput(this.#context, place, {
            voice: part.voice,
            isCommentary: performance.reply.parts.length > 1,
            oddSizedDeltas: performance.oddSizedDeltas,
          });
    });
  }

  handleTimeout(now: Instant): void {
    for (let due = this.nextTimeout; due !== undefined && due <= now; due = this.nextTimeout) {
      const step = this.#steps[this.#nextStep] as PlannedStep;
      this.#nextStep += 1;
      this.#render(step);
    }
  }

  /**
   * Ends the response before its time. The fault `stragglers` lets that many pieces of audio, as
   * planned, come before its ends.
   */
  cancel(reason: CancelReason, stragglers: number): void {
    if (this.#isDone || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    const late = this.#steps
      .slice(this.#nextStep)
      .filter(({ kind }) => kind === "audio")
      .slice(0, this.#hasSentAudio ? stragglers : 0);
    this.#nextStep = 0;
    this.#steps =
      late.length === 0 ? [] : [...late, { kind: "finish", atMs: late.at(-1)?.atMs ?? 0 }];
    if (late.length === 0) this.#finish();
  }

  #render(step: PlannedStep): void {
    if (step.kind === "finish") {
      this.#finish();
      return;
    }
    const output = this.#outputs[step.part];
    if (output instanceof MessageOutput) this.#renderMessage(output, step);
    else if (step.kind === "toolBegin") output?.begin();
    else if (step.kind === "toolEnd") output?.end();
  }

  #renderMessage(output: MessageOutput, step: PlannedStep): void {
    if (step.kind === "speechBegin") output.begin();
    else if (step.kind === "transcript") output.sendText(step.text);
    else if (step.kind === "speechEnd") output.end("completed");
    else if (step.kind === "audio") {
      output.sendAudio(step.fromMs, step.toMs, this.#audioTruth(output));
    }
  }

  #audioTruth(output: MessageOutput): Parameters<MessageOutput["sendAudio"]>[2] {
    const isSpoken = this.settings.outputModalities.includes("audio");
    if (this.#hasSentAudio || !isSpoken) return undefined;
    this.#hasSentAudio = true;
    return {
      type: "firstAudioSent",
      responseId: this.id,
      turn: this.turn,
      utteranceId: output.utteranceId,
      answerDelayMs: this.#performance?.answerDelayMs ?? 0,
    };
  }

  #finish(): void {
    const status = this.#cancelReason === undefined ? "completed" : "cancelled";
    for (const output of this.#outputs) output.end("incomplete");
    this.#isDone = true;
    const { emit, tellTruth } = this.#context;
    if (this.#hasSentAudio) {
      const audioMs = Math.floor(this.#sentMs());
      tellTruth({ type: "lastAudioSent", responseId: this.id, turn: this.turn, audioMs });
    }
    tellTruth({ type: "responseDone", responseId: this.id, turn: this.turn, status });
    emit({ type: "response.done", response: this.#view(status) });
    emit({ type: "rate_limits.updated", rate_limits: RATE_LIMITS });
  }

  #sentMs(): number {
    return this.#outputs.reduce((sum, output) => sum + output.sentMs, 0);
  }

  #view(status: "in_progress" | "completed" | "cancelled"): Record<string, unknown> {
    const { outputFormat, voice, outputModalities, maxOutputTokens, metadata } = this.settings;
    const begun = this.#outputs.filter(({ hasBegun }) => hasBegun);
    return {
      object: "realtime.response",
      id: this.id,
      status,
      status_details:
        this.#cancelReason === undefined ? null : { type: "cancelled", reason: this.#cancelReason },
      output: begun.map(({ view }) => view),
      conversation_id: this.settings.isInConversation ? this.#context.conversation.id : null,
      output_modalities: outputModalities,
      max_output_tokens: maxOutputTokens,
      audio: { output: { format: outputFormat, voice } },
      usage: status === "in_progress" ? null : this.#usage(),
      metadata,
    };
  }

  #usage(): Record<string, unknown> {
    const inputAudio = Math.ceil(this.#inputMs / INPUT_TOKEN_MS);
    const outputAudio = Math.ceil(this.#sentMs() / OUTPUT_TOKEN_MS);
    const characters = this.#outputs.reduce((sum, { sentText }) => sum + sentText.length, 0);
    const outputText = Math.ceil(characters / CHARACTERS_PER_TOKEN);
    return {
      total_tokens: inputAudio + outputAudio + outputText,
      input_tokens: inputAudio,
      output_tokens: outputAudio + outputText,
      input_token_details: {
        text_tokens: 0,
        audio_tokens: inputAudio,
        image_tokens: 0,
        cached_tokens: 0,
        cached_tokens_details: { text_tokens: 0, audio_tokens: 0, image_tokens: 0 },
      },
      output_token_details: { text_tokens: outputText, audio_tokens: outputAudio },
    };
  }
}

/** The embedded server limits nothing; clients may look at these. */
const RATE_LIMITS = [{ name: "tokens", limit: 1_000_000, remaining: 1_000_000, reset_seconds: 0 }];
