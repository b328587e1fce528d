import { readFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ListeningServer, MessageSocket } from "../environment/index.ts";
import { listenHttp } from "./http-server.ts";
import { NodeMessageSocket } from "./message-socket.ts";
import { SystemClock } from "./system-clock.ts";

const clock = new SystemClock();

/** A server that says `texts` in one go to whoever connects, and then hangs up if it is told to. */
async function serve(texts: readonly string[], closes: boolean): Promise<ListeningServer> {
  return listenHttp(
    { address: "127.0.0.1", port: 0 },
    {
      onRequest: () => Promise.resolve({ status: 404 }),
      onUpgrade: () => ({
        accept: true,
        onConnection: (socket: MessageSocket) => {
          for (const text of texts) socket.send(text);
          if (closes) socket.close(1000);
        },
      }),
    },
    clock,
  );
}

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../fixtures/tls", name), "utf8");
}

function refuse(): Promise<Socket> {
  return Promise.reject(new Error("no way"));
}

function closeOf(socket: NodeMessageSocket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.onClose = resolve;
  });
}

/** Tells the turns of the event loop apart. */
function countTurns(): { turn: number; stop: () => void } {
  const counter = { turn: 0, stop: () => clearImmediate(handle) };
  const step = (): void => {
    counter.turn += 1;
    handle = setImmediate(step);
  };
  let handle = setImmediate(step);
  return counter;
}

describe("NodeMessageSocket", () => {
  it("gives each message of a burst a turn of the event loop of its own, in order", async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(1000, "."));
    const server = await serve(texts, true);
    const turns = countTurns();
    const came: { readonly text: string; readonly turn: number }[] = [];
    const socket = NodeMessageSocket.connect(`ws://127.0.0.1:${server.local.port}`, clock);
    socket.onMessage = (text) => came.push({ text, turn: turns.turn });

    const code = await new Promise((resolve) => {
      socket.onClose = resolve;
    });
    turns.stop();
    await server.close();

    expect(came.map(({ text }) => text)).toEqual(texts);
    expect(new Set(came.map(({ turn }) => turn)).size).toBe(texts.length);
    // The end comes after all that was said before it.
    expect(code).toBe(1000);
  });

  it("connects to a relay where it is told to, and asks it for the host of the URL", async () => {
    const hosts: (string | undefined)[] = [];
    const server = await listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: () => Promise.resolve({ status: 404 }),
        onUpgrade: ({ headers }) => {
          hosts.push(headers["host"]);
          return { accept: true, onConnection: (socket) => socket.close(1000) };
        },
      },
      clock,
    );
    const socket = NodeMessageSocket.connect("ws://ai.invalid:9/v1?model=x", clock, {
      via: server.local,
    });

    const code = await new Promise((resolve) => {
      socket.onClose = resolve;
    });
    await server.close();

    expect({ hosts, code }).toEqual({ hosts: ["ai.invalid:9"], code: 1000 });
  });

  it("speaks TLS with the host of the URL over a connection that somebody else opens", async () => {
    const hosts: (string | undefined)[] = [];
    const server = await listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        tls: { certificate: fixture("bot.pem"), key: fixture("bot.key") },
        onRequest: () => Promise.resolve({ status: 404 }),
        onUpgrade: ({ headers }) => {
          hosts.push(headers["host"]);
          return { accept: true, onConnection: (socket) => socket.close(1000) };
        },
      },
      clock,
    );
    const open = async (): Promise<Socket> => {
      await Promise.resolve();
      return connectTcp(server.local.port, server.local.address);
    };
    const codes = await Promise.all(
      ["bot.example", "another.example"].map((name) => {
        const tls = { ca: fixture("ca.pem"), serverName: name, verify: true };
        const url = `wss://${name}/v1`;
        return closeOf(NodeMessageSocket.connectOver(open, url, clock, { tls }));
      }),
    );
    await server.close();

    // The second is not whom the certificate names.
    expect({ hosts, codes }).toEqual({ hosts: ["bot.example"], codes: [1000, 1006] });
  });

  it("ends where the connection that somebody else opens does not come about", async () => {
    const failures: string[] = [];
    const socket = NodeMessageSocket.connectOver(refuse, "ws://ai.invalid/v1", clock);
    socket.onError = (error) => failures.push(error.message);

    expect(await closeOf(socket)).toBe(1006);
    expect(failures).toEqual(["no way"]);
  });

  it("lets two servers that speak at once have their say by turns", async () => {
    const texts = Array.from({ length: 10 }, () => ".".repeat(1000));
    const servers = await Promise.all([serve(texts, true), serve(texts, true)]);
    const came: string[] = [];
    await Promise.all(
      servers.map(({ local }, index) => {
        const socket = NodeMessageSocket.connect(`ws://127.0.0.1:${local.port}`, clock);
        socket.onMessage = () => came.push("ab"[index] ?? "");
        return new Promise((resolve) => {
          socket.onClose = resolve;
        });
      }),
    );
    await Promise.all(servers.map((server) => server.close()));

    const longestRun = Math.max(...(came.join("").match(/a+|b+/gu) ?? []).map((run) => run.length));
    expect(came).toHaveLength(20);
    // One of them may be there first, but not with all it has.
    expect(longestRun).toBeLessThan(10);
  });
});
