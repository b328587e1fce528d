import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drain,
  events,
  perform,
  playbook,
  playbookOptions,
  receive,
  START,
  sent,
  written,
} from "../../../test/unit/bridge/playbook.ts";
import { after } from "../../environment/index.ts";
import { HANGUP_CALL_TOOL } from "../call-tools.ts";
import type { ProtocolOutput } from "../provider/provider-protocol.ts";
import { type OpenAiOptions, openAiSettings } from "./openai-options.ts";
import { OpenAiProtocol } from "./openai-protocol.ts";

const FIXTURES = new URL("../../../fixtures/openai/", import.meta.url);
const API_KEY = "sk-test-0123456789abcdef";
const OPTIONS: OpenAiOptions = {
  url: "ws://127.0.0.1:9/v1/realtime",
  apiKey: API_KEY,
  model: "gpt-realtime-2.1",
  tools: [HANGUP_CALL_TOOL],
};

function protocol(options: Partial<OpenAiOptions> = {}): OpenAiProtocol {
  return new OpenAiProtocol(openAiSettings({ ...OPTIONS, ...options }), START);
}

function readyProtocol(options: Partial<OpenAiOptions> = {}): OpenAiProtocol {
  const engine = protocol(options);
  receive(engine, { type: "session.created", session: {} });
  receive(engine, { type: "session.updated", session: {} });
  drain(engine);
  return engine;
}

function appended(outputs: readonly ProtocolOutput[]): Int16Array {
  const blocks = sent(outputs)
    .filter((event) => event["type"] === "input_audio_buffer.append")
    .map((event) => Buffer.from(event["audio"] as string, "base64"));
  return new Int16Array(new Uint8Array(Buffer.concat(blocks)).buffer);
}

function audioDelta(itemId: string, bytes: number[]): object {
  return {
    type: "response.output_audio.delta",
    response_id: "r",
    item_id: itemId,
    delta: Buffer.from(bytes).toString("base64"),
  };
}

describe("OpenAiProtocol playbooks", () => {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith(".jsonl"));

  it("finds its playbooks", () => {
    expect(names.length).toBeGreaterThanOrEqual(16);
  });

  it.each(names)("%s", (name) => {
    const file = new URL(name, FIXTURES);
    const engine = protocol(playbookOptions(file));
    for (const { input, expected } of playbook(file)) {
      perform(engine, input);
      const outputs = drain(engine).map(written);
      const observed = outputs.filter((line) => line !== undefined);

      // The input stands beside it, so that a failure says where in the playbook it is.
      expect({ input, observed }).toMatchObject({ input, observed: expected });
    }
  });

  it("counts the stragglers of a cancelled response", () => {
    const engine = protocol();
    for (const { input } of playbook(new URL("barge-in-while-generating.jsonl", FIXTURES)))
      perform(engine, input);
    expect(engine.counts).toMatchObject({ stragglerDeltas: 2, malformedEvents: 0 });
  });

  it("counts unknown and malformed events", () => {
    const engine = protocol();
    for (const { input } of playbook(new URL("errors.jsonl", FIXTURES))) perform(engine, input);
    expect(engine.counts).toMatchObject({ unknownEvents: 1, malformedEvents: 1 });
  });
});

