import { describe, expect, it } from "vitest";
import {
  type HttpClientRequest,
  type HttpClientResponse,
  instant,
  RemoteError,
} from "../environment/index.ts";
import type { FactDraft } from "../timeline/index.ts";
import { HttpPolicy, type HttpToolOptions } from "./http-policy.ts";
import { httpTool } from "./http-tool.ts";
import { ToolRegistry } from "./tool-registry.ts";

const CLOCK = {
  now: () => instant(7),
  wallClockMs: () => 0,
  setTimer: () => ({ cancel: () => undefined }),
};
const VARIABLES: Readonly<Record<string, string>> = { KEY: "k-secret-1", SHORT: "abc" };

interface Asked {
  readonly requests: HttpClientRequest[];
  readonly facts: FactDraft[];
  readonly ask: (args: Record<string, unknown>) => Promise<unknown>;
}

function open(
  options: HttpToolOptions,
  answers: readonly (Partial<HttpClientResponse> | Error)[] = [{}],
  standIns: Record<string, string> = {},
): Asked {
  const requests: HttpClientRequest[] = [];
  const facts: FactDraft[] = [];
  const tool = httpTool(options, {
    clock: CLOCK,
    variable: (name) => VARIABLES[name],
    standIns,
    network: {
      requestHttp: (request) => {
        const answer = answers[Math.min(requests.length, answers.length - 1)] ?? {};
        requests.push(request);
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({ status: 200, headers: {}, body: "", ...answer });
      },
    },
  });
  if (tool === undefined) throw new Error("There is no tool.");
  void new ToolRegistry([tool]);
  const { signal } = new AbortController();
  const record = (fact: FactDraft): void => void facts.push(fact);
  return { requests, facts, ask: (args) => tool.run(args, { toolCallId: "c", signal, record }) };
}

const API = { allow: ["api.example.com"] };

