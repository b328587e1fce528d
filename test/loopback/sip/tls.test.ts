import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import {
  isSidetoneError,
  type SidetoneError,
  type StreamConnection,
  type StreamListener,
  type TlsClientOptions,
} from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";

const { network } = createEnvironment({ seed: "tls" });
const LOCAL = "127.0.0.1";
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

function pem(name: string): string {
  return readFileSync(new URL(`../../../fixtures/tls/${name}`, import.meta.url), "utf8");
}

function identity(name: string): { certificate: string; key: string } {
  return { certificate: pem(`${name}.pem`), key: pem(`${name}.key`) };
}

const CLIENT: TlsClientOptions = { ca: pem("ca.pem"), serverName: "bot.example", verify: true };

interface Served {
  readonly listener: StreamListener;
  readonly accepted: StreamConnection[];
  readonly refused: SidetoneError[];
}

/** A TLS server of ours that echoes. */
async function serve(
  name: string,
  options: { readonly ca?: string; readonly requiresClientCertificate?: boolean } = {},
): Promise<Served> {
  const accepted: StreamConnection[] = [];
  const refused: SidetoneError[] = [];
  const listener = await network.listenStream(
    { address: LOCAL, port: 0 },
    {
      tls: { requiresClientCertificate: false, ...identity(name), ...options },
      onConnection: (connection) => {
        accepted.push(connection);
        connection.onData = (data) => connection.send(data);
      },
      onRefused: (error) => refused.push(error),
    },
  );
  cleanups.push(() => {
    for (const connection of accepted) connection.terminate();
    return listener.close();
  });
  return { listener, accepted, refused };
}

async function connect(
  port: number,
  tls: TlsClientOptions | undefined,
  timeoutMs = 5000,
): Promise<StreamConnection> {
  const connection = await network.connectStream(
    { address: LOCAL, port },
    { timeoutMs, ...(tls === undefined ? {} : { tls }) },
  );
  cleanups.push(() => connection.terminate());
  return connection;
}

/** What comes back for "ping". */
function echoed(connection: StreamConnection): Promise<string> {
  return new Promise((resolve, reject) => {
    connection.onData = (data) => resolve(new TextDecoder().decode(data));
    connection.onClose = (error) => reject(error ?? new Error("closed in order"));
    connection.send(new TextEncoder().encode("ping"));
  });
}

