import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadVoices, resample, type VoiceLibrary } from "../../audio/index.ts";
import { MULAW } from "../../codec/index.ts";
import {
  after,
  type FileStore,
  type Instant,
  instant,
  seededRandom,
} from "../../environment/index.ts";
import { Repertoire } from "../engine/repertoire.ts";
import type { ServerEventDraft } from "../engine/server-event.ts";
import type { ServerSettings } from "../engine/server-settings.ts";
import { parseScript } from "../script/parse-script.ts";
import { EncodedVoices } from "./audio-format.ts";
import { ServerSession } from "./server-session.ts";

const FIXTURES = fileURLToPath(new URL("../../../fixtures", import.meta.url));
const FRAME = 480;

const files = {
  read: (path: string) => Promise.resolve(new Uint8Array(readFileSync(path))),
  readText: (path: string) => Promise.resolve(readFileSync(path, "utf8")),
  exists: (path: string) => Promise.resolve(existsSync(path)),
} as unknown as FileStore;

let voices: VoiceLibrary;
let reception: Repertoire;

beforeAll(async () => {
  voices = await loadVoices(files, `${FIXTURES}/voices`);
  reception = repertoireOf(readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8"));
});

function repertoireOf(yaml: string): Repertoire {
  return new Repertoire(parseScript(yaml, "test.yaml"), voices);
}

interface Message {
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- messages are compared, not computed with.
  readonly [field: string]: any;
}

/** Caller's speech as it arrives at the AI after a telephone line: 8 kHz, µ-law, then 24 kHz. */
function overTheTelephone(idOrText: string): Int16Array {
  const { samples, sampleRateHz } = voices.find("caller", idOrText);
  const narrow = resample(samples, sampleRateHz, 8000);
  const payload = new Uint8Array(narrow.length);
  MULAW.compress(narrow, payload);
  MULAW.expand(payload, narrow);
  return resample(narrow, 8000, 24_000);
}

function base64(samples: Int16Array): string {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString("base64");
}

/** A client under manual time: what it receives is noted with the instant of its sending. */
class Client {
  readonly received: { readonly at: number; readonly message: Message }[] = [];
  readonly truths: { readonly at: number; readonly draft: ServerEventDraft }[] = [];
  closed: { readonly at: number; readonly code: number; readonly reason: string } | undefined;
  settings: ServerSettings;
  now: Instant = instant(5000.25);
  readonly #session: ServerSession;
  #eventNumber = 0;

  constructor(
    settings: Partial<ServerSettings> = {},
    options: { model?: string; seed?: string } = {},
  ) {
    this.settings = { repertoire: reception, answerDelayMs: undefined, faults: {}, ...settings };
    this.#session = new ServerSession({
      settings: () => this.settings,
      random: seededRandom(options.seed ?? "test"),
      model: options.model ?? "gpt-realtime-2.1",
      voices: new EncodedVoices(),
      openedAt: this.now,
      wallClockMs: 1_800_000_000_000,
      sessionMsMax: 3_600_000,
    });
    this.#drain();
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.sendText(JSON.stringify(event));
  }

  sendText(text: string): void {
    this.#session.handleMessage(text, this.now);
    this.#drain();
    this.#handleDue();
  }

  update(session: Readonly<Record<string, unknown>>): void {
    this.send({ type: "session.update", session: { type: "realtime", ...session } });
  }

  /** Sends audio in real time, 20 ms after 20 ms. */
  play(samples: Int16Array): void {
    for (let at = 0; at < samples.length; at += FRAME) {
      const audio = base64(samples.subarray(at, at + FRAME));
      this.send({ type: "input_audio_buffer.append", audio });
      this.advance(20);
    }
  }

  silence(ms: number): void {
    this.play(new Int16Array(ms * 24));
  }

  /** Says something and waits in silence until the answer was sent. */
  say(idOrText: string, silenceMs = 700): void {
    this.play(overTheTelephone(idOrText));
    this.silence(silenceMs);
  }

  advance(ms: number): void {
    const end = after(this.now, ms);
    for (let due = this.#session.nextTimeout; due !== undefined && due <= end; ) {
      if (due > this.now) this.now = due;
      this.#session.handleTimeout(this.now);
      this.#drain();
      due = this.#session.nextTimeout;
    }
    this.now = end;
  }

  /** Types since the last call, with runs of one type told once. */
  takeTypes(): string[] {
    const types = this.received.slice(this.#eventNumber).map(({ message }) => message.type);
    this.#eventNumber = this.received.length;
    return types.filter((type, index) => type !== types[index - 1]);
  }

  of(type: string): Message[] {
    return this.received.flatMap(({ message }) => (message.type === type ? [message] : []));
  }

  last(type: string): Message {
    const found = this.of(type).at(-1);
    if (found === undefined) throw new Error(`no ${type} was received`);
    return found;
  }

  /** When the nth (from 0) message of a type was sent. */
  at(type: string, index = 0): number {
    const found = this.received.filter(({ message }) => message.type === type)[index];
    if (found === undefined) throw new Error(`no ${type} was received`);
    return found.at;
  }

  truth<Type extends ServerEventDraft["type"]>(
    type: Type,
  ): Extract<ServerEventDraft, { type: Type }>[] {
    return this.truths.flatMap(({ draft }) => {
      return draft.type === type ? [draft as Extract<ServerEventDraft, { type: Type }>] : [];
    });
  }

  /** All audio of one response, as bytes. */
  audioOf(responseId: string): Buffer {
    const deltas = this.of("response.output_audio.delta");
    const own = deltas.filter(({ response_id }) => response_id === responseId);
    return Buffer.concat(own.map(({ delta }) => Buffer.from(delta as string, "base64")));
  }

  #handleDue(): void {
    this.advance(0);
  }

  #drain(): void {
    for (let each = this.#session.takeOutput(); each; each = this.#session.takeOutput()) {
      const at = this.now;
      if (each.kind === "message") this.received.push({ at, message: JSON.parse(each.text) });
      else if (each.kind === "truth") this.truths.push({ at, draft: each.draft });
      else this.closed = { at, code: each.code, reason: each.reason };
    }
  }
}

const SPOKEN_TURN = [
  "input_audio_buffer.speech_started",
  "input_audio_buffer.speech_stopped",
  "input_audio_buffer.committed",
  "conversation.item.added",
  "conversation.item.done",
  "response.created",
  "response.output_item.added",
  "conversation.item.added",
  "response.content_part.added",
  "response.output_audio_transcript.delta",
  "response.output_audio.delta",
];
const MESSAGE_ENDS = [
  "response.output_audio.done",
  "response.output_audio_transcript.done",
  "response.content_part.done",
  "conversation.item.done",
  "response.output_item.done",
];
const RESPONSE_ENDS = ["response.done", "rate_limits.updated"];
const HANGUP_TOOL = { type: "function", name: "hangup_call", parameters: { type: "object" } };

