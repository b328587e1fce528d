import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { after, present } from "../../../src/environment/index.ts";
import type {
  InboundCall,
  OutboundCall,
  SipCallEvent,
  SipEndpoint,
} from "../../../src/sip/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  type RawPeer,
  responseTo,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

const ACCOUNT = { user: "alice", password: "wonderland-4711" };
const DEMAND = { realm: "bots.example", users: [ACCOUNT] };
const MD5 = 'Digest realm="r1", nonce="n1", qop="auth", algorithm=MD5';

let lab: SipLab;
const incoming: InboundCall[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
});

afterEach(async () => {
  await lab.close();
  if (vi.getTimerCount() !== 0) throw new Error("A timer outlived the endpoints.");
  vi.useRealTimers();
});

async function demandingBot(): Promise<SipEndpoint> {
  const bot = await lab.endpoint(2, "bot", { demand: DEMAND });
  bot.onInvite = (call) => {
    incoming.push(call);
    call.onInfo = () => 200;
    call.answer(new FakeNegotiator());
  };
  return bot;
}

function callerWith(password = ACCOUNT.password): Promise<SipEndpoint> {
  return lab.endpoint(1, "caller", { credentials: [{ ...ACCOUNT, password }] });
}

function dial(caller: SipEndpoint, host = 2): { call: OutboundCall; events: SipCallEvent[] } {
  const call = caller.call(`sip:bot@192.0.2.${host}`, { negotiator: new FakeNegotiator() });
  return { call, events: eventsOf(call) };
}

/** The requests of one method that the caller sent. */
function sent(method: string): string[] {
  return lab.traces
    .filter(({ direction, local }) => direction === "sent" && local === "192.0.2.1:5060")
    .map(({ text }) => text)
    .filter((text) => text.startsWith(`${method} `));
}

function cseqs(messages: readonly string[]): (string | undefined)[] {
  return messages.map((message) => headerIn(message, "CSeq"));
}

/** A raw peer at 192.0.2.9 that answers as told, one answer after the other. */
async function answering(
  method: string,
  ...answers: readonly ((request: string) => string)[]
): Promise<RawPeer> {
  const peer = await lab.peer(9);
  const left = [...answers];
  peer.onMessage = (text) => {
    const answer = text.startsWith(`${method} `) ? left.shift() : undefined;
    if (answer !== undefined) peer.send(answer(text), 1);
  };
  return peer;
}

function challenge(status: 401 | 407, ...values: readonly string[]): (request: string) => string {
  const name = status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
  return (request) =>
    responseTo(request, `${status} Who are you`, {
      toTag: "challenger",
      headers: values.map((value) => `${name}: ${value}`),
    });
}

function ok(request: string): string {
  return responseTo(request, "200 OK", {
    toTag: "bot",
    headers: [RAW_CONTACT, SDP_TYPE],
    body: RAW_SDP,
  });
}

