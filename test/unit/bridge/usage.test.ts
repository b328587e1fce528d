import { describe, expect, it } from "vitest";
import { usageEvent as geminiUsage } from "../../../src/bridge/gemini/usage.ts";
import { parsePrices } from "../../../src/bridge/index.ts";
import { usageEvent as openAiUsage } from "../../../src/bridge/openai/usage.ts";
import { costOf } from "../../../src/bridge/usage.ts";

const DETAILS = {
  inputText: 1000,
  inputAudio: 2000,
  cachedText: 3000,
  cachedAudio: 4000,
  outputText: 5000,
  outputAudio: 6000,
};

describe("What tokens cost", () => {
  it("takes each kind at its own price", () => {
    const cost = costOf(DETAILS, "gpt-realtime-2.1");
    const expected = (1 * 4 + 2 * 32 + 3 * 0.4 + 4 * 0.4 + 5 * 24 + 6 * 64) / 1000;
    expect(cost?.usd).toBeCloseTo(expected, 10);
    expect(cost?.prices).toMatchObject({ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/u) });
  });

  it("knows a model by its dated name", () => {
    expect(costOf(DETAILS, "gpt-realtime-2.1-2026-07-01")?.usd).toBeGreaterThan(0);
  });

  it("lets the user's own prices come first", () => {
    const own = { "gpt-realtime-2.1": { ...DETAILS, inputText: 1 } };
    expect(costOf({ ...DETAILS, inputText: 0 }, "gpt-realtime-2.1", own)?.prices.source).toBe(
      "own",
    );
  });

  it.each([
    ["a model that nobody lists", "nobody-knows", DETAILS],
    ["a name that every object has", "constructor", DETAILS],
    ["tokens whose kinds are not known", "gpt-realtime-2.1", undefined],
  ])("names no cost for %s", (_what, model, details) => {
    expect(costOf(details, model)).toBeUndefined();
  });
});

describe("OpenAI's usage", () => {
  it("takes cached tokens out of the others", () => {
    const event = openAiUsage("r", {
      total_tokens: 253,
      input_tokens: 132,
      output_tokens: 121,
      input_token_details: {
        text_tokens: 100,
        audio_tokens: 32,
        cached_tokens: 80,
        cached_tokens_details: { text_tokens: 60, audio_tokens: 20 },
      },
      output_token_details: { text_tokens: 30, audio_tokens: 91, reasoning_tokens: 10 },
    });
    expect(event.details).toEqual({
      inputText: 40,
      inputAudio: 12,
      cachedText: 60,
      cachedAudio: 20,
      outputText: 30,
      outputAudio: 91,
    });
  });

  it("makes nothing negative of figures that contradict each other", () => {
    const { details } = openAiUsage("r", {
      input_tokens: 5,
      output_tokens: -3,
      input_token_details: { audio_tokens: 900, cached_tokens: 700 },
      output_token_details: { audio_tokens: 4 },
    });
    expect(Object.values(details ?? {}).every((count) => count >= 0)).toBe(true);
  });
});

describe("Gemini's usage", () => {
  it("counts thoughts as output, and what has no modality as text", () => {
    const event = geminiUsage("r", {
      promptTokenCount: 522,
      responseTokenCount: 42,
      totalTokenCount: 564,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 332 },
        { modality: "AUDIO", tokenCount: 165 },
      ],
      responseTokensDetails: [{ modality: "AUDIO", tokenCount: 42 }],
      thoughtsTokenCount: 136,
    });
    expect(event).toMatchObject({ inputTokens: 522, outputTokens: 178, totalTokens: 700 });
    expect(event.details).toMatchObject({
      inputText: 357,
      inputAudio: 165,
      outputText: 136,
      outputAudio: 42,
    });
  });

  it("says nothing of kinds where the server does not", () => {
    expect(geminiUsage("r", { promptTokenCount: 5 }).details).toBeUndefined();
  });
});

describe("parsePrices", () => {
  it("reads YAML and JSON, which a cost then follows", () => {
    const [yaml, json] = [
      "m: { inputText: 1, inputAudio: 0, cachedText: 0, cachedAudio: 0, outputText: 0, outputAudio: 0 }",
      JSON.stringify({ m: { ...DETAILS, inputText: 2 } }),
    ].map((text) => parsePrices(text, "prices"));
    expect(costOf({ ...DETAILS, inputText: 3_000_000 }, "models/m", yaml)?.usd).toBe(3);
    expect(json?.["m"]).toMatchObject({ inputText: 2, outputAudio: DETAILS.outputAudio });
  });

  it.each([
    ["m: [", "not YAML"],
    ["", "the list"],
    ["m: { inputText: 1 }", "m.inputAudio"],
    [JSON.stringify({ m: { ...DETAILS, inputText: -1 } }), "m.inputText"],
    [JSON.stringify({ m: { ...DETAILS, thoughts: 1 } }), "thoughts"],
  ])("refuses %j and says where", (text, where) => {
    const parse = (): unknown => parsePrices(text, "prices.yaml");
    expect(parse).toThrow(expect.objectContaining({ code: "ERR_PRICES_MALFORMED" }));
    expect(parse).toThrow(where);
  });
});