function withoutAudioAndWords(types: readonly string[]): string[] {
  return types.filter((type) => !/audio\.delta|transcript\.delta/u.test(type));
}

function semanticClient(): Client {
  const client = new Client();
  client.update({ audio: { input: { turn_detection: { type: "semantic_vad" } } } });
  client.silence(500);
  client.takeTypes();
  return client;
}

/** A client to which the long answer has just begun to be sent. */
function duringLongAnswer(settings: Partial<ServerSettings> = {}): Client {
  const client = new Client(settings);
  client.play(overTheTelephone("Tell me about the hotel."));
  while (client.of("response.output_audio.delta").length === 0) client.silence(20);
  client.takeTypes();
  return client;
}

function callingClient(): Client {
  const client = new Client();
  client.update({ tools: [HANGUP_TOOL, { ...HANGUP_TOOL, name: "send_dtmf" }] });
  client.takeTypes();
  return client;
}

function afterAnAnswer(): { client: Client; userId: string; botId: string } {
  const client = new Client();
  client.say("What time is breakfast?");
  client.advance(3000);
  const [user, bot] = client.of("conversation.item.added").map(({ item }) => item.id as string);
  return { client, userId: user ?? "", botId: bot ?? "" };
}

function systemItem(id: string) {
  return { id, type: "message", role: "system", content: [] };
}

function conversation(seed: string) {
  const client = new Client({}, { seed });
  client.say("Tell me about the hotel.", 4000);
  return client.received;
}

describe("a session", () => {
  it("begins with session.created and all that is in force", () => {
    const client = new Client({}, { model: "gpt-realtime" });

    expect(client.takeTypes()).toEqual(["session.created"]);
    expect(client.last("session.created")).toMatchObject({
      event_id: expect.stringMatching(/^event_[0-9A-Za-z]{21}$/u),
      session: {
        type: "realtime",
        object: "realtime.session",
        id: expect.stringMatching(/^sess_/u),
        model: "gpt-realtime",
        output_modalities: ["audio"],
        tools: [],
        tool_choice: "auto",
        max_output_tokens: "inf",
        expires_at: 1_800_003_600,
        audio: {
          input: {
            format: { type: "audio/pcm", rate: 24_000 },
            transcription: null,
            noise_reduction: null,
            turn_detection: {
              type: "server_vad",
              silence_duration_ms: 200,
              prefix_padding_ms: 300,
            },
          },
          output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "alloy", speed: 1 },
        },
      },
    });
  });

  it("echoes the complete session after a partial update", () => {
    const client = new Client();

    client.update({
      instructions: "Be brief.",
      tools: [HANGUP_TOOL],
      audio: {
        input: {
          format: { type: "audio/pcmu" },
          turn_detection: { type: "server_vad", silence_duration_ms: 350 },
          transcription: { model: "whisper-1" },
        },
      },
    });

    const { session } = client.last("session.updated");
    expect(session).toEqual({
      ...client.last("session.created")["session"],
      instructions: "Be brief.",
      tools: [HANGUP_TOOL],
      audio: {
        input: {
          format: { type: "audio/pcmu" },
          noise_reduction: null,
          transcription: { model: "whisper-1", language: null, prompt: null },
          turn_detection: {
            type: "server_vad",
            threshold: 0.5,
            prefix_padding_ms: 300,
            silence_duration_ms: 350,
            idle_timeout_ms: null,
            create_response: true,
            interrupt_response: true,
          },
        },
        output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin", speed: 1 },
      },
    });
  });

  it("accepts what the Agents SDK sends at its start", () => {
    const client = new Client();

    client.update({
      model: "gpt-realtime-2.1",
      instructions: "x",
      output_modalities: ["audio"],
      tool_choice: "auto",
      audio: {
        input: {
          format: { type: "audio/pcm", rate: 24_000 },
          noise_reduction: null,
          transcription: { model: "gpt-4o-mini-transcribe" },
          turn_detection: { type: "semantic_vad" },
        },
        output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "ash" },
      },
      tools: [
        {
          ...HANGUP_TOOL,
          parameters: { $schema: "x", type: "object", additionalProperties: false },
        },
      ],
    });
    client.update({ tracing: "auto" });

    expect(client.takeTypes()).toEqual(["session.created", "session.updated"]);
    expect(client.last("session.updated")["session"].audio.input.turn_detection).toEqual({
      type: "semantic_vad",
      eagerness: "auto",
      create_response: true,
      interrupt_response: true,
    });
  });

  it.each([
    ["voice", "session.voice", { voice: "alloy" }],
    ["modalities", "session.modalities", { modalities: ["audio", "text"] }],
    ["a beta format", "session.input_audio_format", { input_audio_format: "pcm16" }],
    ["a nested novelty", "session.audio.input.foo", { audio: { input: { foo: 1 } } }],
  ])("refuses the unknown parameter: %s", (_what, param, session) => {
    const client = new Client();

    client.send({
      type: "session.update",
      event_id: "mine",
      session: { type: "realtime", ...session },
    });

    expect(client.last("error")["error"]).toEqual({
      type: "invalid_request_error",
      code: "unknown_parameter",
      message: `Unknown parameter: '${param}'.`,
      param,
      event_id: "mine",
    });
    expect(client.of("session.updated")).toEqual([]);
  });

  it("wants the session's type", () => {
    const client = new Client();

    client.send({ type: "session.update", session: { instructions: "x" } });

    expect(client.last("error")["error"]).toMatchObject({
      code: "missing_required_parameter",
      param: "session.type",
      event_id: null,
    });
  });

  it("refuses a change of model, and of the voice once the bot has spoken", () => {
    const client = new Client();

    client.update({ model: "gpt-realtime-mini" });
    client.send({ type: "response.create" });
    client.advance(3000);
    client.update({ audio: { output: { voice: "cedar" } } });

    expect(client.of("error").map((each) => each["error"].param)).toEqual([
      "session.model",
      "session.audio.output.voice",
    ]);
  });

  it.each([
    ["no JSON", "{", "invalid_json", null],
    ["no object", "[]", "invalid_json", null],
    ["no type", "{}", "missing_required_parameter", "type"],
    ["an unknown type", '{"type":"x"}', "invalid_value", "type"],
    [
      "audio that is none",
      '{"type":"input_audio_buffer.append","audio":"ä"}',
      "invalid_value",
      "audio",
    ],
    ["no audio", '{"type":"input_audio_buffer.append"}', "missing_required_parameter", "audio"],
    [
      "a truncation by a fraction",
      '{"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":1.5}',
      "invalid_value",
      "audio_end_ms",
    ],
  ])("answers %s with an error, and goes on", (_what, text, code, param) => {
    const client = new Client();

    client.sendText(text);

    expect(client.last("error")["error"]).toMatchObject({ code, param });
    expect(client.closed).toBeUndefined();
  });

  it("expires", () => {
    const client = new Client();

    client.advance(3_600_000);

    expect(client.last("error")["error"].code).toBe("session_expired");
    expect(client.closed).toMatchObject({
      code: 1001,
      reason: "Your session hit the maximum duration of 60 minutes.",
    });
  });
});

