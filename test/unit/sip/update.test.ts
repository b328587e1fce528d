import { beforeEach, describe, expect, it } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import type { InboundCall } from "../../../src/sip/index.ts";
import {
  FakeNegotiator,
  headerIn,
  RAW_CONTACT,
  RAW_SDP,
  type RawPeer,
  rawRequest,
  SDP_TYPE,
  toTagIn,
} from "./sip-lab.ts";
import { outcomeOf, useTwoParties } from "./two-parties.ts";

const parties = useTwoParties();

describe("UPDATE of ours", () => {
  it("changes the media of an answered call, from either end, without ACK", async () => {
    const { outbound, inbound, callers, bots } = await parties.connectedAfterEarlyMedia();

    const first = outcomeOf(outbound.renegotiate({ method: "UPDATE" }));
    await parties.lab.advance(50);
    const second = outcomeOf(inbound.renegotiate({ method: "UPDATE" }));
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
    expect(parties.lab.flow(1).slice(-4)).toEqual([
      "> UPDATE",
      "< 200 UPDATE",
      "< UPDATE",
      "> 200 UPDATE",
    ]);
  });

  it("changes them before the answer, from either end (RFC 3311 §5.1)", async () => {
    const { outbound, inbound, callers, bots } = await parties.ringing();

    const first = outcomeOf(outbound.renegotiate({ method: "UPDATE" }));
    await parties.lab.advance(50);
    const second = outcomeOf(inbound.renegotiate({ method: "UPDATE" }));
    await parties.lab.advance(50);
    inbound.answer(bots);
    await parties.lab.advance(50);

    expect([first, second]).toEqual([{ isDone: true }, { isDone: true }]);
    expect(bots.steps).toEqual([
      "acceptOffer offer-1",
      "acceptOffer offer-2",
      "createOffer",
      "acceptAnswer answer-to-offer-1",
    ]);
    // The 200 does not bring an old answer back.
    expect(callers.steps.at(-1)).toBe("acceptOffer offer-1");
    expect([outbound.state, inbound.state]).toEqual(["established", "established"]);
  });

  it("is too early before the first exchange is over", async () => {
    const call = parties.caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
    await parties.lab.advance(20);
    const early = outcomeOf(call.renegotiate({ method: "UPDATE" }));
    await parties.lab.advance(20);

    expect(early.error).toMatchObject({ code: "ERR_CALL_STATE" });
  });

  it("only refreshes the dialog where it has no offer", async () => {
    const { outbound, callers, bots } = await parties.connectedAfterEarlyMedia();

    const outcome = outcomeOf(outbound.renegotiate({ method: "UPDATE", withOffer: false }));
    await parties.lab.advance(50);

    expect(outcome).toEqual({ isDone: true });
    expect([...callers.steps, ...bots.steps]).toEqual([]);
  });

  it("changes nothing where the peer refuses the offer", async () => {
    const { outbound, callers, bots } = await parties.connectedAfterEarlyMedia();
    bots.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");

    const outcome = outcomeOf(outbound.renegotiate({ method: "UPDATE" }));
    await parties.lab.advance(50);

    expect(outcome.error).toMatchObject({
      code: "ERR_REINVITE_REFUSED",
      context: { statusCode: 488 },
    });
    expect(callers.steps).toEqual(["createOffer", "withdrawOffer"]);
    expect(outbound.state).toBe("established");
  });

  it.each([
    ["UPDATE", "UPDATE"],
    ["INVITE", "UPDATE"],
    ["UPDATE", "INVITE"],
  ] as const)("that collides (%s against %s) is tried again", async (ours, theirs) => {
    const { outbound, inbound } = await parties.connectedAfterEarlyMedia();

    const both = [
      outcomeOf(outbound.renegotiate({ method: ours })),
      outcomeOf(inbound.renegotiate({ method: theirs })),
    ];
    await parties.lab.advance(8000);

    expect(both).toEqual([{ isDone: true }, { isDone: true }]);
    expect(parties.lab.flow(1).filter((step) => step.includes("491")).length).toBeGreaterThan(0);
  });
});