describe("OpenAiProtocol session", () => {
  it("sends the settings asked for, and leaves the others to the server", () => {
    const engine = protocol({
      voice: "marin",
      instructions: "Be brief.",
      transcription: { model: "gpt-transcribe", language: "en" },
      turnDetection: { type: "server_vad", silenceDurationMs: 200, interruptResponse: false },
    });

    receive(engine, { type: "session.created", session: {} });

    expect(sent(drain(engine))).toEqual([
      {
        type: "session.update",
        event_id: "sidetone_1",
        session: {
          type: "realtime",
          output_modalities: ["audio"],
          instructions: "Be brief.",
          audio: {
            input: {
              format: { type: "audio/pcm", rate: 24_000 },
              transcription: { model: "gpt-transcribe", language: "en" },
              turn_detection: {
                type: "server_vad",
                silence_duration_ms: 200,
                interrupt_response: false,
              },
            },
            output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin" },
          },
          tools: [{ type: "function", ...HANGUP_CALL_TOOL }],
          tool_choice: "auto",
        },
      },
    ]);
  });

  it("refuses a session in another format", () => {
    const engine = protocol();
    receive(engine, { type: "session.created", session: {} });
    receive(engine, {
      type: "session.updated",
      session: { audio: { output: { format: { type: "audio/pcmu" } } } },
    });
    expect(events(drain(engine))).toMatchObject([
      { type: "error", code: "ERR_AI_FORMAT_MISMATCH", fatal: true },
      { type: "closed" },
    ]);
  });

  it.each([
    ["openai", { audio: { input: { turn_detection: null } } }, []],
    ["openai", { audio: { input: { turn_detection: { interrupt_response: false } } } }, []],
    [
      "openai",
      { audio: { input: { turn_detection: { interrupt_response: true } } } },
      ["interrupted"],
    ],
    ["azure-voice-live", { turn_detection: null }, []],
    ["xai", { turn_detection: null }, []],
    ["openai", {}, ["interrupted"]],
  ] as const)("knows as %s from %o whether the caller interrupts", (dialect, session, expected) => {
    const engine = readyProtocol({ dialect });
    receive(engine, { type: "session.updated", session });
    receive(engine, { type: "input_audio_buffer.speech_started", audio_start_ms: 1 });
    const types = events(drain(engine)).map((event) => event.type);
    expect(types).toEqual(["callerSpeechStarted", ...expected]);
  });

  it("blames the settings where the server refuses them", () => {
    const engine = protocol();
    receive(engine, { type: "session.created", session: {} });
    receive(engine, {
      type: "error",
      error: { type: "invalid_request_error", code: "invalid_value", message: "No such voice." },
    });
    const [error] = events(drain(engine));
    expect(error).toMatchObject({ code: "ERR_AI_SETTINGS_REJECTED", error: { fault: "usage" } });
  });

  it("blames the key where the server does not accept it, without quoting it", () => {
    const engine = protocol();
    engine.isTraced = true;
    receive(engine, {
      type: "error",
      error: { code: "invalid_api_key", message: `Incorrect API key: ${API_KEY}` },
    });
    const outputs = drain(engine);
    expect(events(outputs)[0]).toMatchObject({ code: "ERR_AI_UNAUTHORIZED", fatal: true });
    expect(JSON.stringify(outputs)).not.toContain(API_KEY);
  });

  it.each([
    [Object.assign(new Error("x"), { statusCode: 401 }), "ERR_AI_UNAUTHORIZED"],
    [Object.assign(new Error("x"), { statusCode: 404 }), "ERR_AI_UNREACHABLE"],
    [Object.assign(new Error("x"), { code: "ECONNREFUSED" }), "ERR_AI_UNREACHABLE"],
    [undefined, "ERR_AI_UNREACHABLE"],
  ])("tells why it could not connect (%s)", (error, code) => {
    const engine = protocol();
    if (error !== undefined) engine.handleSocketError(error);
    engine.handleClose(1006, "", START);
    engine.handleClose(1006, "", START);
    const outputs = drain(engine);
    expect(events(outputs)).toMatchObject([
      { type: "error", code, fatal: true, error: { fault: "environment" } },
      { type: "closed", code: 1006 },
    ]);
  });

  it("waits for the session with a limit, then for the settings with another", () => {
    const engine = protocol({ connectTimeoutMs: 300, sessionUpdateTimeoutMs: 200 });
    expect(engine.nextTimeout).toBe(after(START, 300));
    receive(engine, { type: "session.created", session: {} }, after(START, 100));
    expect(engine.nextTimeout).toBe(after(START, 300));
    engine.handleTimeout(after(START, 299));
    expect(engine.isClosed).toBe(false);
    engine.handleTimeout(after(START, 300));
    expect(events(drain(engine))[0]).toMatchObject({ code: "ERR_AI_STALLED" });
    expect(engine.nextTimeout).toBeUndefined();
  });

  it("reports a server that never greets as unreachable", () => {
    const engine = protocol({ connectTimeoutMs: 300 });
    engine.handleTimeout(after(START, 300));
    expect(events(drain(engine))[0]).toMatchObject({ code: "ERR_AI_UNREACHABLE", fatal: true });
  });
});

