import { after, elapsedMs, type Instant, type Random } from "../../environment/index.ts";
import { Brain } from "../engine/brain.ts";
import { delayWith, pacingWith, replyWith, stepsWith } from "../engine/fault-effects.ts";
import type { HeardTurn, Listener, ListenerEvent } from "../engine/listener.ts";
import { ECHO_REST_MS, echoLimitOf } from "../engine/own-voice.ts";
import { planPerformance } from "../engine/performance-plan.ts";
import { cueIn, type FollowUp, type Recognition, type Reply } from "../engine/repertoire.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import { SilenceWatch } from "../engine/silence-watch.ts";
import { type EncodedVoices, encodeSamples } from "./audio-format.ts";
import type { Conversation } from "./conversation.ts";
import { announceIdleTimeout } from "./idle-timeout.ts";
import type { Outbox } from "./outbox.ts";
import type { ResponseContext } from "./response-context.ts";
import { type CancelReason, ResponseRun } from "./response-run.ts";
import type { SessionConfig } from "./session-config.ts";
import type { ResponseRequest } from "./session-schema.ts";
import { type CallerTurn, lastTextOf, reactionsTo, type Trigger } from "./trigger.ts";
import { durationMs, type TurnPause, TurnRecognition } from "./turn-recognition.ts";
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
  /** Where the caller's audio is; what waits there is silence when the session is idle. */
  readonly ear: Pick<Listener, "heardMs" | "commit" | "expectEcho">;
}

/** A response under way and what it answers. */
interface Active {
  readonly run: ResponseRun;
  readonly trigger: Trigger;
  /** What the answer delay counts from, and when that was sent. */
  readonly countsFrom: "speechStopped" | "responseCreated";
  requestedAt: Instant;
  isStalled: boolean;
}

/** When a turn ended and, where it is known already, what was said in it. */
interface TurnNote {
  readonly now: Instant;
  readonly recognition?: Recognition | undefined;
}

/** Who speaks when: the caller's turns, and the one response that may be active. */
export class TurnTaking {
  readonly #options: TurnTakingOptions;
  readonly #context: ResponseContext;
  readonly #followUps = new Map<string, FollowUp | undefined>();
  readonly #brain: Brain;
  readonly #recognition: TurnRecognition;
  readonly #silence = new SilenceWatch();
  #active: Active | undefined;
  /** Responses that leave no trace in the conversation; any number, beside the active one. */
  #outOfBand: Active[] = [];
  /** What nobody has answered yet; the newest counts. */
  #unanswered: Trigger = { kind: "nothing" };
  #closeAt: { readonly at: Instant; readonly code: number } | undefined;
  #turnNumber = 0;
  #spokenItemId = "";
  #talkedOver = false;
  #hasGreeted = false;
  /** Of the response under way. */
  #echoLimitDbov: number | undefined;
  #hasSpoken = false;