describe("a spoken turn", () => {
  it("has the events in the order that was recorded", () => {
    const client = new Client();
    client.silence(1000);
    client.takeTypes();

    client.say("What time is breakfast?");
    client.advance(3000);

    expect(withoutAudioAndWords(client.takeTypes())).toEqual(
      withoutAudioAndWords([...SPOKEN_TURN, ...MESSAGE_ENDS, ...RESPONSE_ENDS]),
    );
    const order = client.received.map(({ message }) => message.type);
    expect(order.indexOf("response.output_audio_transcript.delta")).toBeLessThan(
      order.indexOf("response.output_audio.delta"),
    );
  });

  it("tells its times on the time of the audio", () => {
    const client = new Client();
    const { onsetMs, offsetMs } = voices.find("caller", "What time is breakfast?");
    client.silence(1000);

    client.say("What time is breakfast?");

    const startMs = client.last("input_audio_buffer.speech_started")["audio_start_ms"] as number;
    const endMs = client.last("input_audio_buffer.speech_stopped")["audio_end_ms"] as number;
    expect(Math.abs(startMs - (1000 + onsetMs - 300))).toBeLessThanOrEqual(40);
    expect(Math.abs(endMs - (1000 + offsetMs + 500))).toBeLessThanOrEqual(60);
  });

  it("ties its events together by ids", () => {
    const client = new Client();
    client.say("What time is breakfast?");
    client.advance(3000);

    const itemId = client.last("input_audio_buffer.speech_started")["item_id"] as string;
    const [user, bot] = client.of("conversation.item.added");
    const response = client.last("response.done")["response"];
    expect(client.last("input_audio_buffer.committed")).toMatchObject({
      item_id: itemId,
      previous_item_id: null,
    });
    expect(user?.["item"]).toEqual({
      id: itemId,
      type: "message",
      status: "completed",
      role: "user",
      content: [{ type: "input_audio", transcript: null }],
    });
    expect(bot?.["previous_item_id"]).toBe(itemId);
    expect(client.last("response.content_part.added")["part"]).toEqual({
      type: "audio",
      transcript: "",
    });
    expect(response).toMatchObject({
      status: "completed",
      status_details: null,
      output: [
        {
          id: bot?.["item"].id,
          status: "completed",
          phase: "final_answer",
          content: [{ type: "output_audio", transcript: voices.find("bot", "breakfast").text }],
        },
      ],
      usage: { output_token_details: { audio_tokens: expect.any(Number) } },
    });
    for (const { message } of client.received) expect(message["event_id"]).toMatch(/^event_/u);
    for (const delta of client.of("response.output_audio.delta")) {
      expect(delta).toMatchObject({ output_index: 0, content_index: 0, item_id: bot?.["item"].id });
    }
  });

  it("sends the recording, whole and unchanged", () => {
    const client = new Client();
    client.say("What time is breakfast?");
    client.advance(3000);

    const sent = client.audioOf(client.last("response.done")["response"].id);

    const { samples } = voices.find("bot", "breakfast");
    expect(sent.equals(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))).toBe(
      true,
    );
  });

  it.each([0, 1, 137.5, 400, 2500])("answers after %s ms to the millisecond", (answerDelayMs) => {
    const client = new Client({ answerDelayMs });
    client.say("What time is breakfast?", 4000);

    const stoppedAt = client.at("input_audio_buffer.speech_stopped");
    const truth = client.truths.find(({ draft }) => draft.type === "firstAudioSent");
    expect(client.at("response.output_audio.delta") - stoppedAt).toBe(answerDelayMs);
    expect(truth).toMatchObject({
      at: stoppedAt + answerDelayMs,
      draft: { turn: 1, utteranceId: "breakfast", answerDelayMs },
    });
  });

  it("takes the delay of a turn before that of the server, and that before the script's", () => {
    const yaml = `
name: Delays
otherwise: not-understood
answerDelayMs: 250
turns:
  - { hears: What time is breakfast?, says: breakfast, afterMs: 900 }
  - { hears: Dial four two., says: dialling }
`;
    const client = new Client({ repertoire: repertoireOf(yaml) });
    client.say("What time is breakfast?", 3000);
    client.say("Dial four two.", 3000);
    client.settings = { ...client.settings, answerDelayMs: 600 };
    client.say("Dial four two.", 3000);

    expect(client.truth("firstAudioSent").map(({ answerDelayMs }) => answerDelayMs)).toEqual([
      900, 250, 600,
    ]);
  });

  it("transcribes on request, after the events of the turn", () => {
    const client = new Client();
    client.update({ audio: { input: { transcription: { model: "whisper-1" } } } });
    client.say("What time is breakfast?");
    client.advance(3000);

    const order = client.received.map(({ message }) => message.type);
    const type = "conversation.item.input_audio_transcription.completed";
    expect(client.last(type)).toMatchObject({
      item_id: client.last("input_audio_buffer.committed")["item_id"],
      content_index: 0,
      transcript: "What time is breakfast?",
      usage: { type: "duration", seconds: expect.any(Number) },
    });
    expect(order.indexOf(type)).toBeGreaterThan(order.indexOf("response.created"));
  });

  it("understands each phrase of its script over a telephone line, and no other", () => {
    const phrases = voices.all("caller").map(({ id }) => id);
    const heard = phrases.map((id) => {
      const client = new Client({ answerDelayMs: 0 });
      client.update({ audio: { input: { turn_detection: { type: "server_vad" } } } });
      client.silence(300);
      client.say(id);
      return [id, client.truth("heard")[0]?.phraseId];
    });

    const known = phrases.filter((id) => {
      return reception.phraseWritten(voices.find("caller", id).text) !== undefined;
    });
    expect(known.length).toBeGreaterThanOrEqual(5);
    expect(known.length).toBeLessThan(phrases.length);
    expect(heard).toEqual(phrases.map((id) => [id, known.includes(id) ? id : undefined]));
  });

  it("says the script's otherwise to what it does not know", () => {
    const client = new Client();
    client.say("Do you sell bicycles?");
    client.advance(3000);

    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "not-understood").text,
    );
  });

  it("listens to µ-law, and speaks it", () => {
    const client = new Client();
    client.update({
      audio: {
        input: { format: { type: "audio/pcmu" } },
        output: { format: { type: "audio/pcmu" } },
      },
    });
    const { samples, sampleRateHz } = voices.find("caller", "what-time-is-breakfast");
    const narrow = resample(samples, sampleRateHz, 8000);
    const payload = new Uint8Array(narrow.length + 6400).fill(0xff);
    MULAW.compress(narrow, payload);
    for (let at = 0; at < payload.length; at += 160) {
      const audio = Buffer.from(payload.subarray(at, at + 160)).toString("base64");
      client.send({ type: "input_audio_buffer.append", audio });
      client.advance(20);
    }
    client.advance(3000);

    const voice = voices.find("bot", "breakfast");
    expect(client.truth("heard")[0]?.phraseId).toBe("what-time-is-breakfast");
    expect(client.audioOf(client.last("response.done")["response"].id)).toHaveLength(
      Math.round(voice.samples.length / 3),
    );
  });

  it("puts audio together that was cut inside its samples", () => {
    const client = new Client();
    const samples = overTheTelephone("what-time-is-breakfast");
    const bytes = Buffer.alloc(samples.byteLength + 48 * 800);
    Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).copy(bytes);
    for (let at = 0; at < bytes.length; at += 961) {
      const audio = bytes.subarray(at, at + 961).toString("base64");
      client.send({ type: "input_audio_buffer.append", audio });
      client.advance(20);
    }

    expect(client.truth("heard")[0]?.phraseId).toBe("what-time-is-breakfast");
  });
});

