import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadVoices, resample, type VoiceLibrary } from "../../../src/audio/index.ts";
import { type GeminiOptions, geminiSettings } from "../../../src/bridge/gemini/gemini-options.ts";
import { GeminiProtocol } from "../../../src/bridge/gemini/gemini-protocol.ts";
import { type AiEvent, HANGUP_CALL_TOOL, SEND_DTMF_TOOL } from "../../../src/bridge/index.ts";
import {
  after,
  type FileStore,
  type Instant,
  instant,
  seededRandom,
} from "../../../src/environment/index.ts";
import type { Faults } from "../../../src/realtime-server/engine/faults.ts";
import { Repertoire } from "../../../src/realtime-server/engine/repertoire.ts";
import type { ServerEventDraft } from "../../../src/realtime-server/engine/server-event.ts";
import type { TokenGrant } from "../../../src/realtime-server/gemini/auth-tokens.ts";
import { GeminiServerSession } from "../../../src/realtime-server/gemini/gemini-server-session.ts";
import { ResumableSessions } from "../../../src/realtime-server/gemini/sessions.ts";
import { EncodedVoices } from "../../../src/realtime-server/openai/audio-format.ts";
import { parseScript } from "../../../src/realtime-server/script/parse-script.ts";

const FIXTURES = fileURLToPath(new URL("../../../fixtures", import.meta.url));
const RATE_HZ = 16_000;
const FRAME_MS = 20;

const files = {
  read: (path: string) => Promise.resolve(new Uint8Array(readFileSync(path))),
  readText: (path: string) => Promise.resolve(readFileSync(path, "utf8")),
  exists: (path: string) => Promise.resolve(existsSync(path)),
} as unknown as FileStore;

/** The recordings and the script that both ends know. */
export async function loadRepertoire(): Promise<{
  readonly voices: VoiceLibrary;
  readonly repertoire: Repertoire;
}> {
  const voices = await loadVoices(files, `${FIXTURES}/voices`);
  const text = readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8");
  const repertoire = new Repertoire(parseScript(text, "reception.yaml"), voices);
  return { voices, repertoire };
}

/** What one end told, and when, in ms since the pair began. */
export interface Told<What> {
  readonly ms: number;
  readonly what: What;
}

/**
 * Our Gemini client and our Gemini server, joined by a network without delay, in virtual time. The
 * caller speaks in frames of 20 ms, as it does in a call.
 */
export class GeminiPair {
  readonly events: Told<AiEvent>[] = [];
  readonly truths: Told<ServerEventDraft>[] = [];
  /** Messages of the server, and closes, in order. */
  readonly fromServer: (Readonly<Record<string, unknown>> | { readonly closed: number })[] = [];
  readonly client: GeminiProtocol;
  connections = 0;
  #now: Instant = instant(0);
  #server: GeminiServerSession | undefined;
  readonly #sessions = new ResumableSessions();
  readonly #voices: VoiceLibrary;
  readonly #repertoire: Repertoire;
  readonly #faults: Faults;
  readonly #grant: TokenGrant | undefined;

