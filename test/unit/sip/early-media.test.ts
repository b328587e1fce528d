import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RemoteError } from "../../../src/environment/index.ts";
import type {
  CallOptions,
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
  type RawPeer,
  responseTo,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

let lab: SipLab;
let caller: SipEndpoint;
let peer: RawPeer;

beforeEach(async () => {
  vi.useFakeTimers();
  lab = new SipLab();
  caller = await lab.endpoint(1, "caller");
  peer = await lab.peer(9);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

interface Dialled {
  readonly call: OutboundCall;
  readonly events: SipCallEvent[];
  readonly negotiator: FakeNegotiator;
  readonly invite: string;
}

async function dial(options: Partial<CallOptions> = {}): Promise<Dialled> {
  const negotiator = new FakeNegotiator();
  const call = caller.call("sip:bot@192.0.2.9", { negotiator, ...options });
  const events = eventsOf(call);
  await lab.advance(20);
  return { call, events, negotiator, invite: peer.withStart("INVITE").at(-1) ?? "" };
}

/** A response of the peer, with a description where one is named. */
async function respond(
  invite: string,
  status: string,
  {
    toTag = "a",
    sdp,
    rseq,
  }: { readonly toTag?: string; readonly sdp?: string; readonly rseq?: number } = {},
): Promise<void> {
  const reliable = rseq === undefined ? [] : ["Require: 100rel", `RSeq: ${rseq}`];
  const body = sdp === undefined ? {} : { body: `v=0\r\ns=${sdp}\r\n` };
  const type = sdp === undefined ? [] : [SDP_TYPE];
  const headers = [RAW_CONTACT, ...reliable, ...type];
  peer.send(responseTo(invite, status, { toTag, headers, ...body }), 1);
  await lab.advance(20);
}

/** PRACK has ACK in it. */
function acks(): string[] {
  return peer.withStart("ACK").filter((text) => text.startsWith("ACK "));
}

describe("early media of a call that we place", () => {
  it("begin with the answer in a 183; the same in the 200 changes nothing", async () => {
    const { events, negotiator, invite } = await dial();

    await respond(invite, "183 Session Progress", { sdp: "one" });
    await respond(invite, "183 Session Progress", { sdp: "one" });
    await respond(invite, "200 OK", { sdp: "one" });

    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183", "answered 200", "confirmed"]);
    expect(negotiator.steps).toEqual(["createOffer", "acceptAnswer one"]);
  });

  it("give way to another answer in the 200, where the first was not reliable", async () => {
    const { events, negotiator, invite } = await dial();

    await respond(invite, "183 Session Progress", { sdp: "one" });
    await respond(invite, "200 OK", { sdp: "two" });

    expect(briefly(events).at(-1)).toBe("confirmed");
    expect(negotiator.steps).toEqual([
      "createOffer",
      "acceptAnswer one",
      "restore createOffer",
      "acceptAnswer two",
    ]);
  });

  it("stay where the answer came reliably, whatever the 200 says (RFC 6337 §3.1.1)", async () => {
    const { events, negotiator, invite } = await dial();

    await respond(invite, "183 Session Progress", { sdp: "one", rseq: 7 });
    await respond(invite, "200 OK", { sdp: "two" });

    expect(briefly(events).at(-1)).toBe("confirmed");
    expect(negotiator.steps).toEqual(["createOffer", "acceptAnswer one"]);
  });

  it("need no Contact in the 183", async () => {
    const { events, invite } = await dial();
    const body = "v=0\r\ns=one\r\n";

    peer.send(responseTo(invite, "183 Progress", { toTag: "a", headers: [SDP_TYPE], body }), 1);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183"]);
  });

  it("are not taken from an answer that cannot be used; the 200 may have a better one", async () => {
    const { events, negotiator, invite } = await dial();
    negotiator.refuseWith = new RemoteError("ERR_SDP_MALFORMED", "Not readable.");

    await respond(invite, "183 Session Progress", { sdp: "bad" });
    negotiator.refuseWith = undefined;
    await respond(invite, "200 OK", { sdp: "good" });

    expect(briefly(events)).toEqual(["ringing 183", "answered 200", "confirmed"]);
  });
});

describe("a fork", () => {
  it("is heard from the dialog that spoke last, then from the one that answered", async () => {
    const { events, negotiator, invite } = await dial();

    await respond(invite, "183 Session Progress", { toTag: "a", sdp: "one" });
    await respond(invite, "183 Session Progress", { toTag: "b", sdp: "two" });
    await respond(invite, "200 OK", { toTag: "a" });

    expect(briefly(events)).toEqual([
      "ringing 183",
      "earlyMedia 183",
      "earlyMedia 183",
      "answered 200",
      "confirmed",
    ]);
    expect(negotiator.steps).toEqual([
      "createOffer",
      "acceptAnswer one",
      "restore createOffer",
      "acceptAnswer two",
      "restore acceptAnswer one",
    ]);
    expect(toTagIn(acks().at(-1) ?? "")).toBe("a");
  });

  it("may be answered by one that had not rung", async () => {
    const { events, negotiator, invite } = await dial();

    await respond(invite, "183 Session Progress", { toTag: "a", sdp: "one" });
    await respond(invite, "200 OK", { toTag: "b", sdp: "two" });

    expect(briefly(events).at(-1)).toBe("confirmed");
    expect(negotiator.steps.slice(-2)).toEqual(["restore createOffer", "acceptAnswer two"]);
    expect(toTagIn(acks().at(-1) ?? "")).toBe("b");
  });

  it("that is answered twice gives one call; the other is hung up", async () => {
    const { call, events, invite } = await dial();

    await respond(invite, "183 Session Progress", { toTag: "a", sdp: "one", rseq: 1 });
    await respond(invite, "200 OK", { toTag: "b", sdp: "two" });
    await respond(invite, "200 OK", { toTag: "a" });

    expect(briefly(events).at(-1)).toBe("confirmed");
    expect(acks().map(toTagIn)).toEqual(["b", "a"]);
    expect(peer.withStart("BYE").map(toTagIn)).toEqual(["a"]);
    peer.send(responseTo(peer.withStart("BYE").at(-1) ?? "", "200 OK"), 1);
    void call.hangUp();
    await lab.advance(20);
    peer.send(responseTo(peer.withStart("BYE").at(-1) ?? "", "200 OK"), 1);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("PRACK of ours", () => {
  it("acknowledges each reliable response once, within its own dialog", async () => {
    const { invite } = await dial();

    await respond(invite, "180 Ringing", { rseq: 5 });
    await respond(invite, "180 Ringing", { rseq: 5 });
    await respond(invite, "183 Session Progress", { rseq: 6, sdp: "one" });
    await respond(invite, "183 Session Progress", { rseq: 90, toTag: "b", sdp: "two" });

    const pracks = peer.withStart("PRACK");
    expect(headerIn(invite, "Supported")).toContain("100rel");
    expect(pracks.map((text) => headerIn(text, "RAck"))).toEqual([
      "5 1 INVITE",
      "6 1 INVITE",
      "90 1 INVITE",
    ]);
    expect(pracks.map(toTagIn)).toEqual(["a", "a", "b"]);
    expect(pracks.map((text) => headerIn(text, "CSeq"))).toEqual(["2 PRACK", "3 PRACK", "2 PRACK"]);
  });

  it("does not acknowledge what came out of order (RFC 3262 §4)", async () => {
    const { invite } = await dial();

    await respond(invite, "180 Ringing", { rseq: 5 });
    await respond(invite, "183 Session Progress", { rseq: 7, sdp: "one" });

    expect(peer.withStart("PRACK")).toHaveLength(1);
  });

  it("carries the answer to an offer in a reliable response", async () => {
    const { events, negotiator, invite } = await dial({ offer: "late" });

    await respond(invite, "183 Session Progress", { rseq: 1, sdp: "theirs" });
    peer.send(responseTo(peer.withStart("PRACK")[0] ?? "", "200 OK"), 1);
    await respond(invite, "200 OK");

    expect(peer.withStart("PRACK")[0]).toContain("s=answer-to-theirs");
    expect(acks()[0]).not.toContain("s=");
    expect(negotiator.steps).toEqual(["acceptOffer theirs"]);
    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183", "answered 200", "confirmed"]);
  });

  it("is sent for an answer that cannot be used, and then CANCEL", async () => {
    const { events, negotiator, invite } = await dial();
    negotiator.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");

    await respond(invite, "183 Session Progress", { rseq: 1, sdp: "bad" });
    await respond(invite, "487 Request Terminated");

    expect(peer.withStart("PRACK")).toHaveLength(1);
    expect(peer.withStart("CANCEL")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({
      type: "ended",
      endedBy: "local",
      reason: "noCommonCodec",
      error: { code: "ERR_SDP_NO_COMMON_CODEC" },
    });
  });

  it("can be required or left out", async () => {
    const required = await dial({ settings: { reliableProvisional: "required" } });
    const off = await dial({ settings: { reliableProvisional: "off" } });
    await respond(off.invite, "183 Session Progress", { rseq: 1, sdp: "one" });

    expect(headerIn(required.invite, "Require")).toBe("100rel");
    expect(headerIn(off.invite, "Supported") ?? "").not.toContain("100rel");
    expect(peer.withStart("PRACK")).toHaveLength(0);
    expect(briefly(off.events)).toContain("earlyMedia 183");
  });
});
