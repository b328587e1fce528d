import { describe, expect, it } from "vitest";
import {
  type ConnectOptions,
  type Environment,
  type Instant,
  instant,
  type MessageSocket,
  type MessageSocketState,
  type Network,
  SILENT_LOGGER,
  seededRandom,
  type Timer,
} from "../../environment/index.ts";
import { NodeCryptography } from "../../platform/index.ts";
import type { AiEvent, AiSession } from "../ai-session.ts";
import type { OpenAiOptions } from "./openai-options.ts";
import { openAiSession } from "./openai-session.ts";

const API_KEY = "sk-test-0123456789abcdef";

class FakeSocket implements MessageSocket {
  state: MessageSocketState = "connecting";
  bufferedBytes = 0;
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly sent: Record<string, unknown>[] = [];
  end = "";

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(code = 1000): void {
    this.state = "closed";
    this.end = `close ${code}`;
  }

  terminate(): void {
    this.state = "closed";
    this.end = "terminate";
  }

  receive(event: object, at: number): void {
    this.onMessage?.(JSON.stringify(event), instant(at));
  }

  becomeReady(): void {
    this.state = "open";
    this.receive({ type: "session.created", session: {} }, 5);
    this.receive({ type: "session.updated", session: {} }, 6);
  }
}

interface Rig {
  readonly session: AiSession;
  readonly socket: FakeSocket;
  readonly events: [AiEvent, Instant][];
  readonly connected: { url: string; options: ConnectOptions | undefined }[];
  readonly timers: { dueAt: Instant; handler: () => void }[];
  nowMs: number;
}

function open(options: Partial<OpenAiOptions> = {}): Rig {
  const socket = new FakeSocket();
  const events: [AiEvent, Instant][] = [];
  const connected: Rig["connected"] = [];
  const timers: Rig["timers"] = [];
  const rig = { socket, events, connected, timers, nowMs: 0 } as Omit<Rig, "session">;
  const environment: Environment = {
    clock: {
      now: () => instant(rig.nowMs),
      wallClockMs: () => 0,
      setTimer: (dueAt, handler): Timer => {
        const timer = { dueAt, handler };
        timers.push(timer);
        return { cancel: () => timers.splice(timers.indexOf(timer), 1) };
      },
    },
    random: seededRandom(1),
    logger: SILENT_LOGGER,
    network: {
      connectMessages: (url: string, connectOptions?: ConnectOptions) => {
        connected.push({ url, options: connectOptions });
        return socket;
      },
    } as unknown as Network,
    cryptography: new NodeCryptography(seededRandom("session keys")),
  };
  const session = openAiSession(environment, {
    url: "ws://127.0.0.1:9/v1/realtime",
    apiKey: API_KEY,
    model: "gpt-realtime-2.1",
    ...options,
  });
  session.onEvent = (event, at) => events.push([event, at]);
  return Object.assign(rig, { session });
}

