import { Grammar } from "sip.js/lib/core/index.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isSidetoneError, present, RemoteError } from "../../../src/environment/index.ts";
import type { InboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import { briefly, eventsOf, FakeNegotiator, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

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

const TARGET = "sip:bot@192.0.2.2";

describe("a call between two endpoints", () => {
  it("is set up with an early offer and ended by the caller", async () => {
    const parse = vi.spyOn(Grammar, "parse");
    const offering = new FakeNegotiator();
    const answering = new FakeNegotiator();
    const call = caller.call(TARGET, { negotiator: offering });
    const events = eventsOf(call);
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    const inboundEvents = eventsOf(inbound);
    inbound.ring();
    await lab.advance(100);
    inbound.answer(answering);
    await lab.advance(50);
    expect(call.state).toBe("established");
    expect(caller.liveState).toMatchObject({ calls: 1, dialogs: 1 });

    const hungUp = call.hangUp();
    await lab.advance(20);
    await hungUp;

    expect(briefly(events)).toEqual([
      "trying 100",
      "ringing 180",
      "answered 200",
      "confirmed",
      "ended local bye",
    ]);
    expect(briefly(inboundEvents)).toEqual([
      "ringing 180",
      "answered 200",
      "confirmed",
      "ended remote bye",
    ]);
    expect(offering.steps).toEqual(["createOffer", "acceptAnswer answer-to-offer-1"]);
    expect(answering.steps).toEqual(["acceptOffer offer-1"]);
    expect(lab.flow(1)).toEqual([
      "> INVITE",
      "< 100 INVITE",
      "< 180 INVITE",
      "< 200 INVITE",
      "> ACK",
      "> BYE",
      "< 200 BYE",
    ]);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
    // Our parser left nothing to sip.js's own, which is some 200 times slower.
    expect(parse).not.toHaveBeenCalled();
  });

  it("gives each event the instant at which its message crossed the socket", async () => {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    const inboundEvents = eventsOf(inbound);
    inbound.answer(new FakeNegotiator());
    await lab.advance(50);
    await Promise.all([call.hangUp(), lab.advance(50)]);

    const at = (direction: string, method: string, statusCode?: number): number =>
      present(
        lab.traces.find(
          (trace) =>
            trace.local.startsWith("192.0.2.1:") &&
            trace.direction === direction &&
            trace.method === method &&
            trace.statusCode === statusCode,
        ),
        "it is in the trace",
      ).at;
    const atOf = (type: string): number | undefined =>
      events.find((event) => event.type === type)?.at;
    expect(atOf("answered")).toBe(at("received", "INVITE", 200));
    expect(atOf("confirmed")).toBe(at("sent", "ACK"));
    // The call is over when the BYE leaves; the event itself waits for the answer to it.
    expect(atOf("ended")).toBe(at("sent", "BYE"));
    expect(inboundEvents.at(-1)?.at).toBe(at("sent", "BYE") + 5);
  });

  it("is set up with a late offer and ended by the called side", async () => {
    const late = new FakeNegotiator();
    const offering = new FakeNegotiator();
    const call = caller.call(TARGET, { negotiator: late, offer: "late" });
    const events = eventsOf(call);
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    inbound.answer(offering);
    const inboundEvents = eventsOf(inbound);
    await lab.advance(50);
    await Promise.all([inbound.hangUp(), lab.advance(50)]);

    expect(late.steps).toEqual(["acceptOffer offer-1"]);
    expect(offering.steps).toEqual(["createOffer", "acceptAnswer answer-to-offer-1"]);
    expect(briefly(events)).toEqual([
      "trying 100",
      "answered 200",
      "confirmed",
      "ended remote bye",
    ]);
    // The listener came after the answer, and is told what it missed.
    expect(briefly(inboundEvents)).toEqual(["answered 200", "confirmed", "ended local bye"]);
  });

  it("finds the peer by host name", async () => {
    const call = caller.call("sip:bot@bot.example", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(20);
    incoming[0]?.answer(new FakeNegotiator());
    await lab.advance(20);

    expect(briefly(events)).toEqual(["trying 100", "answered 200", "confirmed"]);
    expect(incoming[0]?.target).toBe("sip:bot@bot.example");
  });

  it("shows the called side who calls, and the caller's headers", async () => {
    caller.call("sip:bot@192.0.2.2;x=1", {
      negotiator: new FakeNegotiator(),
      headers: ["X-Scenario: greeting"],
    });
    await lab.advance(20);

    const inbound = present(incoming[0], "the INVITE arrived");
    expect(inbound.from).toBe("sip:caller@192.0.2.1");
    expect(inbound.target).toBe("sip:bot@192.0.2.2;x=1");
    expect(inbound.header("x-scenario")).toBe("greeting");
  });

  it("can run many times at once", async () => {
    bot.onInvite = (call) => call.answer(new FakeNegotiator());
    const calls = Array.from({ length: 40 }, () =>
      caller.call(TARGET, { negotiator: new FakeNegotiator() }),
    );
    await lab.advance(50);
    expect(calls.map((call) => call.state)).toEqual(calls.map(() => "established"));
    expect(new Set(calls.map((call) => call.callId)).size).toBe(40);

    await Promise.all([...calls.map((call) => call.hangUp()), lab.advance(50)]);
    await lab.advance(35_000);

    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("a call that does not come up", () => {
  it("is rejected with code and phrase", async () => {
    bot.onInvite = (call) => call.reject(603, "No Thanks");
    const events = eventsOf(caller.call(TARGET, { negotiator: new FakeNegotiator() }));
    await lab.advance(50);

    expect(briefly(events)).toEqual(["trying 100", "ended remote rejected 603"]);
    expect(events.at(-1)).toMatchObject({ reasonPhrase: "No Thanks" });
    await lab.advance(35_000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("gets 480 where nobody listens", async () => {
    bot.onInvite = undefined;
    const events = eventsOf(caller.call(TARGET, { negotiator: new FakeNegotiator() }));
    await lab.advance(50);

    expect(briefly(events)).toEqual(["ended remote rejected 480"]);
  });

  it("gets 404 where the user is not the endpoint's", async () => {
    const events = eventsOf(
      caller.call("sip:other@192.0.2.2", { negotiator: new FakeNegotiator() }),
    );
    await lab.advance(50);

    expect(briefly(events)).toEqual(["ended remote rejected 404"]);
  });

  it("gets 500 where the listener throws", async () => {
    bot.onInvite = () => {
      throw new Error("bug in the bot");
    };
    const events = eventsOf(caller.call(TARGET, { negotiator: new FakeNegotiator() }));
    await lab.advance(50);

    expect(briefly(events)).toEqual(["trying 100", "ended remote rejected 500"]);
    expect(bot.counts.exceptions).toBe(1);
    expect(lab.logged.join()).toContain("bug in the bot");
  });

  it("is cancelled while it rings", async () => {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    const inboundEvents = eventsOf(inbound);
    inbound.ring();
    await lab.advance(20);
    await Promise.all([call.hangUp(), lab.advance(50)]);

    expect(briefly(events)).toEqual(["trying 100", "ringing 180", "ended local cancel 487"]);
    expect(briefly(inboundEvents)).toEqual(["ringing 180", "ended remote cancel 487"]);
    // Too late now, and no reason to throw: the peer may cancel at any time.
    inbound.answer(new FakeNegotiator());
    inbound.reject(486);
    inbound.ring();
    expect(lab.flow(1).slice(3)).toEqual(["> CANCEL", "< 200 CANCEL", "< 487 INVITE", "> ACK"]);
  });

  it("is cancelled when it has rung too long", async () => {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator(), ringTimeoutMs: 3000 });
    const events = eventsOf(call);
    bot.onInvite = (inbound) => inbound.ring();
    await lab.advance(2900);
    expect(call.state).toBe("early");
    await lab.advance(200);

    expect(briefly(events)).toEqual(["trying 100", "ringing 180", "ended local ringTimeout 487"]);
  });

  it("is ended with ACK and BYE where the answer crosses the CANCEL", async () => {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(20);
    incoming[0]?.answer(new FakeNegotiator());
    const inboundEvents = eventsOf(present(incoming[0], "the INVITE arrived"));
    await lab.advance(2);
    await Promise.all([call.hangUp(), lab.advance(50)]);

    expect(briefly(events)).toEqual(["trying 100", "ended local cancel 200"]);
    expect(briefly(inboundEvents)).toEqual(["answered 200", "confirmed", "ended remote bye"]);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("ends with the reason where the two sides have no codec in common", async () => {
    const refusing = new FakeNegotiator();
    refusing.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No common codec.");
    bot.onInvite = (call) => call.answer(refusing);
    const events = eventsOf(caller.call(TARGET, { negotiator: new FakeNegotiator() }));
    await lab.advance(50);
    expect(briefly(events)).toEqual(["trying 100", "ended remote rejected 488"]);

    bot.onInvite = (call) => call.answer(new FakeNegotiator());
    const callEvents = eventsOf(caller.call(TARGET, { negotiator: refusing }));
    await lab.advance(50);
    expect(briefly(callEvents)).toEqual([
      "trying 100",
      "answered 200",
      "ended local noCommonCodec",
    ]);
    expect(callEvents.at(-1)).toMatchObject({ error: { code: "ERR_SDP_NO_COMMON_CODEC" } });
  });

  it("ends as unreachable where the host name is unknown", async () => {
    const events = eventsOf(
      caller.call("sip:bot@nowhere.example", { negotiator: new FakeNegotiator() }),
    );
    expect(events).toEqual([]);
    await lab.advance(1);

    expect(briefly(events)).toEqual(["ended network unreachable"]);
    expect(events[0]).toMatchObject({ error: { code: "ERR_HOST_UNRESOLVED" } });
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("ends as unanswered where nothing at all comes", async () => {
    await bot.close();
    const events = eventsOf(caller.call(TARGET, { negotiator: new FakeNegotiator() }));
    await lab.advance(31_900);
    expect(events).toEqual([]);
    await lab.advance(200);

    expect(briefly(events)).toEqual(["ended network noAnswer 408"]);
    expect(events[0]).toMatchObject({ error: { code: "ERR_SIP_NO_RESPONSE" } });
    // RFC 3261 §17.1.1.2: seven times in all, at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
    expect(lab.flow(1)).toEqual(["> INVITE", ...Array(6).fill("> INVITE (again)")]);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("ends at once where it is hung up before anything came", async () => {
    await bot.close();
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(100);
    await call.hangUp();

    expect(briefly(events)).toEqual(["ended local cancel"]);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("ends as unanswered where its time to ring is over and nothing came", async () => {
    await bot.close();
    const events = eventsOf(
      caller.call(TARGET, { negotiator: new FakeNegotiator(), ringTimeoutMs: 2000 }),
    );
    await lab.advance(2100);

    expect(briefly(events)).toEqual(["ended network noAnswer"]);
  });
});

describe("misuse", () => {
  it("of a target is thrown", () => {
    const options = { negotiator: new FakeNegotiator() };
    expect(() => caller.call("bot@192.0.2.2", options)).toThrow(
      expect.objectContaining({ code: "ERR_TARGET_MALFORMED" }),
    );
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("of additional headers is thrown", () => {
    const codes = ["no colon", "X-A: 1\r\nX-B: 2", "f: <sip:me@example>"].map((header) => {
      const options = { negotiator: new FakeNegotiator(), headers: [header] };
      try {
        caller.call(TARGET, options);
      } catch (error) {
        return isSidetoneError(error) ? error.code : error;
      }
      return "none";
    });
    expect(codes).toEqual(["ERR_HEADER_MALFORMED", "ERR_HEADER_MALFORMED", "ERR_HEADER_RESERVED"]);
  });

  it("of an answered call is thrown", async () => {
    caller.call(TARGET, { negotiator: new FakeNegotiator() });
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    inbound.answer(new FakeNegotiator());

    const late = expect.objectContaining({ code: "ERR_CALL_STATE" });
    expect(() => inbound.answer(new FakeNegotiator())).toThrow(late);
    expect(() => inbound.ring()).toThrow(late);
    expect(() => inbound.reject(486)).toThrow(late);
    expect(() => inbound.reject(200)).toThrow(expect.objectContaining({ code: "ERR_STATUS_CODE" }));
  });

  it("of a closed endpoint is thrown", async () => {
    await caller.close();
    expect(() => caller.call(TARGET, { negotiator: new FakeNegotiator() })).toThrow(
      expect.objectContaining({ code: "ERR_ENDPOINT_CLOSED" }),
    );
  });
});
