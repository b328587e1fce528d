/**
 * The other end of the bot's WebSocket, as little of it as there can be: it says what it is told,
 * at once, and notes when a loud message came. Two faces.
 */
import type { ListeningServer, MessageSocket, Network } from "../../src/environment/index.ts";

export type Face = "openai" | "gemini";

const RATE_HZ = 24_000;
const PIECE_MS = 200;
const LOUD_SAMPLE = 4000;

const now = (): number => performance.now();

/** One call's AI. */
export class AiConnection {
  readonly #socket: MessageSocket;
  readonly #face: Face;
  #responses = 0;
  #onLoud: ((at: number) => void) | undefined;

  constructor(socket: MessageSocket, face: Face) {
    this.#socket = socket;
    this.#face = face;
    socket.onMessage = (text) => this.#handle(text);
    if (face === "openai") this.#say({ type: "session.created", session: {} });
  }

  /** Resolves with when the first loud message of the caller's has come. */
  loud(): Promise<number> {
    return new Promise((resolve) => {
      this.#onLoud = resolve;
    });
  }

  /** Says a tone, in one burst; returns when it began to. */
  speak(durationMs: number): number {
    this.#responses += 1;
    const response_id = `r${this.#responses}`;
    const pieces = Array.from({ length: durationMs / PIECE_MS }, () => TONE);
    if (this.#face === "gemini") {
      const at = now();
      for (const data of pieces) {
        const inlineData = { mimeType: `audio/pcm;rate=${RATE_HZ}`, data };
        this.#say({ serverContent: { modelTurn: { parts: [{ inlineData }] } } });
      }
      this.#say({ serverContent: { generationComplete: true } });
      return at;
    }
    this.#say({ type: "response.created", response: { id: response_id } });
    const at = now();
    for (const delta of pieces) {
      this.#say({ type: "response.output_audio.delta", response_id, item_id: response_id, delta });
    }
    this.#say({ type: "response.output_audio.done", response_id });
    this.#say({ type: "response.done", response: { id: response_id, status: "completed" } });
    return at;
  }

  /** Says that the caller interrupts; returns when. */
  interrupt(): number {
    const at = now();
    if (this.#face === "openai") {
      this.#say({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u" });
    } else {
      this.#say({ serverContent: { interrupted: true } });
      this.#say({ serverContent: { turnComplete: true } });
    }
    return at;
  }

  #handle(text: string): void {
    if (text.startsWith('{"type":"session.update"')) {
      this.#say({ type: "session.updated", session: {} });
    } else if (text.startsWith('{"setup"')) this.#say({ setupComplete: {} });
    if (this.#onLoud === undefined) return;
    const at = now();
    const base64 = /"(?:audio|data)":"([^"]+)"/u.exec(text)?.[1];
    if (base64 === undefined || !isLoud(Buffer.from(base64, "base64"))) return;
    this.#onLoud(at);
    this.#onLoud = undefined;
  }

  #say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

/** Where bots find it. */
export class AiEndpoint {
  readonly url: string;
  readonly #server: ListeningServer;
  readonly #waiting: ((connection: AiConnection) => void)[];

  private constructor(server: ListeningServer, waiting: ((connection: AiConnection) => void)[]) {
    this.#server = server;
    this.#waiting = waiting;
    this.url = `ws://127.0.0.1:${server.local.port}`;
  }

  static async listen(network: Network, face: Face): Promise<AiEndpoint> {
    const waiting: ((connection: AiConnection) => void)[] = [];
    const server = await network.listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: () => Promise.resolve({ status: 404 }),
        onUpgrade: () => ({
          accept: true,
          onConnection: (socket) => waiting.shift()?.(new AiConnection(socket, face)),
        }),
      },
    );
    return new AiEndpoint(server, waiting);
  }

  /** The next connection that comes. */
  next(): Promise<AiConnection> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** A tone of 1 kHz from its first sample on, `PIECE_MS` long. */
const TONE = Buffer.from(
  Int16Array.from({ length: (RATE_HZ * PIECE_MS) / 1000 }, (_, index) =>
    Math.round(20_000 * Math.cos((2 * Math.PI * 1000 * index) / RATE_HZ)),
  ).buffer,
).toString("base64");

function isLoud(bytes: Buffer): boolean {
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    if (Math.abs(bytes.readInt16LE(index)) > LOUD_SAMPLE) return true;
  }
  return false;
}