describe("OpenAiProtocol reconnection", () => {
  it("gives up when its attempts are used up, with the reason of the last", () => {
    const engine = readyProtocol({ reconnectAttemptsMax: 2 });
    let now = START;
    const closed: unknown[] = [];
    for (let round = 0; round < 4; round += 1) {
      engine.handleSocketError(Object.assign(new Error("x"), { code: "ECONNREFUSED" }));
      engine.handleClose(1006, "", now);
      now = after(now, 10_000);
      engine.handleTimeout(now);
      closed.push(...events(drain(engine)).filter(({ type }) => type !== "reconnecting"));
    }
    expect(closed).toMatchObject([
      { type: "error", code: "ERR_AI_UNREACHABLE" },
      { type: "closed", code: 1006 },
    ]);
    expect(engine.counts.reconnections).toBe(2);
  });

  it.each([
    [1008, "", undefined],
    [1006, "", 401],
  ])("does not repeat what would be refused again (%i)", (code, reason, statusCode) => {
    const engine = readyProtocol({ reconnectAttemptsMax: 2 });
    if (statusCode !== undefined) {
      engine.handleSocketError(Object.assign(new Error("x"), { statusCode }));
    }
    engine.handleClose(code, reason, START);
    expect(events(drain(engine)).at(-1)).toMatchObject({ type: "closed" });
  });

  it("keeps the caller's audio meanwhile, and counts the server's time on from there", () => {
    const engine = readyProtocol({ reconnectAttemptsMax: 2 });
    engine.appendAudio(new Int16Array(24_000), START);
    engine.handleClose(1006, "", START);
    drain(engine);
    engine.appendAudio(new Int16Array(480).fill(7), START);
    expect(appended(drain(engine))).toHaveLength(0);
    receive(engine, { type: "session.created", session: {} });
    receive(engine, { type: "session.updated", session: {} });
    expect(appended(drain(engine))[0]).toBe(7);
    receive(engine, { type: "input_audio_buffer.speech_started", audio_start_ms: 10 });
    expect(events(drain(engine))[0]).toEqual({ type: "callerSpeechStarted", audioMs: 1010 });
  });

  it("is not tried where the first connection fails: the call is refused instead", () => {
    const engine = protocol({ reconnectAttemptsMax: 5 });
    engine.handleClose(1006, "", START);
    expect(events(drain(engine)).at(-1)).toMatchObject({ type: "closed" });
  });
});

describe("OpenAiProtocol stalls", () => {
  it("reports a response that was asked for and does not come", () => {
    const engine = readyProtocol({ stallTimeoutMs: 500 });
    expect(engine.nextTimeout).toBeUndefined();

    engine.requestResponse(undefined, after(START, 9000));
    expect(engine.nextTimeout).toBe(after(START, 9500));
    engine.handleTimeout(after(START, 9500));

    expect(events(drain(engine))).toMatchObject([
      { code: "ERR_AI_STALLED", error: { fault: "remote" } },
      { type: "closed" },
    ]);
  });

  it("reports a response that stops half-way, counting from its last event", () => {
    const engine = readyProtocol({ stallTimeoutMs: 500 });
    receive(engine, { type: "response.created", response: { id: "r" } }, after(START, 100));
    receive(engine, { type: "rate_limits.updated" }, after(START, 300));
    expect(engine.nextTimeout).toBe(after(START, 800));
  });

  it("does not call a quiet server stalled that owes nothing", () => {
    const engine = readyProtocol({ stallTimeoutMs: 500 });
    receive(engine, { type: "response.created", response: { id: "r" } });
    receive(engine, { type: "response.done", response: { id: "r", status: "completed" } });
    receive(engine, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 5 });
    expect(engine.nextTimeout).toBeUndefined();
  });
});

