import {
  after,
  elapsedMs,
  type Instant,
  type Random,
  randomToken,
} from "../../environment/index.ts";
import { FAULT_CLOSE_CODE } from "../engine/faults.ts";
import { Listener } from "../engine/listener.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import type { SessionEngine, SessionOutput } from "../engine/session-output.ts";
import { AudioDecoder, type EncodedVoices } from "../openai/audio-format.ts";
import type { TokenGrant } from "./auth-tokens.ts";
import {
  type Blob,
  type ClientContent,
  declaredRateHz,
  type RealtimeInput,
  readClientMessage,
  type ToolResult,
} from "./client-messages.ts";
import { GeminiTurnTaking } from "./gemini-turn-taking.ts";
import { ServerOutbox } from "./server-outbox.ts";
import { newMemory, type ResumableSessions, type SessionMemory } from "./sessions.ts";
import { readSetup, type Setup } from "./setup.ts";

/** What a session begins with. */
export interface GeminiServerSessionOptions {
  readonly settings: () => ServerSettings;
  /** This connection's own source, so that others do not change what it draws. */
  readonly random: Random;
  readonly voices: EncodedVoices;
  readonly sessions: ResumableSessions;
  /** What the token that opened the connection allows; `undefined`: it was the server's own key. */
  readonly grant: TokenGrant | undefined;
  readonly openedAt: Instant;
  readonly sessionMsMax: number;
}

const INVALID = 1007;
const POLICY = 1008;
const EXPIRED = 1011;
const NATIVE_RATE_HZ = 16_000;
/** The provider warns a minute before a connection ends. */
const WARNING_MS = 60_000;
/** Where it is told to warn, it ends the connection soon afterwards. */
const HASTE_MS = 10_000;

/**
 * The server's end of one connection that speaks the Gemini Live protocol.
 *
 * An engine, see `SessionEngine`. What a client gets wrong ends the connection with a code and a
 * reason: the protocol has no error messages.
 */
export class GeminiServerSession implements SessionEngine {
  readonly #options: GeminiServerSessionOptions;
  readonly #outbox: ServerOutbox;
  #rateHz = NATIVE_RATE_HZ;
  /** Audio heard over this connection. */
  #heardMs = 0;
  readonly #decoder = new AudioDecoder({ type: "audio/pcm", rate: 24_000 });
  #setup: Setup | undefined;
  #listener: Listener | undefined;
  #turns: GeminiTurnTaking | undefined;
  #memory: SessionMemory;
  #hasWarned = false;

  constructor(options: GeminiServerSessionOptions) {
    this.#options = options;
    this.#outbox = new ServerOutbox(() => options.settings().faults);
    this.#memory = newMemory(options.settings().repertoire.state);
  }

