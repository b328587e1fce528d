import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadVoices, resample, type VoiceLibrary } from "../audio/index.ts";
import {
  type Clock,
  type Environment,
  type FileStore,
  type HttpRequest,
  type Instant,
  instant,
  type MessageSocket,
  type Network,
  type ServerHandlers,
  SILENT_LOGGER,
  seededRandom,
  type Timer,
} from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import type { ServerEvent } from "./engine/server-event.ts";
import { RealtimeServer, type RealtimeServerOptions } from "./realtime-server.ts";
import { parseScript } from "./script/parse-script.ts";
import type { Script } from "./script/script.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures", import.meta.url));

const files = {
  read: (path: string) => Promise.resolve(new Uint8Array(readFileSync(path))),
  readText: (path: string) => Promise.resolve(readFileSync(path, "utf8")),
  exists: (path: string) => Promise.resolve(existsSync(path)),
} as unknown as FileStore;

let voices: VoiceLibrary;
let script: Script;

beforeAll(async () => {
  voices = await loadVoices(files, `${FIXTURES}/voices`);
  script = parseScript(
    readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8"),
    "reception.yaml",
  );
});

/** A clock that stands still until it is told to move; timers run at their exact instants. */
class HandClock implements Clock {
  #now = instant(1000.125);
  #timers: { dueAt: Instant; handler: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  wallClockMs(): number {
    return 1_800_000_000_000;
  }

  get armed(): number {
    return this.#timers.length;
  }

  setTimer(dueAt: Instant, handler: () => void): Timer {
    const timer = { dueAt, handler };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((each) => each !== timer)) };
  }

  advance(ms: number): void {
    const end = instant(this.#now + ms);
    for (;;) {
      const [next] = this.#timers.toSorted((left, right) => left.dueAt - right.dueAt);
      if (next === undefined || next.dueAt > end) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = instant(Math.max(this.#now, next.dueAt));
      next.handler();
    }
    this.#now = end;
  }
}

/** The server's end of a WebSocket whose other end is this test. */
class FakeSocket implements MessageSocket {
  state: MessageSocket["state"] = "open";
  readonly bufferedBytes = 0;
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly sent: string[] = [];
  readonly messages: unknown[] = [];
  end: { code: number } | "terminated" | undefined;

  send(text: string): void {
    const message = JSON.parse(text) as { type: string };
    this.messages.push(message);
    this.sent.push(message.type);
  }

  close(code = 1000): void {
    this.end = { code };
    this.#ended(code);
  }

  terminate(): void {
    this.end = "terminated";
    this.#ended(1006);
  }

  #ended(code: number): void {
    this.state = "closed";
    this.onClose?.(code, "");
  }
}

const BUSY_PORT = 99;
const GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

async function start(options: Partial<RealtimeServerOptions> = {}, closed = { count: 0 }) {
  const clock = new HandClock();
  let handlers: ServerHandlers | undefined;
  const listening: { readonly port: number; readonly handlers: ServerHandlers }[] = [];
  const network = {
    listenHttp: (local: { address: string; port: number }, given: ServerHandlers) => {
      if (local.port === BUSY_PORT) return Promise.reject(new Error("busy"));
      handlers ??= given;
      listening.push({ port: local.port, handlers: given });
      return Promise.resolve({
        local: { address: local.address, port: 18_080 + local.port },
        close: () => {
          closed.count += 1;
          return Promise.resolve();
        },
      });
    },
  } as unknown as Network;
  const random = seededRandom("server");
  const cryptography = new NodeCryptography(seededRandom("server keys"));
  const environment: Environment = { clock, random, logger: SILENT_LOGGER, network, cryptography };
  const listen = { address: "127.0.0.1", port: 0 };
  const server = await RealtimeServer.start(environment, { listen, script, voices, ...options });
  const events: ServerEvent[] = [];
  server.onEvent = (event) => events.push(event);
  const request = (changes: Partial<HttpRequest>): HttpRequest => ({
    method: "GET",
    target: "/v1/realtime?model=gpt-realtime",
    headers: { authorization: `Bearer ${server.apiKey}` },
    body: "",
    ...changes,
  });
  const upgrade = (changes: Partial<HttpRequest> = {}) => handlers?.onUpgrade(request(changes));
  const connect = (changes: Partial<HttpRequest> = {}): FakeSocket => {
    const decision = upgrade(changes);
    if (decision?.accept !== true) throw new Error("refused");
    const socket = new FakeSocket();
    decision.onConnection(socket);
    return socket;
  };
  const post = (target: string, body: string, key = server.apiKey) => {
    const headers = { authorization: `Bearer ${key}` };
    return handlers?.onRequest(request({ method: "POST", target, body, headers }));
  };
  return { server, clock, events, upgrade, connect, post, closed, listening };
}

describe("RealtimeServer", () => {
  it("tells where it listens and with which key it opens", async () => {
    const { server, connect } = await start();

    expect(server.url).toBe("ws://127.0.0.1:18080/v1/realtime");
    expect(server.apiKey).toMatch(/^sk-embedded-\w{24}$/u);
    expect(connect().sent).toEqual(["session.created"]);
  });

  it("offers the same over TLS, on a port of its own", async () => {
    const identity = { certificate: "a certificate", key: "its key" };
    const tls = { listen: { address: "::1", port: 1 }, identity };
    const { server, listening, closed } = await start({ tls });

    expect(server.url).toBe("ws://127.0.0.1:18080/v1/realtime");
    expect(server.secureOrigin).toBe("https://[::1]:18081");
    expect(listening.map(({ handlers }) => handlers.tls)).toEqual([undefined, identity]);
    const secret = await listening[1]?.handlers.onRequest({
      method: "POST",
      target: "/v1/realtime/client_secrets",
      headers: { authorization: `Bearer ${server.apiKey}` },
      body: "{}",
    });
    const { value } = JSON.parse(secret?.body ?? "{}") as { readonly value: string };
    const headers = { authorization: `Bearer ${value}` };
    const request = { method: "GET", target: "/v1/realtime", headers, body: "" };
    expect(listening[0]?.handlers.onUpgrade(request)).toMatchObject({ accept: true });
    await server.close();
    expect(closed.count).toBe(2);
  });

  it("listens nowhere where it cannot listen everywhere", async () => {
    const tls = { listen: { address: "127.0.0.1", port: BUSY_PORT }, identity: {} };
    const closed = { count: 0 };

    await expect(start({ tls }, closed)).rejects.toThrow("busy");
    expect(closed.count).toBe(1);
  });

  it("chooses the subprotocol that a browser offers", async () => {
    const { server, upgrade } = await start({ apiKey: "sk-mine" });
    const offered = `realtime, openai-insecure-api-key.${server.apiKey}`;

    expect(upgrade({ headers: { "sec-websocket-protocol": offered } })).toMatchObject({
      accept: true,
      subprotocol: "realtime",
    });
  });

  it("refuses a wrong key with 401, and says so in its events", async () => {
    const { upgrade, events } = await start();

    expect(upgrade({ headers: { authorization: "Bearer sk-wrong" } })).toMatchObject({
      accept: false,
      response: { status: 401 },
    });
    expect(events).toEqual([{ type: "refused", status: 401, connection: 1, at: 1000.125 }]);
  });

  it("refuses connections on request, and no longer once that has ended", async () => {
    const { server, upgrade } = await start({ faults: { refuseConnection: true } });
    expect(upgrade()).toMatchObject({ accept: false, response: { status: 503 } });

    server.configure({ faults: { unauthorized: true } });
    expect(upgrade()).toMatchObject({ accept: false, response: { status: 401 } });

    server.configure({ faults: {} });
    expect(upgrade()).toMatchObject({ accept: true });
  });

  it.each([400, 401, 403, 429, 500, 503])("refuses with %i by both protocols", async (status) => {
    const { upgrade, events } = await start({ faults: { refuseStatus: status } });
    expect(upgrade()).toMatchObject({ accept: false, response: { status } });
    expect(upgrade({ target: GEMINI })).toMatchObject({ accept: false, response: { status } });
    expect(events).toMatchObject([{ status }, { status }]);
  });

  it("takes a token for expired: by HTTP as OpenAI, by closing as Gemini", async () => {
    const { server, upgrade, connect, clock } = await start({ faults: { tokenExpired: true } });
    expect(upgrade()).toMatchObject({ accept: false, response: { status: 401 } });
    const socket = connect({ target: `${GEMINI}?key=${server.apiKey}`, headers: {} });
    socket.onMessage?.('{"setup":{"model":"models/gemini-3.8-live"}}', clock.now());
    expect(socket.end).toEqual({ code: 1008 });
  });

  it("does something wrong in one connection alone", async () => {
    const { server, clock, connect } = await start();
    server.configure({ faultsOfNext: { closeAfterMs: 100 } });
    const sockets = [connect(), connect()];
    clock.advance(200);
    expect(sockets.map(({ end }) => end)).toEqual([{ code: 1011 }, undefined]);
    // Where all faults end before there was another connection, that one's do, too.
    server.configure({ faultsOfNext: { closeAfterMs: 100 } });
    server.configure({ faults: {} });
    const spared = connect();
    clock.advance(200);
    expect(spared.end).toBeUndefined();
  });

  it("goes down and stays down, until it is told otherwise", async () => {
    const { server, clock, connect, upgrade } = await start({
      faults: { closeOnTurn: { turn: 1, code: 1011, staysDown: true } },
    });
    const socket = connect();
    const audio = Buffer.alloc(24_000 * 2 * 0.5, 1).toString("base64");
    const commit = [
      {
        type: "session.update",
        session: { type: "realtime", audio: { input: { turn_detection: null } } },
      },
      { type: "input_audio_buffer.append", audio },
      { type: "input_audio_buffer.commit" },
      { type: "response.create" },
    ];
    for (const event of commit) socket.onMessage?.(JSON.stringify(event), clock.now());
    clock.advance(2000);
    expect(socket.end).toEqual({ code: 1011 });
    expect(upgrade()).toMatchObject({ accept: false, response: { status: 503 } });
    server.configure({ faults: {} });
    expect(upgrade()).toMatchObject({ accept: true });
  });

  it("stamps its truths with the instant at the socket", async () => {
    const { clock, connect, events } = await start({ answerDelayMs: 123.5 });
    const socket = connect();
    clock.advance(10);

    socket.onMessage?.('{"type":"response.create"}', clock.now());
    clock.advance(5000);

    const types = events.map(({ type }) => type);
    expect(types).toEqual([
      "connected",
      "responseCreated",
      "firstAudioSent",
      "lastAudioSent",
      "responseDone",
    ]);
    const created = events.find(({ type }) => type === "responseCreated");
    const first = events.find(({ type }) => type === "firstAudioSent");
    expect(created?.at).toBe(1010.125);
    expect(first?.at).toBe(1010.125 + 123.5);
  });

  it("takes a new delay from the next response on, and gives it back to the script", async () => {
    const { server, clock, connect, events } = await start({ answerDelayMs: 100 });
    const socket = connect();
    const answer = (): void => {
      socket.onMessage?.('{"type":"response.create"}', clock.now());
      clock.advance(5000);
    };

    answer();
    server.configure({ answerDelayMs: 700 });
    answer();
    server.configure({ faults: {} });
    answer();
    server.configure({ answerDelayMs: undefined });
    answer();

    const delays = events.flatMap((event) => {
      return event.type === "firstAudioSent" ? [event.answerDelayMs] : [];
    });
    expect(delays).toEqual([100, 700, 700, 400]);
  });

  it("keeps connections apart", async () => {
    const { clock, connect, events } = await start();
    const [one, other] = [connect(), connect()];

    one.onMessage?.('{"type":"response.create"}', clock.now());
    clock.advance(5000);
    other.close(1000);

    expect(one.sent).toContain("response.done");
    expect(other.sent).toEqual(["session.created"]);
    expect(events.at(-1)).toMatchObject({ type: "disconnected", connection: 2, code: 1000 });
    one.onMessage?.('{"type":"response.create"}', clock.now());
    expect(one.sent.at(-1)).toBe("response.created");
  });

  it("leaves no timer behind when a client goes away in the middle of an answer", async () => {
    const { clock, connect } = await start();
    const socket = connect();
    socket.onMessage?.('{"type":"response.create"}', clock.now());

    socket.close(1001);

    expect(clock.armed).toBe(0);
  });

  it.each([
    [1013, { code: 1013 }],
    [1006, "terminated"],
  ])("ends a connection with code %s on request", async (code, end) => {
    const { clock, connect } = await start({ faults: { closeAfterMs: 50 } });
    const closing = connect();
    clock.advance(60);
    expect(closing.end).toEqual({ code: 1011 });

    const other = await start({ faults: { closeOnTurn: { turn: 1, code } } });
    const socket = other.connect();
    const { samples } = voices.find("caller", "please-hang-up");
    // 16 kHz samples taken for 24 kHz: faster speech, but speech.
    const audio = Buffer.concat([Buffer.from(samples.buffer), Buffer.alloc(48_000)]);
    const append = { type: "input_audio_buffer.append", audio: audio.toString("base64") };
    socket.onMessage?.(JSON.stringify(append), other.clock.now());
    other.clock.advance(1000);
    expect(socket.end).toEqual(end);
  });

  it("issues ephemeral keys that open connections until they expire", async () => {
    const { clock, upgrade, post } = await start();

    const response = await post(
      "/v1/realtime/client_secrets",
      '{"expires_after":{"anchor":"created_at","seconds":60},"session":{"type":"realtime"}}',
    );

    const secret = JSON.parse(response?.body ?? "{}") as { value: string; expires_at: number };
    const headers = { authorization: `Bearer ${secret.value}` };
    expect(response?.status).toBe(200);
    expect(secret.value).toMatch(/^ek_/u);
    expect(secret.expires_at).toBe(1_800_000_060);
    expect(upgrade({ headers })?.accept).toBe(true);
    clock.advance(60_000);
    expect(upgrade({ headers })?.accept).toBe(false);
  });

  it("begins a session as its ephemeral key was made for; the URL's model wins", async () => {
    const { post, connect } = await start();
    const session = { type: "realtime", model: "gpt-realtime-mini", instructions: "Be brief." };
    const response = await post("/v1/realtime/client_secrets", JSON.stringify({ session }));
    const secret = JSON.parse(response?.body ?? "{}") as Readonly<Record<string, unknown>>;
    const headers = { authorization: `Bearer ${String(secret["value"])}` };

    expect(secret["session"]).toMatchObject(session);
    const created = (target: string): unknown => connect({ target, headers }).messages[0];
    expect(created("/v1/realtime")).toMatchObject({ type: "session.created", session });
    expect(created("/v1/realtime?model=gpt-realtime")).toMatchObject({
      session: { ...session, model: "gpt-realtime" },
    });
  });

  it("tells what is wrong with the session of a key", async () => {
    const { post } = await start();
    const body = '{"session":{"type":"realtime","voice":"alloy"}}';

    expect(await post("/v1/realtime/client_secrets", body)).toMatchObject({
      status: 400,
      body: expect.stringContaining("Unknown parameter: 'session.voice'"),
    });
  });

  it.each([
    ["another path", "/v1/models", "{}", 404],
    ["a life too short", "/v1/realtime/client_secrets", '{"expires_after":{"seconds":1}}', 400],
    ["no JSON", "/v1/realtime/client_secrets", "{", 400],
  ])("refuses a request for a key with %s", async (_what, target, body, status) => {
    const { post } = await start();

    expect((await post(target, body))?.status).toBe(status);
  });

  it("issues no key to who has none", async () => {
    const { post } = await start();

    expect((await post("/v1/realtime/client_secrets", "{}", "sk-wrong"))?.status).toBe(401);
  });

  it.each([
    ["says: long", "says: a song", "line 12: turns.1.says"],
    ["hears: Dial four two.", "hears: Dial five.", "line 17: turns.3.hears"],
    [
      "interrupted: Of course. What would you like to know?",
      "interrupted: What?",
      "interrupted.0.says",
    ],
  ])("does not start with a script that names what is not recorded", async (from, to, place) => {
    const yaml = readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8").replace(from, to);

    await expect(start({ script: parseScript(yaml, "mine.yaml") })).rejects.toMatchObject({
      code: "ERR_SCRIPT_UNKNOWN_PHRASE",
      message: expect.stringMatching(new RegExp(`mine.yaml, line \\d+: .*There are: `, "su")),
      context: { path: place.replace(/^line \d+: /u, "") },
    });
    await expect(start({ script: parseScript(yaml, "mine.yaml") })).rejects.toThrow(place);
  });

  it("does not start with a script that hears one phrase in two turns", async () => {
    const yaml = readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8").replace(
      "hears: Tell me about the hotel.",
      "hears: What time is breakfast?",
    );

    await expect(start({ script: parseScript(yaml, "mine.yaml") })).rejects.toMatchObject({
      code: "ERR_SCRIPT_DUPLICATE_PHRASE",
    });
  });

  it.each([
    ["near enough", () => "how's the weather, today", "how-is-the-weather-today"],
    ["something else", () => "something else", undefined],
    ["no text", () => 42 as unknown as string, undefined],
    [
      "a failure",
      () => {
        throw new Error("no model");
      },
      undefined,
    ],
  ])("asks the recogniser that it is given: %s", async (_what, recognise, phraseId) => {
    const yaml = readFileSync(`${FIXTURES}/scripts/reception.yaml`, "utf8").replace(
      "hears: Tell me about the hotel.",
      "hears: How is the weather today?",
    );
    const options = { script: parseScript(yaml, "mine.yaml"), recogniser: { recognise } };
    const { connect, clock, events } = await start(options);
    const socket = connect();
    const { samples, sampleRateHz } = voices.find("caller", "please-hang-up");
    const speech = resample(samples, sampleRateHz, 24_000);
    for (const heard of [speech, new Int16Array(24_000)]) {
      const bytes = Buffer.from(heard.buffer, heard.byteOffset, heard.byteLength);
      const event = { type: "input_audio_buffer.append", audio: bytes.toString("base64") };
      socket.onMessage?.(JSON.stringify(event), clock.now());
    }
    clock.advance(1000);

    expect(events.find(({ type }) => type === "heard")).toMatchObject({ phraseId });
    expect(events.find(({ type }) => type === "firstAudioSent")).toBeDefined();
  });

  it("stops listening when it is closed", async () => {
    const { server, closed } = await start();

    await server.close();

    expect(closed.count).toBe(1);
  });
});
