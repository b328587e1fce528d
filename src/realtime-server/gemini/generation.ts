import { after, type Instant, type Random } from "../../environment/index.ts";
import { stepsWith } from "../engine/fault-effects.ts";
import type { Faults } from "../engine/faults.ts";
import { type PlannedStep, planPerformance } from "../engine/performance-plan.ts";
import type { FollowUp, Reply, ReplyPart } from "../engine/repertoire.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { EncodedVoices } from "../openai/audio-format.ts";
import type { Pacing, ScriptTool } from "../script/script.ts";

/** What a generation needs of its session. */
export interface GenerationContext {
  readonly voices: EncodedVoices;
  readonly emit: (message: Readonly<Record<string, unknown>>) => void;
  readonly tellTruth: (draft: ServerEventDraft) => void;
  /** Calls a function; returns the call's id. */
  readonly callTool: (tool: ScriptTool, followUp: FollowUp | undefined) => string;
}

/** How a reply is to be performed. */
export interface GenerationPlan {
  readonly id: string;
  /** The caller's turn that it answers; 0 before the first. */
  readonly turn: number;
  readonly reply: Reply;
  readonly pacing: Pacing;
  readonly faults: Faults;
  readonly random: Random;
  /** When the first audio leaves. */
  readonly firstAudioAt: Instant;
  readonly answerDelayMs: number;
  readonly transcribes: boolean;
  /** Else it is written. */
  readonly isSpoken: boolean;
  readonly tellsThoughts: boolean;
}

type SpeechPart = Extract<ReplyPart, { readonly kind: "speech" }>;

const PCM = { type: "audio/pcm", rate: 24_000 } as const;
const BYTES_PER_MS = 48;
/** A script has no thoughts; clients that ask for them must tell them from words. */
const THOUGHT = "The script says what comes next.";
const MIME_TYPE = "audio/pcm;rate=24000";

/**
 * One stretch of the model's output, from the decision what to say to the last message about it:
 * renders planned steps as messages. The words ride along with the audio, as in 3.x.
 */
export class Generation {
  readonly #context: GenerationContext;
  readonly #plan: GenerationPlan;
  #steps: readonly PlannedStep[];
  #nextStep = 0;
  #pendingText = "";
  #sentMs = 0;
  #hasSentAudio = false;
  #stragglersLeft: number | undefined;
  readonly #calls: Readonly<Record<string, unknown>>[] = [];
  #hasCalled = false;
  #isDone = false;

  constructor(context: GenerationContext, plan: GenerationPlan) {
    this.#context = context;
    this.#plan = plan;
    const { reply, pacing, faults, random, turn } = plan;
    this.#steps = stepsWith(planPerformance(reply, pacing, faults, random), turn, faults);
    context.tellTruth({ type: "responseCreated", responseId: plan.id, turn: plan.turn });
  }

