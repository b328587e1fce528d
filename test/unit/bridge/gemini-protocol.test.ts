import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  credentialHeaders,
  type GeminiOptions,
  geminiSettings,
} from "../../../src/bridge/gemini/gemini-options.ts";
import { GeminiProtocol } from "../../../src/bridge/gemini/gemini-protocol.ts";
import { HANGUP_CALL_TOOL } from "../../../src/bridge/index.ts";
import { after, instant } from "../../../src/environment/index.ts";
import { drain, events, perform, playbook, receive, START, sent, written } from "./playbook.ts";

const FIXTURES = new URL("../../../fixtures/gemini/", import.meta.url);
const API_KEY = "AIzaTestKey0123456789";
const OPTIONS: GeminiOptions = {
  url: "ws://127.0.0.1:9",
  apiKey: API_KEY,
  model: "gemini-3.8-live",
  tools: [HANGUP_CALL_TOOL],
};

function protocol(options: Partial<GeminiOptions> = {}): GeminiProtocol {
  return new GeminiProtocol(geminiSettings({ ...OPTIONS, ...options }), START);
}

function readyProtocol(options: Partial<GeminiOptions> = {}): GeminiProtocol {
  const engine = protocol(options);
  engine.handleOpen(START);
  receive(engine, { setupComplete: {} });
  drain(engine);
  return engine;
}

function audioMessage(bytes: readonly number[], mimeType = "audio/pcm;rate=24000"): object {
  const data = Buffer.from(bytes).toString("base64");
  return { serverContent: { modelTurn: { parts: [{ inlineData: { mimeType, data } }] } } };
}

describe("GeminiProtocol playbooks", () => {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith(".jsonl"));

  it("finds its playbooks", () => {
    expect(names.length).toBeGreaterThanOrEqual(10);
  });

  it.each(names)("%s", (name) => {
    const engine = protocol();
    for (const { input, expected } of playbook(new URL(name, FIXTURES))) {
      perform(engine, input);
      const outputs = drain(engine).map(written);
      const observed = outputs.filter((line) => line !== undefined);
      expect({ input, observed }).toMatchObject({ input, observed: expected });
    }
  });

  it("counts the stragglers of an interrupted turn", () => {
    const engine = protocol();
    const file = new URL("barge-in-while-generating.jsonl", FIXTURES);
    for (const { input } of playbook(file)) perform(engine, input);
    expect(engine.counts).toMatchObject({ stragglerDeltas: 1, malformedEvents: 0 });
  });
});

describe("GeminiProtocol settings", () => {
  it("asks for what is wanted, and leaves the rest to the server", () => {
    const engine = protocol({
      voice: "Kore",
      language: "en-US",
      instructions: "Be brief.",
      transcribes: false,
      activityDetection: {
        startSensitivity: "high",
        silenceDurationMs: 300,
        interruptsResponse: false,
      },
    });
    engine.handleOpen(START);
    expect(sent(drain(engine))).toEqual([
      {
        setup: {
          model: "models/gemini-3.8-live",
          generationConfig: {
            responseModalities: ["AUDIO"],
            speechConfig: {
              voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } },
              languageCode: "en-US",
            },
          },
          systemInstruction: { parts: [{ text: "Be brief." }] },
          tools: [
            {
              functionDeclarations: [
                {
                  name: HANGUP_CALL_TOOL.name,
                  description: HANGUP_CALL_TOOL.description,
                  parametersJsonSchema: HANGUP_CALL_TOOL.parameters,
                },
              ],
            },
          ],
          realtimeInputConfig: {
            automaticActivityDetection: {
              startOfSpeechSensitivity: "START_SENSITIVITY_HIGH",
              silenceDurationMs: 300,
            },
            activityHandling: "NO_INTERRUPTION",
          },
          sessionResumption: {},
        },
      },
    ]);
  });

  it.each([
    [API_KEY, "v1beta.GenerativeService.BidiGenerateContent", { "x-goog-api-key": API_KEY }],
    [
      "auth_tokens/abc",
      "v1alpha.GenerativeService.BidiGenerateContentConstrained",
      { Authorization: "Token auth_tokens/abc" },
    ],
  ])("shows the credential %s in a header, never in the URL", (apiKey, method, headers) => {
    const settings = geminiSettings({ ...OPTIONS, apiKey });
    expect(settings.url).toBe(`ws://127.0.0.1:9/ws/google.ai.generativelanguage.${method}`);
    expect(credentialHeaders(apiKey)).toEqual(headers);
  });

  it("refuses a URL and a key that cannot work", () => {
    expect(() => geminiSettings({ ...OPTIONS, url: "http://x" })).toThrow("ws: or wss:");
    expect(() => geminiSettings({ ...OPTIONS, apiKey: "" })).toThrow("API key");
  });
});

