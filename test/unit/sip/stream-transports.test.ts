import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import type { InboundCall, OutboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import { eventsOf, FakeNegotiator, headerIn, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

let lab: SipLab;
let caller: SipEndpoint;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab({ hosts: { "bot.example": ["192.0.2.2"] } });
  caller = await lab.endpoint(1, "caller");
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

/** Places a call that the bot answers. */
async function answered(target: string, from = caller): Promise<OutboundCall> {
  const call = from.call(target, { negotiator: new FakeNegotiator() });
  await lab.advance(100);
  present(incoming.at(-1), "the INVITE arrived").answer(new FakeNegotiator());
  await lab.advance(100);
  expect(call.state).toBe("established");
  return call;
}

async function hangUp(call: Pick<OutboundCall, "hangUp">): Promise<void> {
  const hungUp = call.hangUp();
  await lab.advance(100);
  await hungUp;
}

/** What crossed the caller's sockets: "TCP > INVITE". */
function crossings(): string[] {
  return lab.traces
    .filter(({ local }) => local.startsWith("192.0.2.1:"))
    .map(({ transport, direction, statusCode, method }) =>
      [transport, direction === "sent" ? ">" : "<", statusCode, method]
        .filter((part) => part !== undefined)
        .join(" "),
    );
}

function sent(method: string): string {
  return present(
    lab.traces.find((trace) => trace.direction === "sent" && trace.method === method),
    "it was sent",
  ).text;
}

async function connected(): Promise<{
  received: string[];
  send: (text: string) => void;
  isOpen: () => boolean;
}> {
  const opening = lab.network.connectStream(
    { address: "192.0.2.2", port: 5060 },
    { localAddress: "192.0.2.7", timeoutMs: 1000 },
  );
  await lab.advance(10);
  const connection = await opening;
  const received: string[] = [];
  let isOpen = true;
  connection.onData = (data) => received.push(new TextDecoder().decode(data));
  connection.onClose = () => {
    isOpen = false;
  };
  return {
    received,
    send: (text) => connection.send(new TextEncoder().encode(text)),
    isOpen: () => isOpen,
  };
}

const optionsRequest = (branch: string): string =>
  [
    "OPTIONS sip:bot@192.0.2.2 SIP/2.0",
    `Via: SIP/2.0/TCP pc.example;branch=z9hG4bK${branch}`,
    "From: <sip:a@b>;tag=1",
    "To: <sip:bot@192.0.2.2>",
    `Call-ID: ${branch}`,
    "CSeq: 1 OPTIONS",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");

const placeLarge = (): OutboundCall =>
  caller.call("sip:udp-bot@192.0.2.4", {
    negotiator: new FakeNegotiator(),
    headers: [`X-Large: ${"y".repeat(1300)}`],
  });

describe("a call over TCP", () => {
  it("goes over one connection to its end, and says so in Via and Contact", async () => {
    const call = await answered("sip:bot@bot.example;transport=tcp");
    await hangUp(call);

    expect(crossings()).toEqual([
      "TCP > INVITE",
      "TCP < 100 INVITE",
      "TCP < 200 INVITE",
      "TCP > ACK",
      "TCP > BYE",
      "TCP < 200 BYE",
    ]);
    expect(lab.network.streams.connectCount).toBe(1);
    expect(lab.network.counts.sent).toBe(0);
    expect(headerIn(sent("INVITE"), "Via")).toMatch(
      /^SIP\/2\.0\/TCP 192\.0\.2\.1:5060;branch=z9hG4bK\w+;rport$/,
    );
    expect(headerIn(sent("INVITE"), "Contact")).toBe("<sip:caller@192.0.2.1:5060;transport=tcp>");
    const ok = lab.traces.find(({ statusCode }) => statusCode === 200)?.text ?? "";
    expect(headerIn(ok, "Contact")).toBe("<sip:bot@192.0.2.2:5060;transport=tcp>");
    expect(ok).not.toContain("sidetone-flow");
  });

  it("repeats no request, however slow the peer is", async () => {
    caller.call("sip:bot@192.0.2.2;transport=tcp", { negotiator: new FakeNegotiator() });
    bot.onInvite = () => {};
    await lab.advance(20_000);

    expect(lab.traces.filter(({ retransmission }) => retransmission)).toEqual([]);
    expect(caller.liveState.retransmissions).toBe(0);
  });

  it("carries many calls on one connection, which closes when the last is over", async () => {
    const calls = [];
    for (let count = 0; count < 5; count += 1) {
      calls.push(await answered("sip:bot@192.0.2.2;transport=tcp"));
    }
    expect(lab.network.streams.openCount).toBe(2);
    await lab.advance(90_000);
    expect(lab.network.streams.openCount).toBe(2);
    expect([caller.liveState.connections, bot.liveState.connections]).toEqual([1, 1]);
    for (const call of calls) await hangUp(call);
    await lab.advance(35_000);

    expect(lab.network.streams.openCount).toBe(0);
    expect(lab.network.streams.connectCount).toBe(1);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("lets the callee hang up through a connection to the caller's Contact", async () => {
    const call = await answered("sip:bot@192.0.2.2;transport=tcp");
    const events = eventsOf(call);
    await hangUp(present(incoming[0], "the call came"));

    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "remote", reason: "bye" });
    expect(lab.network.counts.sent).toBe(0);
  });

  it("goes on over a new connection after the old one was cut", async () => {
    const call = await answered("sip:bot@192.0.2.2;transport=tcp");
    lab.network.streams.cut();
    await lab.advance(10);
    expect(call.state).toBe("established");
    await hangUp(call);

    expect(lab.network.streams.connectCount).toBe(2);
    expect(crossings().slice(-2)).toEqual(["TCP > BYE", "TCP < 200 BYE"]);
  });

  it("sends a request again where the connection was cut before its answer", async () => {
    const call = await answered("sip:bot@192.0.2.2;transport=tcp");
    const hungUp = call.hangUp();
    lab.network.streams.cut();
    await lab.advance(100);
    await hungUp;

    expect(crossings().slice(-3)).toEqual(["TCP > BYE", "TCP > BYE", "TCP < 200 BYE"]);
    expect(incoming[0]?.state).toBe("ended");
  });

  it("goes on where either side breaks its connections on purpose, also with a request under way", async () => {
    const call = await answered("sip:bot@192.0.2.2;transport=tcp");
    expect([caller.breakConnections(), bot.breakConnections()]).toEqual([1, 1]);
    await lab.advance(50);
    const inbound = present(incoming[0], "it was answered");
    const texts: string[] = [];
    inbound.onMessage = ({ text }) => texts.push(text);
    const pending = call.message("under way");
    caller.breakConnections();
    await lab.advance(200);
    expect(await pending).toMatchObject({ statusCode: 200 });
    bot.breakConnections();
    await lab.advance(50);
    const theirs = inbound.renegotiate();
    await lab.advance(200);
    await theirs;

    expect(texts, "once, although it may have been sent twice").toEqual(["under way"]);
    expect([call.state, inbound.state]).toEqual(["established", "established"]);
    await hangUp(call);
    await lab.advance(35_000);
    expect([caller.liveState, bot.liveState]).toEqual([LIVE_NOTHING, LIVE_NOTHING]);
  });

  it("has nothing to break where it went by UDP", async () => {
    const call = await answered("sip:bot@192.0.2.2");
    expect(caller.breakConnections()).toBe(0);
    await hangUp(call);
  });

  it("answers over a new connection to the sent-by where the caller's was cut", async () => {
    const call = caller.call("sip:bot@192.0.2.2;transport=tcp", {
      negotiator: new FakeNegotiator(),
    });
    await lab.advance(100);
    lab.network.streams.cut();
    await lab.advance(10);
    present(incoming[0], "the INVITE arrived").answer(new FakeNegotiator());
    await lab.advance(100);

    expect(call.state).toBe("established");
    expect(lab.network.streams.connectCount).toBe(3);
    await hangUp(call);
  });

  it("cancels on the way of its INVITE", async () => {
    const call = caller.call("sip:bot@192.0.2.2;transport=tcp", {
      negotiator: new FakeNegotiator(),
    });
    await lab.advance(100);
    present(incoming[0], "the INVITE arrived").ring();
    await lab.advance(100);
    await hangUp(call);

    expect(crossings()).toEqual([
      "TCP > INVITE",
      "TCP < 100 INVITE",
      "TCP < 180 INVITE",
      "TCP > CANCEL",
      "TCP < 200 CANCEL",
      "TCP < 487 INVITE",
      "TCP > ACK",
    ]);
  });

  it("ends at once, with the reason, where nothing listens", async () => {
    const call = caller.call("sip:bot@192.0.2.9;transport=tcp", {
      negotiator: new FakeNegotiator(),
    });
    const events = eventsOf(call);
    await lab.advance(100);

    expect(events).toMatchObject([
      { type: "ended", reason: "unreachable", error: { code: "ERR_CONNECTION_REFUSED" } },
    ]);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("ends before its INVITE's time is up where nobody answers the attempt to connect", async () => {
    lab.network.streams.isSilent = () => true;
    const call = caller.call("sip:bot@192.0.2.2;transport=tcp", {
      negotiator: new FakeNegotiator(),
    });
    const events = eventsOf(call);
    await lab.advance(10_001);

    expect(events).toMatchObject([
      { type: "ended", reason: "unreachable", error: { code: "ERR_CONNECTION_TIMED_OUT" } },
    ]);
  });

  it("is pinged while a call is up, and the bot answers", async () => {
    const call = await answered("sip:bot@192.0.2.2;transport=tcp");
    const before = lab.traces.length;
    await lab.advance(400_000);

    // No SIP message has crossed, and the connection is still the first.
    expect(lab.traces).toHaveLength(before);
    expect(lab.network.streams.openCount).toBe(2);
    await hangUp(call);
    expect(lab.network.streams.connectCount).toBe(1);
  });
});

describe("a listener for TCP", () => {
  it("answers a double CRLF with a single one", async () => {
    const peer = await connected();
    peer.send("\r\n\r\n");
    await lab.advance(20);

    expect(peer.received).toEqual(["\r\n"]);
  });

  it("closes a connection that brings no SIP, counts it and serves the others", async () => {
    const peer = await connected();
    peer.send("GET / HTTP/1.1\r\nHost: bot\r\n\r\n");
    await lab.advance(20);

    expect(peer.isOpen()).toBe(false);
    expect(bot.counts).toEqual({ malformed: 1, exceptions: 0 });
    await hangUp(await answered("sip:bot@192.0.2.2;transport=tcp"));
  });

  it("answers requests that come in one piece each to its own transaction", async () => {
    const peer = await connected();
    peer.send(optionsRequest("one") + optionsRequest("two"));
    await lab.advance(20);

    expect(peer.received.map((text) => text.slice(0, text.indexOf("\r\n")))).toEqual([
      "SIP/2.0 200 OK",
      "SIP/2.0 200 OK",
    ]);
    // No rport was asked for, so only where it came from is noted.
    expect(headerIn(peer.received[0] ?? "", "Via")).toBe(
      "SIP/2.0/TCP pc.example;branch=z9hG4bKone;received=192.0.2.7",
    );
  });
});

describe("an endpoint of the transport's choice", () => {
  it("uses TCP by default where it is told to, and calls itself so", async () => {
    const peer = await lab.endpoint(3, "tcp-caller", { sip: { transport: "tcp" } });
    expect(peer.uri).toBe("sip:tcp-caller@192.0.2.3:5060;transport=tcp");
    await hangUp(await answered("sip:bot@192.0.2.2", peer));

    expect(lab.network.counts.sent).toBe(0);
  });

  it("sends a request above 1300 bytes by TCP, and its small CANCEL too", async () => {
    const call = caller.call("sip:bot@192.0.2.2", {
      negotiator: new FakeNegotiator(),
      headers: [`X-Large: ${"y".repeat(1300)}`],
    });
    await lab.advance(100);
    present(incoming[0], "the INVITE arrived").ring();
    await lab.advance(100);
    await hangUp(call);

    expect(crossings()).toEqual([
      "TCP > INVITE",
      "TCP < 100 INVITE",
      "TCP < 180 INVITE",
      "TCP > CANCEL",
      "TCP < 200 CANCEL",
      "TCP < 487 INVITE",
      "TCP > ACK",
    ]);
  });

  it("falls back to UDP for a large request where TCP is refused, and remembers it", async () => {
    const peer = await lab.endpoint(4, "udp-bot", {
      sip: { listen: [{ transport: "udp", address: "192.0.2.4", port: 5060 }] },
    });
    peer.onInvite = (call) => incoming.push(call);
    placeLarge();
    await lab.advance(100);
    placeLarge();
    await lab.advance(100);

    expect(incoming).toHaveLength(2);
    expect(lab.network.streams.connectCount).toBe(1);
    expect(headerIn(sent("INVITE"), "Via")).toContain("SIP/2.0/UDP 192.0.2.1:5060");
  });

  it("calls by IPv6, over UDP and TCP", async () => {
    const six = await lab.endpoint(5, "six", { local: { address: "2001:db8::5", port: 5060 } });
    const peer = await lab.endpoint(6, "peer", { local: { address: "2001:db8::6", port: 5060 } });
    peer.onInvite = (call) => incoming.push(call);
    expect(six.uri).toBe("sip:six@[2001:db8::5]:5060");
    await hangUp(await answered("sip:peer@[2001:db8::6]", six));
    await hangUp(await answered("sip:peer@[2001:db8::6];transport=tcp", six));

    expect(peer.counts).toEqual({ malformed: 0, exceptions: 0 });
    await lab.advance(35_000);
    expect(six.liveState).toEqual(LIVE_NOTHING);
  });

  it("answers from the address that was called where it has several", async () => {
    const several = await lab.endpoint(7, "several", {
      sip: {
        listen: [
          { transport: "udp", address: "192.0.2.7", port: 5060 },
          { transport: "udp", address: "192.0.2.8", port: 5070 },
          { transport: "tcp", address: "192.0.2.8", port: 5070 },
        ],
      },
    });
    several.onInvite = (call) => incoming.push(call);
    const call = await answered("sip:several@192.0.2.8:5070");
    await hangUp(call);

    const contacts = lab.traces
      .filter(({ local, statusCode }) => local === "192.0.2.8:5070" && statusCode === 200)
      .map(({ text }) => headerIn(text, "Contact"));
    expect(contacts[0]).toBe("<sip:several@192.0.2.8:5070>");
  });
});

describe("a call over TLS", () => {
  const TLS = { certificate: "bot.pem", key: "bot.key" };

  it("is made for sips:, with Contacts of the same kind", async () => {
    const secure = await lab.endpoint(3, "secure", {
      local: { address: "192.0.2.3", port: 5061 },
      sip: { transport: "tls", tls: TLS },
    });
    secure.onInvite = (call) => incoming.push(call);
    expect(secure.uri).toBe("sip:secure@192.0.2.3:5061;transport=tls");
    const call = await answered("sips:secure@192.0.2.3");

    const ok = lab.traces.find(({ statusCode }) => statusCode === 200)?.text ?? "";
    expect(headerIn(ok, "Contact")).toBe("<sips:secure@192.0.2.3:5061>");
    expect(headerIn(sent("INVITE"), "Via")).toMatch(/^SIP\/2\.0\/TLS 192\.0\.2\.1:5\d{4};/);
    // The caller listens for no TLS, so it is reached by its own connection.
    expect(headerIn(sent("INVITE"), "Contact")).toMatch(/^<sips:caller@192\.0\.2\.1:5\d{4}>$/);
    await hangUp(present(incoming[0], "the call came"));
    expect(call.state).toBe("ended");
    expect(lab.network.streams.connectCount).toBe(1);
  });

  it("ends with the handshake's own error", async () => {
    lab.network.streams.handshakeFailure = () =>
      new RemoteError("ERR_TLS_CERTIFICATE_EXPIRED", "It is expired.");
    await lab.endpoint(3, "secure", {
      local: { address: "192.0.2.3", port: 5061 },
      sip: { transport: "tls", tls: TLS },
    });
    const call = caller.call("sips:secure@192.0.2.3", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(100);

    expect(events).toMatchObject([{ error: { code: "ERR_TLS_CERTIFICATE_EXPIRED" } }]);
    expect(lab.logged.join()).toContain("A TLS client was refused.");
  });

  it("is never replaced by plain TCP or UDP", async () => {
    const call = caller.call("sips:bot@192.0.2.2:5060", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(100);

    expect(events).toMatchObject([{ error: { code: "ERR_TLS_HANDSHAKE_FAILED" } }]);
    expect(incoming).toEqual([]);
  });

  it("answers 404, not 416, where sips: means somebody else", async () => {
    await lab.endpoint(3, "secure", {
      local: { address: "192.0.2.3", port: 5061 },
      sip: { transport: "tls", tls: TLS },
    });
    const call = caller.call("sips:somebody@192.0.2.3", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(100);

    expect(events.at(-1)).toMatchObject({ statusCode: 404 });
  });

  it("is not listened for without a certificate", async () => {
    await expect(
      lab.endpoint(3, "x", {
        sip: { listen: [{ transport: "tls", address: "192.0.2.3", port: 5061 }] },
      }),
    ).rejects.toMatchObject({ code: "ERR_SIP_TRANSPORT" });
  });
});
