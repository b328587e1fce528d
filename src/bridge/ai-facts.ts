import type { Instant } from "../environment/index.ts";
import type { AiSessionFact, FactSink } from "../timeline/index.ts";
import { type AiEventHandlers, dispatchAiEvent } from "./ai-event-handlers.ts";
import type {
  AiErrorEvent,
  AiEvent,
  AiSession,
  AiTurnDoneEvent,
  AiUsageEvent,
} from "./ai-session.ts";
import { costOf, type ModelPrice } from "./usage.ts";

/** Responses whose audio is counted at once; one, with providers that keep to their protocol. */
const RESPONSES_MAX = 64;

/** Writes down what the AI claims and delivers; draws no conclusions. */
export class AiFacts {
  readonly #session: AiSession;
  readonly #record: FactSink;
  readonly #prices: Readonly<Record<string, ModelPrice>>;
  readonly #receivedSamples = new Map<string, number>();
  readonly #handlers: AiEventHandlers = {
    ready: (_event, at) => this.#recordSession("ready", at),
    reconnecting: ({ code, attempt, inMs }, at) => {
      const detail = `attempt ${attempt}, in ${inMs} ms`;
      this.#recordSession("reconnecting", at, { code: String(code), detail });
    },
    resumed: ({ toldLines }, at) => {
      const isNew = toldLines !== undefined;
      const more = isNew ? { detail: `a new session, told ${toldLines} lines` } : {};
      this.#recordSession("resumed", at, more);
    },
    goingAway: ({ timeLeftMs }, at) => this.#recordSession("goingAway", at, timeLeft(timeLeftMs)),
    closed: ({ code, reason }, at) => {
      this.#recordSession("closed", at, { code: String(code), detail: reason });
    },
    error: (event, at) => this.#recordError(event, at),
    callerSpeechStarted: ({ audioMs }, at) => {
      this.#record({ kind: "aiCallerSpeech", event: "started", audioMs, at });
    },
    callerSpeechStopped: ({ audioMs }, at) => {
      this.#record({ kind: "aiCallerSpeech", event: "stopped", audioMs, at });
    },
    callerTranscript: ({ text }, at) => {
      this.#record({ kind: "aiTranscript", of: "caller", text, at });
    },
    botTranscript: ({ text, responseId }, at) => {
      this.#record({ kind: "aiTranscript", of: "bot", text, responseId, at });
    },
    responseCreated: ({ responseId }, at) => {
      this.#record({ kind: "aiResponse", event: "created", responseId, at });
    },
    audio: ({ responseId, samples }, at) => this.#countAudio(responseId, samples.length, at),
    audioDone: ({ responseId }, at) => {
      this.#record({ ...this.#withAudio(responseId), event: "audioDone", at });
    },
    turnDone: (event, at) => this.#recordTurnDone(event, at),
    usage: (event, at) => this.#recordUsage(event, at),
  };

  /** @param prices of the user's own, by model; they come before the published ones. */
  constructor(
    session: AiSession,
    record: FactSink,
    prices: Readonly<Record<string, ModelPrice>> = {},
  ) {
    this.#session = session;
    this.#record = record;
    this.#prices = prices;
  }

  handleConnecting(at: Instant): void {
    this.#recordSession("connecting", at);
  }

  handleEvent(event: AiEvent, at: Instant): void {
    dispatchAiEvent(this.#handlers, event, at);
  }

  #countAudio(responseId: string, samples: number, at: Instant): void {
    const before = this.#receivedSamples.get(responseId);
    if (before === undefined) {
      this.#record({ kind: "aiResponse", event: "firstAudio", responseId, at });
    }
    this.#receivedSamples.set(responseId, (before ?? 0) + samples);
    for (const oldest of this.#receivedSamples.keys()) {
      if (this.#receivedSamples.size <= RESPONSES_MAX) break;
      this.#receivedSamples.delete(oldest);
    }
  }

  #withAudio(responseId: string): {
    readonly kind: "aiResponse";
    readonly responseId: string;
    readonly audioMs: number;
  } {
    const samples = this.#receivedSamples.get(responseId) ?? 0;
    const audioMs = (samples * 1000) / this.#session.outputSampleRateHz;
    return { kind: "aiResponse", responseId, audioMs };
  }

  #recordTurnDone({ responseId, status, detail }: AiTurnDoneEvent, at: Instant): void {
    const more = detail === undefined ? {} : { detail };
    this.#record({ ...this.#withAudio(responseId), event: "done", status, ...more, at });
    this.#receivedSamples.delete(responseId);
  }

  #recordUsage(event: AiUsageEvent, at: Instant): void {
    const { responseId, totalTokens, inputTokens, outputTokens, details } = event;
    const cost = costOf(details, this.#session.model, this.#prices);
    const kinds = details === undefined ? {} : { details };
    const usage = { responseId, totalTokens, inputTokens, outputTokens, ...kinds };
    const priced = cost === undefined ? {} : { costUsd: cost.usd, prices: cost.prices };
    this.#record({ kind: "aiUsage", ...usage, ...priced, at });
  }

  #recordError(event: AiErrorEvent, at: Instant): void {
    const { code, message, error } = event;
    if (event.fatal) this.#recordSession("failed", at, { code, detail: message });
    const whose = error === undefined ? {} : { fault: error.fault };
    this.#record({ kind: "fault", code, message, ...whose, at });
  }

  #recordSession(
    event: AiSessionFact["event"],
    at: Instant,
    more: { readonly code?: string; readonly detail?: string } = {},
  ): void {
    const { provider, model } = this.#session;
    const base = { kind: "aiSession", event, provider, at } as const;
    this.#record({ ...base, ...(model === undefined ? {} : { model }), ...more });
  }
}

function timeLeft(timeLeftMs: number | undefined): { readonly detail?: string } {
  return timeLeftMs === undefined ? {} : { detail: `${timeLeftMs} ms left` };
}