describe("TLS", () => {
  it("carries data where authority and name are right", async () => {
    const { listener } = await serve("bot");
    const connection = await connect(listener.local.port, CLIENT);

    expect(await echoed(connection)).toBe("ping");
    expect(connection.remote).toEqual(listener.local);
  });

  it.each(["127.0.0.1", "localhost"])(
    "takes %s for a name of the certificate",
    async (serverName) => {
      const { listener } = await serve("bot");

      expect(await echoed(await connect(listener.local.port, { ...CLIENT, serverName }))).toBe(
        "ping",
      );
    },
  );

  it("asks for the server by name (SNI)", async () => {
    const asked: (string | false)[] = [];
    const server = createTlsServer({ cert: pem("bot.pem"), key: pem("bot.key") }, (socket) => {
      asked.push(socket.servername ?? "");
      socket.end();
    });
    await new Promise<void>((resolve) => void server.listen(0, LOCAL, resolve));
    cleanups.push(() => void server.close());
    const { port } = server.address() as { port: number };
    const connection = await connect(port, CLIENT);
    await new Promise<void>((resolve) => {
      connection.onClose = () => resolve();
    });

    expect(asked).toEqual(["bot.example"]);
  });

  it.each([
    ["expired", CLIENT, "ERR_TLS_CERTIFICATE_EXPIRED"],
    ["stranger", CLIENT, "ERR_TLS_CERTIFICATE_UNTRUSTED"],
    ["bot", { ...CLIENT, ca: pem("other-ca.pem") }, "ERR_TLS_CERTIFICATE_UNTRUSTED"],
    ["bot", { serverName: "bot.example", verify: true }, "ERR_TLS_CERTIFICATE_UNTRUSTED"],
    ["other-name", CLIENT, "ERR_TLS_NAME_MISMATCH"],
    ["bot", { ...CLIENT, serverName: "192.0.2.7" }, "ERR_TLS_NAME_MISMATCH"],
  ])("refuses the certificate %s: %#", async (name, tls, code) => {
    const { listener } = await serve(name);

    await expect(connect(listener.local.port, tls)).rejects.toMatchObject({
      code,
      fault: "remote",
    });
  });

  it.each(["expired", "stranger", "other-name"])(
    "takes the certificate %s where verification is off",
    async (name) => {
      const { listener } = await serve(name);
      const connection = await connect(listener.local.port, { ...CLIENT, verify: false });

      expect(await echoed(connection)).toBe("ping");
    },
  );

  it("says that the server wants a certificate and got none", async () => {
    const { listener, refused } = await serve("bot", {
      ca: pem("ca.pem"),
      requiresClientCertificate: true,
    });

    const failure = await failureOf(async () => echoed(await connect(listener.local.port, CLIENT)));
    expect(failure).toMatchObject({ code: "ERR_TLS_CLIENT_CERTIFICATE_REFUSED" });
    expect(refused).toHaveLength(1);
  });

  it("shows its certificate to a server that wants one", async () => {
    const { listener } = await serve("bot", { ca: pem("ca.pem"), requiresClientCertificate: true });
    const connection = await connect(listener.local.port, { ...CLIENT, ...identity("caller") });

    expect(await echoed(connection)).toBe("ping");
  });

  it("is not answered by a server that does not trust our certificate", async () => {
    const { listener, accepted } = await serve("bot", {
      ca: pem("ca.pem"),
      requiresClientCertificate: true,
    });
    const stranger = { ...CLIENT, ...identity("stranger") };

    // Node drops such a client without saying why.
    const echo = connect(listener.local.port, stranger).then(echoed);
    await expect(echo).rejects.toThrow(/closed in order|broke/u);
    expect(accepted).toEqual([]);
  });

  it("says that the other side speaks no TLS", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("SIP/2.0 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => void server.listen(0, LOCAL, resolve));
    cleanups.push(() => void server.close());
    const { port } = server.address() as { port: number };

    await expect(connect(port, CLIENT)).rejects.toMatchObject({ code: "ERR_TLS_HANDSHAKE_FAILED" });
  });

  it("says that the other side closed the connection instead of answering", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void server.listen(0, LOCAL, resolve));
    cleanups.push(() => void server.close());
    const { port } = server.address() as { port: number };

    await expect(connect(port, CLIENT)).rejects.toMatchObject({ code: "ERR_TLS_HANDSHAKE_FAILED" });
  });

  it("gives up a handshake that does not end", async () => {
    const server = createServer((socket) => void socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => void server.listen(0, LOCAL, resolve));
    cleanups.push(() => void server.close());
    const { port } = server.address() as { port: number };

    await expect(connect(port, CLIENT, 200)).rejects.toMatchObject({
      code: "ERR_CONNECTION_TIMED_OUT",
    });
  });

  it("says that nothing listens", async () => {
    const { listener } = await serve("bot");
    await listener.close();

    await expect(connect(listener.local.port, CLIENT)).rejects.toMatchObject({
      code: "ERR_CONNECTION_REFUSED",
    });
  });

  it("counts a client that speaks no TLS", async () => {
    const { listener, refused } = await serve("bot");
    const plain = await connect(listener.local.port, undefined);
    await new Promise<void>((resolve) => {
      plain.onClose = () => resolve();
      plain.send(new TextEncoder().encode("OPTIONS sip:bot@host SIP/2.0\r\n\r\n"));
    });

    expect(refused).toMatchObject([{ code: "ERR_TLS_HANDSHAKE_FAILED" }]);
  });

  it.each([
    [
      "a key that is not the certificate's",
      { certificate: pem("bot.pem"), key: pem("caller.key") },
    ],
    ["a certificate that is none", { certificate: "nonsense", key: pem("bot.key") }],
  ])("refuses %s before anything is sent", async (_what, material) => {
    await expect(
      network.listenStream(
        { address: LOCAL, port: 0 },
        {
          tls: { ...material, requiresClientCertificate: false },
          onConnection: () => {},
          onRefused: () => {},
        },
      ),
    ).rejects.toMatchObject({ code: "ERR_TLS_MATERIAL" });
    await expect(connect(9, { ...CLIENT, ...material })).rejects.toMatchObject({
      code: "ERR_TLS_MATERIAL",
    });
  });
});

/** With what it fails. */
async function failureOf(action: () => Promise<unknown>): Promise<SidetoneError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (isSidetoneError(error)) return error;
    throw error;
  }
}
