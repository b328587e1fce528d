import { describe, expect, it } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  type RawPeer,
  rawRequest,
  responseTo,
  SDP_TYPE,
  toTagIn,
} from "./sip-lab.ts";
import { outcomeOf, useTwoParties } from "./two-parties.ts";

const parties = useTwoParties();

describe("re-INVITE of ours", () => {
  it("offers anew from either end, and takes the answer", async () => {
    const { outbound, inbound, callers, bots } = await parties.connected();

    const first = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);
    const second = outcomeOf(inbound.renegotiate());
    await parties.lab.advance(50);

    expect([first, second]).toEqual([{ isDone: true }, { isDone: true }]);
    expect(callers.steps).toEqual([
      "createOffer",
      "acceptAnswer answer-to-offer-2",
      "acceptOffer offer-1",
    ]);
    expect(bots.steps).toEqual([
      "acceptOffer offer-2",
      "createOffer",
      "acceptAnswer answer-to-offer-1",
    ]);
    expect(outbound.state).toBe("established");
  });

  it("changes nothing where the peer refuses, and says with what", async () => {
    const { outbound, callers, bots } = await parties.connected();
    bots.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");

    const outcome = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);

    expect(outcome.error).toMatchObject({
      code: "ERR_REINVITE_REFUSED",
      context: { statusCode: 488 },
    });
    expect(callers.steps).toEqual(["createOffer", "withdrawOffer"]);
    expect(outbound.state).toBe("established");
  });

  it("tells why the peer's answer cannot be used, and leaves the call up", async () => {
    const { outbound, callers } = await parties.connected();
    callers.refuseWith = new RemoteError("ERR_SDP_MALFORMED", "It cannot be read.");

    const outcome = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);

    expect(outcome.error).toMatchObject({ code: "ERR_SDP_MALFORMED" });
    expect(callers.steps.at(-1)).toBe("withdrawOffer");
    expect(outbound.state).toBe("established");
  });

  it("gets through when both ends begin at once (RFC 3261 §14.1)", async () => {
    const { outbound, inbound, callers, bots } = await parties.connected();

    const outcomes = [outcomeOf(outbound.renegotiate()), outcomeOf(inbound.renegotiate())];
    await parties.lab.advance(30_000);

    expect(outcomes).toEqual([{ isDone: true }, { isDone: true }]);
    expect(callers.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(bots.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(parties.lab.flow(1).join(" ")).toContain("491");
  });

  it("gets through a network that loses a third of it", async () => {
    await parties.lab.close();
    await parties.open({ lossRatio: 0.3, jitterMs: 30 });
    const callers = new FakeNegotiator();
    const outbound = parties.caller.call("sip:bot@192.0.2.2", { negotiator: callers });
    await parties.lab.advance(10_000);
    present(parties.incoming[0], "the INVITE arrived").answer(new FakeNegotiator());
    await parties.lab.advance(10_000);

    for (let change = 0; change < 5; change += 1) {
      const outcome = outcomeOf(outbound.renegotiate());
      // oxlint-disable-next-line no-await-in-loop -- one change after the other.
      await parties.lab.advance(20_000);
      expect(outcome).toEqual({ isDone: true });
    }
    expect(outbound.state).toBe("established");
  });

  it("refuses a second change while one is under way, and one without a call", async () => {
    const { outbound } = await parties.connected();

    const first = outcomeOf(outbound.renegotiate());
    const second = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);
    void outbound.hangUp();
    await parties.lab.advance(50);
    const third = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(10);

    expect(first).toEqual({ isDone: true });
    expect(second.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(third.error).toMatchObject({ code: "ERR_CALL_STATE" });
  });

  it("does not keep anybody waiting when the call ends, and leaves nothing behind", async () => {
    const { outbound, inbound } = await parties.connected();

    const outcome = outcomeOf(outbound.renegotiate());
    void inbound.hangUp();
    await parties.lab.advance(100_000);

    expect(outcome.isDone).toBe(true);
    expect(parties.caller.liveState).toEqual(LIVE_NOTHING);
    expect(parties.bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("re-INVITE of a peer", () => {
  it("ends the call with BYE where its 200 is never acknowledged (RFC 3261 §14.2)", async () => {
    const { peer, events, send } = await calledByPeer();

    send("INVITE", 2);
    await parties.lab.advance(31_000);
    const repeated = peer.withStart("200 OK").filter((text) => text.includes("CSeq: 2 INVITE"));
    expect(repeated.length).toBeGreaterThan(8);
    expect(briefly(events)).toEqual(["answered 200", "confirmed"]);
    await parties.lab.advance(2000);
    const [bye = ""] = peer.withStart("BYE");
    peer.send(responseTo(bye, "200 OK"), 2);
    await parties.lab.advance(35_000);

    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended network error"]);
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_SIP_ACK_MISSING" } });
    expect(headerIn(bye, "Call-ID")).toBe("raw-call");
    expect(parties.bot.liveState).toEqual(LIVE_NOTHING);
    expect(parties.bot.counts.exceptions).toBe(0);
  });

  it("ends a call that we placed as well, and although nobody answers the BYE", async () => {
    const peer = await parties.lab.peer(9);
    peer.onMessage = (text) => {
      if (!text.startsWith("INVITE ")) return;
      const headers = [RAW_CONTACT, SDP_TYPE];
      peer.send(responseTo(text, "200 OK", { toTag: "raw", headers, body: RAW_SDP }), 2);
    };
    const call = parties.bot.call("sip:raw@192.0.2.9", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await parties.lab.advance(50);
    const [invite = ""] = peer.withStart("INVITE");
    const reinvite = rawRequest("INVITE", {
      callId: headerIn(invite, "Call-ID") ?? "",
      headers: [RAW_CONTACT, SDP_TYPE],
      body: RAW_SDP,
    })
      .replace(/^From: .*$/mu, `From: <sip:raw@192.0.2.9>;tag=raw`)
      .replace(/^To: .*$/mu, `To: ${headerIn(invite, "From")}`);
    peer.send(reinvite, 2);
    await parties.lab.advance(50);
    expect(peer.withStart("200 OK")).toHaveLength(1);
    await parties.lab.advance(100_000);

    expect(peer.withStart("BYE").length).toBeGreaterThan(1);
    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended network error"]);
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_SIP_ACK_MISSING" } });
    expect(parties.bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("goes on where the ACK comes at last, after some of the repeated 200s", async () => {
    const { peer, events, send } = await calledByPeer();

    send("INVITE", 2);
    await parties.lab.advance(25_000);
    send("ACK", 2);
    await parties.lab.advance(100_000);

    expect(peer.withStart("BYE")).toEqual([]);
    expect(briefly(events)).toEqual(["answered 200", "confirmed"]);
  });

  it("changes nothing about a call that ended meanwhile", async () => {
    const { peer, events, send } = await calledByPeer();

    send("INVITE", 2);
    await parties.lab.advance(10_000);
    send("BYE", 3);
    await parties.lab.advance(100_000);

    expect(peer.withStart("BYE")).toEqual([]);
    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended remote bye"]);
    expect(parties.bot.liveState).toEqual(LIVE_NOTHING);
    expect(parties.bot.counts.exceptions).toBe(0);
  });
});

/** A raw peer's call to the bot that is up; `send` sends a request within it. */
async function calledByPeer(): Promise<{
  readonly peer: RawPeer;
  readonly events: ReturnType<typeof eventsOf>;
  readonly send: (method: string, cseq: number) => void;
}> {
  const peer = await parties.lab.peer(9);
  const headers = [RAW_CONTACT, SDP_TYPE];
  peer.send(rawRequest("INVITE", { headers, body: RAW_SDP }), 2);
  await parties.lab.advance(20);
  const call = present(parties.incoming.at(-1), "the INVITE arrived");
  const events = eventsOf(call);
  call.answer(new FakeNegotiator());
  await parties.lab.advance(20);
  const toTag = toTagIn(peer.withStart("200 OK").at(-1) ?? "");
  const send = (method: string, cseq: number): void => {
    const content = method === "INVITE" ? { headers, body: RAW_SDP } : {};
    peer.send(rawRequest(method, { cseq, toTag, ...content }), 2);
  };
  send("ACK", 1);
  await parties.lab.advance(20);
  return { peer, events, send };
}
