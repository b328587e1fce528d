import type { Clock, Environment, Instant, MessageSocket, Timer } from "../../environment/index.ts";
import type { AiEvent, AiSession, WireTap } from "../ai-session.ts";
import type { ProtocolOutput, ProviderProtocol } from "./provider-protocol.ts";
import { backlogged } from "./session-errors.ts";

/** Audio that may wait for the network: 1 MiB of base64, about 16 s. */
const BACKLOG_BYTES_MAX = 1_048_576;

/** What a session is, beside its protocol. */
export interface ProtocolSessionOptions {
  readonly provider: string;
  readonly model: string;
  readonly inputSampleRateHz: number;
  readonly outputSampleRateHz: number;
  /** See `AiSession`. */
  readonly supportsTruncation: boolean;
  readonly protocol: ProviderProtocol;
  /** Opens a connection; called again where the protocol wants another one. */
  readonly connect: () => MessageSocket;
}

/** Joins a provider's protocol engine to a socket and a clock. It knows no provider. */
export class ProtocolSession implements AiSession {
  readonly provider: string;
  readonly model: string;
  readonly inputSampleRateHz: number;
  readonly outputSampleRateHz: number;
  readonly supportsTruncation: boolean;
  onEvent: ((event: AiEvent, arrivedAt: Instant) => void) | undefined;
  readonly #clock: Clock;
  readonly #protocol: ProviderProtocol;
  readonly #connect: () => MessageSocket;
  #socket: MessageSocket;
  #wireTap: WireTap | undefined;
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;
  #isPumping = false;

  constructor({ clock }: Pick<Environment, "clock">, options: ProtocolSessionOptions) {
    this.provider = options.provider;
    this.model = options.model;
    this.inputSampleRateHz = options.inputSampleRateHz;
    this.outputSampleRateHz = options.outputSampleRateHz;
    this.supportsTruncation = options.supportsTruncation;
    this.#clock = clock;
    this.#protocol = options.protocol;
    this.#connect = options.connect;
    this.#socket = this.#listenTo(options.connect());
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

  #listenTo(socket: MessageSocket): MessageSocket {
    socket.onOpen = () => {
      this.#protocol.handleOpen(this.#clock.now());
      this.#pump();
    };
    socket.onMessage = (text, arrivedAt) => {
      this.#protocol.handleMessage(text, arrivedAt);
      this.#pump();
    };
    socket.onError = (error) => this.#protocol.handleSocketError(error);
    socket.onClose = (code, reason) => {
      this.#protocol.handleClose(code, reason, this.#clock.now());
      this.#pump();
    };
    return socket;
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
      case "connect":
        this.#reconnect();
        break;
      case "close":
        endSocket(this.#socket);
        break;
    }
  }

  /** What the old connection still says is of no interest. */
  #reconnect(): void {
    const old = this.#socket;
    old.onOpen = undefined;
    old.onMessage = undefined;
    old.onClose = undefined;
    old.onError = () => undefined;
    endSocket(old);
    this.#socket = this.#listenTo(this.#connect());
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

function endSocket(socket: MessageSocket): void {
  if (socket.state === "open") socket.close(1000);
  else if (socket.state === "connecting") socket.terminate();
}
