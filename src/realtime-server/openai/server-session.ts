import { after, type Instant, type Random } from "../../environment/index.ts";
import { FAULT_CLOSE_CODE } from "../engine/faults.ts";
import { type HeardTurn, heardTurn, Listener, type TurnDetection } from "../engine/listener.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import type { SessionEngine, SessionOutput } from "../engine/session-output.ts";
import { AudioDecoder, bytesPerMs, type EncodedVoices, sampleRateOf } from "./audio-format.ts";
import {
  type ClientEvent,
  type ClientEventOf,
  type ClientItem,
  missing,
  parseClientEvent,
} from "./client-events.ts";
import {
  Conversation,
  type ItemView,
  noSuchItem,
  type StoredItem,
  viewOf,
} from "./conversation.ts";
import { Outbox } from "./outbox.ts";
import { SessionConfig } from "./session-config.ts";
import type { SessionUpdate } from "./session-schema.ts";
import { TurnTaking } from "./turn-taking.ts";
import { Ids, isProtocolError, type ProtocolError, protocolError } from "./wire.ts";

/** What a session begins with. */
export interface ServerSessionOptions {
  readonly settings: () => ServerSettings;
  /** This connection's own source, so that others do not change what it draws. */
  readonly random: Random;
  /** From the URL; `undefined`: the client may still choose. */
  readonly model: string | undefined;
  /** What the connection's ephemeral key was made for. */
  readonly session?: SessionUpdate;
  readonly voices: EncodedVoices;
  readonly openedAt: Instant;
  /** Only to tell the client when the session expires. */
  readonly wallClockMs: number;
  readonly sessionMsMax: number;
}

/** The provider refuses to commit less. */
const COMMIT_MS_MIN = 100;
/** "Going away" (RFC 6455 §7.4.1): what the provider closes an expired session with. */
const EXPIRED_CLOSE_CODE = 1001;

/**
 * The server's end of one connection that speaks the OpenAI Realtime protocol (GA).
 *
 * An engine: messages go in with their instant, outputs are drained by the caller, who arms one
 * timer for `nextTimeout`. Nothing that a client sends makes it throw. It knows no socket.
 */
