import { AudioBase64Decoder } from "../../../src/bridge/provider/audio-base64.ts";
import type { AudioFormat } from "../../../src/bridge/provider/audio-format.ts";
import { CallerAudioQueue } from "../../../src/bridge/provider/caller-audio-queue.ts";
import {
  type JsonObject,
  objectField,
  parseObject,
  textField,
} from "../../../src/bridge/provider/json-fields.ts";
import { ProtocolOutbox } from "../../../src/bridge/provider/protocol-outbox.ts";
import type {
  ProtocolOutput,
  ProviderProtocol,
} from "../../../src/bridge/provider/provider-protocol.ts";
import { Redactor } from "../../../src/bridge/provider/redaction.ts";
import { closedByServer, stalled } from "../../../src/bridge/provider/session-errors.ts";
import { after, type Instant, type SidetoneError } from "../../../src/environment/index.ts";

const RATE: AudioFormat = { sampleRateHz: 24_000 };
/** The whole session is one response. */
const STREAM = "live";
const START_LIMIT_MS = 5000;

/**
 * OpenAI Live (§1.13) as far as it takes to prove that a provider without turns fits: full duplex,
 * audio without ids that never ends, no speech events, no interruption, tools as delegations.
 */
export class LiveProtocol implements ProviderProtocol {
  readonly counts = {};
  readonly #outbox = new ProtocolOutbox(new Redactor([], () => ["audio", "delta"]));
  readonly #input = new CallerAudioQueue({ input: RATE, appendMs: 20, readyBufferMs: 5000 });
  readonly #decoder = new AudioBase64Decoder(RATE);
  #state: "connecting" | "starting" | "ready" | "closed" = "connecting";
  #since: Instant;

  constructor(startedAt: Instant) {
    this.#since = startedAt;
  }

  get isTraced(): boolean {
    return this.#outbox.isTraced;
  }

  set isTraced(isTraced: boolean) {
    this.#outbox.isTraced = isTraced;
  }

  get sentAudioMs(): number {
    return this.#input.sentMs;
  }

  get nextTimeout(): Instant | undefined {
    return this.#state === "starting" ? after(this.#since, START_LIMIT_MS) : undefined;
  }

  takeOutput(): ProtocolOutput | undefined {
    return this.#outbox.take();
  }

  handleOpen(now: Instant): void {
    this.#state = "starting";
    this.#since = now;
    const audio = { format: { type: "audio/pcm", rate: RATE.sampleRateHz } };
    const session = { model: "gpt-live-1", audio, delegation: { type: "responses" } };
    this.#outbox.send({ type: "session.start", session }, now);
  }

  handleMessage(text: string, now: Instant): void {
    const event = parseObject(text) ?? {};
    this.#outbox.trace(event, "received", now);
    switch (textField(event, "type")) {
      case "session.started":
        this.#state = "ready";
        this.#outbox.emit({ type: "ready" }, now);
        break;
      case "session.output_audio.delta": {
        const samples = this.#decoder.decode(textField(event, "delta") ?? "");
        const audio = { type: "audio", responseId: STREAM, itemId: STREAM, samples } as const;
        this.#outbox.emit(audio, now);
        break;
      }
      case "session.input_transcript.delta":
        this.#outbox.emit({ type: "callerTranscript", text: textField(event, "delta") ?? "" }, now);
        break;
      case "session.output_transcript.delta": {
        const words = textField(event, "delta") ?? "";
        this.#outbox.emit({ type: "botTranscript", responseId: STREAM, text: words }, now);
        break;
      }
      case "response.event":
        this.#onDelegated(objectField(event, "event"), now);
        break;
      case "session.closed":
        this.#outbox.close({ code: 1000, reason: "" }, undefined, now);
        break;
      case undefined:
      default:
    }
  }

  handleSocketError(): void {}

  handleClose(code: number, reason: string, now: Instant): void {
    if (this.#state !== "closed") this.fail(closedByServer(code, reason), now);
  }

  handleTimeout(now: Instant): void {
    this.fail(stalled("session.started", START_LIMIT_MS, "none"), now);
  }

  appendAudio(samples: Int16Array, now: Instant): void {
    this.#input.write(samples, this.#state === "ready", (audio) => {
      this.#outbox.send({ type: "session.input_audio.append", audio }, now);
    });
  }

  /** The model hears itself being talked over, and knows what it said. */
  truncate(): void {}

  cancelResponse(): void {}

  sendToolResult(id: string, output: string, respond: boolean, now: Instant): void {
    const item = { type: "function_call_output", call_id: id, output };
    this.#outbox.send({ type: "response.item.create", item }, now);
    if (respond) this.#outbox.send({ type: "response.create" }, now);
  }

  requestResponse(instructions: string | undefined, now: Instant): void {
    const content = instructions ?? "Greet the caller.";
    this.#outbox.send({ type: "session.instructions.append", content }, now);
  }

  close(now: Instant): void {
    this.#state = "closed";
    this.#outbox.close({ code: 1000, reason: "" }, undefined, now);
  }

  fail(error: SidetoneError, now: Instant): void {
    this.#state = "closed";
    this.#outbox.close({ code: 1006, reason: error.code }, error, now);
  }

  #onDelegated(inner: JsonObject | undefined, now: Instant): void {
    const item = objectField(inner, "item");
    const id = textField(item, "call_id");
    const name = textField(item, "name");
    if (textField(inner, "type") !== "response.output_item.done") return;
    if (id === undefined || name === undefined) return;
    const args = parseObject(textField(item, "arguments") ?? "") ?? {};
    this.#outbox.emit({ type: "toolCall", id, name, args, responseId: STREAM }, now);
  }
}
