import { describe, expect, it } from "vitest";
import { testerProviderIn } from "./tester-provider.ts";

function chosen(variables: Readonly<Record<string, string>>): unknown {
  return testerProviderIn((name) => variables[name]);
}

describe("Who plays testers", () => {
  it.each([{}, { SIDETONE_TESTER: "" }, { SIDETONE_TESTER: "embedded", OPENAI_API_KEY: "k" }])(
    "is the embedded AI with %j, a key or not",
    (variables) => {
      expect(chosen(variables)).toBeUndefined();
    },
  );

  it("is a provider that was asked for, with its own key", () => {
    const keys = { OPENAI_API_KEY: "o", GEMINI_API_KEY: "g" };
    expect(chosen({ ...keys, SIDETONE_TESTER: "openai" })).toEqual({
      provider: "openai",
      url: "wss://api.openai.com/v1/realtime",
      model: "gpt-realtime-2.1",
      apiKey: "o",
    });
    const elsewhere = { SIDETONE_TESTER_URL: "ws://localhost:1", SIDETONE_TESTER_MODEL: "m" };
    expect(chosen({ ...keys, ...elsewhere, SIDETONE_TESTER: "gemini" })).toEqual({
      provider: "gemini",
      url: "ws://localhost:1",
      model: "m",
      apiKey: "g",
    });
  });

  it("needs no key where a tokens service gives tokens", () => {
    const service = {
      SIDETONE_TESTER_TOKENS: "https://tokens.example",
      SIDETONE_TOKENS_SECRET: "s",
    };
    const ai = chosen({ ...service, SIDETONE_TESTER: "openai", OPENAI_API_KEY: "unused" });
    expect(ai).toMatchObject({
      tokens: { from: "service", url: "https://tokens.example", secret: "s" },
    });
    expect(ai).not.toHaveProperty("apiKey");
  });

  it.each([
    [{ SIDETONE_TESTER: "xai" }, "ERR_AI_PROVIDER_UNKNOWN"],
    [{ SIDETONE_TESTER: "openai" }, "ERR_AI_KEY_MISSING"],
    [{ SIDETONE_TESTER: "openai", OPENAI_API_KEY: "" }, "ERR_AI_KEY_MISSING"],
    [{ SIDETONE_TESTER: "gemini", OPENAI_API_KEY: "other" }, "ERR_AI_KEY_MISSING"],
    [
      { SIDETONE_TESTER: "gemini", SIDETONE_TESTER_TOKENS: "https://t", GEMINI_API_KEY: "g" },
      "ERR_TOKENS_SECRET",
    ],
  ])("refuses %j", (variables, code) => {
    expect(() => chosen(variables)).toThrow(expect.objectContaining({ code }));
  });
});