describe("a call to a bot that demands credentials", () => {
  it("comes up, and later requests of the call bring their credentials unasked", async () => {
    const bot = await demandingBot();
    const caller = await callerWith();
    const { call, events } = dial(caller);
    await lab.advance(50);
    const info = call.info("application/dtmf", "1");
    await lab.advance(50);
    await info;
    const reinvite = call.renegotiate();
    await lab.advance(50);
    await reinvite;
    void call.hangUp();
    await lab.advance(50);

    expect(briefly(events)).toEqual(["trying 100", "answered 200", "confirmed", "ended local bye"]);
    expect(lab.flow(1)).toEqual([
      "> INVITE",
      "< 401 INVITE",
      "> ACK",
      "> INVITE",
      "< 100 INVITE",
      "< 200 INVITE",
      "> ACK",
      "> INFO",
      "< 200 INFO",
      "> INVITE",
      "< 200 INVITE",
      "> ACK",
      "> BYE",
      "< 200 BYE",
    ]);
    expect(cseqs([...sent("INVITE"), ...sent("INFO"), ...sent("BYE")])).toEqual([
      "1 INVITE",
      "2 INVITE",
      "4 INVITE",
      "3 INFO",
      "5 BYE",
    ]);
    // RFC 3261 §22.1: an ACK has the credentials of its INVITE.
    const [, second, third] = sent("INVITE");
    const [rejected, accepted, refreshed] = sent("ACK");
    expect(headerIn(rejected ?? "", "Authorization")).toBeUndefined();
    expect(cseqs([accepted ?? "", refreshed ?? ""])).toEqual(["2 ACK", "4 ACK"]);
    for (const [ack, invite] of [
      [accepted, second],
      [refreshed, third],
    ]) {
      expect(headerIn(ack ?? "", "Authorization")).toBe(headerIn(invite ?? "", "Authorization"));
    }
    expect(headerIn(sent("BYE")[0] ?? "", "Authorization")).toContain("Digest ");
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("keeps the password and the digest out of every trace and log", async () => {
    await demandingBot();
    const { call } = dial(await callerWith());
    await lab.advance(50);
    expect(call.state).toBe("established");
    const seen = JSON.stringify([lab.traces, lab.logged]);
    expect(seen).not.toContain(ACCOUNT.password);
    expect(sent("INVITE")[1]).toMatch(/^Authorization: Digest \*/m);
    for (const { bytes } of lab.traces) {
      expect(new TextDecoder().decode(bytes)).not.toMatch(/response="[0-9a-f]/);
    }
  });

  it("is refused at once where the password is wrong", async () => {
    await demandingBot();
    const { events } = dial(await callerWith("wrong"));
    await lab.advance(50);
    expect(sent("INVITE")).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({
      type: "ended",
      reason: "rejected",
      statusCode: 401,
      error: { code: "ERR_SIP_CREDENTIALS_REFUSED" },
    });
    expect(incoming).toEqual([]);
  });

  it("is refused where there is no account", async () => {
    await demandingBot();
    const { events } = dial(await lab.endpoint(1, "caller"));
    await lab.advance(50);
    expect(sent("INVITE")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_SIP_CREDENTIALS_MISSING" } });
  });

  it("comes up over a network that loses one datagram in ten", async () => {
    lab = new SipLab({ lossRatio: 0.1, jitterMs: 20 });
    await demandingBot();
    const caller = await callerWith();
    const all: SipCallEvent[][] = [];
    for (let index = 0; index < 60; index += 1) {
      const call = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
      const events: SipCallEvent[] = [];
      call.onEvent = (event) => {
        events.push(event);
        if (event.type !== "confirmed") return;
        lab.clock.setTimer(after(lab.clock.now(), 500), () => void call.hangUp());
      };
      all.push(events);
      await lab.advance(100);
    }
    await lab.advance(99_000);
    for (const events of all) {
      expect(briefly(events).slice(-3)).toEqual(["answered 200", "confirmed", "ended local bye"]);
    }
    expect(incoming).toHaveLength(60);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("challenges of a peer", () => {
  it("407 with MD5 and then 401 with SHA-256 are both answered, in one call", async () => {
    const sha = 'Digest realm="r2", nonce="n2", qop="auth", algorithm=SHA-256';
    await answering("INVITE", challenge(407, MD5), challenge(401, sha), ok);
    const { call } = dial(await callerWith(), 9);
    await lab.advance(50);
    expect(call.state).toBe("established");
    const [, second, third] = sent("INVITE");
    expect(headerIn(second ?? "", "Authorization")).toBeUndefined();
    expect(headerIn(third ?? "", "Authorization")).toBeDefined();
    expect(headerIn(third ?? "", "Proxy-Authorization")).toBeDefined();
    expect(cseqs(sent("INVITE"))).toEqual(["1 INVITE", "2 INVITE", "3 INVITE"]);
  });

  it("all of one response are kept, and the strongest is answered", async () => {
    const sha = 'Digest realm="r1", nonce="n2", algorithm=SHA-512-256';
    const peer = await answering("INVITE", challenge(401, MD5, sha, 'Basic realm="r1"'), ok);
    const { call } = dial(await callerWith(), 9);
    await lab.advance(50);
    expect(call.state).toBe("established");
    const second = peer.withStart("INVITE")[1] ?? "";
    expect(headerIn(second, "Authorization")).toContain('nonce="n2"');
  });

  it("a digest that nobody knows ends the call with a named error", async () => {
    await answering("INVITE", challenge(401, 'Digest realm="r", nonce="n", algorithm=SHA-1'));
    const { events } = dial(await callerWith(), 9);
    await lab.advance(50);
    expect(events.at(-1)).toMatchObject({
      statusCode: 401,
      error: { code: "ERR_SIP_DIGEST_UNSUPPORTED" },
    });
    expect(sent("INVITE")).toHaveLength(1);
  });

  it("a late repetition of a challenge gets its old ACK and nothing else", async () => {
    const peer = await answering("INVITE", challenge(401, MD5), ok);
    const { call, events } = dial(await callerWith(), 9);
    await lab.advance(50);
    const [invite] = peer.withStart("INVITE");
    peer.send(challenge(401, MD5)(invite ?? ""), 1);
    await lab.advance(50);
    expect(call.state).toBe("established");
    expect(sent("INVITE")).toHaveLength(2);
    const acks = peer.withStart("ACK");
    expect(cseqs(acks)).toEqual(["1 ACK", "2 ACK", "1 ACK"]);
    expect(acks[2]).toBe(acks[0]);
    expect(briefly(events).at(-1)).toBe("confirmed");
  });

  it("a challenge that meets a CANCEL is not answered", async () => {
    const peer = await answering("INVITE", (request) => responseTo(request, "100 Trying"));
    const { call, events } = dial(await callerWith(), 9);
    await lab.advance(50);
    void call.hangUp();
    await lab.advance(20);
    peer.send(challenge(401, MD5)(peer.withStart("INVITE")[0] ?? ""), 1);
    await lab.advance(50);
    expect(sent("INVITE")).toHaveLength(1);
    expect(briefly(events).at(-1)).toBe("ended local cancel 401");
  });

  it("a call given up between challenge and answer is cancelled", async () => {
    const peer = await answering("INVITE", challenge(401, MD5));
    const { call, events } = dial(await callerWith(), 9);
    await lab.advance(50);
    expect(sent("INVITE")).toHaveLength(2);
    void call.hangUp();
    expect(briefly(events).at(-1)).toBe("ended local cancel");
    peer.send(responseTo(peer.withStart("INVITE")[1] ?? "", "180 Ringing"), 1);
    await lab.advance(50);
    expect(headerIn(peer.withStart("CANCEL")[0] ?? "", "CSeq")).toBe("2 CANCEL");
  });

  it("within a dialog lets no CSeq be used twice", async () => {
    const peer = await answering("INVITE", ok);
    const { call } = dial(await callerWith(), 9);
    await lab.advance(50);
    const answers = [challenge(401, MD5), okTo, okTo];
    peer.onMessage = (text) => {
      if (text.startsWith("INFO ")) peer.send((answers.shift() ?? okTo)(text), 1);
    };
    const infos = [call.info("application/dtmf", "1"), call.info("application/dtmf", "2")];
    await lab.advance(50);
    await Promise.all(infos);
    expect(cseqs(sent("INFO"))).toEqual(["2 INFO", "3 INFO", "4 INFO"]);
    const counts = peer.withStart("INFO").map((each) => /nc=(\d+)/.exec(each)?.[1]);
    expect(counts).toEqual([undefined, "00000001", "00000002"]);
  });

  it("the ACK of a refusal has all Routes and the credentials", async () => {
    const peer = await answering("INVITE", challenge(407, MD5), busy);
    const caller = await callerWith();
    caller.call("sip:bot@192.0.2.9", {
      negotiator: new FakeNegotiator(),
      headers: ["Route: <sip:192.0.2.9;lr>", "Route: <sip:192.0.2.8;lr>"],
    });
    await lab.advance(50);
    const [first, second] = peer.withStart("ACK");
    expect(first?.match(/^Route:.*$/gm)).toHaveLength(2);
    expect(headerIn(first ?? "", "Proxy-Authorization")).toBeUndefined();
    expect(headerIn(second ?? "", "Proxy-Authorization")).toBe(
      headerIn(peer.withStart("INVITE")[1] ?? "", "Proxy-Authorization"),
    );
    expect(toTagIn(second ?? "")).toBe("b");
  });

  it("OPTIONS is answered, too, and auth-int covers the real body of an INVITE", async () => {
    const authInt = 'Digest realm="r1", nonce="n1", qop="auth-int", algorithm=MD5';
    const peer = await answering("OPTIONS", challenge(401, MD5), okTo);
    const caller = await callerWith();
    const query = caller.queryOptions("sip:bot@192.0.2.9", 1000);
    await lab.advance(50);
    expect((await query).statusCode).toBe(200);
    const answers = [challenge(401, authInt), ok];
    peer.onMessage = (text) => {
      const answer = text.startsWith("INVITE ") ? answers.shift() : undefined;
      if (answer !== undefined) peer.send(answer(text), 1);
    };
    const { call } = dial(caller, 9);
    await lab.advance(50);
    expect(call.state).toBe("established");
    expect(present(peer.withStart("INVITE")[1], "it came")).toContain("qop=auth-int");
  });
});

function busy(request: string): string {
  return responseTo(request, "486 Busy", { toTag: "b" });
}

function okTo(request: string): string {
  return responseTo(request, "200 OK", { toTag: "bot" });
}