describe("openAiSession", () => {
  it("connects with the key as Bearer token and the model as query", () => {
    const { connected } = open();
    expect(connected).toEqual([
      {
        url: "ws://127.0.0.1:9/v1/realtime?model=gpt-realtime-2.1",
        options: { headers: { Authorization: `Bearer ${API_KEY}` }, handshakeTimeoutMs: 10_000 },
      },
    ]);
  });

  it("keeps a model that the URL names", () => {
    const { connected } = open({ url: "wss://x.openai.azure.com/openai/v1/realtime?model=mine" });
    expect(connected[0]?.url).toContain("?model=mine");
  });

  it("gives events the instant at which their message arrived", () => {
    const { socket, events } = open();
    socket.becomeReady();
    expect(events).toEqual([[{ type: "ready" }, 6]]);
  });

  it("lets handlers call back into the session, in order", () => {
    const { session, socket } = open();
    session.onEvent = (event) => {
      if (event.type === "ready") session.requestResponse("Greet.");
    };
    session.appendAudio(new Int16Array(480));
    socket.becomeReady();
    expect(socket.sent.map((event) => event["type"])).toEqual([
      "session.update",
      "input_audio_buffer.append",
      "response.create",
    ]);
  });

  it("delivers one event after the other, also where a handler calls back", () => {
    const { session, socket } = open();
    const order: string[] = [];
    session.onEvent = ({ type }) => {
      order.push(`${type} begins`);
      session.requestResponse();
      order.push(`${type} ends`);
    };
    socket.onClose?.(1006, "");
    expect(order).toEqual(["error begins", "error ends", "closed begins", "closed ends"]);
  });

  it("taps messages of both directions only where asked to", () => {
    const { session, socket } = open();
    const lines: string[] = [];
    session.onWireMessage = (json, direction, at) => {
      lines.push(`${at} ${direction} ${(JSON.parse(json) as { type: string }).type}`);
    };
    socket.becomeReady();
    session.onWireMessage = undefined;
    socket.receive({ type: "rate_limits.updated" }, 9);
    expect(lines).toEqual([
      "5 received session.created",
      "5 sent session.update",
      "6 received session.updated",
    ]);
  });

  it("keeps exactly one timer, and none where nothing is awaited", () => {
    const rig = open();
    expect(rig.timers.map((timer) => timer.dueAt)).toEqual([10_000]);
    rig.socket.becomeReady();
    expect(rig.timers).toEqual([]);
    rig.nowMs = 100;
    rig.session.requestResponse();
    expect(rig.timers.map((timer) => timer.dueAt)).toEqual([15_100]);
  });

  it("ends a connection attempt that takes too long", () => {
    const rig = open({ connectTimeoutMs: 300 });
    rig.nowMs = 300;
    rig.timers[0]?.handler();
    expect(rig.events.map(([event]) => event)).toMatchObject([
      { type: "error", code: "ERR_AI_UNREACHABLE", fatal: true },
      { type: "closed" },
    ]);
    expect(rig.socket.end).toBe("terminate");
  });

  it("ends the session where the network takes no more audio", () => {
    const rig = open();
    rig.socket.becomeReady();
    rig.socket.bufferedBytes = 2_000_000;
    rig.session.appendAudio(new Int16Array(480));
    expect(rig.events.at(1)?.[0]).toMatchObject({ code: "ERR_AI_STALLED" });
    expect(rig.socket.end).toBe("close 1000");
  });

  it("does nothing after the end, and reports it once", () => {
    const rig = open();
    rig.socket.becomeReady();
    rig.socket.onClose?.(1011, "internal");
    rig.socket.onClose?.(1011, "internal");
    const sent = rig.socket.sent.length;
    rig.session.appendAudio(new Int16Array(4800));
    rig.session.sendToolResult("c", "ok", { respond: true });
    rig.session.requestResponse();
    rig.session.close();
    expect(rig.socket.sent).toHaveLength(sent);
    expect(rig.events.slice(1).map(([event]) => event)).toMatchObject([
      { type: "error", code: "ERR_AI_CLOSED", error: { context: { closeCode: 1011 } } },
      { type: "closed", code: 1011, reason: "internal" },
    ]);
  });

  it.each([
    [{ inputFormat: "opus" as never }, "ERR_UNSUPPORTED_AUDIO_FORMAT"],
    [{ outputFormat: "" as never }, "ERR_UNSUPPORTED_AUDIO_FORMAT"],
    [{ url: "https://api.openai.com" }, "ERR_AI_URL_MALFORMED"],
    [{ url: "nowhere" }, "ERR_AI_URL_MALFORMED"],
    [{ apiKey: "" }, "ERR_AI_KEY_MISSING"],
    [{ appendMs: 5 }, "ERR_AI_APPEND_LENGTH"],
    [{ appendMs: 501 }, "ERR_AI_APPEND_LENGTH"],
    [{ appendMs: Number.NaN }, "ERR_AI_APPEND_LENGTH"],
    [{ apiKey: "sk-1\r\nX: y" }, "ERR_AI_KEY_MISSING"],
  ] as const)("refuses %o", (options, code) => {
    expect(() => open(options)).toThrowError(expect.objectContaining({ code, fault: "usage" }));
  });
});