describe("OpenAiProtocol requests", () => {
  it("waits with a request until the active response is done", () => {
    const engine = readyProtocol();
    receive(engine, { type: "response.created", response: { id: "r" } });
    engine.requestResponse("Say hello.", START);
    expect(sent(drain(engine))).toEqual([]);
    receive(engine, { type: "response.done", response: { id: "r", status: "completed" } });
    expect(sent(drain(engine))).toMatchObject([
      { type: "response.create", response: { instructions: "Say hello." } },
    ]);
  });

  it("needs no further response where one that saw the results has begun by itself", () => {
    const engine = readyProtocol();
    receive(engine, { type: "response.created", response: { id: "r" } });
    const item = { type: "function_call", status: "completed", name: "x", call_id: "c" };
    receive(engine, { type: "response.output_item.done", response_id: "r", item });
    engine.sendToolResult("c", "ok", true, START);
    receive(engine, {
      type: "conversation.item.added",
      item: { type: "function_call_output", call_id: "c" },
    });
    // Turn detection cut the first response off and began another one.
    receive(engine, { type: "response.created", response: { id: "r2" } });
    receive(engine, { type: "response.done", response: { id: "r", status: "cancelled" } });
    receive(engine, { type: "response.done", response: { id: "r2", status: "completed" } });
    expect(sent(drain(engine)).map((event) => event["type"])).toEqual(["conversation.item.create"]);
  });

  it("takes a refusal as settled where the active response saw the results", () => {
    const engine = readyProtocol();
    receive(engine, { type: "response.created", response: { id: "r" } });
    const item = { type: "function_call", status: "completed", name: "x", call_id: "c" };
    receive(engine, { type: "response.output_item.done", response_id: "r", item });
    receive(engine, { type: "response.done", response: { id: "r", status: "completed" } });
    engine.sendToolResult("c", "ok", true, START);
    receive(engine, {
      type: "conversation.item.added",
      item: { type: "function_call_output", call_id: "c" },
    });
    receive(engine, { type: "response.created", response: { id: "r2" } });
    const error = { code: "conversation_already_has_active_response", message: "" };
    receive(engine, { type: "error", error });
    receive(engine, { type: "response.done", response: { id: "r2", status: "completed" } });
    const requests = sent(drain(engine)).filter((event) => event["type"] === "response.create");
    expect(requests).toHaveLength(1);
  });

  it("does not ask again and again where the server refuses without reason", () => {
    const engine = readyProtocol();
    engine.requestResponse(undefined, START);
    const refusal = { error: { code: "conversation_already_has_active_response", message: "" } };
    for (let round = 0; round < 5; round += 1) receive(engine, { type: "error", ...refusal });
    expect(sent(drain(engine))).toHaveLength(1);
    expect(engine.counts.refusedRequests).toBe(5);
  });

  it("gives a request up that the server refuses for good", () => {
    const engine = readyProtocol();
    engine.requestResponse(undefined, START);
    const [request] = sent(drain(engine));
    receive(engine, {
      type: "error",
      error: { code: "invalid_value", message: "", event_id: request?.["event_id"] },
    });
    expect(engine.nextTimeout).toBeUndefined();
  });

  it("carries out each call once, however often it is announced", () => {
    const engine = readyProtocol();
    receive(engine, { type: "response.created", response: { id: "r" } });
    const item = {
      type: "function_call",
      status: "completed",
      name: "x",
      call_id: "c",
      arguments: '{"a":1}',
    };
    const done = { type: "response.output_item.done", response_id: "r", item };
    receive(engine, done);
    receive(engine, done);
    receive(engine, {
      type: "response.done",
      response: { id: "r", status: "completed", output: [item] },
    });
    const calls = events(drain(engine)).filter((event) => event.type === "toolCall");
    expect(calls).toEqual([
      { type: "toolCall", id: "c", name: "x", args: { a: 1 }, responseId: "r" },
    ]);
  });
});

describe("OpenAiProtocol caller audio", () => {
  it("sends the same samples in blocks of 20 ms, however they come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 1500 }), {
          maxLength: 6,
        }),
        (pieces) => {
          const engine = readyProtocol();
          for (const piece of pieces) engine.appendAudio(Int16Array.from(piece), START);
          const outputs = drain(engine);
          const all = pieces.flat();
          const complete = all.length - (all.length % 480);
          expect([...appended(outputs)]).toEqual(all.slice(0, complete));
          expect(sent(outputs)).toHaveLength(complete / 480);
          expect(engine.sentAudioMs).toBe((complete / 480) * 20);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keeps the newest audio until the session is ready", () => {
    const engine = protocol({ readyBufferMs: 40 });
    for (let block = 1; block <= 10; block += 1) {
      engine.appendAudio(new Int16Array(480).fill(block), START);
    }
    expect(drain(engine)).toEqual([]);
    receive(engine, { type: "session.created", session: {} });
    receive(engine, { type: "session.updated", session: {} });
    const samples = appended(drain(engine));
    expect([samples[0], samples.at(-1), samples.length]).toEqual([8, 10, 1440]);
    expect(engine.counts.droppedInputSamples).toBe(7 * 480);
  });
});

