import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import {
  type InboundCall,
  type OutboundCall,
  parseDtmfInfo,
  type ReceivedInfo,
  type SipEndpoint,
  writeDtmfRelay,
} from "../../../src/sip/index.ts";
import {
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  type RawPeer,
  rawRequest,
  responseTo,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

const RELAY = "application/dtmf-relay";
const RELAY_TYPE = `Content-Type: ${RELAY}`;

import { outcomeOf } from "./two-parties.ts";

let lab: SipLab;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

/** A caller and the bot in an answered call. */
async function connected(): Promise<{ outbound: OutboundCall; inbound: InboundCall }> {
  const caller = await lab.endpoint(1, "caller");
  const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
  await lab.advance(20);
  const inbound = present(incoming[0], "the INVITE arrived");
  inbound.answer(new FakeNegotiator());
  await lab.advance(20);
  return { outbound, inbound };
}

describe("INFO between two endpoints", () => {
  it("carries digits from the caller, in order", async () => {
    const { outbound, inbound } = await connected();
    const heard: ReceivedInfo[] = [];
    inbound.onInfo = (info) => {
      heard.push(info);
      return 200;
    };

    const outcomes = Array.from("42#").map((digit) =>
      outcomeOf(outbound.info(RELAY, writeDtmfRelay(digit, 160))),
    );
    await lab.advance(100);

    const digits = heard.map(({ contentType, body }) => parseDtmfInfo(contentType, body)?.digit);
    expect(digits.join("")).toBe("42#");
    expect(heard[0]?.at).toBeGreaterThan(0);
    expect(outcomes.map(({ value }) => value)).toEqual(
      Array.from({ length: 3 }, () => ({ statusCode: 200, sentAt: expect.any(Number) })),
    );
    expect(lab.flow(1).filter((step) => step.includes("INFO"))).toEqual(
      Array.from({ length: 3 }, () => ["> INFO", "< 200 INFO"]).flat(),
    );
  });

  it("carries digits from the callee", async () => {
    const { outbound, inbound } = await connected();
    const heard: ReceivedInfo[] = [];
    outbound.onInfo = (info) => {
      heard.push(info);
      return 204;
    };

    const outcome = outcomeOf(inbound.info("application/dtmf", "5"));
    await lab.advance(50);

    expect(heard).toMatchObject([{ contentType: "application/dtmf", body: "5" }]);
    expect(outcome.value).toMatchObject({ statusCode: 204 });
  });

  it("keeps the order of digits on a network that loses and delays", async () => {
    await lab.close();
    lab = new SipLab({ lossRatio: 0.3, jitterMs: 30 });
    bot = await lab.endpoint(2, "bot");
    bot.onInvite = (call) => incoming.push(call);
    const caller = await lab.endpoint(1, "caller");
    const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
    await lab.advance(10_000);
    const inbound = present(incoming[0], "the INVITE arrived");
    inbound.answer(new FakeNegotiator());
    await lab.advance(10_000);
    let digits = "";
    inbound.onInfo = ({ contentType, body }) => {
      digits += parseDtmfInfo(contentType, body)?.digit;
      return 200;
    };

    const outcomes = Array.from("0123456789").map((digit) =>
      outcomeOf(outbound.info(RELAY, writeDtmfRelay(digit, 100))),
    );
    await lab.advance(120_000);

    expect(digits).toBe("0123456789");
    expect(outcomes.every(({ value }) => value !== undefined)).toBe(true);
  });

  it.each([
    [400, 400],
    [415, 415],
    [606, 606],
    [100, 500],
    [Number.NaN, 500],
  ])("answers what the listener says: %d becomes %d", async (said, answered) => {
    const { outbound, inbound } = await connected();
    inbound.onInfo = () => said;

    const outcome = outcomeOf(outbound.info(RELAY, "x"));
    await lab.advance(50);

    expect(outcome.error).toMatchObject({
      code: "ERR_INFO_REJECTED",
      context: { statusCode: answered },
    });
    expect(outbound.state).toBe("established");
  });

  it("answers 500 where the listener throws, and the call goes on", async () => {
    const { outbound, inbound } = await connected();
    inbound.onInfo = () => {
      throw new Error("A bug of the listener.");
    };

    const outcome = outcomeOf(outbound.info(RELAY, "x"));
    await lab.advance(50);

    expect(outcome.error).toMatchObject({ context: { statusCode: 500 } });
    expect(bot.counts.exceptions).toBe(1);
    expect(inbound.state).toBe("established");
  });

  it("without a listener, is 415 and says what would have been accepted", async () => {
    const { outbound } = await connected();

    const outcome = outcomeOf(outbound.info("application/x-unknown", "x"));
    await lab.advance(50);

    expect(outcome.error).toMatchObject({ context: { statusCode: 415 } });
    const refusal = lab.traces.findLast(({ statusCode }) => statusCode === 415);
    expect(headerIn(refusal?.text ?? "", "Accept")).toBe(
      "application/dtmf-relay, application/dtmf",
    );
  });

  it("cannot be sent before the call is answered, nor after it has ended", async () => {
    const caller = await lab.endpoint(1, "caller");
    const call = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
    const refusal = { code: "ERR_CALL_STATE" };
    await lab.advance(20);
    const early = [outcomeOf(call.info(RELAY, "x"))];
    early.push(outcomeOf(present(incoming[0], "the INVITE arrived").info(RELAY, "x")));
    incoming[0]?.answer(new FakeNegotiator());
    await lab.advance(20);
    void call.hangUp();
    await lab.advance(50);

    const late = outcomeOf(call.info(RELAY, "x"));
    await lab.advance(1);

    expect([...early, late].map(({ error }) => error)).toMatchObject([refusal, refusal, refusal]);
  });

  it.each([
    ["application/dtmf\r\nX: y", "5"],
    ["dtmf", "5"],
    ["", "5"],
    [RELAY, ""],
  ])("refuses to send %j with %j", async (contentType, body) => {
    const { outbound } = await connected();

    const outcome = outcomeOf(outbound.info(contentType, body));
    await lab.advance(50);

    expect(outcome.error).toMatchObject({ code: "ERR_INFO_MALFORMED" });
    expect(lab.flow(1).filter((step) => step.includes("INFO"))).toEqual([]);
  });

  it("rejects what is pending when the call ends, and leaves nothing behind", async () => {
    const { outbound, inbound } = await connected();
    // The peer answers no INFO any more, but hangs up.
    const outcomes = [outbound.info(RELAY, "a"), outbound.info(RELAY, "b")].map(outcomeOf);
    void inbound.hangUp();
    inbound.onInfo = () => 200;
    await lab.advance(20);
    const third = outcomeOf(outbound.info(RELAY, "c"));
    await lab.advance(40_000);

    expect(outcomes[1]?.error ?? outcomes[1]?.value).toBeDefined();
    expect(third.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("INFO with a peer of its own mind", () => {
  let peer: RawPeer;

  beforeEach(async () => {
    peer = await lab.peer(9);
  });

  function lastOf(part: string): string {
    return present(peer.withStart(part).at(-1), `a message with "${part}" came`);
  }

  async function dialled(): Promise<OutboundCall> {
    const call = bot.call("sip:raw@192.0.2.9", { negotiator: new FakeNegotiator() });
    await lab.advance(20);
    const answer = { toTag: "peer", headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
    peer.send(responseTo(lastOf("INVITE"), "200 OK", answer), 2);
    await lab.advance(20);
    return call;
  }

  /** The raw peer's call, which rings. */
  async function ringing(): Promise<{ call: InboundCall; toTag: string }> {
    peer.send(rawRequest("INVITE", { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP }), 2);
    await lab.advance(20);
    const call = present(incoming.at(-1), "the INVITE arrived");
    call.ring();
    await lab.advance(20);
    return { call, toTag: present(toTagIn(lastOf("180")), "a 180 has a tag") };
  }

  async function statusOf(request: string): Promise<string> {
    const before = peer.received.length;
    peer.send(request, 2);
    await lab.advance(20);
    return peer.received[before]?.text.split(" ", 2)[1] ?? "none";
  }

  it("has the headers that a peer needs", async () => {
    const call = await dialled();
    void call.info(RELAY, "Signal=5\r\nDuration=160\r\n").catch(() => undefined);
    await lab.advance(20);

    const info = lastOf("INFO");

    expect(info).toMatch(/^INFO sip:raw@192\.0\.2\.9:5060 SIP\/2\.0\r\n/);
    expect(headerIn(info, "Content-Type")).toBe(RELAY);
    expect(headerIn(info, "CSeq")).toBe("2 INFO");
    expect(info.endsWith("\r\n\r\nSignal=5\r\nDuration=160\r\n")).toBe(true);
  });

  it("is repeated, and given up after 32 s without an answer", async () => {
    const call = await dialled();
    const outcome = outcomeOf(call.info(RELAY, "Signal=5"));

    await lab.advance(31_900);
    expect(outcome).toEqual({ isDone: false });
    expect(peer.withStart("INFO").length).toBeGreaterThan(8);
    await lab.advance(200);

    expect(outcome.error).toMatchObject({
      code: "ERR_INFO_REJECTED",
      context: { statusCode: 408 },
    });
    expect(call.state).toBe("established");
  });

  it("waits with the next until the one before was answered", async () => {
    const call = await dialled();
    const outcomes = [call.info(RELAY, "Signal=1"), call.info(RELAY, "Signal=2")].map(outcomeOf);
    await lab.advance(20);
    expect(peer.withStart("INFO")).toHaveLength(1);

    peer.send(responseTo(lastOf("INFO"), "488 Not Acceptable Here"), 2);
    await lab.advance(20);
    peer.send(responseTo(lastOf("INFO"), "200 OK"), 2);
    await lab.advance(20);

    expect(outcomes[0]?.error).toMatchObject({ context: { statusCode: 488 } });
    expect(outcomes[1]?.value).toMatchObject({ statusCode: 200 });
  });

  it("is not waited for once the peer has hung up", async () => {
    const call = await dialled();
    const outcome = outcomeOf(call.info(RELAY, "Signal=1"));
    await lab.advance(20);
    const info = lastOf("INFO");
    const ids = { callId: headerIn(info, "Call-ID") ?? "", toTag: fromTagIn(info) };

    peer.send(rawRequest("BYE", { cseq: 7, ...ids }).replace(";tag=rawtag", ";tag=peer"), 2);
    await lab.advance(20);

    expect(call.state).toBe("ended");
    expect(outcome.error).toMatchObject({ code: "ERR_INFO_REJECTED" });
  });

  it("outside of a dialog is 481, with and without a To tag", async () => {
    const body = { headers: [RELAY_TYPE], body: "Signal=5" };

    expect(await statusOf(rawRequest("INFO", body))).toBe("481");
    expect(await statusOf(rawRequest("INFO", { cseq: 2, toTag: "none", ...body }))).toBe("481");
  });

  it("while it rings goes to the listener", async () => {
    const { call, toTag } = await ringing();
    let heard = "";
    call.onInfo = ({ body }) => {
      heard = body;
      return 200;
    };

    const status = await statusOf(
      rawRequest("INFO", { cseq: 2, toTag, headers: [RELAY_TYPE], body: "Signal=5" }),
    );

    expect(status).toBe("200");
    expect(heard).toBe("Signal=5");
  });

  it.each([
    ["of no body", { headers: [] }, "200"],
    ["of an unknown type", { headers: ["Content-Type: text/x-what"], body: "x" }, "415"],
    ["of a body without type", { headers: [], body: "x" }, "400"],
    ["of a package", { headers: ["Info-Package: foo", RELAY_TYPE], body: "x" }, "469"],
  ])("without a listener answers an INFO %s", async (_name, message, expected) => {
    const { call, toTag } = await ringing();
    call.answer(new FakeNegotiator());
    await lab.advance(20);
    peer.send(rawRequest("ACK", { toTag }), 2);
    await lab.advance(20);

    expect(await statusOf(rawRequest("INFO", { cseq: 2, toTag, ...message }))).toBe(expected);
    expect(call.state).toBe("established");
  });
});

function fromTagIn(message: string): string {
  return /;tag=([^;\s]+)/.exec(headerIn(message, "From") ?? "")?.[1] ?? "";
}
