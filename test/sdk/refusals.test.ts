import { ApiError, GoogleGenAI } from "@google/genai";
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents-realtime";
import { AuthenticationError, InternalServerError, OpenAI, RateLimitError } from "openai";
import { OpenAIRealtimeError } from "openai/realtime/index";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { describe, expect, it } from "vitest";
import { type ServedAi, serveAi } from "./support/server.ts";

const OPENAI_MODEL = "gpt-realtime-2.1";
const GEMINI_MODEL = "gemini-3.8-live";

/** What a server in trouble answers, and how the package `openai` shows that of an HTTP request. */
const REFUSALS = [
  { status: 401, error: AuthenticationError, code: "invalid_api_key", google: "UNAUTHENTICATED" },
  { status: 429, error: RateLimitError, code: "rate_limit_exceeded", google: "RESOURCE_EXHAUSTED" },
  { status: 500, error: InternalServerError, code: "service_unavailable", google: "UNAVAILABLE" },
] as const;

async function refusing(
  status: number,
  use: (served: ServedAi) => Promise<void>,
): Promise<ServedAi["events"]> {
  const served = await serveAi(undefined, { faults: { refuseStatus: status } });
  try {
    await use(served);
  } finally {
    await served.server.close();
  }
  return served.events;
}

/** The official clients are told of a refusal as their documentation says. */
describe.concurrent.each(REFUSALS)("A server that refuses with $status", (refusal) => {
  const { status, error, code, google } = refusal;

  it("ends openai's session with an OpenAIRealtimeError that names it", async () => {
    const events = await refusing(status, async ({ server, secureOrigin }) => {
      const client = new OpenAI({ apiKey: server.apiKey, baseURL: `${secureOrigin}/v1` });
      const failed = await new Promise<OpenAIRealtimeError>((resolve) => {
        new OpenAIRealtimeWS({ model: OPENAI_MODEL }, client).on("error", resolve);
      });
      expect(failed).toBeInstanceOf(OpenAIRealtimeError);
      expect(failed.message).toContain(String(status));
    });
    expect(events).toMatchObject([{ type: "refused", status }]);
  });

  it("gives openai no client secret, and the error's own class", async () => {
    await refusing(status, async ({ server, secureOrigin }) => {
      const options = { apiKey: server.apiKey, baseURL: `${secureOrigin}/v1`, maxRetries: 0 };
      const asked = new OpenAI(options).realtime.clientSecrets.create({});
      await expect(asked).rejects.toBeInstanceOf(error);
      await expect(asked).rejects.toMatchObject({ status, code });
    });
  });

  it("lets the Agents SDK's connect() fail", async () => {
    const events = await refusing(status, async ({ server, plainOrigin }) => {
      const session = new RealtimeSession(new RealtimeAgent({ name: "Bot" }), {
        transport: new OpenAIRealtimeWebSocket({ useInsecureApiKey: true }),
        model: OPENAI_MODEL,
      });
      const told: unknown[] = [];
      session.on("error", (each) => told.push(each.error));
      const url = `${plainOrigin.replace("http:", "ws:")}/v1/realtime?model=${OPENAI_MODEL}`;
      await expect(session.connect({ apiKey: server.apiKey, url })).rejects.toBeDefined();
      expect(told.length).toBeGreaterThan(0);
      session.close();
    });
    expect(events).toMatchObject([{ type: "refused", status }]);
  });

  it("lets live.connect of @google/genai fail, and tells onerror why", async () => {
    const events = await refusing(status, async ({ server, plainOrigin }) => {
      const ai = new GoogleGenAI({
        apiKey: server.apiKey,
        httpOptions: { baseUrl: plainOrigin },
      });
      const told: string[] = [];
      const connected = ai.live.connect({
        model: GEMINI_MODEL,
        callbacks: { onmessage: () => undefined, onerror: ({ message }) => told.push(message) },
      });
      await expect(connected).rejects.toThrow(String(status));
      expect(told).toEqual([expect.stringContaining(String(status))]);
    });
    expect(events).toMatchObject([{ type: "refused", status }]);
  });

  it("gives @google/genai no token, but an ApiError", async () => {
    await refusing(status, async ({ server, plainOrigin }) => {
      const httpOptions = { baseUrl: plainOrigin, apiVersion: "v1alpha" };
      const ai = new GoogleGenAI({ apiKey: server.apiKey, httpOptions });
      const asked = ai.authTokens.create({ config: { uses: 1 } });
      await expect(asked).rejects.toBeInstanceOf(ApiError);
      await expect(asked).rejects.toMatchObject({
        status,
        message: expect.stringContaining(google),
      });
    });
  });
});
