import { afterEach, describe, expect, it } from "vitest";
import { loadVoices } from "../../../src/audio/index.ts";
import {
  type AiEvent,
  type AiSession,
  fetchToken,
  mintToken,
  TokenCache,
  TokenDesk,
  type TokenDeskOptions,
} from "../../../src/bridge/index.ts";
import type { EphemeralToken } from "../../../src/bridge/tokens/ephemeral-token.ts";
import { aiSessionOf } from "../../../src/call/ai-session-of.ts";
import type { AiOptions } from "../../../src/call/index.ts";
import type { Clock, HttpRequest, ListeningServer } from "../../../src/environment/index.ts";
import { createEnvironment, NodeFileStore } from "../../../src/platform/index.ts";
import { parseScript, RealtimeServer } from "../../../src/realtime-server/index.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const SECRET = "tokens-service-secret-0123";
const files = new NodeFileStore();
const environment = createEnvironment({ seed: "tokens" });
const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function embedded(): Promise<RealtimeServer> {
  const path = `${ROOT}fixtures/scripts/reception.yaml`;
  const server = await RealtimeServer.start(environment, {
    listen: { address: "127.0.0.1", port: 0 },
    script: parseScript(await files.readText(path), path),
    voices: await loadVoices(files, `${ROOT}fixtures/voices`),
  });
  open.push(server);
  return server;
}

function access(server: RealtimeServer): TokenDeskOptions["providers"] {
  const { apiKey, url, geminiUrl } = server;
  return { openai: { url, apiKey }, gemini: { url: geminiUrl, apiKey } };
}

async function service(
  server: RealtimeServer,
  more: Partial<TokenDeskOptions> = {},
): Promise<{ readonly url: string; readonly lines: string[]; readonly desk: TokenDesk }> {
  const lines: string[] = [];
  const desk = new TokenDesk(environment, {
    clients: [{ name: "agent-1", secret: SECRET }],
    providers: access(server),
    perMinute: 100,
    log: (line) => lines.push(line),
    ...more,
  });
  const listening: ListeningServer = await environment.network.listenHttp(
    { address: "127.0.0.1", port: 0 },
    {
      onRequest: (request) => desk.answer(request),
      onUpgrade: () => ({ accept: false, response: { status: 404 } }),
    },
  );
  open.push(listening);
  return { url: `http://127.0.0.1:${listening.local.port}`, lines, desk };
}

function outcome(session: AiSession): Promise<AiEvent> {
  open.push(session);
  return new Promise((resolve) => {
    session.onEvent = (event) => {
      if (event.type === "ready" || event.type === "error") resolve(event);
    };
  });
}

function aiOf(provider: "openai" | "gemini", server: RealtimeServer): AiOptions {
  const url = provider === "gemini" ? server.geminiUrl : server.url;
  return { provider, url, model: "some-model", voice: "marin", greets: false };
}

function ask(headers: Record<string, string> = {}, body: object = {}): HttpRequest {
  return { method: "POST", target: "/v1/tokens", headers, body: JSON.stringify(body) };
}

const WISH = { provider: "openai", session: { type: "realtime", model: "gpt-realtime" } } as const;
const BEARER = { authorization: `Bearer ${SECRET}` };

function clockAt(wallClockMs: number): Pick<Clock, "wallClockMs"> {
  return { wallClockMs: () => wallClockMs };
}

function stub(more: Partial<TokenDeskOptions> = {}): { desk: TokenDesk; lines: string[] } {
  const lines: string[] = [];
  const desk = new TokenDesk(environment, {
    clients: [
      { name: "one", secret: SECRET },
      { name: "two", secret: `${SECRET}-two` },
    ],
    // Nobody listens there.
    providers: {
      openai: { url: "ws://127.0.0.1:9/v1/realtime", apiKey: "sk-planted-0123456789" },
    },
    perMinute: 3,
    log: (line) => lines.push(line),
    ...more,
  });
  return { desk, lines };
}