  get nextTimeout(): Instant | undefined {
    if (this.#outbox.isClosed) return undefined;
    const ends = [this.#closeAt, this.#hasWarned ? undefined : this.#warnAt, this.#expiresAt];
    return [this.#turns?.nextTimeout, ...ends].reduce((earliest, each) =>
      earliest === undefined || (each !== undefined && each < earliest) ? each : earliest,
    );
  }

  takeOutput(): SessionOutput | undefined {
    return this.#outbox.take();
  }

  handleSent(draft: ServerEventDraft, at: Instant): void {
    this.#turns?.handleSent(draft, at);
  }

  handleTimeout(now: Instant): void {
    if (this.#outbox.isClosed) return;
    const closeAt = this.#closeAt;
    if (closeAt !== undefined && closeAt <= now) {
      this.#outbox.tellTruth({ type: "faultInjected", fault: "closeAfterMs" });
      this.#outbox.close(FAULT_CLOSE_CODE, "Closed on request (fault closeAfterMs).");
    } else if (this.#expiresAt <= now) {
      if (this.#options.settings().faults.expireAfterMs !== undefined) {
        this.#outbox.tellTruth({ type: "faultInjected", fault: "expireAfterMs" });
      }
      this.#outbox.close(EXPIRED, "Deadline expired before operation could complete.");
    } else {
      if (!this.#hasWarned && this.#warnAt <= now) this.#warn(now);
      this.#turns?.handleTimeout(now);
      this.#offerResumption();
    }
  }

  handleMessage(text: string, now: Instant): void {
    if (this.#outbox.isClosed) return;
    const message = readClientMessage(text);
    if (message.kind === "malformed") {
      this.#refuse(message.reason);
      return;
    }
    if (message.kind === "setup") {
      this.#setUp(message.setup);
      return;
    }
    if (this.#setup === undefined || this.#turns === undefined) {
      this.#refuse("The first message must be setup.");
      return;
    }
    if (message.kind === "realtimeInput") this.#hear(message.input, now);
    else if (message.kind === "clientContent") this.#read(message.content, now);
    else if (message.kind === "contextUpdate") this.#turns.declareTools(message.toolNames);
    else this.#takeResults(message.results, now);
  }

  get #closeAt(): Instant | undefined {
    const { closeAfterMs } = this.#options.settings().faults;
    return closeAfterMs === undefined ? undefined : after(this.#options.openedAt, closeAfterMs);
  }

  get #expiresAt(): Instant {
    const { openedAt, sessionMsMax, settings } = this.#options;
    const { goAwayAfterMs, expireAfterMs } = settings().faults;
    if (expireAfterMs !== undefined) return after(openedAt, expireAfterMs);
    const leftMs = goAwayAfterMs === undefined ? sessionMsMax : goAwayAfterMs + HASTE_MS;
    return after(openedAt, Math.min(sessionMsMax, leftMs));
  }

  get #warnAt(): Instant {
    const { sessionMsMax, openedAt, settings } = this.#options;
    const asked = settings().faults.goAwayAfterMs;
    return after(openedAt, asked ?? Math.max(sessionMsMax / 2, sessionMsMax - WARNING_MS));
  }

  #refuse(reason: string, code: number = INVALID): void {
    this.#outbox.tellTruth({ type: "errorSent", code: String(code) });
    this.#outbox.close(code, reason.slice(0, 120));
  }

  #setUp(asked: unknown): void {
    if (this.#setup !== undefined) {
      this.#refuse("A session is set up once.");
      return;
    }
    const { grant } = this.#options;
    if (this.#options.settings().faults.tokenExpired === true) {
      this.#outbox.tellTruth({ type: "faultInjected", fault: "tokenExpired" });
      this.#refuse("The token has expired or was used up.", POLICY);
      return;
    }
    const fields = asObject(asked) ?? {};
    const { semanticMinSpeechMs } = this.#options.settings().repertoire;
    const setup = readSetup(grant === undefined ? fields : grant.lock(fields), semanticMinSpeechMs);
    if (typeof setup === "string") this.#refuse(setup);
    else if (this.#admit(setup)) this.#begin(setup);
  }

  /** Finds the session to go on with, and uses the token. @returns false where it may not begin. */
  #admit({ handle }: Setup): boolean {
    const { grant, sessions } = this.#options;
    const resumed = handle === undefined ? undefined : sessions.find(handle);
    if (handle !== undefined && resumed === undefined) {
      this.#refuse("The session to resume was not found.", POLICY);
      return false;
    }
    if (grant?.use(resumed === undefined) === false) {
      this.#refuse("The token has expired or was used up.", POLICY);
      return false;
    }
    this.#memory = resumed ?? this.#memory;
    return true;
  }

  #begin(setup: Setup): void {
    this.#setup = setup;
    this.#listener = new Listener(this.#rateHz, setup.turnDetection);
    this.#turns = new GeminiTurnTaking({
      ...this.#options,
      setup,
      outbox: this.#outbox,
      memory: this.#memory,
      expectEcho: (limitDbov, durationMs) => this.#listener?.expectEcho(limitDbov, durationMs),
    });
    this.#outbox.emit({ setupComplete: {} });
    this.#offerResumption();
  }

  /** A new handle whenever the session stands where it can be gone on with. */
  #offerResumption(): void {
    if (this.#setup?.isResumable !== true || this.#turns?.takeMilestone() !== true) return;
    const newHandle = randomToken(this.#options.random, 32);
    this.#options.sessions.keep(newHandle, this.#memory);
    this.#outbox.emit({ sessionResumptionUpdate: { newHandle, resumable: true } });
  }

  #warn(now: Instant): void {
    this.#hasWarned = true;
    const leftMs = Math.max(0, elapsedMs(now, this.#expiresAt));
    if (this.#options.settings().faults.goAwayAfterMs !== undefined) {
      this.#outbox.tellTruth({ type: "faultInjected", fault: "goAwayAfterMs" });
    }
    this.#outbox.emit({ goAway: { timeLeft: `${Math.round(leftMs / 100) / 10}s` } });
  }

  #hear(input: RealtimeInput, now: Instant): void {
    if (input.text !== undefined) this.#turns?.answerText(input.text, now);
    if (input.activityStart !== undefined) this.#turns?.startTurn(this.#audioMs(), now);
    for (const blob of [input.audio, ...(input.mediaChunks ?? [])]) {
      if (blob !== undefined && !this.#append(blob, now)) return;
    }
    const isOver = input.activityEnd !== undefined || input.audioStreamEnd === true;
    if (isOver) this.#endTurn(input.activityEnd !== undefined, now);
  }

  /** The client says that the caller has finished, or that no more audio comes. */
  #endTurn(isSaid: boolean, now: Instant): void {
    const listener = this.#listener;
    if (listener === undefined || !(isSaid || listener.isSpeaking)) return;
    this.#turns?.endTurn(listener.commit(), this.#audioMs(), now);
  }

  /** @returns false where the audio cannot be taken; the connection is closed then. */
  #append({ data, mimeType }: Blob, now: Instant): boolean {
    const rateHz = declaredRateHz(mimeType);
    // Python's client writes the URL-safe alphabet.
    const samples = this.#decoder.decode(data.replaceAll("-", "+").replaceAll("_", "/"));
    if (rateHz === undefined || samples === undefined) {
      this.#refuse("Invalid audio: PCM in base64 is needed, with its rate in the MIME type.");
      return false;
    }
    if (rateHz !== this.#rateHz) {
      this.#rateHz = rateHz;
      this.#listener?.configure(rateHz, this.#setup?.turnDetection);
    }
    this.#heardMs += (samples.length * 1000) / rateHz;
    for (const event of this.#listener?.append(samples) ?? []) {
      this.#turns?.handleListenerEvent(event, now);
    }
    return true;
  }

  #audioMs(): number {
    return Math.round(this.#heardMs);
  }

  #read({ turns, turnComplete }: ClientContent, now: Instant): void {
    const texts = (turns ?? []).flatMap(({ parts }) => (parts ?? []).map(({ text }) => text ?? ""));
    if (turnComplete !== false) this.#turns?.answerText(texts.at(-1) ?? "", now);
  }

  #takeResults(results: readonly ToolResult[], now: Instant): void {
    for (const each of results) this.#turns?.handleToolResult(each, now);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
}
