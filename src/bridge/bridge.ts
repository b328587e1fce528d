import {
  after,
  type Clock,
  type Instant,
  type Logger,
  type SidetoneError,
  type Timer,
} from "../environment/index.ts";
import type { FactSink, InterruptionFact } from "../timeline/index.ts";
import { type AiEventHandlers, dispatchAiEvent } from "./ai-event-handlers.ts";
import { AiFacts } from "./ai-facts.ts";
import type { AiEvent, AiSession, WireTap } from "./ai-session.ts";
import { BotSpeech } from "./bot-speech.ts";
import { CallerAudio } from "./caller-audio.ts";
import type { DrainOutcome } from "./drain-waits.ts";
import { type FlushedResponse, InjectionBuffer, type PlayoutEvent } from "./injection-buffer.ts";
import { LocalBargeIn, type LocalBargeInOptions } from "./local-barge-in.ts";
import type { PlayoutSettings } from "./playout-settings.ts";
import type { ToolRegistry } from "./tool-registry.ts";
import { ToolRunner } from "./tool-runner.ts";
import type { ModelPrice } from "./usage.ts";

/** What a bridge joins. */
export interface BridgeOptions {
  readonly session: AiSession;
  readonly tools: ToolRegistry;
  readonly record: FactSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets each message of the AI socket as JSON, without audio and keys: for ai.jsonl. */
  readonly onAiEvent?: WireTap;
  /** Finds the caller's interruptions here as well, before the provider says so; default: not. */
  readonly localBargeIn?: LocalBargeInOptions;
  /** Has the bot speak first. */
  readonly greet?: boolean;
  /** How long a tool waits for queued speech at most. Default 10 000. */
  readonly toolWaitMsMax?: number;
  /** What the AI's tokens cost where the published prices do not hold, by model. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Speech of the bot held at most. Default 120 000. */
  readonly playoutCapacityMs?: number;
  /** Whether its speech is held back, and what is heard where it has run dry; default: neither. */
  readonly playout?: PlayoutSettings;
}

/** The audio of both directions, once the call's media are agreed on. */
interface BridgedAudio {
  readonly buffer: InjectionBuffer;
  readonly botSpeech: BotSpeech;
  readonly callerAudio: CallerAudio;
  readonly bargeIn: LocalBargeIn | undefined;
}

/** Why a bridge's AI session has ended; `error` where it did not end as it should. */
export interface BridgeEnd {
  /** Of the WebSocket. */
  readonly code: number;
  readonly reason: string;
  readonly error?: SidetoneError;
}

const TOOL_WAIT_MS_MAX = 10_000;

/**
 * Joins one call's audio to one AI session: the caller's to the AI at once, the AI's to the caller
 * through the injection buffer, and the bot's tools to the call.
 *
 * The caller's speech flushes the queue where the provider says that it interrupts. It knows
 * neither SIP nor RTP; whoever owns the media clock calls `takeFrame`.
 */
export class Bridge {
  /** Called once, when the AI session has ended. Speech still queued may be played on. */
  onClosed: ((end: BridgeEnd) => void) | undefined;
  readonly #options: BridgeOptions;
  readonly #session: AiSession;
  /** `undefined` until the call's rate is known. */
  #audio: BridgedAudio | undefined;
  readonly #facts: AiFacts;
  readonly #tools: ToolRunner;
  readonly #handlers: AiEventHandlers = {
    ready: () => {
      if (this.#options.greet === true) this.#session.requestResponse();
    },
    responseCreated: ({ responseId }) => this.#audio?.buffer.handleResponseCreated(responseId),
    audio: (event, at) => this.#audio?.botSpeech.handleAudio(event, at),
    audioDone: ({ responseId }, at) => {
      this.#audio?.botSpeech.finish(responseId, at);
      this.#audio?.buffer.handleAudioDone(responseId);
    },
    turnDone: ({ responseId }, at) => {
      this.#audio?.botSpeech.finish(responseId, at);
      this.#audio?.buffer.handleResponseDone(responseId);
    },
    interrupted: ({ responseId }, at) => this.#interrupt(responseId, at),
    toolCall: (event, at) => this.#tools.handleCall(event, at),
    toolCancelled: ({ id }) => this.#tools.handleCancelled(id),
    error: ({ error }) => {
      this.#fatalError ??= error;
    },
    closed: (event, at) => this.#handleClosed(event, at),
  };
  /** The last frame was the bot's speech. */
  #isSpeaking = false;
  #drainTimer: Timer | undefined;
  #fatalError: SidetoneError | undefined;