describe("semantic_vad", () => {
  it("does not notice a backchannel", () => {
    const client = semanticClient();

    client.say("Mm-hmm.", 1500);

    expect(client.takeTypes()).toEqual([]);
  });

  it("lets the bot speak on through a backchannel, where server_vad stops it", () => {
    const statuses = ["semantic_vad", "server_vad"].map((type) => {
      const client = new Client({ answerDelayMs: 300 });
      client.update({ audio: { input: { turn_detection: { type } } } });
      client.send({ type: "response.create" });
      client.say("Mm-hmm.", 3000);
      return client.of("response.done")[0]?.["response"].status;
    });

    expect(statuses).toEqual(["completed", "cancelled"]);
  });

  it("starts late and stops after a short silence", () => {
    const client = semanticClient();
    const spokeAt = client.now;
    const { onsetMs, offsetMs } = voices.find("caller", "Tell me about the hotel.");

    client.say("Tell me about the hotel.", 1000);

    const startedMs = client.at("input_audio_buffer.speech_started") - spokeAt - onsetMs;
    const stoppedMs = client.at("input_audio_buffer.speech_stopped") - spokeAt - offsetMs;
    expect(startedMs).toBeGreaterThan(420);
    expect(startedMs).toBeLessThan(500);
    expect(stoppedMs).toBeGreaterThan(240);
    expect(stoppedMs).toBeLessThan(340);
  });
});

describe("interruption", () => {
  it("cancels what is being generated, with all the ends", () => {
    const client = duringLongAnswer();

    client.play(overTheTelephone("Excuse me, may I ask something?").subarray(0, 24 * 400));

    const types = client.takeTypes();
    const cut = types.indexOf("input_audio_buffer.speech_started");
    expect(types.slice(cut)).toEqual([
      "input_audio_buffer.speech_started",
      ...MESSAGE_ENDS,
      ...RESPONSE_ENDS,
    ]);
    const { response } = client.last("response.done");
    expect(response).toMatchObject({
      status: "cancelled",
      status_details: { type: "cancelled", reason: "turn_detected" },
      output: [{ status: "incomplete" }],
    });
  });

  it("answers the interruption next", () => {
    const client = duringLongAnswer();

    client.say("Excuse me, may I ask something?", 2000);

    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "interrupted").text,
    );
    expect(client.truth("responseDone").map(({ status }) => status)).toEqual([
      "cancelled",
      "completed",
    ]);
  });

  it("says its sentence for interruptions where it does not know what was said", () => {
    const client = duringLongAnswer();

    client.say("Do you sell bicycles?", 2000);

    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "interrupted").text,
    );
  });

  it("knows from a truncation that it was talked over after it had sent everything", () => {
    const client = new Client({ answerDelayMs: 0 });
    client.say("Tell me about the hotel.", 3500);
    const itemId = client.last("response.output_item.done")["item"].id as string;
    client.play(overTheTelephone("Do you sell bicycles?"));
    client.send({
      type: "conversation.item.truncate",
      item_id: itemId,
      content_index: 0,
      audio_end_ms: 2100,
    });
    client.silence(2500);

    expect(client.last("conversation.item.truncated")).toMatchObject({ audio_end_ms: 2100 });
    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "interrupted").text,
    );
  });

  it("does not cancel where the session says so, and refuses a second response", () => {
    const client = new Client({ answerDelayMs: 5000 });
    client.update({
      audio: { input: { turn_detection: { type: "server_vad", interrupt_response: false } } },
    });
    client.say("Tell me about the hotel.");
    client.say("Dial four two.");

    expect(client.of("input_audio_buffer.speech_started")).toHaveLength(2);
    expect(client.of("response.created")).toHaveLength(1);
    expect(client.last("error")["error"].code).toBe("conversation_already_has_active_response");
  });

  it("lets stragglers come after the cancellation, on request", () => {
    const client = duringLongAnswer({ faults: { stragglers: 2 } });

    client.play(overTheTelephone("Excuse me, may I ask something?").subarray(0, 24 * 500));

    const types = client.received.map(({ message }) => message.type);
    const cut = types.lastIndexOf("input_audio_buffer.speech_started");
    const rest = types.slice(cut + 1);
    expect(rest.filter((type) => type === "response.output_audio.delta")).toHaveLength(2);
    expect(rest.slice(2, 7)).toEqual(MESSAGE_ENDS);
    expect(client.last("response.done")["response"].status).toBe("cancelled");
  });
});

