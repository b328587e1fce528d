import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpClientRequest } from "../environment/index.ts";
import { requestHttp } from "./http-request.ts";
import { isPublicAddress } from "./public-address.ts";

const servers: Server[] = [];

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const REQUEST = { method: "GET", timeoutMs: 5000, bytesMax: 1000, reach: "anywhere" } as const;

function ask(
  url: string,
  more: Partial<HttpClientRequest> = {},
  addresses: readonly string[] = ["127.0.0.1"],
): ReturnType<typeof requestHttp> {
  return requestHttp({ ...REQUEST, url, ...more }, () => Promise.resolve(addresses));
}

describe("requestHttp", () => {
  it("sends what it was given and reads the answer", async () => {
    const seen: unknown[] = [];
    const origin = await serve((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        seen.push(request.method, request.url, request.headers["x-test"], body);
        response.writeHead(202, { "X-Answer": "1" }).end("höhe");
      });
    });
    const answer = await ask(`${origin}/a?b=c`, {
      method: "POST",
      body: "hello",
      headers: { "X-Test": "y" },
    });
    expect(seen).toEqual(["POST", "/a?b=c", "y", "hello"]);
    expect(answer).toMatchObject({ status: 202, body: "höhe", headers: { "x-answer": "1" } });
  });

  it("follows no redirection", async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(302, { Location: "http://169.254.169.254/" }).end();
    });
    const answer = await ask(origin);
    expect(answer).toMatchObject({ status: 302, headers: { location: "http://169.254.169.254/" } });
  });

  it("connects to no address that is not public, by number or by name", async () => {
    let asked = 0;
    const origin = await serve((_request, response) => {
      asked += 1;
      response.end();
    });
    const { port } = new URL(origin);
    const refused = { code: "ERR_HTTP_ADDRESS_REFUSED" };
    await expect(ask(origin, { reach: "public" })).rejects.toMatchObject(refused);
    const named = `http://rebound.test:${port}/`;
    await expect(ask(named, { reach: "public" })).rejects.toMatchObject(refused);
    // One good address among bad ones is how a name is made to lead elsewhere.
    const mixed = ["93.184.216.34", "127.0.0.1"];
    await expect(ask(named, { reach: "public" }, mixed)).rejects.toMatchObject(refused);
    await expect(ask(`http://2130706433:${port}/`, { reach: "public" })).rejects.toMatchObject(
      refused,
    );
    await expect(
      ask(`http://[::ffff:127.0.0.1]:${port}/`, { reach: "public" }),
    ).rejects.toMatchObject(refused);
    expect(asked).toBe(0);
    expect(await ask(named)).toMatchObject({ status: 200 });
  });

  it("looks a name up once: what it leads to afterwards does not matter", async () => {
    const origin = await serve((_request, response) => response.end("here"));
    const { port } = new URL(origin);
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    const lookups: string[] = [];
    const answer = await requestHttp({ ...REQUEST, url: `http://flip.test:${port}/` }, (name) => {
      lookups.push(name);
      return Promise.resolve(answers[lookups.length - 1] ?? []);
    });
    expect(answer.body).toBe("here");
    expect(lookups).toEqual(["flip.test"]);
  });

  it("breaks off an answer that is too long", async () => {
    const origin = await serve((_request, response) => response.end("x".repeat(2000)));
    await expect(ask(origin)).rejects.toMatchObject({ code: "ERR_HTTP_TOO_LARGE" });
  });

  it("waits no longer than it may, for the beginning and for the end of an answer", async () => {
    const late = { code: "ERR_HTTP_TIMED_OUT" };
    const mute = await serve(() => undefined);
    await expect(ask(mute, { timeoutMs: 50 })).rejects.toMatchObject(late);
    const halting = await serve((_request, response) => response.write("x"));
    await expect(ask(halting, { timeoutMs: 50 })).rejects.toMatchObject(late);
    const never = requestHttp(
      { ...REQUEST, url: "http://a.test/", timeoutMs: 50 },
      () => new Promise(() => undefined),
    );
    await expect(never).rejects.toMatchObject(late);
  });

  it("ends when it is told to, with the reason given", async () => {
    const mute = await serve(() => undefined);
    const abort = new AbortController();
    const asked = ask(mute, { signal: abort.signal });
    abort.abort(new Error("not any more"));
    await expect(asked).rejects.toThrow("not any more");
    await expect(ask(mute, { signal: abort.signal })).rejects.toThrow("not any more");
  });

  it("says who could not be asked, and why", async () => {
    const failed = ask("http://nobody.test:1/secret?key=1");
    await expect(failed).rejects.toMatchObject({ code: "ERR_HTTP_FAILED" });
    await expect(failed).rejects.toThrow(/^nobody\.test:1 could not be asked: ECONNREFUSED\.$/u);
    await expect(ask("http://nobody.test/", {}, [])).rejects.toThrow(/has no address/u);
  });
});

describe("isPublicAddress", () => {
  it.each(["93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::8"])(
    "takes %s",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "localhost",
    "",
  ])("does not take %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
