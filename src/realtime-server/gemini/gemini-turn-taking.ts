import {
  after,
  elapsedMs,
  type Instant,
  type Random,
  randomToken,
} from "../../environment/index.ts";
import { delayWith, pacingWith, replyWith } from "../engine/fault-effects.ts";
import type { HeardTurn, ListenerEvent } from "../engine/listener.ts";
import { ECHO_REST_MS, echoLimitOf } from "../engine/own-voice.ts";
import { cueIn, type FollowUp, type Recognition, type Reply } from "../engine/repertoire.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import { SilenceWatch } from "../engine/silence-watch.ts";
import type { EncodedVoices } from "../openai/audio-format.ts";
import type { ToolResult } from "./client-messages.ts";
import { Generation } from "./generation.ts";
import type { ServerOutbox } from "./server-outbox.ts";
import type { SessionMemory } from "./sessions.ts";
import type { Setup } from "./setup.ts";

/** What turn taking shares with the rest of its session. */
export interface GeminiTurnTakingOptions {
  readonly settings: () => ServerSettings;
  readonly random: Random;
  readonly voices: EncodedVoices;
  readonly setup: Setup;
  readonly outbox: ServerOutbox;
  readonly memory: SessionMemory;
  /** See `Listener.expectEcho`. */
  readonly expectEcho: (limitDbov: number | undefined, durationMs: number) => void;
}

/** What the model thinks about, before it answers. */
interface Thought {
  readonly turn: number;
  readonly reply: () => Reply;
  /** What the answer delay counts from, when that was sent. */
  requestedAt: Instant;
  readonly countsFrom: "speechStopped" | "now";
}

/** Costs that look like the provider's: it does not tell how it counts. */
const TOKENS_PER_TURN = 25;
const TOKEN_MS = 40;

type TurnPause = Extract<ListenerEvent, { kind: "paused" | "stopped" }>;

/** Who speaks when. The server believes that the client plays what it sends at real time. */
export class GeminiTurnTaking {
  readonly #options: GeminiTurnTakingOptions;
  #thought: Thought | undefined;
  #generation: Generation | undefined;
  /** Stragglers of generations that were cut off. */
  #cut: Generation[] = [];
  /** Until then the client plays; the turn is complete afterwards. */
  #turnEndsAt: Instant | undefined;
  #closeAt: { readonly at: Instant; readonly code: number } | undefined;
  #overheard: { readonly speechEndMs: number; readonly recognition: Recognition } | undefined;
  #talkedOver = false;
  /** Of the generation under way. */
  #echoLimitDbov: number | undefined;
  readonly #silence = new SilenceWatch();
  /** A handle is due; one comes right after the setup. */
  #isMilestone = true;
  #sentMs = 0;

  #toolNames: readonly string[];

  constructor(options: GeminiTurnTakingOptions) {
    this.#options = options;
    this.#toolNames = options.setup.toolNames;
  }

  get nextTimeout(): Instant | undefined {
    const due = [
      this.#thought?.requestedAt,
      this.#generation?.nextTimeout,
      this.#cut.length === 0 ? this.#turnEndsAt : undefined,
      this.#closeAt?.at,
      this.#silenceEndsAt,
      ...this.#cut.map(({ nextTimeout }) => nextTimeout),
    ].filter((each) => each !== undefined);
    return due.length === 0
      ? undefined
      : due.reduce((left, right) => (left < right ? left : right));
  }

  /** Whether a new handle is due, once. */
  takeMilestone(): boolean {
    const isMilestone = this.#isMilestone;
    this.#isMilestone = false;
    return isMilestone;
  }

  /** The client declares other functions from now on; `undefined`: the same. */
  declareTools(names: readonly string[] | undefined): void {
    this.#toolNames = names ?? this.#toolNames;
  }

