import type { Instant } from "../../environment/index.ts";
import type { AiEvent, AiToolCallEvent, AiTurnDoneEvent } from "../ai-session.ts";
import { AudioBase64Decoder } from "../provider/audio-base64.ts";
import type { AudioFormat } from "../provider/audio-format.ts";
import { type JsonObject, objectField, objectsField, textField } from "../provider/json-fields.ts";
import { usageEvent } from "./usage.ts";

/** Takes what the turns tell. */
export type EmitEvent = (event: AiEvent, now: Instant) => void;

/** A stretch of the model's output: up to a function call, an interruption, or the turn's end. */
interface Segment {
  readonly responseId: string;
  readonly itemId: string;
  transcript: string;
  hasAudio: boolean;
  receivedSamples: number;
  isAudioDone: boolean;
}

/** A part of the server's audio in a rate that we did not expect. */
export interface RateMismatch {
  readonly mimeType: string;
}

/** Call ids remembered until they are answered. */
const CALLS_MAX = 64;

/**
 * The turns of a Gemini Live session, in neutral words.
 *
 * Gemini names neither turns nor responses. What it says up to a function call, an interruption or
 * the end of its turn is one response here, with an id of ours: so tools, playout and figures mean
 * the same with every provider. A turn that was interrupted is over with `turnComplete`; what comes
 * of it in between is a straggler.
 */
export class GeminiTurns {
  readonly #emit: EmitEvent;
  readonly #rateHz: number;
  readonly #decoder: AudioBase64Decoder;
  readonly #calls = new Map<string, string>();
  #segment: Segment | undefined;
  #segments = 0;
  #callerText = "";
  /** The present turn was cut off, by the caller or by us. */
  #isCut = false;
  #lastResponseId: string | undefined;
  #stragglers = 0;
  #halfSamples = 0;

  constructor(output: AudioFormat, emit: EmitEvent) {
    this.#emit = emit;
    this.#rateHz = output.sampleRateHz;
    this.#decoder = new AudioBase64Decoder(output);
  }

  /** Pieces of audio thrown away because their turn had been cut off. */
  get stragglers(): number {
    return this.#stragglers;
  }

  /** Responses that ended within a sample. */
  get halfSamples(): number {
    return this.#halfSamples;
  }

