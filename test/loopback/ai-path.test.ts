import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import type { MessageSocket } from "../../src/environment/index.ts";
import { type AiNetwork, type AiPath, openModelledPath } from "../../src/impairment/index.ts";
import { createEnvironment } from "../../src/platform/index.ts";

const { network, clock } = createEnvironment({ seed: "ai-path" });
const LOCAL = "127.0.0.1";
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

function pem(name: string): string {
  return readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
}

/** An AI's host that echoes over TLS, and notes by which name it was asked for. */
async function serve(): Promise<{ readonly port: number; readonly asked: unknown[] }> {
  const asked: unknown[] = [];
  const server = createServer({ cert: pem("bot.pem"), key: pem("bot.key") });
  server.on("secureConnection", ({ servername }) => asked.push(servername));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { headers }) => {
    asked.push(headers.host);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => void server.listen(0, LOCAL, resolve));
  cleanups.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, asked };
}

async function openPath(port: number, plan: AiNetwork): Promise<AiPath> {
  const remote = { address: LOCAL, port };
  const path = await openModelledPath({ clock, network, seed: "3", remote, plan });
  cleanups.push(() => path.close());
  return path;
}

/** The name in the URL resolves nowhere: only the path knows where to go. */
function connect(path: AiPath, host: string): MessageSocket {
  const tls = { ca: pem("ca.pem"), serverName: host, verify: true };
  const socket = path.network.connectMessages(`wss://${host}:9/v1`, { tls });
  cleanups.push(() => socket.terminate());
  return socket;
}

describe("the modelled path to an AI, over real sockets", () => {
  it("carries TLS to the host of the URL, and each byte of a long message, in spite of losses", async () => {
    const { port, asked } = await serve();
    const link = {
      delay: { delayMs: 10 },
      loss: { kind: "bernoulli", lossRatio: 0.05 },
    } as const;
    const path = await openPath(port, { sent: link, received: link });
    const socket = connect(path, "bot.example");
    const text = Array.from({ length: 20_000 }, (_, index) => index).join(",");
    const echoed = await new Promise<{ readonly text: string; readonly tookMs: number }>(
      (resolve, reject) => {
        let sentAt = clock.now();
        socket.onOpen = () => {
          sentAt = clock.now();
          socket.send(text);
        };
        socket.onMessage = (came, at) => resolve({ text: came, tookMs: at - sentAt });
        socket.onError = reject;
      },
    );

    expect(echoed.text).toBe(text);
    expect(echoed.tookMs).toBeGreaterThanOrEqual(20);
    expect(asked).toEqual(["bot.example", "bot.example:9"]);
    const { sent, received } = path.counts.tcp ?? {};
    expect((sent?.retransmissions ?? 0) + (received?.retransmissions ?? 0)).toBeGreaterThan(0);
  });

  it("takes no other name for the host's", async () => {
    const { port } = await serve();
    const socket = connect(await openPath(port, {}), "other.example");
    await new Promise<void>((resolve) => {
      socket.onClose = () => resolve();
    });

    expect(socket.failure).toMatchObject({ code: "ERR_TLS_NAME_MISMATCH" });
  });

  it("is a closed connection where the host takes none", async () => {
    const socket = connect(await openPath(9, {}), "bot.example");
    await new Promise<void>((resolve) => {
      socket.onClose = () => resolve();
    });

    expect(socket.state).toBe("closed");
  });
});
