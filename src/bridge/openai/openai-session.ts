import type { Clock, Environment, Instant, MessageSocket, Timer } from "../../environment/index.ts";
import type { AiEvent, AiSession, WireTap } from "../ai-session.ts";
import { type OpenAiOptions, type OpenAiSettings, openAiSettings } from "./openai-options.ts";
import { OpenAiProtocol, type ProtocolOutput } from "./openai-protocol.ts";
import { backlogged } from "./session-errors.ts";

/** Audio that may wait for the network: 1 MiB of base64, about 16 s. */
const BACKLOG_BYTES_MAX = 1_048_576;

/**
 * Opens a session with an OpenAI Realtime server.
 *
 * Whatever becomes of it arrives at `onEvent`: `ready`, or a fatal `error` (ERR_AI_UNREACHABLE,
 * ERR_AI_UNAUTHORIZED, ERR_AI_STALLED, ERR_AI_CLOSED, ERR_AI_SETTINGS_REJECTED,
 * ERR_AI_FORMAT_MISMATCH), and at last `closed`.
 *
 * @throws UsageError ERR_UNSUPPORTED_AUDIO_FORMAT, ERR_AI_URL_MALFORMED, ERR_AI_KEY_MISSING.
 */
export function openAiSession(environment: Environment, options: OpenAiOptions): AiSession {
  return new OpenAiSession(environment, openAiSettings(options));
}

/** Joins the protocol engine to a socket and a clock. */
class OpenAiSession implements AiSession {
  readonly provider = "openai";
  readonly model: string;
  readonly inputSampleRateHz: number;
  readonly outputSampleRateHz: number;
  onEvent: ((event: AiEvent, arrivedAt: Instant) => void) | undefined;
  readonly #clock: Clock;
  readonly #protocol: OpenAiProtocol;
  readonly #socket: MessageSocket;
  #wireTap: WireTap | undefined;
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;
  #isPumping = false;

  constructor(environment: Environment, settings: OpenAiSettings) {
    this.model = settings.model;
    this.inputSampleRateHz = settings.input.sampleRateHz;
    this.outputSampleRateHz = settings.output.sampleRateHz;
    this.#clock = environment.clock;
    this.#protocol = new OpenAiProtocol(settings, this.#clock.now());
    this.#socket = environment.network.connectMessages(settings.url, {
      headers: { Authorization: `Bearer ${settings.apiKey}` },
      handshakeTimeoutMs: settings.connectTimeoutMs,
    });
    this.#listen();
    this.#pump();
  }

  get sentAudioMs(): number {
    return this.#protocol.sentAudioMs;
  }

  get counts(): Readonly<Record<string, number>> {
    return { ...this.#protocol.counts };
  }

  get onWireMessage(): WireTap | undefined {
    return this.#wireTap;
  }

  set onWireMessage(tap: WireTap | undefined) {
    this.#wireTap = tap;
    this.#protocol.isTraced = tap !== undefined;
  }

  appendAudio(samples: Int16Array): void {
    const now = this.#clock.now();
    const { bufferedBytes } = this.#socket;
    if (bufferedBytes > BACKLOG_BYTES_MAX) {
      this.#protocol.fail(backlogged(bufferedBytes, BACKLOG_BYTES_MAX), now);
    } else {
      this.#protocol.appendAudio(samples, now);
    }
    this.#pump();
  }

  truncate(itemId: string, playedMs: number): void {
    this.#protocol.truncate(itemId, playedMs, this.#clock.now());
    this.#pump();
  }

  cancelResponse(responseId: string): void {
    this.#protocol.cancelResponse(responseId, this.#clock.now());
    this.#pump();
  }

  sendToolResult(id: string, result: string, options: { readonly respond: boolean }): void {
    this.#protocol.sendToolResult(id, result, options.respond, this.#clock.now());
    this.#pump();
  }

  requestResponse(instructions?: string): void {
    this.#protocol.requestResponse(instructions, this.#clock.now());
    this.#pump();
  }

  close(): void {
    this.#protocol.close(this.#clock.now());
    this.#pump();
  }

  #listen(): void {
    this.#socket.onMessage = (text, arrivedAt) => {
      this.#protocol.handleMessage(text, arrivedAt);
      this.#pump();
    };
    this.#socket.onError = (error) => this.#protocol.handleSocketError(error);
    this.#socket.onClose = (code, reason) => {
      this.#protocol.handleClose(code, reason, this.#clock.now());
      this.#pump();
    };
  }

  /** Carries out what the engine wants; handlers may call back into this session meanwhile. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      let output = this.#protocol.takeOutput();
      while (output !== undefined) {
        this.#carryOut(output);
        output = this.#protocol.takeOutput();
      }
    } finally {
      this.#isPumping = false;
    }
    this.#armTimer();
  }

  #carryOut(output: ProtocolOutput): void {
    switch (output.kind) {
      case "send":
        this.#socket.send(output.text);
        break;
      case "event":
        this.onEvent?.(output.event, output.arrivedAt);
        break;
      case "wire":
        this.#wireTap?.(output.json, output.direction, output.at);
        break;
      case "close":
        this.#endSocket();
        break;
    }
  }

  #endSocket(): void {
    const { state } = this.#socket;
    if (state === "open") this.#socket.close(1000);
    else if (state === "connecting") this.#socket.terminate();
  }

  /** One timer, moved only when its time has changed, not for each message. */
  #armTimer(): void {
    const dueAt = this.#protocol.nextTimeout;
    if (dueAt === this.#timerDueAt) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueAt = dueAt;
    if (dueAt === undefined) return;
    this.#timer = this.#clock.setTimer(dueAt, () => {
      this.#timerDueAt = undefined;
      this.#protocol.handleTimeout(this.#clock.now());
      this.#pump();
    });
  }
}
