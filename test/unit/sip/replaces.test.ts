import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  headerIn,
  RAW_CONTACT,
  RAW_SDP,
  type RawPeer,
  rawRequest,
  responseTo,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
let peer: RawPeer;
const incoming: InboundCall[] = [];
let invites: number;

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  invites = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
  peer = await lab.peer(9);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

function invite(headers: readonly string[], callId = `replacing-${(invites += 1)}`): string {
  const all = [RAW_CONTACT, SDP_TYPE, ...headers];
  return rawRequest("INVITE", { callId, branch: `z9hG4bK${callId}`, headers: all, body: RAW_SDP });
}

/** The first final or ringing status that an INVITE with these headers gets. */
async function statusOf(...headers: readonly string[]): Promise<string> {
  const before = peer.received.length;
  peer.send(invite(headers), 2);
  await lab.advance(20);
  const statuses = peer.received.slice(before).map(({ text }) => text.slice(8, 11));
  return statuses.find((status) => status !== "100") ?? "none";
}

/** A call from the raw peer that the bot has answered; what names it in Replaces. */
async function answeredCall(): Promise<{ call: InboundCall; name: string; tag: string }> {
  peer.send(invite([], "first"), 2);
  await lab.advance(20);
  const call = present(incoming.pop(), "the INVITE arrived");
  call.answer(new FakeNegotiator());
  await lab.advance(20);
  const tag = present(toTagIn(present(peer.withStart("200")[0], "answered")), "tagged");
  const ack = { callId: "first", branch: "z9hG4bKack", toTag: tag, cseq: 1 };
  peer.send(rawRequest("ACK", ack), 2);
  await lab.advance(20);
  return { call, name: `first;to-tag=${tag};from-tag=rawtag`, tag };
}

describe("an INVITE with Replaces (RFC 3891 §3)", () => {
  it("takes the place of an answered call, which ends once the new one is answered", async () => {
    const { call, name } = await answeredCall();
    const events = eventsOf(call);

    expect(await statusOf(`Replaces: ${name}`, "Require: replaces")).toBe("none");
    const replacing = present(incoming[0], "it arrived");
    expect(replacing.replacedCallId).toBe("first");
    await lab.advance(1000);
    expect(call.state).toBe("established");
    replacing.answer(new FakeNegotiator());
    await lab.advance(20);
    peer.send(responseTo(present(peer.withStart("BYE")[0], "BYE"), "200 OK"), 2);
    await lab.advance(20);

    expect(briefly(events).at(-1)).toBe("ended local bye");
    expect(replacing.state).toBe("established");
  });

  it("leaves the call up where the new one comes to nothing", async () => {
    const { call, name } = await answeredCall();
    await statusOf(`Replaces: ${name}`);
    present(incoming[0], "it arrived").reject(486);
    await lab.advance(1000);
    expect(call.state).toBe("established");
  });

  it("is refused where it names no dialog, in whichever part", async () => {
    const { tag } = await answeredCall();
    const wrong = [
      `other;to-tag=${tag};from-tag=rawtag`,
      "first;to-tag=other;from-tag=rawtag",
      `first;to-tag=${tag};from-tag=other`,
      `first;to-tag=rawtag;from-tag=${tag}`,
    ];
    for (const name of wrong) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      expect(await statusOf(`Replaces: ${name}`)).toBe("481");
    }
    expect(incoming).toEqual([]);
  });

  it("is refused with 486 where it is for early dialogs only, and this one is not", async () => {
    const { name, call } = await answeredCall();
    expect(await statusOf(`Replaces: ${name};early-only`)).toBe("486");
    expect(call.state).toBe("established");
  });

  it("is refused with 603 where the call is over, or ending", async () => {
    const { name, call } = await answeredCall();
    void call.hangUp();
    await lab.advance(20);
    expect(await statusOf(`Replaces: ${name}`)).toBe("603");
    peer.send(responseTo(present(peer.withStart("BYE")[0], "BYE"), "200 OK"), 2);
    await lab.advance(20);
    expect(call.state).toBe("ended");
    expect(await statusOf(`Replaces: ${name}`)).toBe("603");
  });

  it("is refused where it means a call that rings here", async () => {
    peer.send(invite([], "first"), 2);
    await lab.advance(20);
    const call = present(incoming.pop(), "the INVITE arrived");
    call.ring();
    await lab.advance(20);
    const tag = toTagIn(present(peer.withStart("180")[0], "it rings"));
    expect(await statusOf(`Replaces: first;to-tag=${tag};from-tag=rawtag`)).toBe("481");
    expect(call.state).toBe("early");
  });

  it("takes the place of a call of ours that rings there, which is cancelled", async () => {
    const ours = bot.call("sip:raw@192.0.2.9", { negotiator: new FakeNegotiator() });
    const events = eventsOf(ours);
    await lab.advance(20);
    const request = present(peer.withStart("INVITE")[0], "it arrived");
    const ringing = { toTag: "ringtag", headers: [RAW_CONTACT] };
    peer.send(responseTo(request, "180 Ringing", ringing), 2);
    await lab.advance(20);
    const ourTag = /;tag=([^;\s]+)/.exec(headerIn(request, "From") ?? "")?.[1];

    const name = `${ours.callId};to-tag=${ourTag};from-tag=ringtag;early-only`;
    expect(await statusOf(`Replaces: ${name}`)).toBe("none");
    present(incoming[0], "it arrived").answer(new FakeNegotiator());
    await lab.advance(20);

    expect(peer.withStart("CANCEL")).toHaveLength(1);
    peer.send(responseTo(request, "487 Request Terminated", { toTag: "ringtag" }), 2);
    await lab.advance(20);
    expect(briefly(events).at(-1)).toBe("ended local cancel 487");
  });

  it("is refused with 400 where it is malformed, double, or not in an INVITE", async () => {
    const { name, tag } = await answeredCall();
    const malformed = [
      "first",
      "first;to-tag=a",
      `first;to-tag=${tag};to-tag=${tag};from-tag=rawtag`,
      ";to-tag=a;from-tag=b",
    ];
    for (const value of malformed) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      expect(await statusOf(`Replaces: ${value}`)).toBe("400");
    }
    expect(await statusOf(`Replaces: ${name}`, `Replaces: ${name}`)).toBe("400");
    expect(await statusOf(`Replaces: ${name}`, `Join: ${name}`)).toBe("400");
    const before = peer.received.length;
    peer.send(rawRequest("OPTIONS", { headers: [`Replaces: ${name}`] }), 2);
    await lab.advance(20);
    expect(peer.received[before]?.text).toMatch(/^SIP\/2.0 400/);
  });
});

describe("an INVITE with Join (RFC 3911 §4)", () => {
  it("is refused: no dialog 481, one that is over 603, one that is up 488", async () => {
    const { name, call } = await answeredCall();
    expect(await statusOf("Join: other;to-tag=a;from-tag=b")).toBe("481");
    expect(await statusOf(`Join: ${name}`)).toBe("488");
    void call.hangUp();
    await lab.advance(20);
    peer.send(responseTo(present(peer.withStart("BYE")[0], "BYE"), "200 OK"), 2);
    await lab.advance(20);
    expect(await statusOf(`Join: ${name}`)).toBe("603");
    expect(incoming).toEqual([]);
  });

  it("is refused with 420 where it requires the extension", async () => {
    expect(await statusOf("Join: first;to-tag=a;from-tag=b", "Require: replaces, join")).toBe(
      "420",
    );
    const refusal = present(peer.withStart("420")[0], "it was refused");
    expect(headerIn(refusal, "Unsupported")).toBe("join");
  });
});
