import { after, type Instant, type Random } from "../../environment/index.ts";
import type { HeardTurn, ListenerEvent } from "../engine/listener.ts";
import { planPerformance } from "../engine/performance-plan.ts";
import { NO_REPLY, type Recognition, type Reply } from "../engine/repertoire.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import { type EncodedVoices, encodeSamples } from "./audio-format.ts";
import type { Conversation } from "./conversation.ts";
import type { Outbox } from "./outbox.ts";
import type { ResponseContext } from "./response-context.ts";
import { type CancelReason, ResponseRun } from "./response-run.ts";
import type { SessionConfig } from "./session-config.ts";
import type { ResponseRequest } from "./session-schema.ts";
import { type Ids, type ProtocolError, protocolError } from "./wire.ts";

/** What turn taking shares with the rest of its session. */
export interface TurnTakingOptions {
  readonly settings: () => ServerSettings;
  readonly random: Random;
  readonly ids: Ids;
  readonly outbox: Outbox;
  readonly config: SessionConfig;
  readonly conversation: Conversation;
  readonly voices: EncodedVoices;
}

/** A turn of the caller that was committed. */
interface CallerTurn {
  readonly number: number;
  readonly itemId: string;
  readonly heard: HeardTurn;
  /** Whether the bot was talked over. */
  interrupted: boolean;
  recognition: Recognition | undefined;
}

/** What a response answers. */
type Trigger =
  | { readonly kind: "turn"; readonly turn: CallerTurn }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "toolOutput"; readonly followUp: Reply | undefined }
  | { readonly kind: "nothing" };

/** A response under way and what it answers. */
interface Active {
  readonly run: ResponseRun;
  readonly trigger: Trigger;
  /** What the answer delay counts from, and when that was sent. */
  readonly countsFrom: "speechStopped" | "responseCreated";
  requestedAt: Instant;
  isStalled: boolean;
}

type TurnPause = Extract<ListenerEvent, { kind: "paused" | "stopped" }>;

/** When a turn ended and, where it is known already, what was said in it. */
interface TurnNote {
  readonly now: Instant;
  readonly recognition?: Recognition | undefined;
}

/** Who speaks when: the caller's turns, and the one response that may be active. */
export class TurnTaking {
  readonly #options: TurnTakingOptions;
  readonly #context: ResponseContext;
  readonly #followUps = new Map<string, Reply | undefined>();
  #active: Active | undefined;
  /** What nobody has answered yet; the newest counts. */
  #unanswered: Trigger = { kind: "nothing" };
  #toRecognise: CallerTurn[] = [];
  #recogniseAt: Instant | undefined;
  #closeAt: { readonly at: Instant; readonly code: number } | undefined;
  #turnNumber = 0;
  #spokenItemId = "";
  /** What was recognised in a pause, and where the speech before it ended. */
  #overheard: { readonly speechEndMs: number; readonly recognition: Recognition } | undefined;
  #talkedOver = false;
  #hasGreeted = false;
  #hasSpoken = false;