describe("GeminiProtocol audio", () => {
  it("waits for the session to be ready, and tells the rate", () => {
    const engine = protocol();
    engine.appendAudio(new Int16Array(320).fill(7), START);
    expect(sent(drain(engine))).toEqual([]);
    engine.handleOpen(START);
    receive(engine, { setupComplete: {} });
    const [, audio] = sent(drain(engine)) as [unknown, { realtimeInput: { audio: object } }];
    expect(audio).toEqual({
      realtimeInput: {
        audio: { data: expect.any(String), mimeType: "audio/pcm;rate=16000" },
      },
    });
    expect(engine.sentAudioMs).toBe(20);
  });

  it("joins samples that are cut between two messages", () => {
    const engine = readyProtocol();
    receive(engine, audioMessage([1, 0, 2]));
    receive(engine, audioMessage([0, 3, 0]));
    const samples = events(drain(engine)).flatMap((event) =>
      event.type === "audio" ? [...event.samples] : [],
    );
    expect(samples).toEqual([1, 2, 3]);
  });

  it("ends the session where the audio has another rate", () => {
    const engine = readyProtocol();
    receive(engine, audioMessage([1, 0], "audio/pcm;rate=16000"));
    expect(events(drain(engine))).toMatchObject([
      { type: "error", code: "ERR_AI_FORMAT_MISMATCH", fatal: true },
      { type: "closed" },
    ]);
  });

  it("counts the caller's speech on from where a connection ended", () => {
    const engine = readyProtocol();
    receive(engine, { sessionResumptionUpdate: { newHandle: "h", resumable: true } });
    engine.appendAudio(new Int16Array(16_000), START);
    engine.handleClose(1006, "", START);
    engine.handleOpen(START);
    receive(engine, { setupComplete: {} });
    receive(engine, { voiceActivity: { type: "ACTIVITY_START", audioOffset: "0.5s" } });
    expect(events(drain(engine)).at(-1)).toEqual({ type: "callerSpeechStarted", audioMs: 1500 });
  });
});

describe("GeminiProtocol ends", () => {
  it.each([
    [1007, "Invalid argument: voice", "ERR_AI_SETTINGS_REJECTED"],
    [1008, "API key not valid.", "ERR_AI_UNAUTHORIZED"],
    [1008, "models/x is not found", "ERR_AI_SETTINGS_REJECTED"],
    [1011, "Internal error", "ERR_AI_CLOSED"],
  ])("blames who is at fault for close code %i (%s) before it is ready", (code, reason, error) => {
    const engine = protocol();
    engine.handleOpen(START);
    drain(engine);
    engine.handleClose(code, reason, START);
    expect(events(drain(engine))).toMatchObject([
      { type: "error", code: error, fatal: true },
      { type: "closed", code },
    ]);
  });

  it("does not try again where the handle, or the patience, has ended", () => {
    const lost = readyProtocol();
    lost.handleClose(1006, "", START);
    expect(events(drain(lost))[0]).toMatchObject({ code: "ERR_AI_CLOSED" });

    const engine = readyProtocol({ resumeAttemptsMax: 2 });
    receive(engine, { sessionResumptionUpdate: { newHandle: "h", resumable: true } });
    let connections = 0;
    let now = START;
    for (let round = 0; round < 5; round += 1) {
      engine.handleClose(1006, "", now);
      now = after(now, 10_000);
      engine.handleTimeout(now);
      connections += drain(engine).filter(({ kind }) => kind === "connect").length;
    }
    expect(connections).toBe(2);
    expect(engine.nextTimeout).toBeUndefined();
  });

  it("leaves an announced end in the middle of a turn that does not end in time", () => {
    const engine = readyProtocol();
    receive(engine, { sessionResumptionUpdate: { newHandle: "h", resumable: true } });
    receive(engine, audioMessage([1, 0]));
    receive(engine, { goAway: { timeLeft: "3s" } });
    drain(engine);
    expect(engine.nextTimeout).toBe(instant(START + 1000));
    engine.handleTimeout(instant(START + 1000));
    const outputs = drain(engine);
    expect(events(outputs)).toMatchObject([
      { type: "audioDone" },
      { type: "turnDone", status: "incomplete" },
      { type: "reconnecting", code: 1001, attempt: 1, inMs: 0 },
    ]);
    expect(outputs.at(-1)).toEqual({ kind: "connect" });
  });

  it("quotes neither key nor handle in what it writes down", () => {
    const engine = protocol();
    engine.isTraced = true;
    engine.handleOpen(START);
    receive(engine, { sessionResumptionUpdate: { newHandle: "secret-handle", resumable: true } });
    engine.handleClose(1008, `API key ${API_KEY} not valid`, START);
    const outputs = JSON.stringify(drain(engine).filter(({ kind }) => kind !== "send"));
    expect(outputs).not.toContain(API_KEY);
    expect(outputs).not.toContain("secret-handle");
  });

  it("never throws, whatever the server sends", () => {
    const names =
      "setupComplete serverContent toolCall toolCallCancellation usageMetadata voiceActivity " +
      "sessionResumptionUpdate goAway modelTurn parts inlineData data mimeType functionCalls id " +
      "name args ids interrupted generationComplete turnComplete inputTranscription text __proto__";
    const field = fc.constantFrom(...names.split(" "));
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 0, "", "audio/pcm;rate=24000", "1.5s", "AAE="),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(field, tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.array(fc.dictionary(field, value, { maxKeys: 4 })), (messages) => {
        const engine = readyProtocol();
        for (const message of messages) receive(engine, message);
        const closed = events(drain(engine)).filter(({ type }) => type === "closed");
        expect(closed.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