  get nextTimeout(): Instant | undefined {
    const step = this.#steps[this.#nextStep];
    return step === undefined || this.#isDone
      ? undefined
      : after(this.#plan.firstAudioAt, step.atMs);
  }

  /** Everything of it has been sent. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** It ended by calling functions: what follows is theirs to decide. */
  get hasCalled(): boolean {
    return this.#hasCalled;
  }

  get hasSentAudio(): boolean {
    return this.#hasSentAudio;
  }

  /** Audio sent so far. */
  get sentMs(): number {
    return this.#sentMs;
  }

  /** When a client that plays at real time has played it, and when nothing was to be played. */
  get playedAt(): Instant {
    return after(this.#plan.firstAudioAt, this.#sentMs);
  }

  handleTimeout(now: Instant): void {
    for (let due = this.nextTimeout; due !== undefined && due <= now; due = this.nextTimeout) {
      const step = this.#steps[this.#nextStep] as PlannedStep;
      this.#nextStep += 1;
      this.#render(step);
    }
  }

  /** Cuts it off; the fault `stragglers` lets that many pieces of audio still come. */
  cancel(): void {
    if (this.#isDone) return;
    const stragglers = this.#hasSentAudio ? (this.#plan.faults.stragglers ?? 0) : 0;
    const late = this.#steps
      .slice(this.#nextStep)
      .filter(({ kind }) => kind === "audio")
      .slice(0, stragglers);
    this.#stragglersLeft = late.length;
    this.#steps = late;
    this.#nextStep = 0;
    this.#finish("cancelled", late.length === 0);
  }

  #render(step: PlannedStep): void {
    switch (step.kind) {
      case "transcript":
        if (this.#plan.isSpoken) this.#pendingText += step.text;
        else this.#emitParts([{ text: step.text }]);
        break;
      case "audio":
        if (this.#plan.isSpoken) this.#sendAudio(step);
        break;
      case "toolEnd":
        this.#call(step.part);
        break;
      case "finish":
        this.#flushText();
        if (!this.#hasCalled) this.#context.emit({ serverContent: { generationComplete: true } });
        this.#finish("completed", true);
        break;
      case "speechBegin":
        if (this.#plan.tellsThoughts) this.#emitParts([{ text: THOUGHT, thought: true }]);
        break;
      case "speechEnd":
      case "toolBegin":
        break;
    }
  }

  #emitParts(parts: readonly Readonly<Record<string, unknown>>[]): void {
    this.#context.emit({ serverContent: { modelTurn: { role: "model", parts } } });
  }

  #sendAudio(step: Extract<PlannedStep, { readonly kind: "audio" }>): void {
    const { voice } = this.#plan.reply.parts[step.part] as SpeechPart;
    const bytes = this.#context.voices.bytesOf(voice, PCM);
    const odd = this.#plan.faults.oddSizedDeltas === true ? 1 : 0;
    const from = byteAt(step.fromMs, bytes.length, odd);
    const to = byteAt(step.toMs, bytes.length, odd);
    if (!this.#hasSentAudio) this.#tellFirstAudio(voice.id);
    const data = bytes.toString("base64", from, to);
    const parts = [{ inlineData: { mimeType: MIME_TYPE, data } }];
    this.#context.emit({
      serverContent: { modelTurn: { role: "model", parts }, ...this.#takeText() },
    });
    this.#sentMs += (to - from) / BYTES_PER_MS;
    if (this.#stragglersLeft === undefined) return;
    this.#stragglersLeft -= 1;
    if (this.#stragglersLeft === 0) this.#isDone = true;
  }

  #tellFirstAudio(utteranceId: string): void {
    this.#hasSentAudio = true;
    const { id: responseId, turn, answerDelayMs } = this.#plan;
    this.#context.tellTruth({
      type: "firstAudioSent",
      responseId,
      turn,
      utteranceId,
      answerDelayMs,
    });
  }

  /** All functions of a reply are called in one message. */
  #call(part: number): void {
    const called = this.#plan.reply.parts[part];
    if (called?.kind !== "tool") return;
    const { tool, followUp } = called;
    const id = this.#context.callTool(tool, followUp);
    this.#calls.push({ id, name: tool.name, args: tool.rawArguments ?? tool.arguments });
    if (this.#plan.reply.parts.slice(part + 1).some(({ kind }) => kind === "tool")) return;
    this.#flushText();
    this.#hasCalled = true;
    this.#context.emit({ toolCall: { functionCalls: this.#calls } });
  }

  #flushText(): void {
    const text = this.#takeText();
    if (Object.keys(text).length > 0) this.#context.emit({ serverContent: text });
  }

  #takeText(): { readonly outputTranscription?: { readonly text: string } } {
    const text = this.#pendingText;
    this.#pendingText = "";
    return text === "" || !this.#plan.transcribes ? {} : { outputTranscription: { text } };
  }

  #finish(status: "completed" | "cancelled", isDone: boolean): void {
    const { id: responseId, turn } = this.#plan;
    if (this.#hasSentAudio) {
      const audioMs = Math.floor(this.#sentMs);
      this.#context.tellTruth({ type: "lastAudioSent", responseId, turn, audioMs });
    }
    this.#context.tellTruth({ type: "responseDone", responseId, turn, status });
    this.#isDone = isDone;
  }
}

/** The provider's pieces need not end between samples (fault `oddSizedDeltas`). */
function byteAt(ms: number, length: number, odd: number): number {
  const at = Math.round(ms) * BYTES_PER_MS;
  if (at === 0) return 0;
  return at > length - BYTES_PER_MS ? length : at + odd;
}