  constructor(options: BridgeOptions) {
    const { session, record, clock } = options;
    this.#options = options;
    this.#session = session;
    this.#facts = new AiFacts(session, record, options.prices);
    this.#tools = new ToolRunner({
      session,
      registry: options.tools,
      record,
      clock,
      speechPlayed: (responseId) => this.#speechPlayed(responseId),
    });
    this.#facts.handleConnecting(clock.now());
    session.onWireMessage = options.onAiEvent;
    session.onEvent = (event, arrivedAt) => this.#handleEvent(event, arrivedAt);
  }

  /**
   * The call's media begin, at this rate; a second call does nothing. What the AI says before that
   * has nowhere to go: ask it to speak afterwards.
   */
  openAudio(callSampleRateHz: number): void {
    if (this.#audio !== undefined) return;
    const { session, record, playoutCapacityMs, localBargeIn, playout } = this.#options;
    const buffer = new InjectionBuffer({
      sampleRateHz: callSampleRateHz,
      ...(playoutCapacityMs === undefined ? {} : { capacityMs: playoutCapacityMs }),
      ...(playout === undefined ? {} : { playout }),
    });
    const rates = { fromHz: session.outputSampleRateHz, toHz: callSampleRateHz };
    this.#audio = {
      buffer,
      botSpeech: new BotSpeech(buffer, rates),
      callerAudio: new CallerAudio({ session, record, callSampleRateHz }),
      bargeIn: localBargeIn && new LocalBargeIn(callSampleRateHz, localBargeIn),
    };
  }

  /** Caller audio at the call's rate, any length, as soon as it is there. */
  handleCallerAudio(samples: Int16Array, now: Instant): void {
    this.#audio?.callerAudio.handleAudio(samples, now);
    const speechMs = this.#audio?.bargeIn?.handleCallerAudio(samples, now);
    if (speechMs !== undefined && this.#isSpeaking) this.#interruptLocally(speechMs, now);
  }

  /** Stands for `sampleCount` samples that did not come. */
  handleCallerSilence(sampleCount: number, now: Instant): void {
    this.#audio?.callerAudio.handleSilence(sampleCount, now);
  }

  /**
   * Fills `output` with the frame that leaves at `now`; called once per frame time.
   * @returns false where it is silence.
   */
  takeFrame(output: Int16Array, now: Instant): boolean {
    if (this.#audio === undefined) {
      output.fill(0);
      return false;
    }
    const isSpeech = this.#audio.buffer.takeFrame(output, now);
    this.#isSpeaking = isSpeech;
    if (isSpeech) this.#audio.bargeIn?.handleBotAudio(output, now);
    this.#recordPlayout();
    return isSpeech;
  }

  /** Ends the AI session and every wait; tools that have not begun do not begin any more. */
  close(): void {
    this.#tools.close();
    this.#audio?.buffer.close();
    this.#drainTimer?.cancel();
    this.#drainTimer = undefined;
    this.#session.close();
  }

  #handleEvent(event: AiEvent, at: Instant): void {
    this.#facts.handleEvent(event, at);
    dispatchAiEvent(this.#handlers, event, at);
    this.#recordPlayout();
  }

  #handleClosed(event: { readonly code: number; readonly reason: string }, at: Instant): void {
    this.#audio?.botSpeech.finish(undefined, at);
    this.#audio?.buffer.handleSessionEnd();
    this.#options.logger.info("The AI session has ended.", { ...this.#session.counts });
    const { code, reason } = event;
    const error = this.#fatalError;
    this.onClosed?.({ code, reason, ...(error === undefined ? {} : { error }) });
  }

  /** At once, and not only when the provider has noticed: it is told, too. */
  #interruptLocally(speechMs: number, at: Instant): void {
    this.#isSpeaking = false;
    this.#audio?.botSpeech.finish(undefined, at);
    const flushed = this.#audio?.buffer.flush(at) ?? [];
    this.#recordPlayout();
    for (const response of flushed) {
      this.#session.cancelResponse(response.responseId);
      this.#truncate(response, at, { detectedBy: "local", speechMs });
    }
  }

  #interrupt(responseId: string | undefined, at: Instant): void {
    // What the converter still holds was received too, so that it is counted as thrown away.
    this.#audio?.botSpeech.finish(responseId, at);
    const flushed = this.#audio?.buffer.flush(at, responseId) ?? [];
    this.#recordPlayout();
    for (const response of flushed) this.#truncate(response, at);
  }

  #truncate(
    response: FlushedResponse,
    at: Instant,
    found: Pick<InterruptionFact, "detectedBy" | "speechMs"> = {},
  ): void {
    const { responseId, playedMs, items } = response;
    const truncationSent = this.#session.supportsTruncation !== false && items.length > 0;
    if (truncationSent) {
      for (const item of items) this.#session.truncate(item.itemId, Math.floor(item.playedMs));
    }
    this.#options.record({
      kind: "interruption",
      responseId,
      playedMs,
      truncationSent,
      ...found,
      at,
    });
  }

  #speechPlayed(responseId: string): Promise<DrainOutcome> {
    const buffer = this.#audio?.buffer;
    if (buffer === undefined) return Promise.resolve("played");
    const limitMs = this.#options.toolWaitMsMax ?? TOOL_WAIT_MS_MAX;
    const deadline = after(this.#options.clock.now(), limitMs);
    return new Promise((settle) => {
      buffer.waitForDrain({ responseId, deadline, settle });
      this.#armDrainTimer();
    });
  }

  /** `takeFrame` sees to deadlines, too; the timer is for calls whose media has ceased. */
  #armDrainTimer(): void {
    this.#drainTimer?.cancel();
    this.#drainTimer = undefined;
    const dueAt = this.#audio?.buffer.nextTimeout;
    if (dueAt === undefined) return;
    this.#drainTimer = this.#options.clock.setTimer(dueAt, () => {
      this.#audio?.buffer.handleTimeout(this.#options.clock.now());
      this.#armDrainTimer();
    });
  }

  #recordPlayout(): void {
    const buffer = this.#audio?.buffer;
    if (buffer === undefined) return;
    let event = buffer.takeOutput();
    while (event !== undefined) {
      this.#recordPlayoutEvent(event);
      event = buffer.takeOutput();
    }
  }

  #recordPlayoutEvent({ type, ...rest }: PlayoutEvent): void {
    const { record, logger } = this.#options;
    if (type !== "overflow") {
      record({ kind: "playout", event: type, ...rest });
      return;
    }
    logger.warn("The bot's speech exceeds the injection buffer.");
    record({
      kind: "fault",
      code: "ERR_PLAYOUT_OVERFLOW",
      message: "The bot's speech exceeds the injection buffer; what does not fit is not played.",
      at: rest.at,
    });
  }
}