describe("httpTool", () => {
  it("asks a permitted host and gives the answer", async () => {
    const { ask, requests, facts } = open(API, [
      { status: 201, headers: { "content-type": "application/json" }, body: '{"a":1}' },
    ]);
    const url = "https://api.example.com/rooms?n=2";
    const headers = { "Content-Type": "application/json" };
    const answer = await ask({ method: "POST", url, body: "{}", headers });
    expect(answer).toEqual({ httpStatus: 201, contentType: "application/json", body: '{"a":1}' });
    expect(requests).toMatchObject([
      {
        method: "POST",
        url,
        body: "{}",
        headers: { "content-type": "application/json" },
        reach: "public",
        timeoutMs: 10_000,
        bytesMax: 65_536,
      },
    ]);
    expect(facts).toEqual([
      {
        kind: "httpRequest",
        direction: "sent",
        toolCallId: "c",
        method: "POST",
        url,
        statusCode: 201,
        at: 7,
      },
    ]);
  });

  it.each([
    "http://api.example.com/",
    "https://api.example.com:8443/",
    "https://api.example.com.evil.test/",
    "https://evil.test/api.example.com",
    "https://evil.test\\@api.example.com/",
    "https://user@api.example.com/",
    "https://example.com/",
    "https://127.0.0.1/",
    "file:///etc/passwd",
    "/rooms",
  ])("does not ask %s", async (url) => {
    const { ask, requests } = open(API);
    await expect(ask({ url })).rejects.toMatchObject({ code: "ERR_HTTP_NOT_PERMITTED" });
    expect(requests).toEqual([]);
  });

  it("judges where a redirection leads, and sends no secret there", async () => {
    const options = { ...API, headers: { "api.example.com": { Authorization: "Bearer ${KEY}" } } };
    const away = { status: 302, headers: { location: "https://evil.test/" } };
    const led = open(options, [away]);
    await expect(led.ask({ url: "https://api.example.com/" })).rejects.toMatchObject({
      code: "ERR_HTTP_NOT_PERMITTED",
    });
    expect(led.requests).toHaveLength(1);

    const both = { ...options, allow: [...options.allow, "other.test"] };
    const other = open(both, [
      { status: 303, headers: { location: "//other.test/x" } },
      { body: "ok" },
    ]);
    await other.ask({ method: "POST", url: "https://api.example.com/", body: "b" });
    expect(other.requests).toMatchObject([
      { method: "POST", body: "b", headers: { Authorization: "Bearer k-secret-1" } },
      { method: "GET", url: "https://other.test/x", headers: {} },
    ]);
    expect(other.requests[1]?.headers).toEqual({});
    expect(other.requests[1]?.body).toBeUndefined();
  });

  it("keeps method and body where the redirection says so, and ends in time", async () => {
    const again = { status: 307, headers: { location: "/next" } };
    const { ask, requests } = open({ ...API, redirectsMax: 2 }, [again]);
    const asked = ask({ method: "POST", url: "https://api.example.com/", body: "b" });
    await expect(asked).rejects.toMatchObject({ code: "ERR_HTTP_TOO_MANY_REDIRECTS" });
    expect(requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "https://api.example.com/", "b"],
      ["POST", "https://api.example.com/next", "b"],
      ["POST", "https://api.example.com/next", "b"],
    ]);
  });

  it("lets no secret come back by the answer", async () => {
    const headers = { "api.example.com": { "X-Key": "${KEY}" } };
    const { ask, facts } = open({ ...API, headers }, [{ body: "you sent k-secret-1" }]);
    const answer = await ask({ url: "https://api.example.com/echo?k=k-secret-1" });
    expect(answer).toMatchObject({ body: "you sent [redacted]" });
    expect(JSON.stringify([answer, facts])).not.toContain("k-secret-1");
  });

  it("lets the model choose no header that matters", async () => {
    const { ask, requests } = open(API);
    const url = "https://api.example.com/";
    for (const name of ["Authorization", "Host", "Cookie", "Transfer-Encoding"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      await expect(ask({ url, headers: { [name]: "x" } })).rejects.toMatchObject({
        code: "ERR_HTTP_NOT_PERMITTED",
      });
    }
    expect(requests).toEqual([]);
  });

  it("tells what became of a request that failed", async () => {
    const { ask, facts } = open(API, [new RemoteError("ERR_HTTP_TIMED_OUT", "Late.")]);
    await expect(ask({ url: "https://api.example.com/" })).rejects.toThrow("Late.");
    expect(facts).toMatchObject([{ kind: "httpRequest", code: "ERR_HTTP_TIMED_OUT" }]);
  });

  it("gives no bytes for a text", async () => {
    const { ask } = open(API, [{ headers: { "content-type": "image/png" }, body: "\uFFFDPNG" }]);
    const answer = await ask({ url: "https://api.example.com/" });
    expect(answer).toMatchObject({ contentType: "image/png", body: "[not a text]" });
  });

  it("asks the server that stands in, and tells it for whom", async () => {
    const origin = "https://hotel.example";
    const { ask, requests, facts } = open({ allow: [] }, [{}], { [origin]: "http://127.0.0.1:9" });
    await ask({ url: `${origin}/a?b=1` });
    expect(requests).toMatchObject([
      { url: "http://127.0.0.1:9/a?b=1", headers: { Host: "hotel.example" }, reach: "anywhere" },
    ]);
    expect(facts).toMatchObject([{ url: `${origin}/a?b=1` }]);
  });

  it("is not there where nobody may be asked", () => {
    const host = {
      clock: CLOCK,
      variable: () => undefined,
      network: { requestHttp: () => Promise.reject(new Error("no")) },
    };
    expect(httpTool({ allow: [] }, host)).toBeUndefined();
  });
});

describe("HttpPolicy", () => {
  const policy = new HttpPolicy(
    { allow: ["*.example.com", "b.test:8443", "http://127.0.0.1:3000"] },
    () => undefined,
  );

  it.each([
    "https://a.example.com/",
    "https://a.b.example.com./x",
    "https://b.test:8443/",
    "http://127.0.0.1:3000/",
    "HTTPS://A.EXAMPLE.COM/",
  ])("permits %s", (url) => {
    expect(policy.permit(url).url.href).toMatch(/^https?:/u);
  });

  it.each([
    "https://example.com/",
    "https://aexample.com/",
    "http://b.test:8443/",
    "https://127.0.0.1:3000/",
  ])("does not permit %s", (url) => {
    expect(() => policy.permit(url)).toThrow(/may not be asked/u);
  });

  it.each([
    [{ allow: ["https://x.test/path"] }, /no host to permit/u],
    [{ allow: ["a b"] }, /no host to permit/u],
    [{ allow: [""] }, /no host to permit/u],
    [{ allow: ["*"] }, /no host to permit/u],
    [{ allow: [], headers: { "x.test": { A: "b" } } }, /no entry|not an entry/u],
    [{ allow: ["x.test"], headers: { "x.test": { A: "${NOT_SET}" } } }, /NOT_SET is not set/u],
  ])("refuses %j", (options, message) => {
    expect(() => new HttpPolicy(options, (name) => VARIABLES[name])).toThrow(message);
  });
});
