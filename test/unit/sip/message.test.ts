import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type {
  InboundCall,
  OutboundCall,
  ReceivedMessage,
  SipEndpoint,
} from "../../../src/sip/index.ts";
import {
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  type RawPeer,
  rawRequest,
  responseTo,
  SipLab,
} from "./sip-lab.ts";

const TEXT = "Content-Type: text/plain";

import { type Outcome, outcomeOf } from "./two-parties.ts";

let lab: SipLab;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];
const taken: ReceivedMessage[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  taken.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
  bot.onMessage = (message) => taken.push(message);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

async function connected(): Promise<{ outbound: OutboundCall; inbound: InboundCall }> {
  const caller = await lab.endpoint(1, "caller");
  const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
  await lab.advance(20);
  const inbound = present(incoming[0], "the INVITE arrived");
  inbound.answer(new FakeNegotiator());
  await lab.advance(20);
  return { outbound, inbound };
}

describe("MESSAGE within a call", () => {
  it("carries texts both ways, in order, in any script", async () => {
    const { outbound, inbound } = await connected();
    const heard: string[] = [];
    inbound.onMessage = ({ text }) => heard.push(`bot: ${text}`);
    outbound.onMessage = ({ text }) => heard.push(`caller: ${text}`);

    const sent = ["One", "Zwei – über"].map((text) => outcomeOf(outbound.message(text)));
    sent.push(outcomeOf(inbound.message("三\r\nlines")));
    await lab.advance(100);

    expect(heard.toSorted()).toEqual(["bot: One", "bot: Zwei – über", "caller: 三\r\nlines"]);
    expect(heard.indexOf("bot: One")).toBeLessThan(heard.indexOf("bot: Zwei – über"));
    expect(sent.map(({ value }) => value)).toEqual(
      sent.map(() => ({ statusCode: 200, sentAt: expect.any(Number) })),
    );
    expect(taken, "what comes within a call is the call's").toEqual([]);
  });

  it("may be larger than 1300 bytes", async () => {
    const { outbound, inbound } = await connected();
    let text = "";
    inbound.onMessage = (message) => {
      text = message.text;
    };
    const outcome = outcomeOf(outbound.message("x".repeat(2000)));
    await lab.advance(100);

    expect(outcome.value).toMatchObject({ statusCode: 200 });
    expect(text).toHaveLength(2000);
  });

  it("is answered 200 where nobody listens, and where the listener throws", async () => {
    const { outbound, inbound } = await connected();
    const first = outcomeOf(outbound.message("x"));
    await lab.advance(50);
    inbound.onMessage = () => {
      throw new Error("A bug of the listener.");
    };
    const second = outcomeOf(outbound.message("y"));
    await lab.advance(50);

    expect([first.value, second.value]).toMatchObject([{ statusCode: 200 }, { statusCode: 200 }]);
    expect(bot.counts.exceptions).toBe(1);
  });

  it("cannot be sent before the answer, nor after the end, nor empty", async () => {
    const caller = await lab.endpoint(1, "caller");
    const call = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
    await lab.advance(20);
    const early = outcomeOf(call.message("x"));
    incoming[0]?.answer(new FakeNegotiator());
    await lab.advance(20);
    const empty = outcomeOf(call.message(""));
    void call.hangUp();
    await lab.advance(50);
    const late = outcomeOf(call.message("x"));
    await lab.advance(1);

    expect([early, empty, late].map(({ error }) => error)).toMatchObject([
      { code: "ERR_CALL_STATE" },
      { code: "ERR_MESSAGE_MALFORMED" },
      { code: "ERR_CALL_STATE" },
    ]);
  });

  it("is not waited for once the call has ended", async () => {
    const { outbound, inbound } = await connected();
    const outcomes = [outcomeOf(outbound.message("a")), outcomeOf(outbound.message("b"))];
    void inbound.hangUp();
    await lab.advance(40_000);

    for (const { value, error } of outcomes) expect(value ?? error).toBeDefined();
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("MESSAGE outside of a call", () => {
  it("is taken with its sender, and answered 200 without body and Contact", async () => {
    const caller = await lab.endpoint(1, "caller");
    const outcome = outcomeOf(caller.sendMessage("sip:bot@192.0.2.2", "Call me back.", 5000));
    await lab.advance(50);

    expect(outcome.value).toMatchObject({ statusCode: 200 });
    expect(taken).toMatchObject([
      { text: "Call me back.", from: "sip:caller@192.0.2.1", at: expect.any(Number) },
    ]);
    const [request, response] = lab.traces.filter(({ local }) => local.startsWith("192.0.2.2"));
    expect(headerIn(request?.text ?? "", "Contact")).toBeUndefined();
    expect(headerIn(request?.text ?? "", "Content-Type")).toBe("text/plain;charset=UTF-8");
    expect(headerIn(response?.text ?? "", "Contact")).toBeUndefined();
    expect(headerIn(response?.text ?? "", "Content-Length")).toBe("0");
  });

  it("is told once, however often it is repeated on a network that loses and doubles", async () => {
    await lab.close();
    lab = new SipLab({ lossRatio: 0.3, duplicateRatio: 0.2, jitterMs: 30 });
    bot = await lab.endpoint(2, "bot");
    bot.onMessage = (message) => taken.push(message);
    const caller = await lab.endpoint(1, "caller");
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const sent = texts.map((text) =>
      outcomeOf(caller.sendMessage("sip:bot@192.0.2.2", text, 32_000)),
    );
    await lab.advance(60_000);

    expect(sent.every(({ value }) => value !== undefined)).toBe(true);
    expect(taken.map(({ text }) => text).toSorted()).toEqual(texts.toSorted());
    await lab.advance(35_000);
    expect([caller.liveState, bot.liveState]).toEqual([LIVE_NOTHING, LIVE_NOTHING]);
  });

  it("may have 1300 bytes, and not one more", async () => {
    const peer = await lab.peer(9);
    peer.onMessage = (text) => peer.send(responseTo(text, "200 OK", { toTag: "peer" }), 2);
    let outcome: Outcome = { isDone: false };
    let longest = 0;
    for (let length = 800; length < 1200 && outcome.error === undefined; length += 1) {
      outcome = outcomeOf(bot.sendMessage("sip:raw@192.0.2.9", "x".repeat(length), 1000));
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      await lab.advance(20);
      longest = new TextEncoder().encode(peer.received.at(-1)?.text ?? "").length;
    }

    expect(outcome.error).toMatchObject({ code: "ERR_MESSAGE_TOO_LONG" });
    expect(longest).toBeLessThanOrEqual(1300);
    expect(longest).toBeGreaterThan(1250);
  });

  it.each([
    ["refused", "403 Forbidden", 403],
    ["sent elsewhere", "302 Moved", 302],
  ])("says with which status it was %s", async (_what, status, statusCode) => {
    const peer = await lab.peer(9);
    peer.onMessage = (text) => peer.send(responseTo(text, status, { toTag: "peer" }), 2);
    const outcome = outcomeOf(bot.sendMessage("sip:raw@192.0.2.9", "x", 1000));
    await lab.advance(100);

    expect(outcome.error).toMatchObject({ code: "ERR_MESSAGE_REJECTED", context: { statusCode } });
  });

  it("is given up when nobody answers, and when the endpoint closes", async () => {
    const peer = await lab.peer(9);
    const outcome = outcomeOf(bot.sendMessage("sip:raw@192.0.2.9", "x", 3000));
    await lab.advance(3100);
    expect(outcome.error).toMatchObject({ code: "ERR_MESSAGE_REJECTED" });
    const repeated = peer.withStart("MESSAGE").length;
    await lab.advance(35_000);
    expect(peer.withStart("MESSAGE"), "given up is given up").toHaveLength(repeated);
    expect(bot.liveState).toEqual(LIVE_NOTHING);

    const second = outcomeOf(bot.sendMessage("sip:raw@192.0.2.9", "x", 30_000));
    const closing = bot.close();
    await lab.advance(2500);
    await closing;
    expect(second.error).toMatchObject({ code: "ERR_ENDPOINT_CLOSED" });
  });

  it("brings credentials where they are asked for, within a call and outside", async () => {
    const demand = {
      realm: "bot.example",
      users: [{ user: "alice", password: "secret-1" }],
      methods: ["INVITE", "MESSAGE"],
    };
    const strict = await lab.endpoint(3, "strict", { demand });
    strict.onMessage = (message) => taken.push(message);
    strict.onInvite = (call) => {
      call.onMessage = (message) => taken.push(message);
      call.answer(new FakeNegotiator());
    };
    const credentials = [{ user: "alice", password: "secret-1" }];
    const caller = await lab.endpoint(1, "caller", { credentials });
    const outside = outcomeOf(caller.sendMessage("sip:strict@192.0.2.3", "One", 5000));
    await lab.advance(100);
    const call = caller.call("sip:strict@192.0.2.3", { negotiator: new FakeNegotiator() });
    await lab.advance(100);
    const within = outcomeOf(call.message("Two"));
    await lab.advance(100);
    const stranger = await lab.endpoint(4, "stranger");
    const refused = outcomeOf(stranger.sendMessage("sip:strict@192.0.2.3", "Three", 5000));
    await lab.advance(100);

    expect([outside.value, within.value]).toMatchObject([{ statusCode: 200 }, { statusCode: 200 }]);
    expect(taken.map(({ text }) => text)).toEqual(["One", "Two"]);
    expect(refused.error).toMatchObject({ code: "ERR_SIP_CREDENTIALS_MISSING" });
  });

  it("goes only to whom may be called", async () => {
    const careful = await lab.endpoint(3, "careful", { allow: [] });
    const outcome = outcomeOf(careful.sendMessage("sip:bot@192.0.2.2", "x", 1000));
    await lab.advance(50);
    expect(outcome.error).toMatchObject({ code: "ERR_TARGET_NOT_ALLOWED" });
    expect(lab.flow(2)).toEqual([]);
  });
});

describe("MESSAGE of a peer of its own mind", () => {
  let peer: RawPeer;

  beforeEach(async () => {
    peer = await lab.peer(9);
  });

  async function answerTo(request: string): Promise<string> {
    const before = peer.received.length;
    peer.send(request, 2);
    await lab.advance(20);
    return peer.received[before]?.text ?? "nothing";
  }

  it.each([
    ["text", [TEXT]],
    ["text in ASCII", [`${TEXT}; Charset="US-ASCII"`]],
    ["text in UTF-8, flowed", [`${TEXT};format=flowed ; charset=utf-8`]],
  ])("%s is taken", async (_name, headers) => {
    const answer = await answerTo(rawRequest("MESSAGE", { headers, body: "Hello" }));
    expect(answer).toContain("SIP/2.0 200");
    expect(taken.map(({ text }) => text)).toEqual(["Hello"]);
  });

  it.each([
    ["text in another character set", [`${TEXT};charset=iso-8859-1`], "Accept"],
    ["HTML", ["Content-Type: text/html"], "Accept"],
    ["CPIM", ["Content-Type: message/cpim"], "Accept"],
    ["compressed text", [TEXT, "Content-Encoding: gzip"], "Accept-Encoding"],
  ])("%s is 415, with what would have been taken", async (_name, headers, says) => {
    const answer = await answerTo(rawRequest("MESSAGE", { headers, body: "Hello" }));
    expect(answer).toContain("SIP/2.0 415");
    expect(headerIn(answer, says)).toBe(
      says === "Accept" ? "text/plain;charset=UTF-8" : "identity",
    );
    expect(taken).toEqual([]);
  });

  it("to somebody else is 404, within an unknown dialog 481, with what we do not know 420", async () => {
    const body = { headers: [TEXT], body: "x" };
    const elsewhere = { ...body, uri: "sip:alice@192.0.2.2" };
    expect(await answerTo(rawRequest("MESSAGE", elsewhere))).toContain("SIP/2.0 404");
    const stale = { ...body, cseq: 2, toTag: "gone" };
    expect(await answerTo(rawRequest("MESSAGE", stale))).toContain("SIP/2.0 481");
    const odd = { ...body, cseq: 3, headers: [TEXT, "Require: x-odd"] };
    expect(await answerTo(rawRequest("MESSAGE", odd))).toContain("SIP/2.0 420");
    expect(taken).toEqual([]);
  });

  it("while it rings goes to the call", async () => {
    peer.send(
      rawRequest("INVITE", {
        headers: ["Contact: <sip:raw@192.0.2.9:5060>", "Content-Type: application/sdp"],
        body: "v=0\r\ns=raw\r\n",
      }),
      2,
    );
    await lab.advance(20);
    const call = present(incoming[0], "the INVITE arrived");
    call.ring();
    await lab.advance(20);
    let heard = "";
    call.onMessage = ({ text }) => {
      heard = text;
    };
    const toTag = /;tag=([^;\s]+)/.exec(headerIn(peer.withStart("180")[0] ?? "", "To") ?? "")?.[1];
    const answer = await answerTo(
      rawRequest("MESSAGE", { cseq: 2, toTag, headers: [TEXT], body: "Still there?" }),
    );
    expect(answer).toContain("SIP/2.0 200");
    expect(heard).toBe("Still there?");
  });
});