  handleSent(draft: ServerEventDraft, at: Instant): void {
    const thought = this.#thought;
    if (draft.type !== "speechStopped" || thought?.countsFrom !== "speechStopped") return;
    if (draft.turn === thought.turn) thought.requestedAt = at;
  }

  handleTimeout(now: Instant): void {
    if (this.#closeAt !== undefined && this.#closeAt.at <= now) {
      this.#options.outbox.tellTruth({ type: "faultInjected", fault: "closeOnTurn" });
      this.#options.outbox.close(this.#closeAt.code, "Closed on request (fault closeOnTurn).");
      this.#closeAt = undefined;
      return;
    }
    this.#breakSilence(now);
    if (this.#thought !== undefined && this.#thought.requestedAt <= now) this.#answer(now);
    for (const generation of this.#cut) generation.handleTimeout(now);
    this.#cut = this.#cut.filter(({ isDone }) => !isDone);
    this.#generation?.handleTimeout(now);
    this.#noteVoice(now);
    this.#retire(now);
    if (this.#cut.length > 0 || this.#turnEndsAt === undefined) return;
    if (this.#turnEndsAt <= now) this.#completeTurn(now);
  }

  handleListenerEvent(event: ListenerEvent, now: Instant): void {
    if (event.kind === "started") this.startTurn(event.audioMs, now);
    else if (event.kind === "paused") this.#listenAhead(event);
    else this.#stopTurn(event, now);
  }

  /** The caller begins to speak, as heard or as the client says. */
  startTurn(audioMs: number, now: Instant): void {
    const { outbox, memory, setup } = this.#options;
    memory.turns += 1;
    memory.brain.noteTurn();
    this.#silence.noteSpeech();
    outbox.tellTruth({ type: "speechStarted", turn: memory.turns, audioMs });
    outbox.emit({ voiceActivity: { type: "ACTIVITY_START", audioOffset: seconds(audioMs) } });
    this.#talkedOver = this.#isBusy;
    if (!setup.interrupts) return;
    this.#options.expectEcho(undefined, 0);
    this.#interrupt(now);
  }

  /** The client says that the caller has finished. */
  endTurn(turn: HeardTurn, audioMs: number, now: Instant): void {
    this.#stopTurn({ kind: "stopped", audioMs, speechEndMs: audioMs, turn }, now);
  }

  /** A written turn, which interrupts like a spoken one. */
  answerText(text: string, now: Instant): void {
    this.#interrupt(now);
    const { memory } = this.#options;
    this.#think(now, () => {
      const { repertoire } = this.#options.settings();
      const cue = cueIn(text);
      if (cue !== undefined) return memory.brain.react(repertoire.reactionsToCue(cue));
      const phrase = repertoire.phraseWritten(text);
      const canGreet = phrase === undefined && !memory.hasGreeted && repertoire.hasGreeting;
      if (canGreet) memory.hasGreeted = true;
      return memory.brain.react(
        canGreet ? repertoire.greeting : repertoire.reactionsTo(phrase, false),
      );
    });
  }

  /** A function has returned; the model goes on once all of them have. */
  handleToolResult({ callId, result }: ToolResult, now: Instant): void {
    const { memory, outbox } = this.#options;
    if (!memory.calls.has(callId)) return;
    memory.brain.noteResult(result);
    const followUp = memory.calls.get(callId);
    memory.calls.delete(callId);
    outbox.tellTruth({ type: "toolAnswered", callId });
    if (memory.calls.size > 0) return;
    this.#think(now, () => memory.brain.react(followUp ?? []));
  }

  get #isBusy(): boolean {
    return this.#generation?.hasSentAudio === true || this.#turnEndsAt !== undefined;
  }

  get #silenceEndsAt(): Instant | undefined {
    const isIdle = this.#thought === undefined && this.#generation === undefined;
    const { silenceMs } = this.#options.settings().repertoire;
    return isIdle ? this.#silence.dueAt(silenceMs) : undefined;
  }