  constructor(options: TurnTakingOptions) {
    const { ids, outbox, conversation, voices } = options;
    this.#options = options;
    this.#context = {
      ids,
      emit: outbox.emit,
      tellTruth: outbox.tellTruth,
      conversation,
      voices,
      expectOutput: (callId, followUp) => this.#followUps.set(callId, followUp),
    };
  }

  /** Whether the bot has spoken in this session. */
  get hasSpoken(): boolean {
    return this.#hasSpoken || (this.#active?.run.hasSentAudio ?? false);
  }

  get nextTimeout(): Instant | undefined {
    if (this.#recogniseAt !== undefined) return this.#recogniseAt;
    const active = this.#active;
    const runAt =
      active?.run.isThinking === true && !active.isStalled
        ? active.requestedAt
        : active?.run.nextTimeout;
    const closeAt = this.#closeAt?.at;
    if (runAt === undefined || closeAt === undefined) return runAt ?? closeAt;
    return runAt < closeAt ? runAt : closeAt;
  }

  handleTimeout(now: Instant): void {
    this.#recognise();
    if (this.#closeAt !== undefined && this.#closeAt.at <= now) {
      this.#options.outbox.tellTruth({ type: "faultInjected", fault: "closeOnTurn" });
      this.#options.outbox.close(this.#closeAt.code, "Closed on request (fault closeOnTurn).");
      this.#closeAt = undefined;
      return;
    }
    const active = this.#active;
    if (active === undefined) return;
    if (active.run.isThinking && !active.isStalled) this.#perform(active, now);
    active.run.handleTimeout(now);
    this.#retire();
  }

  /**
   * Learns when a message was sent. The answer delay counts from sending `speech_stopped`, or
   * `response.created` where the client asked; not from when the server began to work on them.
   */
  handleSent(draft: ServerEventDraft, at: Instant): void {
    const active = this.#active;
    if (draft.type !== active?.countsFrom || draft.turn !== active.run.turn) return;
    active.requestedAt = at;
  }

  /** Takes what the ear noticed. */
  handleListenerEvent(event: ListenerEvent, now: Instant): void {
    if (event.kind === "started") this.#startTurn(event.audioMs);
    else if (event.kind === "paused") this.#listenAhead(event);
    else this.#stopTurn(event, now);
  }

  /** Takes a turn that the client cut off itself; a response has to be asked for. */
  commit(heard: HeardTurn, now: Instant): void {
    this.#turnNumber += 1;
    this.#addTurn(this.#options.ids.next("item"), heard, { now });
  }

  /** Notes that the client stopped to play what the bot said. */
  noteTruncation(): void {
    this.#talkedOver = true;
    if (this.#unanswered.kind === "turn") this.#unanswered.turn.interrupted = true;
    if (this.#active?.run.isThinking === true && this.#active.trigger.kind === "turn") {
      this.#active.trigger.turn.interrupted = true;
    }
  }

  /** Notes what the user said; `itemId` names it in the conversation. */
  noteTurn(itemId: string, heard: HeardTurn, { now, recognition }: TurnNote): void {
    const number = this.#turnNumber;
    const interrupted = this.#talkedOver;
    const turn: CallerTurn = { number, itemId, heard, interrupted, recognition };
    this.#talkedOver = false;
    this.#unanswered = { kind: "turn", turn };
    this.#toRecognise.push(turn);
    this.#recogniseAt = now;
  }

  /** Notes a written message of the user. */
  noteText(text: string): void {
    this.#unanswered = { kind: "text", text };
  }

  /** Notes what a function returned. */
  noteToolOutput(callId: string): void {
    this.#options.outbox.tellTruth({ type: "toolAnswered", callId });
    this.#unanswered = { kind: "toolOutput", followUp: this.#followUps.get(callId) };
    this.#followUps.delete(callId);
  }

  /** Creates a response because the client asks for it; at most one may be active. */
  createResponse(request: ResponseRequest, now: Instant): ProtocolError | undefined {
    return this.#createResponse(request, "responseCreated", now);
  }

  /** Cancels the active response, or the one named. */
  cancelResponse(responseId: string | undefined): ProtocolError | undefined {
    const active = this.#active?.run;
    if (active === undefined || (responseId !== undefined && responseId !== active.id)) {
      const message = "Cancellation failed: no active response found";
      return protocolError("response_cancel_not_active", message);
    }
    this.#cancel("client_cancelled");
    return undefined;
  }

  #createResponse(
    request: ResponseRequest,
    countsFrom: Active["countsFrom"],
    now: Instant,
  ): ProtocolError | undefined {
    if (this.#active !== undefined) {
      const message =
        `Conversation already has an active response in progress: ${this.#active.run.id}. ` +
        "Wait until the response is finished before creating a new one.";
      return protocolError("conversation_already_has_active_response", message);
    }
    const trigger = this.#takeTrigger(request);
    const audioMs = trigger.kind === "turn" ? durationMs(trigger.turn.heard) : 0;
    const settings = this.#options.config.responseSettings(request);
    const input = { turn: this.#turnNumber, audioMs };
    const run = new ResponseRun(this.#context, settings, input);
    this.#active = { run, trigger, countsFrom, requestedAt: now, isStalled: false };
    return undefined;
  }

  /** What a response is to answer: its own input, or what nobody has answered yet. */
  #takeTrigger(request: ResponseRequest): Trigger {
    if (request.conversation === "none") {
      return { kind: "text", text: lastTextOf(request.input ?? []) };
    }
    const trigger = this.#unanswered;
    this.#unanswered = { kind: "nothing" };
    return trigger;
  }

  #startTurn(audioMs: number): void {
    const { ids, outbox, config } = this.#options;
    this.#turnNumber += 1;
    this.#spokenItemId = ids.next("item");
    outbox.tellTruth({ type: "speechStarted", turn: this.#turnNumber, audioMs });
    outbox.emit({
      type: "input_audio_buffer.speech_started",
      audio_start_ms: audioMs,
      item_id: this.#spokenItemId,
    });
    this.#talkedOver = this.#active?.run.hasSentAudio ?? false;
    if (config.interruptsResponses) this.#cancel("turn_detected");
  }

  /**
   * Recognises while the silence that ends a turn is still running, so that an answer delay of 0
   * can be kept. More speech makes it worthless; then it is done again at the turn's end.
   */
  #listenAhead({ speechEndMs, turn }: TurnPause): void {
    const { repertoire } = this.#options.settings();
    this.#overheard = { speechEndMs, recognition: repertoire.recognise(turn) };
  }

  #stopTurn(event: TurnPause, now: Instant): void {
    const { outbox, config } = this.#options;
    const { audioMs, speechEndMs } = event;
    outbox.tellTruth({ type: "speechStopped", turn: this.#turnNumber, audioMs, speechEndMs });
    outbox.emit({
      type: "input_audio_buffer.speech_stopped",
      audio_end_ms: audioMs,
      item_id: this.#spokenItemId,
    });
    const overheard = this.#overheard?.speechEndMs === speechEndMs ? this.#overheard : undefined;
    this.#overheard = undefined;
    this.#addTurn(this.#spokenItemId, event.turn, { now, recognition: overheard?.recognition });
    if (!config.createsResponses) return;
    const error = this.#createResponse({}, "speechStopped", now);
    if (error !== undefined) outbox.emitError(error, undefined);
  }

  #addTurn(itemId: string, heard: HeardTurn, noted: TurnNote): void {
    const { outbox, conversation, config } = this.#options;
    const previous = conversation.lastId;
    const content = [{ type: "input_audio", transcript: null }];
    const item = { id: itemId, type: "message", status: "completed", role: "user", content };
    const bytes = encodeSamples(heard.samples, config.inputFormat);
    const sentMs = durationMs(heard);
    conversation.add({ view: item, audio: { bytes, format: config.inputFormat, sentMs } });
    outbox.emit({
      type: "input_audio_buffer.committed",
      previous_item_id: previous,
      item_id: itemId,
    });
    outbox.emit({ type: "conversation.item.added", previous_item_id: previous, item });
    outbox.emit({ type: "conversation.item.done", previous_item_id: previous, item });
    this.noteTurn(itemId, heard, noted);
  }

  /** Costs some ms; so the events that led here have been sent before. */
  #recognise(): void {
    const turns = this.#toRecognise;
    this.#toRecognise = [];
    this.#recogniseAt = undefined;
    const { outbox, config } = this.#options;
    const { repertoire } = this.#options.settings();
    for (const turn of turns) {
      turn.recognition ??= repertoire.recognise(turn.heard);
      const { phraseId, score } = turn.recognition;
      outbox.tellTruth({ type: "heard", turn: turn.number, phraseId, score });
      if (config.transcribes) this.#transcribe(turn, repertoire.textOf(phraseId));
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

  #perform(active: Active, now: Instant): void {
    const { settings, random, outbox } = this.#options;
    const { repertoire, answerDelayMs, faults } = settings();
    const { run, requestedAt } = active;
    if (active.trigger.kind === "turn" && faults.stallOnTurn === run.turn) {
      outbox.tellTruth({ type: "faultInjected", fault: "stallOnTurn" });
      active.isStalled = true;
      return;
    }
    const reply = this.#declaredOnly(this.#replyTo(active.trigger), run);
    const delayMs = reply.afterMs ?? answerDelayMs ?? repertoire.answerDelayMs;
    const deadline = after(requestedAt, delayMs);
    const firstAudioAt = deadline < now ? now : deadline;
    const { closeOnTurn } = faults;
    if (active.trigger.kind === "turn" && closeOnTurn?.turn === run.turn) {
      this.#closeAt = { at: firstAudioAt, code: closeOnTurn.code };
      active.isStalled = true;
      return;
    }
    run.perform({
      reply,
      steps: planPerformance(reply, repertoire.pacing, faults, random),
      firstAudioAt,
      answerDelayMs: delayMs,
      oddSizedDeltas: faults.oddSizedDeltas ?? false,
    });
  }

  #replyTo(trigger: Trigger): Reply {
    const { repertoire } = this.#options.settings();
    if (trigger.kind === "turn") {
      const { recognition, interrupted } = trigger.turn;
      return repertoire.replyTo(recognition?.phraseId, interrupted);
    }
    if (trigger.kind === "text") {
      return repertoire.replyTo(repertoire.phraseWritten(trigger.text), false);
    }
    if (trigger.kind === "toolOutput") return trigger.followUp ?? NO_REPLY;
    if (this.#hasGreeted || repertoire.greeting === undefined) return repertoire.otherwise;
    this.#hasGreeted = true;
    return repertoire.greeting;
  }

  /** A model can only call what the session declares. */
  #declaredOnly(reply: Reply, run: ResponseRun): Reply {
    const parts = reply.parts.filter((part) => {
      if (part.kind !== "tool" || run.settings.toolNames.includes(part.tool.name)) return true;
      this.#options.outbox.tellTruth({ type: "toolUndeclared", name: part.tool.name });
      return false;
    });
    return { ...reply, parts };
  }

  #cancel(reason: CancelReason): void {
    this.#active?.run.cancel(reason, this.#options.settings().faults.stragglers ?? 0);
    this.#retire();
  }

  #retire(): void {
    if (this.#active?.run.isDone !== true) return;
    this.#hasSpoken ||= this.#active.run.hasSentAudio;
    this.#active = undefined;
  }
}

function durationMs(heard: HeardTurn): number {
  return (heard.samples.length * 1000) / heard.sampleRateHz;
}

/** The last text in items that a client gave with its request; empty where there is none. */
function lastTextOf(items: NonNullable<ResponseRequest["input"]>): string {
  const texts = items.flatMap(({ content }) => {
    const parts = Array.isArray(content) ? (content as readonly unknown[]) : [];
    return parts.flatMap((part) => {
      const text = (part as { text?: unknown } | null)?.text;
      return typeof text === "string" ? [text] : [];
    });
  });
  return texts.at(-1) ?? "";
}