export class ServerSession implements SessionEngine {
  readonly #options: ServerSessionOptions;
  readonly #ids: Ids;
  readonly #outbox: Outbox;
  readonly #config: SessionConfig;
  readonly #conversation: Conversation;
  readonly #turns: TurnTaking;
  readonly #listener: Listener;
  #decoder: AudioDecoder;
  readonly #closeAt: Instant | undefined;
  constructor(options: ServerSessionOptions) {
    const { settings, random, voices, openedAt } = options;
    const expiresAt = Math.floor((options.wallClockMs + options.sessionMsMax) / 1000);
    const { closeAfterMs } = settings().faults;
    this.#options = options;
    this.#ids = new Ids(random);
    this.#outbox = new Outbox(this.#ids, () => settings().faults);
    this.#config = SessionConfig.of(this.#ids.next("sess"), expiresAt, options);
    this.#conversation = new Conversation(this.#ids.next("conv"));
    this.#closeAt = closeAfterMs === undefined ? undefined : after(openedAt, closeAfterMs);
    this.#decoder = new AudioDecoder(this.#config.inputFormat);
    this.#listener = new Listener(sampleRateOf(this.#config.inputFormat), this.#turnDetection());
    this.#turns = new TurnTaking({
      settings,
      random,
      voices,
      ids: this.#ids,
      outbox: this.#outbox,
      config: this.#config,
      conversation: this.#conversation,
      ear: this.#listener,
    });
    this.#outbox.emit({ type: "session.created", session: this.#config.view() });
  }

  get nextTimeout(): Instant | undefined {
    if (this.#outbox.isClosed) return undefined;
    return [this.#turns.nextTimeout, this.#closeAt, this.#expiresAt].reduce((earliest, each) => {
      return earliest === undefined || (each !== undefined && each < earliest) ? each : earliest;
    });
  }

  takeOutput(): SessionOutput | undefined {
    return this.#outbox.take();
  }

  /** Learns when a message was handed to the socket; delays count from there. */
  handleSent(draft: ServerEventDraft, at: Instant): void {
    this.#turns.handleSent(draft, at);
  }

  handleTimeout(now: Instant): void {
    if (this.#outbox.isClosed) return;
    if (this.#closeAt !== undefined && this.#closeAt <= now) {
      this.#outbox.tellTruth({ type: "faultInjected", fault: "closeAfterMs" });
      this.#outbox.close(FAULT_CLOSE_CODE, "Closed on request (fault closeAfterMs).");
    } else if (this.#expiresAt <= now) {
      this.#expire();
    } else {
      this.#turns.handleTimeout(now);
    }
  }

  /** Takes one message of the client. */
  handleMessage(text: string, now: Instant): void {
    if (this.#outbox.isClosed) return;
    const value = parseObject(text);
    if (value === undefined) {
      const message = "We could not parse the message: it is not a JSON object.";
      this.#outbox.emitError(protocolError("invalid_json", message), undefined);
      return;
    }
    const error =
      value["type"] === "input_audio_buffer.append"
        ? this.#append(value["audio"], now)
        : this.#handleValue(value, now);
    if (error !== undefined) this.#outbox.emitError(error, value["event_id"]);
  }

  #handleValue(value: Readonly<Record<string, unknown>>, now: Instant): ProtocolError | undefined {
    const event = parseClientEvent(value);
    return isProtocolError(event) ? event : this.#handleEvent(event, now);
  }

  #handleEvent(event: ClientEvent, now: Instant): ProtocolError | undefined {
    switch (event.type) {
      case "session.update":
        return this.#updateSession(event);
      case "input_audio_buffer.commit":
        return this.#commit(now);
      case "input_audio_buffer.clear":
        this.#listener.clear();
        this.#outbox.emit({ type: "input_audio_buffer.cleared" });
        return undefined;
      case "conversation.item.create":
        return this.#createItem(event, now);
      case "conversation.item.retrieve":
        return this.#retrieve(event.item_id);
      case "conversation.item.delete":
        return this.#delete(event.item_id);
      case "conversation.item.truncate":
        return this.#truncate(event);
      case "response.create":
        return this.#turns.createResponse(event.response ?? {}, now);
      case "response.cancel":
        break;
    }
    return this.#turns.cancelResponse(event.response_id, now);
  }

  #append(audio: unknown, now: Instant): ProtocolError | undefined {
    if (audio === undefined) return missing("audio");
    const samples = typeof audio === "string" ? this.#decoder.decode(audio) : undefined;
    if (samples === undefined) {
      const message = "Invalid 'audio'. Expected base64-encoded audio bytes.";
      return protocolError("invalid_value", message, "audio");
    }
    for (const event of this.#listener.append(samples)) {
      this.#turns.handleListenerEvent(event, now);
    }
    return undefined;
  }

  #updateSession({ session }: ClientEventOf<"session.update">): ProtocolError | undefined {
    const before = JSON.stringify([this.#config.inputFormat, this.#turnDetection()]);
    const error = this.#config.update(session, this.#turns.hasSpoken);
    if (error !== undefined) return error;
    const { inputFormat } = this.#config;
    if (before !== JSON.stringify([inputFormat, this.#turnDetection()])) {
      this.#decoder = new AudioDecoder(inputFormat);
      this.#listener.configure(sampleRateOf(inputFormat), this.#turnDetection());
    }
    this.#outbox.emit({ type: "session.updated", session: this.#config.view() });
    return undefined;
  }

  #commit(now: Instant): ProtocolError | undefined {
    const { pendingMs } = this.#listener;
    if (pendingMs < COMMIT_MS_MIN) {
      const message =
        "Error committing input audio buffer: buffer too small. Expected at least " +
        `${COMMIT_MS_MIN}ms of audio, but buffer only has ${pendingMs.toFixed(2)}ms of audio.`;
      return protocolError("input_audio_buffer_commit_empty", message);
    }
    this.#turns.commit(this.#listener.commit(), now);
    return undefined;
  }

  #createItem(
    event: ClientEventOf<"conversation.item.create">,
    now: Instant,
  ): ProtocolError | undefined {
    const { item } = event;
    if (item.type === "function_call_output") {
      if (this.#conversation.findCall(item.call_id) === undefined) {
        const message = `No function call with the call_id '${item.call_id}' exists.`;
        return protocolError("invalid_value", message, "item.call_id");
      }
    }
    const heard = this.#heardIn(item);
    const view = viewOf(item, item.id ?? this.#ids.next("item"));
    const error = this.#conversation.add({ view }, event.previous_item_id);
    if (error !== undefined) return error;
    const previous = this.#conversation.idBefore(view.id);
    this.#outbox.emit({ type: "conversation.item.added", previous_item_id: previous, item: view });
    this.#outbox.emit({ type: "conversation.item.done", previous_item_id: previous, item: view });
    if (item.type === "function_call_output") this.#turns.noteToolOutput(item.call_id, item.output);
    const text = userTextOf(item);
    if (heard !== undefined) this.#turns.noteTurn(view.id, heard, { now });
    else if (text !== undefined) this.#turns.noteText(text);
    return undefined;
  }

  /** The audio of a user's message that the client composed itself. */
  #heardIn(item: ClientItem): HeardTurn | undefined {
    if (item.type !== "message" || item.role !== "user") return undefined;
    const part = item.content.find(({ type }) => type === "input_audio");
    if (part?.type !== "input_audio") return undefined;
    const samples = new AudioDecoder(this.#config.inputFormat).decode(part.audio);
    if (samples === undefined) return undefined;
    return heardTurn(samples, sampleRateOf(this.#config.inputFormat));
  }

  #retrieve(itemId: string): ProtocolError | undefined {
    const stored = this.#conversation.find(itemId);
    if (stored === undefined) return noSuchItem("retrieve", itemId);
    this.#outbox.emit({ type: "conversation.item.retrieved", item: withAudio(stored) });
    return undefined;
  }

  #delete(itemId: string): ProtocolError | undefined {
    if (!this.#conversation.delete(itemId)) return noSuchItem("delete", itemId);
    this.#outbox.emit({ type: "conversation.item.deleted", item_id: itemId });
    return undefined;
  }

  #truncate(event: ClientEventOf<"conversation.item.truncate">): ProtocolError | undefined {
    const { item_id: itemId, audio_end_ms: audioEndMs } = event;
    const error = this.#conversation.truncate(itemId, audioEndMs);
    if (error !== undefined) return error;
    this.#turns.noteTruncation();
    this.#outbox.tellTruth({ type: "truncated", itemId, audioEndMs });
    this.#outbox.emit({
      type: "conversation.item.truncated",
      item_id: itemId,
      content_index: 0,
      audio_end_ms: audioEndMs,
    });
    return undefined;
  }

  get #expiresAt(): Instant {
    const { openedAt, sessionMsMax, settings } = this.#options;
    return after(openedAt, settings().faults.expireAfterMs ?? sessionMsMax);
  }

  #expire(): void {
    const { sessionMsMax, settings } = this.#options;
    if (settings().faults.expireAfterMs !== undefined) {
      this.#outbox.tellTruth({ type: "faultInjected", fault: "expireAfterMs" });
    }
    const minutes = Math.round(sessionMsMax / 60_000);
    const message = `Your session hit the maximum duration of ${minutes} minutes.`;
    this.#outbox.emitError(protocolError("session_expired", message), undefined);
    this.#outbox.close(EXPIRED_CLOSE_CODE, message);
  }

  #turnDetection(): TurnDetection | undefined {
    return this.#config.turnDetection(this.#options.settings().repertoire.semanticMinSpeechMs);
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The last words that a user wrote. */
function userTextOf(item: ClientItem): string | undefined {
  if (item.type !== "message" || item.role !== "user") return undefined;
  return item.content.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).at(-1);
}

/** An item with its audio, as far as the client has got it. */
function withAudio({ view, audio }: StoredItem): ItemView {
  const [content] = (view["content"] ?? []) as readonly Record<string, unknown>[];
  if (audio === undefined || content === undefined) return view;
  const bytes = Math.round(audio.sentMs * bytesPerMs(audio.format));
  const base64 = Buffer.from(audio.bytes.subarray(0, bytes)).toString("base64");
  return { ...view, content: [{ ...content, audio: base64, format: audio.format }] };
}
