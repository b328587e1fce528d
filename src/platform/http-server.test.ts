import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpRequest, ListeningServer } from "../environment/index.ts";
import { listenHttp } from "./http-server.ts";
import { SystemClock } from "./system-clock.ts";

const MIB = 1024 * 1024;
const open: ListeningServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** A server that tells the size of what it was sent; and the requests that it got to see. */
async function serve(): Promise<{ readonly url: string; readonly seen: HttpRequest[] }> {
  const seen: HttpRequest[] = [];
  const server = await listenHttp(
    { address: "127.0.0.1", port: 0 },
    {
      onRequest: (request) => {
        seen.push(request);
        if (request.target === "/broken") return Promise.reject(new Error("broken"));
        return Promise.resolve({ status: 200, body: String(request.body.length) });
      },
      onUpgrade: () => ({ accept: false, response: { status: 404 } }),
    },
    new SystemClock(),
  );
  open.push(server);
  return { url: `http://127.0.0.1:${server.local.port}`, seen };
}

function post(url: string, body: string): Promise<Response> {
  return fetch(url, { method: "POST", body });
}

/** Sends bytes as they are; what comes back until the server closes the connection. */
function exchange(url: string, parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.on("close", () => resolve(answer)).on("error", reject);
    for (const part of parts) socket.write(part);
  });
}

const POST = "POST / HTTP/1.1\r\nHost: localhost\r\n";

describe("Our HTTP server", () => {
  it("takes a body of 1 MiB, and answers a larger one with 413", async () => {
    const { url, seen } = await serve();
    const whole = await post(url, "x".repeat(MIB));
    expect([whole.status, await whole.text()]).toEqual([200, String(MIB)]);

    const larger = await post(url, "x".repeat(MIB + 1));
    expect([larger.status, await larger.text()]).toEqual([413, expect.stringContaining("1 MiB")]);
    expect(seen).toHaveLength(1);
  });

  it("does not wait for a body that is announced as very large", async () => {
    const { url } = await serve();
    const refused = await exchange(url, [`${POST}Content-Length: ${9 * MIB}\r\n\r\n`]);
    expect(refused).toMatch(/^HTTP\/1\.1 413 /u);
  });

  it("answers a body of unknown length with 413 once it has become too large", async () => {
    const { url, seen } = await serve();
    const mib = `${MIB.toString(16)}\r\n${"x".repeat(MIB)}\r\n`;
    const chunked = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
    const answer = await exchange(url, [chunked, mib, "1\r\nx\r\n0\r\n\r\n"]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /u);
    // One that does not end.
    const endless = [chunked, ...Array.from({ length: 8 }, () => mib), "1\r\nx\r\n"];
    expect(await exchange(url, endless)).toMatch(/^HTTP\/1\.1 413 /u);
    expect(seen).toEqual([]);
  });

  it("answers 500 where the handler fails, and goes on", async () => {
    const { url } = await serve();
    expect((await post(`${url}/broken`, "x")).status).toBe(500);
    expect((await post(url, "x")).status).toBe(200);
  });
});