  /** Speaks of its own accord; once, until somebody has spoken. */
  #breakSilence(now: Instant): void {
    const endsAt = this.#silenceEndsAt;
    if (endsAt === undefined || endsAt > now) return;
    this.#silence.noteBroken();
    this.#think(now, () => {
      const { repertoire } = this.#options.settings();
      return this.#options.memory.brain.react(repertoire.reactionsToCue("silence"));
    });
  }

  /** The client plays what was sent at real time; until then, its echo may be heard. */
  #noteVoice(now: Instant): void {
    if (this.#generation?.hasSentAudio !== true) return;
    const leftMs = Math.max(0, elapsedMs(now, this.#generation.playedAt)) + ECHO_REST_MS;
    this.#options.expectEcho(this.#echoLimitDbov, leftMs);
  }

  #think(now: Instant, reply: () => Reply, countsFrom: Thought["countsFrom"] = "now"): void {
    this.#thought = { turn: this.#options.memory.turns, reply, requestedAt: now, countsFrom };
  }

  /** Cuts off what is being said, or played, and takes back what was called. */
  #interrupt(now: Instant): void {
    const { outbox, memory } = this.#options;
    this.#thought = undefined;
    const callIds = [...memory.calls.keys()];
    memory.calls.clear();
    if (callIds.length > 0) outbox.emit({ toolCallCancellation: { ids: callIds } });
    const isInTurn = this.#generation !== undefined || this.#turnEndsAt !== undefined;
    if (!isInTurn && callIds.length === 0) return;
    outbox.emit({ serverContent: { interrupted: true } });
    if (this.#generation !== undefined) {
      this.#generation.cancel();
      if (!this.#generation.isDone) this.#cut.push(this.#generation);
      this.#generation = undefined;
    }
    this.#turnEndsAt = now;
  }

  /** Recognises while the silence that ends a turn still runs; see the OpenAI face. */
  #listenAhead({ speechEndMs, turn }: TurnPause): void {
    const { repertoire } = this.#options.settings();
    this.#overheard = { speechEndMs, recognition: repertoire.recognise(turn) };
  }

  #stopTurn({ audioMs, speechEndMs, turn: heard }: TurnPause, now: Instant): void {
    const { outbox, memory } = this.#options;
    const turn = memory.turns;
    outbox.tellTruth({ type: "speechStopped", turn, audioMs, speechEndMs });
    outbox.emit({ voiceActivity: { type: "ACTIVITY_END", audioOffset: seconds(audioMs) } });
    // As recorded from 3.8: it says nothing, and clients must not take it for something.
    outbox.emit({ serverContent: {} });
    const known = this.#overheard?.speechEndMs === speechEndMs ? this.#overheard : undefined;
    this.#overheard = undefined;
    const interrupted = this.#talkedOver;
    this.#talkedOver = false;
    memory.hasGreeted = true;
    this.#silence.noteSilence(now);
    this.#think(
      now,
      () => {
        const { repertoire } = this.#options.settings();
        const recognition = known?.recognition ?? repertoire.recognise(heard);
        this.#transcribe(turn, recognition);
        return memory.brain.react(repertoire.reactionsTo(recognition.phraseId, interrupted));
      },
      "speechStopped",
    );
  }

  #transcribe(turn: number, { phraseId, score, text }: Recognition): void {
    const { outbox, setup } = this.#options;
    outbox.tellTruth({ type: "heard", turn, phraseId, score });
    if (!setup.transcribesInput || text === "") return;
    outbox.emit({ serverContent: { inputTranscription: { text, finished: true } } });
  }

  /** What was cut off by a written turn ends before its answer begins. */
  #leaveTurn(now: Instant): void {
    const endsAt = this.#turnEndsAt;
    if (endsAt !== undefined && endsAt <= now && this.#cut.length === 0) this.#completeTurn(now);
    this.#turnEndsAt = undefined;
  }

  /** Decides what to say, and when the first of it leaves. */
  #answer(now: Instant): void {
    const thought = this.#thought;
    this.#thought = undefined;
    if (thought === undefined) return;
    const { settings, random, outbox, memory, setup, voices } = this.#options;
    const { repertoire, answerDelayMs, faults } = settings();
    const reply = replyWith(this.#declaredOnly(thought.reply()), faults);
    const isTurn = thought.countsFrom === "speechStopped";
    if (isTurn && faults.stallOnTurn === thought.turn) {
      outbox.tellTruth({ type: "faultInjected", fault: "stallOnTurn" });
      return;
    }
    const delayMs = delayWith(reply.afterMs ?? answerDelayMs ?? repertoire.answerDelayMs, faults);
    const deadline = after(thought.requestedAt, delayMs);
    const firstAudioAt = deadline < now ? now : deadline;
    if (isTurn && faults.closeOnTurn?.turn === thought.turn) {
      this.#closeAt = { at: firstAudioAt, code: faults.closeOnTurn.code };
      return;
    }
    memory.generations += 1;
    this.#leaveTurn(now);
    this.#echoLimitDbov = echoLimitOf(reply);
    this.#generation = new Generation(
      {
        voices,
        emit: outbox.emit,
        tellTruth: outbox.tellTruth,
        callTool: (tool, followUp) => this.#callTool(tool.name, followUp),
      },
      {
        id: `generation-${memory.generations}`,
        turn: thought.turn,
        reply,
        pacing: pacingWith(repertoire.pacing, faults),
        faults,
        random,
        firstAudioAt,
        answerDelayMs: delayMs,
        transcribes: setup.transcribesOutput,
        isSpoken: setup.isSpoken,
        tellsThoughts: setup.tellsThoughts,
      },
    );
  }

  #callTool(name: string, followUp: FollowUp | undefined): string {
    const callId = `function-call-${randomToken(this.#options.random, 16)}`;
    this.#options.memory.calls.set(callId, followUp);
    this.#options.outbox.tellTruth({ type: "toolCalled", name, callId });
    return callId;
  }

  /** A model can only call what the session declares. */
  #declaredOnly(reply: Reply): Reply {
    const { outbox } = this.#options;
    const parts = reply.parts.filter((part) => {
      if (part.kind !== "tool" || this.#toolNames.includes(part.tool.name)) return true;
      outbox.tellTruth({ type: "toolUndeclared", name: part.tool.name });
      return false;
    });
    return { ...reply, parts };
  }

  /** The turn is complete when the client has played it, if functions do not go on with it. */
  #retire(now: Instant): void {
    const generation = this.#generation;
    if (generation?.isDone !== true) return;
    this.#generation = undefined;
    if (generation.hasSentAudio) this.#silence.notePlayed(generation.playedAt);
    if (generation.hasCalled) return;
    const { playedAt, sentMs } = generation;
    this.#turnEndsAt = playedAt < now ? now : playedAt;
    this.#sentMs += sentMs;
  }

  #completeTurn(now: Instant): void {
    this.#turnEndsAt = undefined;
    this.#silence.noteSilence(now);
    this.#isMilestone = true;
    this.#options.outbox.emit({
      serverContent: { turnComplete: true },
      usageMetadata: this.#usage(),
    });
  }

  #usage(): Readonly<Record<string, unknown>> {
    const promptTokenCount = this.#options.memory.turns * TOKENS_PER_TURN;
    const responseTokenCount = Math.ceil(this.#sentMs / TOKEN_MS);
    return {
      promptTokenCount,
      responseTokenCount,
      totalTokenCount: promptTokenCount + responseTokenCount,
      promptTokensDetails: [{ modality: "AUDIO", tokenCount: promptTokenCount }],
      responseTokensDetails: [{ modality: "AUDIO", tokenCount: responseTokenCount }],
    };
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)}s`;
}