describe("responses on demand", () => {
  it("greets first, and says otherwise after that", () => {
    const client = new Client();
    client.send({ type: "response.create" });
    client.advance(3000);
    client.send({ type: "response.create", response: null });
    client.advance(3000);

    expect(
      client.of("response.output_audio_transcript.done").map((each) => each["transcript"]),
    ).toEqual([voices.find("bot", "greeting").text, voices.find("bot", "not-understood").text]);
    expect(client.truth("firstAudioSent")[0]).toMatchObject({ turn: 0, utteranceId: "greeting" });
    expect(client.at("response.output_audio.delta") - client.at("response.created")).toBe(400);
  });

  it("allows one at a time, and echoes the event id in its refusal", () => {
    const client = new Client();
    client.send({ type: "response.create" });
    client.send({ type: "response.create", event_id: "agents_js_response_create_2" });

    expect(client.last("error")["error"]).toMatchObject({
      code: "conversation_already_has_active_response",
      event_id: "agents_js_response_create_2",
    });
  });

  it("cancels before anything was sent, and refuses when nothing is active", () => {
    const client = new Client();
    client.send({ type: "response.create" });
    client.takeTypes();
    client.send({ type: "response.cancel" });
    client.send({ type: "response.cancel" });

    expect(client.takeTypes()).toEqual(["response.done", "rate_limits.updated", "error"]);
    expect(client.last("response.done")["response"]).toMatchObject({
      status: "cancelled",
      status_details: { type: "cancelled", reason: "client_cancelled" },
      output: [],
    });
    expect(client.last("error")["error"].code).toBe("response_cancel_not_active");
  });

  it("answers a written message", () => {
    const client = new Client();
    client.takeTypes();
    client.send({
      type: "conversation.item.create",
      item: {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "what time is breakfast" }],
      },
    });
    client.send({ type: "response.create" });
    client.advance(3000);

    expect(client.takeTypes().slice(0, 4)).toEqual([
      "conversation.item.added",
      "conversation.item.done",
      "response.created",
      "response.output_item.added",
    ]);
    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "breakfast").text,
    );
  });

  it("answers a turn that the client commits, when asked", () => {
    const client = new Client();
    client.update({ audio: { input: { turn_detection: null } } });
    client.takeTypes();
    client.say("What time is breakfast?");
    client.send({ type: "input_audio_buffer.commit" });

    expect(client.takeTypes()).toEqual([
      "input_audio_buffer.committed",
      "conversation.item.added",
      "conversation.item.done",
    ]);
    client.send({ type: "response.create" });
    client.advance(3000);
    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "breakfast").text,
    );
  });

  it("refuses to commit less than 100 ms, and forgets what is cleared", () => {
    const client = new Client();
    client.update({ audio: { input: { turn_detection: null } } });
    client.silence(500);
    client.send({ type: "input_audio_buffer.clear" });
    client.silence(80);
    client.send({ type: "input_audio_buffer.commit", event_id: "c" });

    expect(client.of("input_audio_buffer.cleared")).toHaveLength(1);
    expect(client.last("error")["error"]).toMatchObject({
      code: "input_audio_buffer_commit_empty",
      message: expect.stringContaining("only has 80.00ms"),
      event_id: "c",
    });
  });

  it("does not answer by itself where create_response is off", () => {
    const client = new Client();
    client.update({
      audio: { input: { turn_detection: { type: "server_vad", create_response: false } } },
    });
    client.say("What time is breakfast?");
    expect(client.of("response.created")).toEqual([]);

    client.send({ type: "response.create" });
    client.advance(3000);
    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "breakfast").text,
    );
  });

  it("writes instead of speaking where text is asked for", () => {
    const client = new Client();
    client.send({ type: "response.create", response: { output_modalities: ["text"] } });
    client.advance(3000);

    expect(client.of("response.output_audio.delta")).toEqual([]);
    expect(client.last("response.output_text.done")["text"]).toBe(
      voices.find("bot", "greeting").text,
    );
    expect(client.last("response.done")["response"].output[0].content).toEqual([
      { type: "output_text", text: voices.find("bot", "greeting").text },
    ]);
  });

  it("leaves no trace of an out-of-band response, and echoes its metadata", () => {
    const client = new Client();
    client.send({
      type: "response.create",
      response: {
        conversation: "none",
        metadata: { topic: "x" },
        input: [
          {
            type: "message",
            role: "user",
            content: [{ type: "input_text", text: "Tell me about the hotel." }],
          },
        ],
      },
    });
    client.advance(3000);

    expect(client.of("conversation.item.added")).toEqual([]);
    expect(client.last("response.done")["response"]).toMatchObject({
      conversation_id: null,
      metadata: { topic: "x" },
      output: [{ status: "completed", content: [{ transcript: voices.find("bot", "long").text }] }],
    });
  });
});