describe("OpenAiProtocol audio of responses", () => {
  it("gives the same samples however the server cuts its deltas", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 }),
        (samples, sizes) => {
          const engine = readyProtocol();
          receive(engine, { type: "response.created", response: { id: "r" } });
          drain(engine);
          const bytes = Buffer.from(Int16Array.from(samples).buffer);
          for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            const delta = bytes.subarray(offset, offset + size).toString("base64");
            const ids = { response_id: "r", item_id: "i" };
            receive(engine, { type: "response.output_audio.delta", ...ids, delta });
            offset += size;
          }
          const heard = events(drain(engine)).flatMap((event) =>
            event.type === "audio" ? [...event.samples] : [],
          );
          expect(heard).toEqual(samples);
        },
      ),
    );
  });

  it("throws away a half sample at the end of an item, and counts it", () => {
    const engine = readyProtocol();
    receive(engine, { type: "response.created", response: { id: "r" } });
    receive(engine, audioDelta("a", [1, 0, 2]));
    receive(engine, audioDelta("b", [3, 0]));
    const audio = events(drain(engine)).filter((event) => event.type === "audio");
    expect(audio.map((event) => [event.itemId, ...event.samples])).toEqual([
      ["a", 1],
      ["b", 3],
    ]);
    expect(engine.counts.halfSamples).toBe(1);
  });
});

describe("OpenAiProtocol tracing", () => {
  it("writes messages of both directions without audio and keys", () => {
    const engine = readyProtocol();
    engine.isTraced = true;
    engine.appendAudio(new Int16Array(480).fill(7), START);
    receive(engine, { type: "response.created", response: { id: "r" } });
    receive(engine, {
      type: "response.output_audio.delta",
      response_id: "r",
      item_id: "i",
      delta: Buffer.alloc(5).toString("base64"),
      api_key: "anything",
      note: `Bearer ${API_KEY}`,
    });
    const wire = drain(engine).flatMap((output) =>
      output.kind === "wire" ? [[output.direction, JSON.parse(output.json) as unknown]] : [],
    );
    expect(wire).toMatchObject([
      ["sent", { type: "input_audio_buffer.append", audio: { bytes: 960 } }],
      ["received", { type: "response.created" }],
      ["received", { delta: { bytes: 5 }, api_key: "[redacted]", note: "Bearer [redacted]" }],
    ]);
  });
});

describe("OpenAiProtocol secrets", () => {
  it.each(["sk-test-0123456789abcdef", "0123456789abcdef0123456789abcdef"])(
    "keeps %s out of events and traces",
    (apiKey) => {
      const engine = readyProtocol({ apiKey });
      engine.isTraced = true;
      const message = `The key ${apiKey} may not do this.`;
      receive(engine, { type: "error", error: { code: apiKey, message } });
      receive(engine, {
        type: "response.done",
        response: { id: "r", status: "failed", status_details: { error: { message } } },
      });
      engine.handleClose(1008, message, START);
      const outputs = drain(engine);
      expect(events(outputs).length).toBeGreaterThanOrEqual(4);
      expect(JSON.stringify(outputs)).not.toContain(apiKey);
      expect(JSON.stringify(outputs)).toContain("[redacted]");
    },
  );
});

describe("OpenAiProtocol fuzz", () => {
  const names = [
    "session.created",
    "session.updated",
    "response.created",
    "response.done",
    "response.output_audio.delta",
    "response.output_item.done",
    "response.function_call_arguments.done",
    "input_audio_buffer.speech_started",
    "conversation.item.added",
    "error",
    "__proto__",
    "constructor",
  ];
  const fields = ["response", "response_id", "item_id", "delta", "item", "error", "session", "id"];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom("r", "i", "AAAA", "completed", "function_call"),
    fc.dictionary(
      fc.constantFrom("id", "status", "output", "code", "call_id", "name"),
      fc.jsonValue(),
    ),
  );
  const event = fc
    .tuple(fc.constantFrom(...names), fc.dictionary(fc.constantFrom(...fields), value))
    .map(([type, rest]) => JSON.stringify({ ...rest, type }));

  it("never throws, and always ends with exactly one closed event", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(event, fc.string(), fc.json()), { maxLength: 30 }), (texts) => {
        const engine = protocol();
        engine.isTraced = true;
        for (const [index, text] of texts.entries()) {
          engine.handleMessage(text, after(START, index));
        }
        engine.sendToolResult("c", "ok", true, START);
        engine.truncate("i", Number.NaN, START);
        engine.close(START);
        const seen = events(drain(engine)).map((each) => each.type);
        expect(seen.filter((type) => type === "closed")).toHaveLength(1);
        expect(seen.at(-1)).toBe("closed");
      }),
      { numRuns: 300 },
    );
  });

  it("survives a message nested very deeply", () => {
    const engine = readyProtocol();
    engine.isTraced = true;
    engine.handleMessage(`{"type":"error","error":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, START);
    expect(engine.counts.malformedEvents).toBe(1);
  });
});
