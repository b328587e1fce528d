import { beforeAll, describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import { AuthTokens } from "../../../src/realtime-server/gemini/auth-tokens.ts";
import { isGeminiPath } from "../../../src/realtime-server/gemini/handshake.ts";
import { GeminiPair, loadRepertoire } from "./gemini-pair.ts";

let shared: Awaited<ReturnType<typeof loadRepertoire>>;

beforeAll(async () => {
  shared = await loadRepertoire();
});

function audioMs(pair: GeminiPair): number {
  return pair.told("audio").reduce((sum, { samples }) => sum + samples.length / 24, 0);
}

describe("a Gemini session with the embedded server", () => {
  it("holds a whole turn: speech found, heard, answered after the delay asked for", () => {
    const pair = new GeminiPair(shared);
    pair.silence(400);
    pair.say("What time is breakfast?");
    pair.silence(9000);

    expect(pair.told("callerTranscript")).toEqual([
      { type: "callerTranscript", text: "What time is breakfast?" },
    ]);
    const stopped = pair.truths.find(({ what }) => what.type === "speechStopped")?.ms ?? 0;
    expect(pair.firstMs("audio") - stopped).toBe(400);
    const [turn] = pair.told("turnDone");
    expect(turn).toMatchObject({ status: "completed" });
    expect(pair.told("botTranscript")[0]?.text).toMatch(/breakfast/iu);
    expect(audioMs(pair)).toBeGreaterThan(1000);
    // The server models playback: the turn is complete when the audio has been played.
    expect(pair.firstMs("turnDone") - pair.firstMs("audio")).toBeCloseTo(audioMs(pair), -1);
    expect(pair.told("usage")[0]?.outputTokens).toBeGreaterThan(0);
  });

  it("is interrupted while it speaks, and answers anew", () => {
    const pair = new GeminiPair(shared, { faults: { stragglers: 2 } });
    pair.silence(400);
    pair.say("Tell me about the hotel.");
    pair.silence(2500);
    pair.say("Excuse me, may I ask something?");
    pair.silence(6000);

    expect(pair.told("interrupted")).toHaveLength(1);
    const after = pair.told("turnDone");
    expect(after).toHaveLength(2);
    expect(after[1]).toMatchObject({ status: "completed" });
    expect(pair.told("botTranscript").at(-1)?.text).toBe("Of course. What would you like to know?");
  });

  it("goes on when the client does not want to be interrupted", () => {
    const pair = new GeminiPair(shared, {
      client: { activityDetection: { interruptsResponse: false } },
    });
    pair.silence(400);
    pair.say("Tell me about the hotel.");
    pair.silence(2500);
    pair.say("Mm-hmm.");
    pair.silence(500);
    expect(pair.told("interrupted")).toEqual([]);
  });

  it("calls functions, and goes on once they are answered", () => {
    const pair = new GeminiPair(shared);
    pair.silence(400);
    pair.say("Dial four two.");
    pair.silence(4000);
    const [call] = pair.told("toolCall");
    expect(call).toMatchObject({ name: "send_dtmf" });
    expect(pair.told("turnDone")).toHaveLength(1);
    pair.act((client, now) => client.sendToolResult(call?.id ?? "", '{"status":"ok"}', true, now));
    pair.silence(1500);
    expect(pair.truths.map(({ what }) => what.type)).toContain("toolAnswered");
  });

  it("takes a call back when the caller interrupts it", () => {
    const pair = new GeminiPair(shared);
    pair.silence(400);
    pair.say("Dial four two.");
    pair.silence(4000);
    const [call] = pair.told("toolCall");
    pair.say("Excuse me, may I ask something?");
    pair.silence(2000);
    expect(pair.told("toolCancelled")).toEqual([{ type: "toolCancelled", id: call?.id }]);
  });

  it("greets when it is asked to", () => {
    const pair = new GeminiPair(shared);
    pair.act((client, now) => client.requestResponse(undefined, now));
    pair.silence(6000);
    expect(audioMs(pair)).toBeGreaterThan(500);
    expect(pair.told("turnDone")[0]).toMatchObject({ status: "completed" });
  });

  it("goes on over another connection when one is announced to end", () => {
    const pair = new GeminiPair(shared, { faults: { goAwayAfterMs: 1000 } });
    pair.silence(1500);
    pair.say("What time is breakfast?");
    pair.silence(6000);
    expect(pair.told("goingAway")).toEqual([{ type: "goingAway", timeLeftMs: 10_000 }]);
    expect(pair.told("resumed")).toHaveLength(1);
    expect(pair.told("ready")).toHaveLength(1);
    expect(pair.connections).toBe(2);
    expect(pair.told("callerTranscript")[0]?.text).toBe("What time is breakfast?");
  });

  it("goes on over another connection when one breaks", () => {
    const pair = new GeminiPair(shared, { faults: { closeOnTurn: { turn: 1, code: 1011 } } });
    pair.silence(400);
    pair.say("Tell me about the hotel.");
    pair.silence(1500);
    expect(pair.told("resumed")).toHaveLength(1);
    expect(pair.told("closed")).toEqual([]);
  });

  it("stalls where it is told to", () => {
    const pair = new GeminiPair(shared, { faults: { stallOnTurn: 1 } });
    pair.silence(400);
    pair.say("Tell me about the hotel.");
    pair.silence(3000);
    expect(pair.told("audio")).toEqual([]);
    expect(pair.truths.map(({ what }) => what)).toContainEqual({
      type: "faultInjected",
      fault: "stallOnTurn",
    });
  });
});

describe("what the Gemini face refuses", () => {
  it.each([
    ["a second setup", { setup: { model: "models/x" } }],
    ["an unknown message", { hello: {} }],
    ["two in one", { clientContent: {}, realtimeInput: {} }],
    ["audio that is none", { realtimeInput: { audio: { data: "AA==", mimeType: "video/mp4" } } }],
    ["a list", []],
  ])("%s", (_what, message) => {
    const pair = new GeminiPair(shared);
    pair.sendRaw(message);
    expect(pair.fromServer.at(-1)).toEqual({ closed: 1007 });
  });

  it("takes what Python writes: snake_case and the URL-safe alphabet", () => {
    const pair = new GeminiPair(shared);
    pair.sendRaw({
      realtime_input: { audio: { data: "_-_-", mime_type: "audio/pcm;rate=16000" } },
    });
    pair.sendRaw({
      client_content: { turns: [{ parts: [{ text: "Hello" }] }], turn_complete: true },
    });
    pair.silence(3000);
    expect(pair.told("closed")).toEqual([]);
    expect(audioMs(pair)).toBeGreaterThan(500);
  });

  it("knows its paths, and the double slash of Google's JavaScript client", () => {
    const method = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    expect(isGeminiPath(`//ws/${method}?key=x`)).toBe(true);
    expect(isGeminiPath(`/ws/${method}`)).toBe(true);
    expect(isGeminiPath("/v1/realtime")).toBe(false);
  });
});

function tokens(): { readonly service: AuthTokens; readonly pass: (ms: number) => void } {
  let nowMs = 0;
  const clock = {
    now: () => instant(nowMs),
    wallClockMs: () => 1_800_000_000_000 + nowMs,
    setTimer: () => ({ cancel: () => undefined }),
  };
  const service = new AuthTokens("AIzaServerKey", clock, () => 0.5);
  return {
    service,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

function mint(service: AuthTokens, body: object, key = "AIzaServerKey") {
  const response = service.answer({
    method: "POST",
    target: "/v1alpha/auth_tokens",
    headers: { "x-goog-api-key": key },
    body: JSON.stringify(body),
  });
  const { name } = JSON.parse(response?.body ?? "{}") as { readonly name?: string };
  return { status: response?.status, name: name ?? "" };
}

describe("ephemeral tokens of the Gemini face", () => {
  it("begin as many sessions as they were made for, and go on with them later", () => {
    const { service } = tokens();
    const { name } = mint(service, { uses: 1 });
    const grant = service.grantOf(name);
    expect(grant?.use(true)).toBe(true);
    expect(grant?.use(true)).toBe(false);
    expect(grant?.use(false)).toBe(true);
  });

  it("begin none after a minute, and are unknown after half an hour", () => {
    const { service, pass } = tokens();
    const { name } = mint(service, {});
    pass(60_000);
    expect(service.grantOf(name)?.use(true)).toBe(false);
    pass(30 * 60_000);
    expect(service.grantOf(name)).toBeUndefined();
  });

  it("lock the setup, all of it or what the mask names", () => {
    const { service } = tokens();
    const setup = { model: "models/locked", generationConfig: { temperature: 0.5 } };
    const asked = { model: "models/asked", tools: [], sessionResumption: {} };
    const whole = mint(service, { bidiGenerateContentSetup: setup });
    expect(service.grantOf(whole.name)?.lock(asked)).toEqual({ ...setup, sessionResumption: {} });
    const some = mint(service, {
      bidiGenerateContentSetup: setup,
      fieldMask: "generationConfig.temperature",
    });
    expect(service.grantOf(some.name)?.lock(asked)).toEqual({
      ...asked,
      generationConfig: { temperature: 0.5 },
    });
  });

  it("are refused to a wrong key, and for wishes that make no sense", () => {
    const { service } = tokens();
    expect(mint(service, {}, "AIzaWrong").status).toBe(401);
    expect(mint(service, { uses: -1 }).status).toBe(400);
    expect(mint(service, { expireTime: "soon" }).status).toBe(400);
    expect(mint(service, { newSessionExpireTime: "2020-01-01T00:00:00Z" }).status).toBe(400);
  });
});

describe("the bot's own voice, by Gemini", () => {
  it.each([
    [-20, 0],
    [0, 1],
  ])("at %i dB interrupts the bot %i times", (levelDb, times) => {
    const pair = new GeminiPair(shared);
    pair.silence(400);
    pair.say("Tell me about the hotel.");
    pair.silence(1500);
    pair.echo("long", levelDb);
    expect(pair.told("interrupted")).toHaveLength(times);
  });
});

describe("faults of the embedded server, by Gemini", () => {
  it("withholds fields, and sends the rest of a message", () => {
    const pair = new GeminiPair(shared, { faults: { withheld: ["generationComplete"] } });
    pair.silence(400);
    pair.say("What time is breakfast?");
    pair.silence(9000);
    expect(JSON.stringify(pair.fromServer)).not.toContain("generationComplete");
    expect(pair.told("turnDone")).toMatchObject([{ status: "completed" }]);
  });

  it("falls silent in mid-speech, which our client notices", () => {
    const faults = { stallInSpeech: { turn: 1, afterMs: 1000 } };
    const pair = new GeminiPair(shared, { faults, client: { stallTimeoutMs: 5000 } });
    pair.silence(400);
    pair.say("What time is breakfast?");
    pair.silence(12_000);
    expect(audioMs(pair)).toBeLessThanOrEqual(1000);
    expect(audioMs(pair)).toBeGreaterThan(400);
    expect(pair.told("error")).toMatchObject([{ code: "ERR_AI_STALLED", fatal: true }]);
  });

  it("calls functions with what is no object, which our client says", () => {
    const pair = new GeminiPair(shared, { faults: { wrongArguments: "notJson" } });
    pair.silence(400);
    pair.say("Dial four two.");
    pair.silence(3000);
    expect(pair.told("toolCall")).toMatchObject([
      { name: "send_dtmf", args: {}, argsError: "The arguments are not a JSON object." },
    ]);
  });

  it("ends a session that has lasted too long", () => {
    const pair = new GeminiPair(shared, { faults: { expireAfterMs: 1000 } });
    pair.silence(2000);
    expect(pair.truths.map(({ what }) => what)).toContainEqual({
      type: "faultInjected",
      fault: "expireAfterMs",
    });
  });

  it("says that a token has expired, which our client does not try again", () => {
    const pair = new GeminiPair(shared, { faults: { tokenExpired: true } });
    pair.silence(1000);
    expect(pair.connections).toBe(1);
    expect(pair.told("error")[0]).toMatchObject({ fatal: true });
  });
});