describe("function calls", () => {
  it("calls several functions in one response, and goes on when all have been answered", () => {
    const repertoire = repertoireOf(`
name: Does two things at once
turns:
  - hears: Please hang up.
    tools: [{ name: hangup_call }, { name: send_dtmf, arguments: { digits: "1" } }]
    then: { says: goodbye }
otherwise: not-understood
`);
    const client = new Client({ repertoire });
    client.update({ tools: [HANGUP_TOOL, { ...HANGUP_TOOL, name: "send_dtmf" }] });
    client.say("Please hang up.", 2000);
    const calls = client.of("response.function_call_arguments.done");
    expect(calls.map(({ name, output_index }) => [name, output_index])).toEqual([
      ["hangup_call", 0],
      ["send_dtmf", 1],
    ]);
    expect(client.last("response.done")["response"].output).toHaveLength(2);

    for (const { call_id } of calls) {
      const item = { type: "function_call_output", call_id, output: "{}" };
      client.send({ type: "conversation.item.create", item });
    }
    client.send({ type: "response.create" });
    client.advance(5000);
    const { transcript } = client.last("response.output_audio_transcript.done");
    expect(transcript).toBe(voices.find("bot", "goodbye").text);
  });

  it("speaks and calls in one response, interleaved as recorded", () => {
    const client = callingClient();
    client.say("Please hang up.");
    client.advance(3000);

    const types = client.takeTypes();
    expect(types.slice(types.indexOf("response.function_call_arguments.delta") - 2)).toEqual([
      "response.output_item.added",
      "conversation.item.added",
      "response.function_call_arguments.delta",
      ...MESSAGE_ENDS,
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "conversation.item.done",
      "response.output_item.done",
      ...RESPONSE_ENDS,
    ]);
    expect(client.last("response.done")["response"].output).toMatchObject([
      { type: "message", phase: "commentary" },
      { type: "function_call", name: "hangup_call", status: "completed", arguments: "{}" },
    ]);
  });

  it("sends the arguments whole in pieces", () => {
    const client = callingClient();
    client.say("Dial four two.");
    client.advance(3000);

    const pieces = client.of("response.function_call_arguments.delta").map(({ delta }) => delta);
    const done = client.last("response.function_call_arguments.done");
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("")).toBe(done["arguments"]);
    expect(JSON.parse(done["arguments"])).toEqual({ digits: "42" });
    expect(done).toMatchObject({ name: "send_dtmf", output_index: 1 });
  });

  it("calls nothing that the session does not declare", () => {
    const client = new Client();
    client.say("Please hang up.");
    client.advance(3000);

    expect(client.last("response.done")["response"].output).toHaveLength(1);
    expect(client.truth("toolUndeclared")).toEqual([
      { type: "toolUndeclared", name: "hangup_call" },
    ]);
  });

  it("goes on with the script once it has the output and is asked", () => {
    const yaml = `
name: Follow-up
otherwise: not-understood
turns:
  - hears: What time is breakfast?
    tool: { name: look_up, arguments: { what: breakfast } }
    then: { says: breakfast }
`;
    const client = new Client({ repertoire: repertoireOf(yaml) });
    client.update({ tools: [{ ...HANGUP_TOOL, name: "look_up" }] });
    client.say("What time is breakfast?");
    client.advance(1000);
    const callId = client.last("response.function_call_arguments.done")["call_id"] as string;
    client.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: callId, output: "7 to 10" },
    });
    client.send({ type: "response.create" });
    client.advance(3000);

    expect(
      client.of("response.output_audio_transcript.done").map((each) => each["transcript"]),
    ).toEqual([voices.find("bot", "breakfast").text]);
    expect(client.of("conversation.item.done").map(({ item }) => item.type)).toEqual([
      "message",
      "function_call",
      "function_call_output",
      "message",
    ]);
  });

  it("says nothing after an output that the script does not follow up", () => {
    const client = callingClient();
    client.say("Please hang up.");
    client.advance(3000);
    const callId = client.last("response.function_call_arguments.done")["call_id"] as string;
    client.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: callId, output: "ok" },
    });
    client.send({ type: "response.create" });
    client.advance(3000);

    expect(client.last("response.done")["response"]).toMatchObject({
      status: "completed",
      output: [],
    });
  });

  it("refuses an output to a call that was never made", () => {
    const client = callingClient();
    client.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: "call_x", output: "" },
    });

    expect(client.last("error")["error"]).toMatchObject({
      code: "invalid_value",
      param: "item.call_id",
    });
  });
});

describe("items", () => {
  it("are retrieved with their audio", () => {
    const { client, userId, botId } = afterAnAnswer();

    client.send({ type: "conversation.item.retrieve", item_id: userId });
    client.send({ type: "conversation.item.retrieve", item_id: botId });

    const [user, bot] = client.of("conversation.item.retrieved").map(({ item }) => item.content[0]);
    const { samples } = voices.find("bot", "breakfast");
    expect(user).toMatchObject({ type: "input_audio" });
    expect(Buffer.from(user.audio as string, "base64").length / 48).toBeGreaterThan(1900);
    expect(Buffer.from(bot.audio as string, "base64")).toHaveLength(samples.byteLength);
  });

  it("are truncated to what was played, and lose their words", () => {
    const { client, botId } = afterAnAnswer();
    const truncate = { type: "conversation.item.truncate", item_id: botId, content_index: 0 };

    client.send({ ...truncate, audio_end_ms: 1500 });
    client.send({ type: "conversation.item.retrieve", item_id: botId });
    client.send({ ...truncate, audio_end_ms: 1501 });

    const [content] = client.last("conversation.item.retrieved")["item"].content;
    expect(content.transcript).toBeUndefined();
    expect(Buffer.from(content.audio as string, "base64")).toHaveLength(1500 * 48);
    expect(client.last("error")["error"]).toMatchObject({
      code: "invalid_value",
      message: "Audio content of 1500ms is already shorter than 1501ms",
    });
  });

  it("cannot be truncated beyond what was sent, nor be the user's", () => {
    const { client, userId, botId } = afterAnAnswer();
    const truncate = { type: "conversation.item.truncate", content_index: 0 };

    client.send({ ...truncate, item_id: botId, audio_end_ms: 60_000 });
    client.send({ ...truncate, item_id: userId, audio_end_ms: 10 });
    client.send({ ...truncate, item_id: "item_x", audio_end_ms: 10 });

    expect(client.of("error").map(({ error }) => error.code)).toEqual([
      "invalid_value",
      "invalid_value",
      "item_truncate_invalid_item_id",
    ]);
    expect(client.of("conversation.item.truncated")).toEqual([]);
  });

  it("are deleted, and then are gone", () => {
    const { client, botId } = afterAnAnswer();

    client.send({ type: "conversation.item.delete", item_id: botId });
    client.send({ type: "conversation.item.retrieve", item_id: botId });
    client.send({ type: "conversation.item.delete", item_id: botId });

    expect(client.last("conversation.item.deleted")["item_id"]).toBe(botId);
    expect(client.of("error").map(({ error }) => error.code)).toEqual([
      "item_retrieve_invalid_item_id",
      "item_delete_invalid_item_id",
    ]);
  });

  it("go where the client wants them", () => {
    const client = new Client();
    const create = { type: "conversation.item.create" };

    client.send({ ...create, item: systemItem("a") });
    client.send({ ...create, item: systemItem("b") });
    client.send({ ...create, item: systemItem("c"), previous_item_id: "a" });
    client.send({ ...create, item: systemItem("d"), previous_item_id: "root" });
    client.send({ ...create, item: systemItem("d") });
    client.send({ ...create, item: systemItem("e"), previous_item_id: "nowhere" });

    expect(client.of("conversation.item.added").map((each) => each["previous_item_id"])).toEqual([
      null,
      "a",
      "a",
      null,
    ]);
    expect(client.of("error").map(({ error }) => error.code)).toEqual([
      "item_create_duplicate_item_id",
      "item_create_invalid_previous_item_id",
    ]);
  });

  it("may bring audio of the client's own", () => {
    const client = new Client();
    client.send({
      type: "conversation.item.create",
      item: {
        type: "message",
        role: "user",
        content: [{ type: "input_audio", audio: base64(overTheTelephone("Dial four two.")) }],
      },
    });
    client.send({ type: "response.create" });
    client.advance(3000);

    expect(client.last("response.output_audio_transcript.done")["transcript"]).toBe(
      voices.find("bot", "dialling").text,
    );
    expect(client.last("conversation.item.done")["item"].content[0]).not.toHaveProperty("audio");
  });
});