describe.each(["openai", "gemini"] as const)(
  "A session of %s with ephemeral tokens",
  (provider) => {
    it("is opened with a token that is minted with the agent's own key", async () => {
      const server = await embedded();
      const ai = {
        ...aiOf(provider, server),
        apiKey: server.apiKey,
        tokens: { from: "provider" },
      } as const;
      expect(await outcome(aiSessionOf(environment, ai, []))).toEqual({ type: "ready" });
    });

    it("is opened with a token of the tokens service, without any key", async () => {
      const server = await embedded();
      const { url, lines } = await service(server);
      const tokens = { from: "service", url, secret: SECRET } as const;
      const ai: AiOptions = { ...aiOf(provider, server), tokens };
      expect(await outcome(aiSessionOf(environment, ai, []))).toEqual({ type: "ready" });
      expect(lines).toEqual([`agent-1: a token of ${provider}`]);
    });

    it("asks once for many calls where a token may be used again, and for each where not", async () => {
      const server = await embedded();
      const { url, lines } = await service(server);
      const ai: AiOptions = {
        ...aiOf(provider, server),
        tokens: { from: "service", url, secret: SECRET },
      };
      const outcomes = [1, 2, 3].map(() => outcome(aiSessionOf(environment, ai, [])));
      expect(await Promise.all(outcomes)).toEqual([1, 2, 3].map(() => ({ type: "ready" })));
      expect(lines).toHaveLength(provider === "openai" ? 1 : 3);
    });

    it("says that the service does not know the secret", async () => {
      const { url } = await service(await embedded());
      const server = await embedded();
      const tokens = { from: "service", url, secret: "another-secret-0123456789" } as const;
      const event = await outcome(
        aiSessionOf(environment, { ...aiOf(provider, server), tokens }, []),
      );
      expect(event).toMatchObject({ type: "error", code: "ERR_TOKEN_REFUSED", fatal: true });
      expect(JSON.stringify(event)).not.toContain("another-secret");
    });

    it("takes another token, once, where the server refuses the first", async () => {
      const server = await embedded();
      let minted = 0;
      const request = {
        ...aiOf(provider, server),
        apiKey: server.apiKey,
        session: { type: "realtime" },
      };
      const stale = {
        value: provider === "openai" ? "ek_stale0000" : "auth_tokens/stale",
        isReusable: provider === "openai",
      };
      const far = environment.clock.wallClockMs() + 600_000;
      const cache = new TokenCache(() => {
        minted += 1;
        if (minted > 1) return mintToken(environment, request);
        return Promise.resolve({ ...stale, startsUntilMs: far, usableUntilMs: far });
      }, environment.clock);
      const { geminiSession, openAiSession } = await import("../../../src/bridge/index.ts");
      const options = { url: request.url, model: request.model, tokens: cache };
      const session =
        provider === "openai"
          ? openAiSession(environment, options)
          : geminiSession(environment, options);
      expect(await outcome(session)).toEqual({ type: "ready" });
      expect(minted).toBe(2);
    });

    it("gives up clearly where the second token is refused, too", async () => {
      const server = await embedded();
      const far = environment.clock.wallClockMs() + 600_000;
      let minted = 0;
      const cache = new TokenCache(() => {
        minted += 1;
        const value = provider === "openai" ? `ek_stale${minted}` : `auth_tokens/stale${minted}`;
        return Promise.resolve({
          value,
          startsUntilMs: far,
          usableUntilMs: far,
          isReusable: false,
        });
      }, environment.clock);
      const { geminiSession, openAiSession } = await import("../../../src/bridge/index.ts");
      const { url, model } = aiOf(provider, server);
      const options = { url, model, tokens: cache };
      const session =
        provider === "openai"
          ? openAiSession(environment, options)
          : geminiSession(environment, options);
      expect(await outcome(session)).toMatchObject({ code: "ERR_AI_UNAUTHORIZED", fatal: true });
      expect(minted).toBe(2);
    });
  },
);

describe("A cache of tokens", () => {
  it("lets no session begin with a token that is about to expire", async () => {
    let minted = 0;
    const mint = (): Promise<EphemeralToken> => {
      minted += 1;
      const untilMs = minted === 1 ? 9000 : 60_000;
      return Promise.resolve({
        value: `t${minted}`,
        startsUntilMs: untilMs,
        usableUntilMs: untilMs,
        isReusable: true,
      });
    };
    const cache = new TokenCache(mint, clockAt(0));
    expect((await cache.take()).value).toBe("t1");
    expect((await cache.take()).value).toBe("t2");
    expect((await cache.take()).value).toBe("t2");
  });

  it("goes on with a session's own token while that may be used", async () => {
    const cache = new TokenCache(() => Promise.reject(new Error("none")), clockAt(0));
    const own = { value: "own", startsUntilMs: 0, usableUntilMs: 60_000, isReusable: false };
    expect(await cache.take(own)).toBe(own);
  });

  it("does not keep a failure", async () => {
    let tries = 0;
    const mint = (): Promise<EphemeralToken> => {
      tries += 1;
      if (tries === 1) return Promise.reject(new Error("down"));
      return Promise.resolve({
        value: "t",
        startsUntilMs: 60_000,
        usableUntilMs: 60_000,
        isReusable: true,
      });
    };
    const cache = new TokenCache(mint, clockAt(0));
    await expect(cache.take()).rejects.toThrow("down");
    expect((await cache.take()).value).toBe("t");
  });
});