  constructor(options: TurnTakingOptions) {
    const { ids, outbox, conversation, voices } = options;
    this.#options = options;
    this.#brain = new Brain(options.settings().repertoire.state);
    this.#recognition = new TurnRecognition(options);
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
    if (this.#recognition.dueAt !== undefined) return this.#recognition.dueAt;
    const runs = [this.#active, ...this.#outOfBand].map((each) => each && dueAt(each));
    const due = [...runs, this.#closeAt?.at, this.#silenceEndsAt].filter((at) => at !== undefined);
    if (due.length === 0) return undefined;
    return due.reduce((left, right) => (left < right ? left : right));
  }

  handleTimeout(now: Instant): void {
    this.#recognition.recognise();
    if (this.#closeAt !== undefined && this.#closeAt.at <= now) {
      this.#options.outbox.tellTruth({ type: "faultInjected", fault: "closeOnTurn" });
      this.#options.outbox.close(this.#closeAt.code, "Closed on request (fault closeOnTurn).");
      this.#closeAt = undefined;
      return;
    }
    this.#breakSilence(now);
    for (const each of [this.#active, ...this.#outOfBand]) {
      if (each === undefined) continue;
      if (each.run.isThinking && !each.isStalled) this.#perform(each, now);
      each.run.handleTimeout(now);
    }
    this.#outOfBand = this.#outOfBand.filter(({ run }) => !run.isDone);
    this.#noteVoice(now);
    this.#retire(now);
  }

  /**
   * Learns when a message was sent. The answer delay counts from sending `speech_stopped`, or
   * `response.created` where the client asked; not from when the server began to work on them.
   */
  handleSent(draft: ServerEventDraft, at: Instant): void {
    const own = this.#outOfBand.find(
      ({ run }) => "responseId" in draft && run.id === draft.responseId,
    );
    const active = own ?? this.#active;
    if (draft.type !== active?.countsFrom || draft.turn !== active.run.turn) return;
    active.requestedAt = at;
  }

  /** Takes what the ear noticed. */
  handleListenerEvent(event: ListenerEvent, now: Instant): void {
    if (event.kind === "started") this.#startTurn(event.audioMs, now);
    else if (event.kind === "paused") this.#recognition.listenAhead(event);
    else this.#stopTurn(event, now);
  }

  /** Takes a turn that the client cut off itself; a response has to be asked for. */
  commit(heard: HeardTurn, now: Instant): void {
    this.#turnNumber += 1;
    this.#addTurn(this.#options.ids.next("item"), heard, { now });
    this.#silence.noteSilence(now);
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
    this.#brain.noteTurn();
    this.#unanswered = { kind: "turn", turn };
    this.#recognition.add(turn, now);
  }

  /** Notes a written message of the user. */
  noteText(text: string): void {
    this.#unanswered = { kind: "text", text };
  }

  /** Notes what a function returned. */
  noteToolOutput(callId: string, output: string): void {
    this.#brain.noteResult(output);
    this.#options.outbox.tellTruth({ type: "toolAnswered", callId });
    this.#unanswered = { kind: "toolOutput", followUp: this.#followUps.get(callId) };
    this.#followUps.delete(callId);
  }

  /** Creates a response because the client asks for it; at most one may be active. */
  createResponse(request: ResponseRequest, now: Instant): ProtocolError | undefined {
    return this.#createResponse(request, "responseCreated", now);
  }

  /** Cancels the active response, or the one named. */
  cancelResponse(responseId: string | undefined, now: Instant): ProtocolError | undefined {
    const own = this.#outOfBand.find(({ run }) => run.id === responseId)?.run;
    if (own !== undefined) {
      own.cancel("client_cancelled", 0);
      this.#outOfBand = this.#outOfBand.filter(({ run }) => run !== own);
      return undefined;
    }
    const active = this.#active?.run;
    if (active === undefined || (responseId !== undefined && responseId !== active.id)) {
      const message = "Cancellation failed: no active response found";
      return protocolError("response_cancel_not_active", message);
    }
    this.#cancel("client_cancelled", now);
    return undefined;
  }

  #createResponse(
    request: ResponseRequest,
    countsFrom: Active["countsFrom"],
    now: Instant,
  ): ProtocolError | undefined {
    const isOutOfBand = request.conversation === "none";
    if (this.#active !== undefined && !isOutOfBand) {
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
    const active: Active = { run, trigger, countsFrom, requestedAt: now, isStalled: false };
    if (isOutOfBand) {
      this.#outOfBand.push(active);
      return undefined;
    }
    this.#active = active;
    this.#silence.noteResponse();
    return undefined;
  }

  /** What a response is to answer: its own input, or what nobody has answered yet. */
  #takeTrigger(request: ResponseRequest): Trigger {
    if (request.conversation === "none") {
      return { kind: "text", text: lastTextOf(request.input ?? []) };
    }
    const cue = cueIn(request.instructions);
    if (cue !== undefined) return { kind: "cue", cue };
    const trigger = this.#unanswered;
    this.#unanswered = { kind: "nothing" };
    return trigger;
  }

  #startTurn(audioMs: number, now: Instant): void {
    this.#silence.noteSpeech();
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
    if (!config.interruptsResponses) return;
    this.#options.ear.expectEcho(undefined, 0);
    this.#cancel("turn_detected", now);
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
    const recognition = this.#recognition.takeOverheard(speechEndMs);
    this.#addTurn(this.#spokenItemId, event.turn, { now, recognition });
    this.#silence.noteSilence(now);
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

  #perform(active: Active, now: Instant): void {
    const { settings, random, outbox } = this.#options;
    const { repertoire, answerDelayMs, faults } = settings();
    const { run, requestedAt } = active;
    if (active.trigger.kind === "turn" && faults.stallOnTurn === run.turn) {
      outbox.tellTruth({ type: "faultInjected", fault: "stallOnTurn" });
      active.isStalled = true;
      return;
    }
    const reply = replyWith(this.#declaredOnly(this.#replyTo(active.trigger), run), faults);
    const delayMs = delayWith(reply.afterMs ?? answerDelayMs ?? repertoire.answerDelayMs, faults);
    const deadline = after(requestedAt, delayMs);
    const firstAudioAt = deadline < now ? now : deadline;
    const { closeOnTurn } = faults;
    if (active.trigger.kind === "turn" && closeOnTurn?.turn === run.turn) {
      this.#closeAt = { at: firstAudioAt, code: closeOnTurn.code };
      active.isStalled = true;
      return;
    }
    if (active === this.#active) this.#echoLimitDbov = echoLimitOf(reply);
    run.perform({
      reply,
      steps: stepsWith(
        planPerformance(reply, pacingWith(repertoire.pacing, faults), faults, random),
        run.turn,
        faults,
      ),
      firstAudioAt,
      answerDelayMs: delayMs,
      oddSizedDeltas: faults.oddSizedDeltas ?? false,
    });
  }

  #replyTo(trigger: Trigger): Reply {
    const { repertoire } = this.#options.settings();
    const canGreet = !this.#hasGreeted && repertoire.hasGreeting;
    if (trigger.kind === "nothing") this.#hasGreeted = true;
    return this.#brain.react(reactionsTo(trigger, repertoire, canGreet));
  }

  get #silenceEndsAt(): Instant | undefined {
    if (this.#active !== undefined) return undefined;
    const { settings, config } = this.#options;
    return this.#silence.dueAt(settings().repertoire.silenceMs ?? config.idleTimeoutMs);
  }

  /** Speaks of its own accord; once, until somebody has spoken. */
  #breakSilence(now: Instant): void {
    const endsAt = this.#silenceEndsAt;
    if (endsAt === undefined || endsAt > now) return;
    const { config, settings } = this.#options;
    // Where the script has a silence of its own, that one counts.
    const isIdle =
      config.idleTimeoutMs !== undefined && settings().repertoire.silenceMs === undefined;
    if (isIdle) this.#commitSilence(now);
    const request = isIdle ? {} : { instructions: "[cue: silence]" };
    this.#createResponse(request, "responseCreated", now);
    this.#silence.noteBroken();
  }

  /** What the provider does on `idle_timeout_ms`: silence becomes a turn that is answered. */
  #commitSilence(now: Instant): void {
    const { ear, config, settings } = this.#options;
    const { heardMs: endMs } = ear;
    const startMs = endMs - (config.idleTimeoutMs ?? 0);
    const itemId = announceIdleTimeout(this.#context, { startMs, endMs });
    this.#turnNumber += 1;
    this.#addTurn(itemId, ear.commit(), { now });
    if (settings().repertoire.hasSilenceCue) this.#unanswered = { kind: "cue", cue: "silence" };
  }

  /** The client plays what was sent at real time; until then, its echo may be heard. */
  #noteVoice(now: Instant): void {
    const run = this.#active?.run;
    if (run?.hasSentAudio !== true) return;
    const leftMs = Math.max(0, elapsedMs(now, run.playedAt)) + ECHO_REST_MS;
    this.#options.ear.expectEcho(this.#echoLimitDbov, leftMs);
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

  #cancel(reason: CancelReason, now: Instant): void {
    this.#active?.run.cancel(reason, this.#options.settings().faults.stragglers ?? 0);
    this.#retire(now);
  }

  #retire(now: Instant): void {
    const run = this.#active?.run;
    if (run?.isDone !== true) return;
    this.#hasSpoken ||= run.hasSentAudio;
    this.#active = undefined;
    if (run.hasSentAudio) this.#silence.notePlayed(run.playedAt);
    this.#silence.noteSilence(now);
  }
}

/** When something is due of a response: to decide what it says, or to send more of it. */
function dueAt({ run, isStalled, requestedAt }: Active): Instant | undefined {
  return run.isThinking && !isStalled ? requestedAt : run.nextTimeout;
}
