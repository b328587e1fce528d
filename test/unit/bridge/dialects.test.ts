import { describe, expect, it } from "vitest";
import { credentialHeaders, DIALECTS } from "../../../src/bridge/openai/dialects.ts";
import { openAiSettings } from "../../../src/bridge/openai/openai-options.ts";

const KEY = "key-0123456789abcdef";
const OPTIONS = { apiKey: KEY, model: "some-model" };

describe("The dialects of OpenAI's protocol", () => {
  it.each([
    ["openai", "wss://api.openai.com/v1/realtime", "?model=some-model", "Authorization"],
    ["azure-openai", "wss://r.openai.azure.com/openai/v1/realtime", "?model=some-model", "api-key"],
    [
      "azure-voice-live",
      "wss://r.services.ai.azure.com/voice-live/realtime",
      "?api-version=2026-04-10&model=some-model",
      "api-key",
    ],
    ["xai", "wss://api.x.ai/v1/realtime", "?model=some-model", "Authorization"],
  ] as const)(
    "%s is reached at its address, with its key in its header",
    (dialect, url, query, header) => {
      const settings = openAiSettings({ ...OPTIONS, dialect, url });
      expect(settings.url).toBe(`${url}${query}`);
      const value = header === "api-key" ? KEY : `Bearer ${KEY}`;
      expect(credentialHeaders(settings.dialect, KEY)).toEqual({ [header]: value });
      expect(settings.url).not.toContain(KEY);
    },
  );

  it("leaves alone what the URL says itself", () => {
    const url = "wss://r.services.ai.azure.com/voice-live/realtime?api-version=1&agent-name=a";
    const settings = openAiSettings({ ...OPTIONS, dialect: "azure-voice-live", url });
    expect(new URL(settings.url).searchParams.get("api-version")).toBe("1");
  });

  it.each(["ek_abc", "eyJhbGciOi"])("sends the token %s as Bearer to Azure, too", (token) => {
    expect(credentialHeaders(DIALECTS["azure-openai"], token)).toEqual({
      Authorization: `Bearer ${token}`,
    });
  });

  it("shows how a URL is to be written where it cannot work", () => {
    for (const dialect of Object.values(DIALECTS)) {
      expect(() => openAiSettings({ ...OPTIONS, dialect: dialect.name, url: "https://x" })).toThrow(
        dialect.exampleUrl,
      );
    }
  });
});