describe("The tokens service", () => {
  it("is healthy without a secret, and gives nothing without the right one", async () => {
    const { desk } = stub();
    const health = await desk.answer({ method: "GET", target: "/health", headers: {}, body: "" });
    expect(health).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    for (const authorization of ["", "Bearer", `Bearer ${SECRET}x`, `Basic ${SECRET}`, SECRET]) {
      const answer = await desk.answer(ask({ authorization }, WISH));
      expect([answer.status, answer.headers?.["WWW-Authenticate"]]).toEqual([401, "Bearer"]);
    }
  });

  it("gives a client so many in a minute, whatever the others do", async () => {
    const { desk, lines } = stub();
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await desk.answer(ask(BEARER, {}))).status);
    expect(statuses).toEqual([400, 400, 400, 429, 429]);
    const other = await desk.answer(ask({ authorization: `Bearer ${SECRET}-two` }, {}));
    expect(other.status).toBe(400);
    expect(lines).toContain("one: refused, too many requests");
  });

  it("slows guessing down", async () => {
    const { desk } = stub();
    const answers = await Promise.all(
      Array.from({ length: 80 }, () => desk.answer(ask({ authorization: "Bearer wrong" }, WISH))),
    );
    expect(answers.map(({ status }) => status)).toContain(429);
    expect((await desk.answer(ask(BEARER, {}))).status).toBe(400);
  });

  it.each([
    ["a body that is no JSON object", "[]", 400],
    ["an unknown provider", JSON.stringify({ ...WISH, provider: "nobody" }), 400],
    ["a provider without a key here", JSON.stringify({ ...WISH, provider: "gemini" }), 400],
    ["a model that is not permitted", JSON.stringify(WISH), 403],
  ])("refuses %s", async (_what, body, status) => {
    const { desk } = stub({ models: ["another-model"] });
    const answer = await desk.answer({ ...ask(BEARER), body });
    expect(answer.status).toBe(status);
  });

  it("knows one path and one method", async () => {
    const { desk } = stub();
    expect((await desk.answer({ ...ask(BEARER), target: "/v1/keys" })).status).toBe(404);
    expect((await desk.answer({ ...ask(BEARER), method: "GET" })).status).toBe(405);
  });

  it("tells of a provider that gives none, and says and logs no secret", async () => {
    const { desk, lines } = stub();
    const answer = await desk.answer(ask(BEARER, WISH));
    expect(answer.status).toBe(502);
    expect(lines).toEqual(["one: ERR_TOKEN_UNAVAILABLE"]);
    expect(JSON.stringify([answer, lines])).not.toMatch(/planted|tokens-service-secret/u);
  });

  it("ends what is under way, and takes nothing more", async () => {
    const { desk } = stub();
    const pending = desk.answer(ask(BEARER, WISH));
    await desk.close();
    expect((await pending).status).toBe(502);
    expect((await desk.answer(ask(BEARER, WISH))).status).toBe(503);
    expect((await desk.answer({ ...ask(), method: "GET", target: "/health" })).status).toBe(503);
  });

  it.each([
    [],
    [{ name: "a", secret: "short" }],
    [{ name: "a", secret: "has blanks in it, many" }],
  ])("does not start with secrets like %j", (...clients) => {
    expect(() => stub({ clients: clients as TokenDeskOptions["clients"] })).toThrow("secret");
  });
});

describe("A client of the tokens service", () => {
  it("sends its secret over the network by TLS only", async () => {
    const asked = fetchToken(environment, { url: "http://192.0.2.1", secret: SECRET }, WISH);
    await expect(asked).rejects.toMatchObject({ code: "ERR_TOKENS_NEED_TLS" });
  });

  it("takes no answer for a token that is none", async () => {
    const server = await environment.network.listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: () => Promise.resolve({ status: 200, body: '{"value":"x"}' }),
        onUpgrade: () => ({ accept: false, response: { status: 404 } }),
      },
    );
    open.push(server);
    const url = `http://127.0.0.1:${server.local.port}`;
    await expect(fetchToken(environment, { url, secret: SECRET }, WISH)).rejects.toMatchObject({
      code: "ERR_TOKEN_UNAVAILABLE",
    });
  });
});
