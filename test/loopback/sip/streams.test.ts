import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { MessageSocket } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import {
  type CallEndedEvent,
  type SipCall,
  SipEndpoint,
  type SipSettings,
  type SipTrace,
} from "../../../src/sip/index.ts";
import { FakeNegotiator, responseTo } from "../../unit/sip/sip-lab.ts";

const environment = createEnvironment({ seed: "streams" });
const cleanups: (() => Promise<void>)[] = [];
const traces: SipTrace[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
  traces.length = 0;
});

function pem(name: string): string {
  return readFileSync(new URL(`../../../fixtures/tls/${name}`, import.meta.url), "utf8");
}

async function open(user: string, sip: SipSettings, address = "127.0.0.1"): Promise<SipEndpoint> {
  const endpoint = await SipEndpoint.open({
    ...environment,
    local: { address, port: 0 },
    user,
    userAgent: "Sidetone-Test",
    sip,
    onTrace: (trace) => traces.push(trace),
  });
  cleanups.push(() => endpoint.close());
  endpoint.onInvite = (call) => call.answer(new FakeNegotiator());
  return endpoint;
}

/** Resolves with the event that ends the call; hangs up when it is up. */
function outcomeOf(call: SipCall): Promise<CallEndedEvent> {
  return new Promise((resolve) => {
    call.onEvent = (event) => {
      if (event.type === "confirmed") void call.hangUp();
      if (event.type === "ended") resolve(event);
    };
  });
}

const SERVER = { certificate: pem("bot.pem"), key: pem("bot.key") };

describe("over real sockets", () => {
  it.each([
    ["TCP", "127.0.0.1", { transport: "tcp" }, {}],
    ["TCP", "::1", { transport: "tcp" }, {}],
    ["UDP", "::1", {}, {}],
    ["TLS", "127.0.0.1", { transport: "tls", tls: SERVER }, { tls: { ca: pem("ca.pem") } }],
    [
      "TLS",
      "::1",
      { transport: "tls", tls: { ...SERVER, ca: pem("ca.pem"), requiresClientCertificate: true } },
      { tls: { ca: pem("ca.pem"), certificate: pem("caller.pem"), key: pem("caller.key") } },
    ],
  ] as const)("a call by %s to %s is set up and hung up", async (name, address, theirs, ours) => {
    const bot = await open("bot", theirs, address);
    const caller = await open("caller", ours, address);

    const end = await outcomeOf(caller.call(bot.uri, { negotiator: new FakeNegotiator() }));

    expect(end).toMatchObject({ endedBy: "local", reason: "bye" });
    expect(new Set(traces.map(({ transport }) => transport))).toEqual(new Set([name]));
    expect(traces.every(({ retransmission }) => !retransmission)).toBe(true);
  });

  it.each([
    ["expired", "ERR_TLS_CERTIFICATE_EXPIRED"],
    ["stranger", "ERR_TLS_CERTIFICATE_UNTRUSTED"],
    ["other-name", "ERR_TLS_NAME_MISMATCH"],
  ])("a call to a bot whose certificate is %s ends with %s", async (name, code) => {
    const tls = { certificate: pem(`${name}.pem`), key: pem(`${name}.key`) };
    const bot = await open("bot", { transport: "tls", tls });
    const caller = await open("caller", { tls: { ca: pem("ca.pem") } });

    const end = await outcomeOf(caller.call(bot.uri, { negotiator: new FakeNegotiator() }));

    expect(end).toMatchObject({ reason: "unreachable", error: { code } });
    expect(traces).toEqual([]);
  });

  it("a call goes through a WebSocket server, by a name that leads nowhere", async () => {
    const received: string[] = [];
    const subprotocols: string[] = [];
    const server = await environment.network.listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: () => Promise.resolve({ status: 404 }),
        onUpgrade: ({ headers }) => {
          subprotocols.push(headers["sec-websocket-protocol"] ?? "");
          return { accept: true, subprotocol: "sip", onConnection: answer };
        },
      },
    );
    cleanups.push(() => server.close());
    const answer = (socket: MessageSocket): void => {
      socket.onMessage = (text) => {
        received.push(text);
        if (text.startsWith("ACK")) return;
        const headers = ["Contact: <sip:bot@far.invalid;transport=ws>"];
        const sdp = {
          headers: [...headers, "Content-Type: application/sdp"],
          body: "v=0\r\ns=x\r\n",
        };
        const rest = text.startsWith("INVITE") ? sdp : {};
        socket.send(responseTo(text, "200 OK", { toTag: "t", ...rest }));
      };
    };
    const webSocketUrl = `ws://127.0.0.1:${server.local.port}/sip`;
    const caller = await open("caller", { transport: "ws", webSocketUrl });

    const call = caller.call("sip:bot@127.0.0.1", { negotiator: new FakeNegotiator() });
    const end = await outcomeOf(call);

    expect(end).toMatchObject({ endedBy: "local", reason: "bye" });
    expect(subprotocols).toEqual(["sip"]);
    expect(received.map((text) => text.split(" ", 1)[0])).toEqual(["INVITE", "ACK", "BYE"]);
    expect(received[0]).toMatch(/^Via: SIP\/2\.0\/WS \w+\.invalid;branch=/m);
    expect(received[0]).toMatch(/^Contact: <sip:caller@\w+\.invalid;transport=ws>/m);
    expect(traces[0]).toMatchObject({
      transport: "WS",
      remote: `127.0.0.1:${server.local.port}`,
    });
  });

  it("a WebSocket server that is not there ends the call with the reason", async () => {
    const caller = await open("caller", { transport: "ws", webSocketUrl: "ws://127.0.0.1:9/" });

    const end = await outcomeOf(
      caller.call("sip:bot@127.0.0.1", { negotiator: new FakeNegotiator() }),
    );

    expect(end).toMatchObject({ reason: "unreachable", error: { code: "ERR_CONNECTION_REFUSED" } });
  });

  it("a WebSocket server that is not permitted is not connected to", async () => {
    const opening = open("caller", { transport: "wss", webSocketUrl: "wss://pbx.example/ws" });

    await expect(opening).rejects.toMatchObject({ code: "ERR_TARGET_NOT_ALLOWED" });
  });
});