  /** Where the pieces of audio of the next message stand in their response, one after the other. */
  places(): (bytes: number) => object {
    const responseId = this.#segment?.responseId ?? `response-${this.#segments + 1}`;
    const samplesPerMs = this.#rateHz / 1000;
    let fromMs = (this.#segment?.receivedSamples ?? 0) / samplesPerMs;
    return (bytes) => {
      if (this.#isCut) return {};
      const toMs = fromMs + bytes / 2 / samplesPerMs;
      const place = { responseId, fromMs, toMs };
      fromMs = toMs;
      return place;
    };
  }

  /** Whether the server is in the middle of something. */
  get isGenerating(): boolean {
    return this.#segment !== undefined && !this.#segment.isAudioDone;
  }

  /** Whether a turn has begun and not ended. */
  get isInTurn(): boolean {
    return this.#segment !== undefined || this.#isCut;
  }

  /** The name of the function that was called, once. */
  takeCall(id: string): string | undefined {
    const name = this.#calls.get(id);
    this.#calls.delete(id);
    return name;
  }

  /**
   * One `serverContent`. It may hold several things at once, and in 3.x it does: each is looked at.
   * @returns what was wrong with its audio, if anything.
   */
  handleContent(content: JsonObject, now: Instant): RateMismatch | undefined {
    this.#hear(objectField(content, "inputTranscription"), now);
    const mismatch = this.#speak(objectField(content, "modelTurn"), now);
    this.#transcribe(objectField(content, "outputTranscription"), now);
    if (content["generationComplete"] === true) this.#finishAudio(now);
    if (content["interrupted"] === true) this.#interrupt(now);
    if (content["turnComplete"] === true) this.#completeTurn(now);
    return mismatch;
  }

  /** One `toolCall`: the model waits for the answers, so that what it said before is complete. */
  handleToolCall(toolCall: JsonObject, now: Instant): boolean {
    const calls = objectsField(toolCall, "functionCalls");
    if (calls.length === 0 || calls.some((call) => textField(call, "name") === undefined)) {
      return false;
    }
    if (this.#isCut) this.#completeTurn(now);
    const { responseId } = this.#begin(now);
    for (const call of calls) {
      const name = textField(call, "name") as string;
      const id = textField(call, "id") ?? `call-${this.#segments}-${this.#calls.size}`;
      this.#remember(id, name);
      this.#emit({ type: "toolCall", id, name, responseId, ...argumentsOf(call) }, now);
    }
    this.#end("completed", now);
    return true;
  }

  /** `usageMetadata` rides along with other fields, most often with `turnComplete`. */
  handleUsage(usage: JsonObject, now: Instant): void {
    const responseId = this.#segment?.responseId ?? this.#lastResponseId;
    if (responseId === undefined) return;
    this.#emit(usageEvent(responseId, usage), now);
  }

  /** From now on, what still comes of this response is a straggler. */
  cancel(responseId: string, now: Instant): void {
    if (this.#segment?.responseId !== responseId) return;
    this.#isCut = true;
    this.#end("cancelled", now);
  }

  /** The connection was lost in the middle of whatever was going on. */
  breakOff(detail: string, now: Instant): void {
    this.#end("incomplete", now, detail);
    this.#isCut = false;
    this.#flushCaller(now);
  }

  #hear(transcription: JsonObject | undefined, now: Instant): void {
    if (transcription === undefined) return;
    this.#callerText += textField(transcription, "text") ?? "";
    if (transcription["finished"] === true) this.#flushCaller(now);
  }

  #flushCaller(now: Instant): void {
    const text = this.#callerText.trim();
    this.#callerText = "";
    if (text !== "") this.#emit({ type: "callerTranscript", text }, now);
  }

  #speak(modelTurn: JsonObject | undefined, now: Instant): RateMismatch | undefined {
    for (const part of objectsField(modelTurn, "parts")) {
      const inlineData = objectField(part, "inlineData");
      const data = textField(inlineData, "data");
      const mimeType = textField(inlineData, "mimeType") ?? "";
      if (part["thought"] === true || data === undefined || !/^audio\//iu.test(mimeType)) continue;
      if (!this.#isExpected(mimeType)) return { mimeType };
      if (this.#isCut) this.#stragglers += 1;
      else this.#play(data, now);
    }
    return undefined;
  }

  /** `audio/pcm;rate=24000`; a rate that is not said is the one that is always used. */
  #isExpected(mimeType: string): boolean {
    const rate = /;\s*rate=(\d+)/iu.exec(mimeType)?.[1];
    return /^audio\/(?:pcm|l16)/iu.test(mimeType) && Number(rate ?? this.#rateHz) === this.#rateHz;
  }

  #play(data: string, now: Instant): void {
    const segment = this.#begin(now);
    const samples = this.#decoder.decode(data);
    segment.hasAudio = true;
    segment.receivedSamples += samples.length;
    segment.isAudioDone = false;
    const { responseId, itemId } = segment;
    if (samples.length > 0) this.#emit({ type: "audio", responseId, itemId, samples }, now);
  }

  #transcribe(transcription: JsonObject | undefined, now: Instant): void {
    const text = textField(transcription, "text");
    if (text === undefined || text === "" || this.#isCut) return;
    this.#begin(now).transcript += text;
  }

  #begin(now: Instant): Segment {
    if (this.#segment !== undefined) return this.#segment;
    this.#segments += 1;
    const responseId = `response-${this.#segments}`;
    this.#lastResponseId = responseId;
    this.#segment = {
      responseId,
      itemId: `item-${this.#segments}`,
      transcript: "",
      hasAudio: false,
      receivedSamples: 0,
      isAudioDone: false,
    };
    if (this.#decoder.reset()) this.#halfSamples += 1;
    this.#emit({ type: "responseCreated", responseId }, now);
    return this.#segment;
  }

  #finishAudio(now: Instant): void {
    const segment = this.#segment;
    if (segment === undefined || segment.isAudioDone) return;
    segment.isAudioDone = true;
    if (segment.hasAudio) {
      this.#emit({ type: "audioDone", responseId: segment.responseId }, now);
    }
  }

  /** The server believes that it still speaks, which may well be after it has generated it all. */
  #interrupt(now: Instant): void {
    this.#flushCaller(now);
    this.#emit({ type: "interrupted" }, now);
    // Where nothing was being said, nothing is left to come, and no `turnComplete` either.
    this.#isCut ||= this.#segment !== undefined;
    this.#end(this.#segment?.isAudioDone === true ? "completed" : "cancelled", now);
  }

  #completeTurn(now: Instant): void {
    this.#end("completed", now);
    this.#isCut = false;
    this.#flushCaller(now);
  }

  #end(status: AiTurnDoneEvent["status"], now: Instant, detail?: string): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#finishAudio(now);
    const { responseId, transcript } = segment;
    const text = transcript.trim();
    if (text !== "") this.#emit({ type: "botTranscript", responseId, text }, now);
    this.#segment = undefined;
    const done = { type: "turnDone", responseId, status } as const;
    this.#emit(detail === undefined ? done : { ...done, detail }, now);
  }

  #remember(id: string, name: string): void {
    this.#calls.set(id, name);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > CALLS_MAX && oldest !== undefined) this.#calls.delete(oldest);
  }
}

function argumentsOf(call: JsonObject): Pick<AiToolCallEvent, "args" | "argsError"> {
  const args = objectField(call, "args");
  if (args !== undefined) return { args };
  const isMissing = call["args"] === undefined || call["args"] === null;
  return isMissing ? { args: {} } : { args: {}, argsError: "The arguments are not a JSON object." };
}
