import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, OutboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import {
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  RawPeer,
  rawRequest,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => {
    incoming.push(call);
    call.answer(new FakeNegotiator());
  };
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

async function connected(): Promise<{ outbound: OutboundCall; inbound: InboundCall }> {
  const caller = await lab.endpoint(1, "caller");
  const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
  await lab.advance(50);
  return { outbound, inbound: present(incoming[0], "the INVITE arrived") };
}

/** Loses the next datagram of the caller whose text begins so. */
function loseNext(start: string): void {
  lab.network.dropsIf = ({ data }) => {
    const isIt = new TextDecoder().decode(data).startsWith(start);
    if (isIt) lab.network.dropsIf = undefined;
    return isIt;
  };
}

describe("requests of ours within a dialog (RFC 3261 §12.2.2)", () => {
  it("do not overtake each other where the first is lost", async () => {
    const { outbound, inbound } = await connected();
    inbound.onInfo = () => 200;
    loseNext("INVITE");

    const outcomes = Promise.allSettled([
      outbound.renegotiate(),
      outbound.info("application/dtmf", "5"),
    ]);
    await lab.advance(2000);

    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    expect(lab.flow(2).filter((step) => step.startsWith("> 500"))).toEqual([]);
  });

  it("end with BYE: what comes after it might overtake it, and leave the peer in the call", async () => {
    const { outbound, inbound } = await connected();
    loseNext("BYE");

    const ended = outbound.hangUp();
    const late = Promise.allSettled([
      outbound.info("application/dtmf", "5"),
      outbound.renegotiate(),
    ]);
    await lab.advance(2000);
    await ended;

    expect(await late).toMatchObject([
      { status: "rejected", reason: { code: "ERR_CALL_STATE" } },
      { status: "rejected", reason: { code: "ERR_CALL_STATE" } },
    ]);
    expect(inbound.state).toBe("ended");
  });

  it("that wait for their turn are given up when the call ends", async () => {
    const { outbound } = await connected();
    lab.network.lossRatio = 1;
    const late = Promise.allSettled([
      outbound.renegotiate(),
      outbound.info("application/dtmf", "5"),
    ]);
    await lab.advance(100);
    lab.network.lossRatio = 0;
    void outbound.hangUp();
    await lab.advance(64_000);

    expect((await late).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("a re-INVITE that collides", () => {
  it("gets the same 491 when it is repeated, and its ACK belongs to nobody's 200", async () => {
    const peer = new RawPeer(await lab.network.bindDatagram({ address: "192.0.2.9", port: 5060 }));
    const offer = { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
    peer.send(rawRequest("INVITE", offer), 2);
    await lab.advance(50);
    const toTag = toTagIn(peer.withStart("200 OK")[0] ?? "");
    peer.send(rawRequest("ACK", { toTag }), 2);
    await lab.advance(50);
    // The peer never answers ours.
    void Promise.allSettled([incoming[0]?.renegotiate()]);
    await lab.advance(50);

    const reinvite = rawRequest("INVITE", { ...offer, cseq: 2, toTag });
    peer.send(reinvite, 2);
    await lab.advance(50);
    peer.send(reinvite, 2);
    await lab.advance(50);
    peer.send(rawRequest("ACK", { cseq: 2, toTag, branch: "z9hG4bKINVITE2" }), 2);
    await lab.advance(50);

    const refusals = peer.received
      .map(({ text }) => text)
      .filter((text) => /^SIP\S+ [45]/.test(text));
    expect(refusals.map((text) => text.slice(8, 11))).toEqual(["491", "491"]);
    expect(new Set(refusals.map((text) => headerIn(text, "To"))).size).toBe(1);
    await lab.advance(10_000);
    expect(peer.withStart("491")).toHaveLength(2);
    expect(bot.counts).toEqual({ malformed: 0, exceptions: 0 });
  });

  it("is tried again after the time that a busy peer names (RFC 3261 §14.2)", async () => {
    const { outbound } = await connected();
    // The callee is still waiting for an ACK: of its own late offer, which sip.js answers with 500.
    const late = await lab.endpoint(3, "late");
    lab.network.dropsIf = ({ data }) => new TextDecoder().decode(data).startsWith("ACK");
    const call = late.call("sip:bot@192.0.2.2", {
      negotiator: new FakeNegotiator(),
      offer: "late",
    });
    await lab.advance(50);
    const outcome = Promise.allSettled([call.renegotiate()]);
    await lab.advance(50);
    lab.network.dropsIf = undefined;
    await lab.advance(8000);

    expect(lab.flow(3)).toContain("< 500 INVITE");
    expect(await outcome).toMatchObject([{ status: "fulfilled" }]);
    expect(outbound.state).toBe("established");
  });
});

describe("a peer that acknowledges nothing", () => {
  it("leaves no timer behind, though it has two 200s of ours", async () => {
    const peer = new RawPeer(await lab.network.bindDatagram({ address: "192.0.2.9", port: 5060 }));
    const offer = { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
    peer.send(rawRequest("INVITE", offer), 2);
    await lab.advance(50);
    const toTag = toTagIn(peer.withStart("200 OK")[0] ?? "");
    peer.send(rawRequest("INVITE", { ...offer, cseq: 2, toTag }), 2);
    await lab.advance(50);
    peer.send(rawRequest("BYE", { cseq: 3, toTag }), 2);
    await lab.advance(140_000);

    expect(peer.withStart("200 OK").map((text) => headerIn(text, "CSeq"))).toEqual([
      "1 INVITE",
      "2 INVITE",
      "3 BYE",
    ]);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
    expect(vi.getTimerCount()).toBe(0);
  });
});