describe("faults", () => {
  it("closes after a time", () => {
    const client = new Client({ faults: { closeAfterMs: 1500 } });
    const openedAt = client.now;

    client.advance(5000);

    expect(client.closed).toMatchObject({ at: openedAt + 1500, code: 1011 });
  });

  it("closes in place of an answer", () => {
    const faults = { closeOnTurn: { turn: 2, code: 1013 } };
    const client = new Client({ faults });
    client.say("What time is breakfast?", 3000);
    expect(client.closed).toBeUndefined();

    client.say("Dial four two.", 3000);

    const stoppedAt = client.at("input_audio_buffer.speech_stopped", 1);
    expect(client.closed).toMatchObject({ at: stoppedAt + 400, code: 1013 });
    expect(client.of("response.output_audio.done")).toHaveLength(1);
  });

  it("stalls, and still can be cancelled", () => {
    const client = new Client({ faults: { stallOnTurn: 1 } });
    client.say("What time is breakfast?", 5000);

    expect(client.received.at(-1)?.message.type).toBe("response.created");
    expect(client.truth("faultInjected")).toEqual([
      { type: "faultInjected", fault: "stallOnTurn" },
    ]);
    client.send({ type: "response.cancel" });
    expect(client.last("response.done")["response"].status).toBe("cancelled");
    client.say("What time is breakfast?", 5000);
    expect(client.of("response.output_audio.done")).toHaveLength(1);
  });

  it("cuts audio inside samples, and loses none", () => {
    const client = new Client({ faults: { oddSizedDeltas: true } });
    client.say("What time is breakfast?", 3000);

    const deltas = client.of("response.output_audio.delta");
    const sizes = deltas.map(({ delta }) => Buffer.from(delta as string, "base64").length);
    const { samples } = voices.find("bot", "breakfast");
    expect((sizes[0] ?? 0) % 2).toBe(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(samples.byteLength);
  });

  it("ends a response late", () => {
    const client = new Client({ faults: { lateDoneMs: 800 } });
    client.say("What time is breakfast?", 3000);

    const lastDelta = client.of("response.output_audio.delta").length - 1;
    const lastAudioAt = client.at("response.output_audio.delta", lastDelta);
    expect(client.at("response.output_audio.done") - lastAudioAt).toBeCloseTo(800, 6);
    expect(client.at("response.done") - lastAudioAt).toBeCloseTo(800, 6);
  });
});

function texts(client: Client): string[] {
  const done = client.of("response.output_audio_transcript.done");
  return done.map(({ transcript }) => transcript as string);
}

describe("a script with a memory", () => {
  const MEMORY = `
name: Memory
otherwise: not-understood
silenceMs: 3000
cues:
  silence:
    - { when: { prompts: { atMost: 0 } }, says: interrupted, add: { prompts: 1 } }
  interrupt: [goodbye]
turns:
  - hears: Dial four two.
    tool: { name: send_dtmf, arguments: { digits: "42" } }
    then:
      - { when: { result.status: ok }, says: dialling, set: { dialled: true } }
      - no-reply
  - { hears: What time is breakfast?, when: { dialled: true }, says: breakfast }
`;
  it.each([
    ['{"status":"ok"}', "Dialling four two now.", /^Breakfast/u],
    ["busy", "I am sorry, nobody is free there. Can I help you?", /^Sorry, I did not/u],
  ])("goes on by what a function returned: %s", (output, first, second) => {
    const client = new Client({ repertoire: repertoireOf(MEMORY) });
    client.update({ tools: [{ type: "function", name: "send_dtmf", parameters: {} }] });
    client.say("Dial four two.", 1500);
    const { call_id } = client.last("response.function_call_arguments.done");
    const item = { type: "function_call_output", call_id: call_id as string, output };
    client.send({ type: "conversation.item.create", item });
    client.send({ type: "response.create" });
    client.silence(2000);
    client.say("What time is breakfast?", 3000);

    expect(texts(client)).toEqual([first, expect.stringMatching(second)]);
  });

  it("breaks a silence once what it said has been played, and not again while nobody speaks", () => {
    const client = new Client({ repertoire: repertoireOf(MEMORY) });
    client.silence(5000);
    expect(client.of("response.created")).toHaveLength(0);
    client.say("What time is breakfast?", 20_000);

    expect(texts(client)[1]).toBe("Of course. What would you like to know?");
    const [first, second] = [0, 1].map(
      (turn) => client.truths.filter(({ draft }) => draft.type === "firstAudioSent")[turn]?.at ?? 0,
    );
    const saidMs = client.truth("lastAudioSent")[0]?.audioMs ?? 0;
    expect((second ?? 0) - (first ?? 0) - saidMs).toBeCloseTo(3400, -1);
    // Asked once more, the script has nothing to say; after that it is not asked.
    expect(client.of("response.created")).toHaveLength(3);
    expect(texts(client)).toHaveLength(2);
  });

  it("follows a cue in its instructions, and leaves what is unanswered alone", () => {
    const client = new Client({ repertoire: repertoireOf(MEMORY) });
    const response = { instructions: "Speak up now. [cue: interrupt]" };
    client.send({ type: "response.create", response });
    client.silence(2500);

    expect(texts(client)).toEqual(["Thank you for calling. Goodbye."]);
  });
});

describe("determinism", () => {
  it("repeats a conversation bit for bit from its seed, and another seed paces it differently", () => {
    expect(conversation("one")).toEqual(conversation("one"));
    expect(conversation("one")).not.toEqual(conversation("two"));
  });
});

function idleClient(): Client {
  const client = new Client();
  const detection = { type: "server_vad", idle_timeout_ms: 6000 };
  client.update({ audio: { input: { turn_detection: detection } } });
  return client;
}

describe("silence, by idle_timeout_ms", () => {
  it("is committed and answered, as long after the bot was heard as was asked for", () => {
    const client = idleClient();
    client.say("What time is breakfast?");
    client.silence(20_000);

    const [timeout] = client.of("input_audio_buffer.timeout_triggered");
    const first = client.at("response.output_audio.delta");
    const playedMs = client.audioOf(client.of("response.done")[0]?.["response"].id).length / 48;
    const firedAt = client.at("input_audio_buffer.timeout_triggered");
    expect(firedAt - (first + playedMs)).toBeCloseTo(6000, -1);
    expect(timeout?.["audio_end_ms"] - timeout?.["audio_start_ms"]).toBe(6000);
    const types = client.received
      .filter(({ at }) => at === firedAt)
      .map(({ message }) => message.type);
    expect(types).toEqual([
      "input_audio_buffer.timeout_triggered",
      "conversation.item.added",
      "conversation.item.done",
      "input_audio_buffer.committed",
      "conversation.item.added",
      "conversation.item.done",
      "response.created",
    ]);
    const committed = client.of("input_audio_buffer.committed").at(-1);
    expect(committed?.["item_id"]).toBe(timeout?.["item_id"]);
    expect(client.of("conversation.item.added").map(({ item }) => item.role)).toContain("system");
  });

  it("is none while the caller speaks, nor without the setting", () => {
    const client = idleClient();
    client.say("What time is breakfast?");
    client.silence(9000);
    client.say("What time is breakfast?");
    client.silence(7000);
    expect(client.of("input_audio_buffer.timeout_triggered")).toEqual([]);

    const other = new Client();
    other.say("What time is breakfast?");
    other.silence(30_000);
    expect(other.of("input_audio_buffer.timeout_triggered")).toEqual([]);
  });
});

describe("responses out of band", () => {
  const aside = { conversation: "none", metadata: { topic: "aside" }, output_modalities: ["text"] };

  it("are made beside the active one, and leave the conversation alone", () => {
    const client = new Client();
    client.say("Tell me about the hotel.", 1200);
    expect(client.of("response.done")).toEqual([]);
    client.send({ type: "response.create", response: aside });
    client.send({ type: "response.create", response: aside });
    client.silence(10_000);

    expect(client.of("error")).toEqual([]);
    const done = client.of("response.done").map(({ response }) => response);
    expect(done).toHaveLength(3);
    expect(done.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
    const beside = done.filter(({ metadata }) => metadata?.topic === "aside");
    expect(beside.map(({ conversation_id }) => conversation_id)).toEqual([null, null]);
    const added = client
      .of("conversation.item.added")
      .filter(({ item }) => item.role === "assistant");
    expect(added).toHaveLength(1);
  });

  it("are cancelled by their id, and no other", () => {
    const client = new Client();
    client.send({ type: "response.create", response: aside });
    client.send({ type: "response.create", response: aside });
    const [first] = client.of("response.created");
    client.send({ type: "response.cancel", response_id: first?.["response"].id });
    client.silence(5000);

    const done = client.of("response.done").map(({ response }) => response);
    expect(done.map(({ status }) => status)).toEqual(["cancelled", "completed"]);
    expect(done[0]?.id).toBe(first?.["response"].id);
  });
});

/** What the bot says, as a line gives it back. */
function echo(levelDb: number, ms: number): Int16Array {
  const { samples } = voices.find("bot", "long");
  return samples.subarray(0, ms * 24).map((sample) => sample * 10 ** (levelDb / 20));
}

describe("the bot's own voice in the caller's audio", () => {
  it("is not taken for the caller's at -20 dB", () => {
    const client = duringLongAnswer();
    client.play(echo(-20, 8000));
    expect(client.of("input_audio_buffer.speech_started")).toHaveLength(1);
    expect(client.of("response.done")[0]?.["response"].status).toBe("completed");
  });

  it("is taken for the caller's at 0 dB: nobody could tell them apart", () => {
    const client = duringLongAnswer();
    client.play(echo(0, 8000));
    expect(client.of("input_audio_buffer.speech_started").length).toBeGreaterThan(1);
  });

  it("hides no caller who speaks over it", () => {
    const client = duringLongAnswer();
    const words = overTheTelephone("Excuse me, may I ask something?");
    const both = echo(-20, 3000).map((sample, index) => sample + (words[index] ?? 0));
    client.play(both);
    expect(client.of("input_audio_buffer.speech_started")).toHaveLength(2);
  });

  it("is expected no longer when the answer has been played", () => {
    const client = duringLongAnswer();
    client.silence(14_000);
    client.play(echo(-20, 1000));
    expect(client.of("input_audio_buffer.speech_started")).toHaveLength(2);
  });
});

describe("faults of an answer", () => {
  it("come later, and at another speed", () => {
    const plain = new Client();
    const slow = new Client({ faults: { delayMs: 700, speedFactor: 1 } });
    const fast = new Client({ faults: { speedFactor: 100 } });
    for (const client of [plain, slow, fast]) client.say("What time is breakfast?", 8000);
    const delay = (client: Client): number =>
      client.at("response.output_audio.delta") - client.at("input_audio_buffer.speech_stopped");
    const length = (client: Client): number => {
      const deltas = client.of("response.output_audio.delta").length;
      return (
        client.at("response.output_audio.delta", deltas - 1) -
        client.at("response.output_audio.delta")
      );
    };
    expect(delay(slow) - delay(plain)).toBeCloseTo(700, 6);
    expect(length(slow)).toBeGreaterThan(3500);
    expect(length(fast)).toBeLessThan(50);
  });

  it("fall silent within it, and never end it", () => {
    const client = new Client({ faults: { stallInSpeech: { turn: 1, afterMs: 1000 } } });
    client.say("What time is breakfast?", 9000);
    const bytes = client
      .of("response.output_audio.delta")
      .reduce((sum, { delta }) => sum + Buffer.from(delta as string, "base64").length, 0);
    expect(bytes / 48).toBeGreaterThan(500);
    expect(bytes / 48).toBeLessThanOrEqual(1000);
    expect(client.of("response.done")).toEqual([]);
    client.send({ type: "response.cancel" });
    client.say("What time is breakfast?", 9000);
    expect(client.of("response.output_audio.done").length).toBeGreaterThan(1);
  });

  it("withhold events", () => {
    const withheld = ["response.output_audio.done", "response.done"];
    const client = new Client({ faults: { withheld } });
    client.say("What time is breakfast?", 9000);
    expect(client.of("response.output_audio.delta").length).toBeGreaterThan(0);
    expect(client.of("response.output_item.done")).toHaveLength(1);
    expect(withheld.flatMap((type) => client.of(type))).toEqual([]);
    expect(client.truth("faultInjected")).toHaveLength(2);
  });

  it.each([
    ["notJson", /^\{"digits":"42"$/u],
    ["none", /^\{\}$/u],
  ] as const)("call functions with wrong arguments: %s", (wrongArguments, expected) => {
    const client = new Client({ faults: { wrongArguments } });
    client.update({ tools: [{ ...HANGUP_TOOL, name: "send_dtmf" }] });
    client.say("Dial four two.", 4000);
    expect(client.last("response.function_call_arguments.done")["arguments"]).toMatch(expected);
  });

  it("end the session as one that has lasted too long", () => {
    const client = new Client({ faults: { expireAfterMs: 2000 } });
    client.silence(1900);
    expect(client.closed).toBeUndefined();
    client.silence(200);
    expect(client.last("error")["error"].code).toBe("session_expired");
    expect(client.closed?.code).toBe(1001);
  });
});