  constructor(
    shared: Awaited<ReturnType<typeof loadRepertoire>>,
    options: {
      readonly client?: Partial<GeminiOptions>;
      readonly faults?: Faults;
      readonly grant?: TokenGrant;
    } = {},
  ) {
    this.#voices = shared.voices;
    this.#repertoire = shared.repertoire;
    this.#faults = options.faults ?? {};
    this.#grant = options.grant;
    const settings = geminiSettings({
      url: "ws://server",
      apiKey: "AIzaPairPairPair",
      model: "gemini-3.8-live",
      tools: [HANGUP_CALL_TOOL, SEND_DTMF_TOOL],
      ...options.client,
    });
    this.client = new GeminiProtocol(settings, this.#now);
    this.#connect();
    this.client.handleOpen(this.#now);
    this.#settle();
  }

  get nowMs(): number {
    return this.#now;
  }

  /** The caller says a phrase of the recordings. */
  say(phrase: string): void {
    const voice = this.#voices.find("caller", phrase);
    const samples = resample(voice.samples, voice.sampleRateHz, RATE_HZ);
    this.#stream(samples);
  }

  /** The line gives the bot's own words back, so many dB quieter. */
  echo(phrase: string, levelDb: number): void {
    const voice = this.#voices.find("bot", phrase);
    const samples = resample(voice.samples, voice.sampleRateHz, RATE_HZ);
    this.#stream(samples.map((sample) => sample * 10 ** (levelDb / 20)));
  }

  /** The caller keeps silent. */
  silence(ms: number): void {
    this.#stream(new Int16Array((RATE_HZ * ms) / 1000));
  }

  /** Does something as the client, now. */
  act(action: (client: GeminiProtocol, now: Instant) => void): void {
    action(this.client, this.#now);
    this.#settle();
  }

  /** A message that our client would not send. */
  sendRaw(message: unknown): void {
    this.#server?.handleMessage(JSON.stringify(message), this.#now);
    this.#settle();
  }

  /** What came of one kind, in order. */
  told<Type extends AiEvent["type"]>(type: Type): Extract<AiEvent, { readonly type: Type }>[] {
    const isMeant = (event: AiEvent): event is Extract<AiEvent, { readonly type: Type }> =>
      event.type === type;
    return this.events.map(({ what }) => what).filter(isMeant);
  }

  /** When something came for the first time. */
  firstMs(type: AiEvent["type"]): number {
    return this.events.find(({ what }) => what.type === type)?.ms ?? Number.NaN;
  }

  #stream(samples: Int16Array): void {
    const frame = (RATE_HZ * FRAME_MS) / 1000;
    for (let offset = 0; offset < samples.length; offset += frame) {
      this.client.appendAudio(samples.subarray(offset, offset + frame), this.#now);
      this.#settle();
      this.#advance(FRAME_MS);
    }
  }

  #advance(ms: number): void {
    const end = after(this.#now, ms);
    for (;;) {
      const due = [this.client.nextTimeout, this.#server?.nextTimeout]
        .filter((each) => each !== undefined)
        .reduce<Instant>((left, right) => (left < right ? left : right), end);
      if (due >= end) break;
      this.#now = due > this.#now ? due : this.#now;
      this.client.handleTimeout(this.#now);
      this.#server?.handleTimeout(this.#now);
      this.#settle();
    }
    this.#now = end;
    this.client.handleTimeout(end);
    this.#server?.handleTimeout(end);
    this.#settle();
  }

  #connect(): void {
    this.connections += 1;
    this.#server = new GeminiServerSession({
      settings: () => ({
        repertoire: this.#repertoire,
        answerDelayMs: 400,
        faults: this.connections === 1 ? this.#faults : {},
      }),
      random: seededRandom(`connection ${this.connections}`),
      voices: new EncodedVoices(),
      sessions: this.#sessions,
      grant: this.#grant,
      openedAt: this.#now,
      sessionMsMax: 600_000,
    });
  }

  /** Carries messages to and fro until both ends have said what they had to say. */
  #settle(): void {
    while (this.#settleClient() || this.#settleServer());
  }

  /** @returns whether there was anything. */
  #settleClient(): boolean {
    const output = this.client.takeOutput();
    if (output?.kind === "send") this.#server?.handleMessage(output.text, this.#now);
    else if (output?.kind === "event") this.events.push({ ms: this.#now, what: output.event });
    else if (output?.kind === "connect") {
      this.#connect();
      this.client.handleOpen(this.#now);
    }
    return output !== undefined;
  }

  #settleServer(): boolean {
    const output = this.#server?.takeOutput();
    if (output?.kind === "truth") {
      this.#server?.handleSent(output.draft, this.#now);
      this.truths.push({ ms: this.#now, what: output.draft });
    } else if (output?.kind === "message") {
      this.fromServer.push(JSON.parse(output.text) as Record<string, unknown>);
      this.client.handleMessage(output.text, this.#now);
    } else if (output?.kind === "close") {
      this.fromServer.push({ closed: output.code });
      this.client.handleClose(output.code, output.reason, this.#now);
    }
    return output !== undefined;
  }
}