describe("UPDATE of a peer", () => {
  let peer: RawPeer;

  beforeEach(async () => {
    peer = await parties.lab.peer(9);
  });

  /** The raw peer calls the bot, which sends early media. */
  async function early(headers: readonly string[]): Promise<InboundCall> {
    peer.send(
      rawRequest("INVITE", { headers: [RAW_CONTACT, ...headers, SDP_TYPE], body: RAW_SDP }),
      2,
    );
    await parties.lab.advance(20);
    const call = present(parties.incoming[0], "the INVITE arrived");
    call.openEarlyMedia(new FakeNegotiator());
    await parties.lab.advance(20);
    return call;
  }

  async function update(cseq: number, headers: readonly string[], body?: string): Promise<string> {
    const toTag = toTagIn(peer.withStart("183")[0] ?? "");
    const sdp = body === undefined ? {} : { body };
    peer.send(rawRequest("UPDATE", { cseq, toTag, headers, ...sdp }), 2);
    await parties.lab.advance(20);
    return peer.received.map(({ text }) => text).findLast((text) => text.includes("UPDATE")) ?? "";
  }

  it("gets 500 with Retry-After where the offer of the INVITE is not answered yet", async () => {
    await early([]);

    const answer = await update(2, [RAW_CONTACT, SDP_TYPE], RAW_SDP);

    expect(answer).toMatch(/^SIP\/2\.0 500/);
    expect(Number(headerIn(answer, "Retry-After"))).toBeLessThanOrEqual(10);
  });

  it("moves the remote target, also without an offer", async () => {
    const call = await early([]);

    const answer = await update(2, ["Contact: <sip:elsewhere@192.0.2.9:5060>"]);
    call.answer(new FakeNegotiator());
    await parties.lab.advance(20);
    const toTag = toTagIn(peer.withStart("183")[0] ?? "");
    peer.send(rawRequest("ACK", { toTag, branch: "z9hG4bKack" }), 2);
    await parties.lab.advance(20);
    void call.hangUp();
    await parties.lab.advance(20);

    expect(answer).toMatch(/^SIP\/2\.0 200/);
    expect(peer.withStart("BYE")[0]).toMatch(/^BYE sip:elsewhere@192\.0\.2\.9:5060 /);
  });

  it("gets 481 outside of a dialog, and 500 out of order", async () => {
    await early([]);
    expect(await update(5, [RAW_CONTACT])).toMatch(/^SIP\/2\.0 200/);
    expect(await update(4, [RAW_CONTACT])).toMatch(/^SIP\/2\.0 500/);

    peer.send(rawRequest("UPDATE", { cseq: 9, headers: [RAW_CONTACT] }), 2);
    await parties.lab.advance(20);
    expect(peer.received.at(-1)?.text).toMatch(/^SIP\/2\.0 481/);
  });
});

describe("re-INVITE", () => {
  it("that is refused does not move the remote target (RFC 6141 §4.3)", async () => {
    const peer = await parties.lab.peer(9);
    const headers = [RAW_CONTACT, SDP_TYPE];
    peer.send(rawRequest("INVITE", { headers, body: RAW_SDP }), 2);
    await parties.lab.advance(20);
    const call = present(parties.incoming[0], "the INVITE arrived");
    const negotiator = new FakeNegotiator();
    call.answer(negotiator);
    await parties.lab.advance(20);
    const toTag = toTagIn(peer.withStart("200")[0] ?? "");
    peer.send(rawRequest("ACK", { toTag, branch: "z9hG4bKack" }), 2);
    negotiator.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");
    const elsewhere = ["Contact: <sip:elsewhere@192.0.2.9:5060>", SDP_TYPE];
    peer.send(rawRequest("INVITE", { cseq: 2, toTag, headers: elsewhere, body: RAW_SDP }), 2);
    await parties.lab.advance(20);
    void call.hangUp();
    await parties.lab.advance(20);

    expect(peer.withStart("488")).toHaveLength(1);
    expect(peer.withStart("BYE")[0]).toMatch(/^BYE sip:raw@192\.0\.2\.9:5060 /);
  });
});
