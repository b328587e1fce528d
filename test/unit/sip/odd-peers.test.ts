import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, SipEndpoint } from "../../../src/sip/index.ts";
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
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
let peer: RawPeer;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
  peer = await lab.peer(9);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

const ANSWER = { toTag: "peer", headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
const TARGET = "sip:raw@192.0.2.9";
const INVITE = rawRequest("INVITE", { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP });

function lastOf(part: string): string {
  return present(peer.withStart(part).at(-1), `a message with "${part}" came`);
}

/** Places a call to the raw peer and gives its INVITE. */
async function dial(options: object = {}) {
  const negotiator = new FakeNegotiator();
  const call = bot.call(TARGET, { negotiator, ...options });
  const events = eventsOf(call);
  await lab.advance(20);
  return { call, events, invite: lastOf("INVITE"), negotiator };
}

/** Takes the raw peer's call and answers it; not yet acknowledged. */
async function answered(invite = INVITE) {
  peer.send(invite, 2);
  await lab.advance(20);
  const call = present(incoming.at(-1), "the INVITE arrived");
  const events = eventsOf(call);
  const negotiator = new FakeNegotiator();
  call.answer(negotiator);
  await lab.advance(20);
  const ok = lastOf("200 OK");
  const toTag = present(toTagIn(ok), "a 200 has a tag");
  const request = (method: string, cseq: number, extra: object = {}): string =>
    rawRequest(method, { cseq, toTag, uri: "sip:bot@192.0.2.2:5060", ...extra });
  return { call, events, negotiator, toTag, request };
}

describe("a peer that we call", () => {
  it("rings although its 180 has neither To tag nor Contact", async () => {
    const { events, invite } = await dial();

    peer.send(responseTo(invite, "180 Ringing"), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ringing 180"]);
  });

  it("is acknowledged at its source where its 200 has no Contact", async () => {
    const { events, invite } = await dial();

    peer.send(responseTo(invite, "200 OK", { ...ANSWER, headers: [SDP_TYPE] }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["answered 200", "confirmed"]);
    expect(lastOf("ACK")).toMatch(/^ACK sip:192\.0\.2\.9:5060 SIP\/2\.0/);
  });

  it("ends the call where its 200 has no To tag", async () => {
    const { events, invite } = await dial();

    peer.send(responseTo(invite, "200 OK", { headers: ANSWER.headers, body: RAW_SDP }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ended network error"]);
    expect(events[0]).toMatchObject({ error: { code: "ERR_SIP_MALFORMED_RESPONSE" } });
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("is acknowledged and hung up where its 200 has no SDP", async () => {
    const { events, invite } = await dial();

    peer.send(responseTo(invite, "200 OK", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);
    peer.send(responseTo(lastOf("BYE"), "200 OK"), 2);
    await lab.advance(20);

    expect(peer.withStart("ACK")).toHaveLength(1);
    expect(briefly(events)).toEqual(["answered 200", "ended local error"]);
    expect(events[1]).toMatchObject({ error: { code: "ERR_SIP_DESCRIPTION_MISSING" } });
  });

  it("may answer in a 183 and repeat nothing in the 200", async () => {
    const { events, invite, negotiator } = await dial();

    peer.send(responseTo(invite, "183 Session Progress", ANSWER), 2);
    await lab.advance(20);
    peer.send(responseTo(invite, "200 OK", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183", "answered 200", "confirmed"]);
    expect(negotiator.steps).toEqual(["createOffer", "acceptAnswer raw"]);
  });

  it("may give another Contact in the 200 than in the 180", async () => {
    const { call, invite } = await dial();

    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);
    const contact = "Contact: <sip:elsewhere;day=tue@192.0.2.9:5060>";
    peer.send(responseTo(invite, "200 OK", { ...ANSWER, headers: [contact, SDP_TYPE] }), 2);
    await lab.advance(20);
    void call.hangUp();
    await lab.advance(20);

    expect(lastOf("ACK")).toMatch(/^ACK sip:elsewhere;day=tue@192\.0\.2\.9:5060 SIP/);
    expect(lastOf("BYE")).toMatch(/^BYE sip:elsewhere;day=tue@192\.0\.2\.9:5060 SIP/);
  });

  it("may be forked: one branch wins, the other gets ACK and BYE", async () => {
    const { call, events, invite } = await dial();

    for (const toTag of ["one", "two", "three"]) {
      peer.send(responseTo(invite, "180 Ringing", { toTag, headers: [RAW_CONTACT] }), 2);
    }
    peer.send(responseTo(invite, "200 OK", { ...ANSWER, toTag: "two" }), 2);
    await lab.advance(20);
    peer.send(responseTo(invite, "200 OK", { ...ANSWER, toTag: "three" }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ringing 180", "answered 200", "confirmed"]);
    expect(peer.withStart("ACK").map(toTagIn)).toEqual(["two", "three"]);
    expect(peer.withStart("BYE").map(toTagIn)).toEqual(["three"]);
    peer.send(responseTo(lastOf("BYE"), "200 OK"), 2);
    void call.hangUp();
    await lab.advance(20);
    peer.send(responseTo(lastOf("BYE"), "200 OK"), 2);
    await lab.advance(35_000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("gets an ACK for each repeated 200", async () => {
    const { invite } = await dial();

    for (let repetition = 0; repetition < 3; repetition += 1) {
      peer.send(responseTo(invite, "200 OK", ANSWER), 2);
    }
    await lab.advance(20);

    expect(peer.withStart("ACK")).toHaveLength(3);
    expect(lab.flow(2).at(-1)).toBe("> ACK (again)");
  });

  it("gets an ACK for each repeated rejection (timer D)", async () => {
    const { events, invite } = await dial();

    for (let repetition = 0; repetition < 3; repetition += 1) {
      peer.send(responseTo(invite, "486 Busy Here", { toTag: "peer" }), 2);
      // oxlint-disable-next-line no-await-in-loop
      await lab.advance(1000);
    }

    expect(peer.withStart("ACK")).toHaveLength(3);
    expect(briefly(events)).toEqual(["ended remote rejected 486"]);
  });

  it("gets branches that nobody else has (RFC 3261 §8.1.1.7)", async () => {
    const first = await dial();
    const second = await dial();

    const branches = [first.invite, second.invite].map(
      (text) => /;branch=([^;]+)/.exec(text)?.[1] ?? "",
    );
    for (const branch of branches) expect(branch).toMatch(/^z9hG4bK[0-9A-Za-z]{20,}$/);
    expect(branches[0]).not.toBe(branches[1]);
  });

  it("is not confused with responses that have lost their way", async () => {
    const { events, invite } = await dial();

    const stray = responseTo(invite, "200 OK", ANSWER).replace("UDP 192.0.2.2:", "UDP 192.0.2.3:");
    peer.send(stray, 2);
    await lab.advance(20);

    expect(events).toEqual([]);
  });

  it("is cancelled once, however often we hang up", async () => {
    const { call, invite } = await dial();
    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer" }), 2);
    await lab.advance(20);

    void call.hangUp();
    void call.hangUp();
    await lab.advance(20);

    expect(peer.withStart("CANCEL")).toHaveLength(1);
  });

  it("may redirect us, which counts as a rejection", async () => {
    const { events, invite } = await dial();

    peer.send(responseTo(invite, "302 Moved Temporarily", ANSWER), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ended remote rejected 302"]);
    expect(peer.withStart("ACK")).toHaveLength(1);
  });

  it("may ask for credentials, which we do not have", async () => {
    const { events, invite } = await dial();
    const challenge = 'WWW-Authenticate: Digest realm="x", nonce="n", algorithm=MD5-sess';

    peer.send(responseTo(invite, "401 Unauthorized", { toTag: "p", headers: [challenge] }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ended remote rejected 401"]);
  });

  it("may never answer a CANCEL: the call still ends", async () => {
    const { call, events, invite } = await dial();
    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer" }), 2);
    await lab.advance(20);

    const hungUp = call.hangUp();
    await lab.advance(33_000);
    await hungUp;

    expect(briefly(events)).toEqual(["ringing 180", "ended local cancel"]);
    await lab.advance(2000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("may never answer a BYE: the call still ends, with the instant of the BYE", async () => {
    const { call, events, invite } = await dial();
    peer.send(responseTo(invite, "200 OK", ANSWER), 2);
    await lab.advance(20);
    const sentAt = lab.clock.now();

    const hungUp = call.hangUp();
    expect(call.hangUp()).toBeInstanceOf(Promise);
    await lab.advance(32_100);
    await hungUp;

    expect(events.at(-1)).toMatchObject({ type: "ended", reason: "bye", at: sentAt });
    // RFC 3261 §17.1.2.2: 0, 0.5, 1.5, 3.5, then each 4 s until 31.5 s.
    expect(peer.withStart("BYE")).toHaveLength(11);
  });

  it("may send a final response late, after we gave up in silence", async () => {
    const { call, events, invite } = await dial();
    await call.hangUp();

    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);
    expect(peer.withStart("CANCEL")).toHaveLength(1);
    peer.send(responseTo(invite, "200 OK", ANSWER), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ended local cancel"]);
    expect(peer.withStart("ACK")).toHaveLength(1);
    expect(peer.withStart("BYE")).toHaveLength(1);
  });

  it.each([
    ["487 Request Terminated", { toTag: "peer" }],
    ["200 OK", ANSWER],
  ])("leaves no timer behind where it says %s after we gave up in silence", async (status, how) => {
    const { call, invite } = await dial();
    await call.hangUp();
    peer.onMessage = (text) => {
      if (text.startsWith("BYE ")) peer.send(responseTo(text, "200 OK"), 2);
    };

    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);
    peer.send(responseTo(peer.withStart("CANCEL")[0] ?? "", "200 OK"), 2);
    peer.send(responseTo(invite, status, how), 2);
    await lab.advance(35_000);

    expect(bot.liveState).toEqual(LIVE_NOTHING);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("may ring after we gave up in silence and then be silent itself", async () => {
    const { call, invite } = await dial();
    await call.hangUp();

    peer.send(responseTo(invite, "180 Ringing", { toTag: "peer", headers: [RAW_CONTACT] }), 2);
    await lab.advance(65_000);

    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("gets no empty headers", async () => {
    const { invite } = await dial();
    peer.send(rawRequest("OPTIONS"), 2);
    await lab.advance(20);

    for (const text of [invite, lastOf("200 OK")]) {
      expect(text).not.toMatch(/^[^\r\n:]+:[ \t]*\r$/m);
      expect(text).toMatch(/^(?:User-Agent|Call-ID): ./m);
    }
    expect(headerIn(invite, "User-Agent")).toBe("Sidetone-Test");
  });

  it("is reached through a route that it recorded", async () => {
    const proxy = await lab.peer(8);
    const { call, invite } = await dial();
    const recorded = "Record-Route: <sip:192.0.2.8;lr>, <sip:192.0.2.7;lr>";

    peer.send(
      responseTo(invite, "200 OK", { ...ANSWER, headers: [...ANSWER.headers, recorded] }),
      2,
    );
    await lab.advance(20);
    void call.hangUp();
    await lab.advance(20);

    // The route set is the Record-Route reversed (RFC 3261 §12.1.2); 192.0.2.7 is first.
    expect(peer.withStart("BYE")).toEqual([]);
    expect(proxy.received).toEqual([]);
    const bye = lab.traces.findLast((trace) => trace.method === "BYE");
    expect(bye?.remote).toBe("192.0.2.7:5060");
    expect(bye?.text).toMatch(/Route: <sip:192\.0\.2\.7;lr>\r\nRoute: <sip:192\.0\.2\.8;lr>/);
  });

  it("is reached through a route that we give", async () => {
    const proxy = await lab.peer(8);
    bot.call("sip:raw@10.9.9.9", {
      negotiator: new FakeNegotiator(),
      headers: ["Route: <sip:192.0.2.8;lr>"],
    });
    await lab.advance(20);

    expect(proxy.withStart("INVITE sip:raw@10.9.9.9")).toHaveLength(1);
    proxy.send(responseTo(proxy.withStart("INVITE")[0] ?? "", "486 Busy Here", { toTag: "p" }), 2);
    await lab.advance(20);
    expect(proxy.withStart("ACK")).toHaveLength(1);
  });

  it("is told unreachable by its host", async () => {
    const refusing = new SipLab({ reportsUnbound: true });
    const endpoint = await refusing.endpoint(2, "bot");
    const events = eventsOf(
      endpoint.call("sip:x@192.0.2.77", { negotiator: new FakeNegotiator() }),
    );
    await refusing.advance(20);

    expect(briefly(events)).toEqual(["ended network unreachable"]);
    expect(events[0]).toMatchObject({ error: { code: "ERR_SIP_PEER_UNREACHABLE" } });
    expect(endpoint.liveState).toEqual(LIVE_NOTHING);
    await refusing.close();
  });
});

describe("a peer that calls us", () => {
  it("may offer late and answer in its ACK", async () => {
    const { events, negotiator, request } = await answered(
      rawRequest("INVITE", { headers: [RAW_CONTACT] }),
    );

    peer.send(request("ACK", 1, { headers: [SDP_TYPE], body: RAW_SDP }), 2);
    await lab.advance(20);

    expect(negotiator.steps).toEqual(["createOffer", "acceptAnswer raw"]);
    expect(briefly(events)).toEqual(["answered 200", "confirmed"]);
  });

  it("is hung up where its ACK lacks the answer that it owes", async () => {
    const { events, request } = await answered(rawRequest("INVITE", { headers: [RAW_CONTACT] }));

    peer.send(request("ACK", 1), 2);
    await lab.advance(20);
    peer.send(responseTo(lastOf("BYE"), "200 OK"), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["answered 200", "ended local error"]);
  });

  it("may repeat its INVITE: there is one call, and the last response again", async () => {
    peer.send(INVITE, 2);
    peer.send(INVITE, 2);
    await lab.advance(20);
    incoming[0]?.ring();
    peer.send(INVITE, 2);
    await lab.advance(20);

    expect(incoming).toHaveLength(1);
    expect(peer.withStart("SIP/2.0 1").map((text) => text.slice(8, 11))).toEqual([
      "100",
      "100",
      "180",
      "180",
    ]);
    incoming[0]?.reject(486);
    await lab.advance(20);
    peer.send(INVITE, 2);
    await lab.advance(20);
    expect(peer.withStart("486")).toHaveLength(2);
    expect(incoming).toHaveLength(1);
  });

  it("may repeat its INVITE after it acknowledged a rejection (timer I)", async () => {
    bot.onInvite = (call) => {
      incoming.push(call);
      call.reject(486);
    };
    peer.send(INVITE, 2);
    await lab.advance(20);
    peer.send(rawRequest("ACK", { branch: "z9hG4bKINVITE1", toTag: toTagIn(lastOf("486")) }), 2);
    await lab.advance(2000);
    peer.send(INVITE, 2);
    await lab.advance(20);

    expect(incoming).toHaveLength(1);
  });

  it("may have chosen the branch that another peer has", async () => {
    const other = await lab.peer(8);
    peer.send(INVITE, 2);
    other.send(
      rawRequest("INVITE", {
        host: 8,
        callId: "another",
        headers: [RAW_CONTACT, SDP_TYPE],
        body: RAW_SDP,
      }),
      2,
    );
    await lab.advance(20);

    expect(incoming.map((call) => call.callId)).toEqual(["raw-call", "another"]);
  });

  it("may repeat its BYE and gets 200 again, not 481", async () => {
    const { request } = await answered();
    peer.send(request("ACK", 1), 2);
    peer.send(request("BYE", 2), 2);
    await lab.advance(20);
    peer.send(request("BYE", 2), 2);
    await lab.advance(5000);
    peer.send(request("BYE", 2), 2);
    await lab.advance(20);

    const statuses = peer.withStart("SIP/2.0").filter((text) => /CSeq: 2 BYE/.test(text));
    expect(statuses.map((text) => text.slice(8, 11))).toEqual(["200", "200", "200"]);
  });

  it("may never acknowledge: 200 is repeated, then the call ends with BYE", async () => {
    const { call, events } = await answered();
    await lab.advance(31_000);
    expect(peer.withStart("200 OK").length).toBeGreaterThan(8);
    expect(call.state).toBe("established");
    await lab.advance(2000);

    expect(briefly(events)).toEqual(["answered 200", "ended network error"]);
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_SIP_ACK_MISSING" } });
    expect(peer.withStart("BYE").length).toBeGreaterThan(0);
    await lab.advance(40_000);
    expect(events).toHaveLength(2);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("may hang up without ever acknowledging, and nothing throws when timer L fires", async () => {
    const { events, request } = await answered();

    peer.send(request("BYE", 2), 2);
    await lab.advance(40_000);

    expect(briefly(events)).toEqual(["answered 200", "ended remote bye"]);
    expect(peer.withStart("BYE")).toEqual([]);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
    expect(bot.counts.exceptions).toBe(0);
  });

  it("is hung up only after its ACK (RFC 3261 §15)", async () => {
    const { call, events, request } = await answered();
    const hungUp = call.hangUp();
    await lab.advance(100);
    expect(peer.withStart("BYE")).toEqual([]);

    peer.send(request("ACK", 1), 2);
    await lab.advance(20);
    peer.send(responseTo(lastOf("BYE"), "200 OK"), 2);
    await lab.advance(20);
    await hungUp;

    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended local bye"]);
  });

  it("may send BYE at the same instant as we do", async () => {
    const { call, events, request } = await answered();
    peer.send(request("ACK", 1), 2);
    await lab.advance(20);

    peer.send(request("BYE", 2), 2);
    const hungUp = call.hangUp();
    await lab.advance(20);
    peer.send(responseTo(lastOf("BYE"), "481 Call/Transaction Does Not Exist"), 2);
    await lab.advance(20);
    await hungUp;

    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended local bye"]);
    await lab.advance(35_000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("may acknowledge with the branch of its INVITE", async () => {
    const { events, request } = await answered();

    peer.send(request("ACK", 1, { branch: "z9hG4bKINVITE1" }), 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["answered 200", "confirmed"]);
  });

  it("may have no branch at all (RFC 2543)", async () => {
    const old = INVITE.replace(/branch=[^;]+;/, "");
    peer.send(old, 2);
    peer.send(old, 2);
    await lab.advance(20);
    expect(incoming).toHaveLength(1);
    incoming[0]?.reject(486);
    await lab.advance(20);
    const tag = toTagIn(lastOf("486"));
    const ack = rawRequest("ACK", { toTag: tag, branch: "x" }).replace(/branch=[^;]+;/, "");
    peer.send(ack, 2);
    await lab.advance(10_000);

    expect(peer.withStart("486")).toHaveLength(1);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("may cancel, and may cancel again", async () => {
    peer.send(INVITE, 2);
    await lab.advance(20);
    const events = eventsOf(present(incoming[0], "the INVITE arrived"));
    const cancel = rawRequest("CANCEL", { branch: "z9hG4bKINVITE1" });

    peer.send(cancel, 2);
    peer.send(cancel, 2);
    await lab.advance(20);

    expect(briefly(events)).toEqual(["ended remote cancel 487"]);
    const answers = peer.withStart("200 OK");
    expect(answers).toHaveLength(2);
    // RFC 3261 §9.2: the same To tag in both answers.
    expect(new Set([...answers, lastOf("487")].map(toTagIn)).size).toBe(1);
  });

  it("gets its rejection again until it acknowledges (timer G)", async () => {
    bot.onInvite = (call) => call.reject(486);
    peer.send(INVITE, 2);
    await lab.advance(4000);
    expect(peer.withStart("486")).toHaveLength(4);

    peer.send(rawRequest("ACK", { branch: "z9hG4bKINVITE1", toTag: toTagIn(lastOf("486")) }), 2);
    await lab.advance(30_000);

    expect(peer.withStart("486")).toHaveLength(4);
  });

  it("may change the session, and is refused what we cannot do", async () => {
    const { negotiator, request } = await answered();
    peer.send(request("ACK", 1), 2);
    const reinvite = request("INVITE", 2, { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP });
    peer.send(reinvite, 2);
    await lab.advance(20);
    expect(lastOf("200 OK")).toMatch(/CSeq: 2 INVITE[^]*answer-to-raw/);
    expect(headerIn(lastOf("200 OK"), "Contact")).toBe("<sip:bot@192.0.2.2:5060>");
    peer.send(request("ACK", 2), 2);
    await lab.advance(20);
    expect(negotiator.steps).toHaveLength(2);

    peer.send(request("INVITE", 3, { headers: [RAW_CONTACT] }), 2);
    await lab.advance(20);
    peer.send(request("ACK", 3, { headers: [SDP_TYPE], body: RAW_SDP }), 2);
    await lab.advance(20);
    expect(negotiator.steps.slice(2)).toEqual(["createOffer", "acceptAnswer raw"]);

    negotiator.refuseWith = new Error("cannot");
    peer.send(request("INVITE", 4, { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP }), 2);
    await lab.advance(20);
    expect(lastOf("488")).toMatch(/CSeq: 4 INVITE/);
  });
});

/** The status of the first response to a request. */
async function statusOf(request: string): Promise<string> {
  const before = peer.received.length;
  peer.send(request, 2);
  await lab.advance(20);
  return peer.received[before]?.text.slice(8, 11) ?? "nothing";
}

describe("requests that are no calls", () => {
  it("OPTIONS: 200 for us and for no user in particular, 404 for others", async () => {
    expect(await statusOf(rawRequest("OPTIONS"))).toBe("200");
    expect(headerIn(lastOf("200 OK"), "Allow")).toBe(
      "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE",
    );
    expect(headerIn(lastOf("200 OK"), "Accept")).toContain("application/sdp");
    const others = { cseq: 2, uri: "sip:192.0.2.2" };
    expect(await statusOf(rawRequest("OPTIONS", others))).toBe("200");
    expect(await statusOf(rawRequest("OPTIONS", { cseq: 3, uri: "sip:%62ot@192.0.2.2" }))).toBe(
      "200",
    );
    expect(await statusOf(rawRequest("OPTIONS", { cseq: 4, uri: "sip:alice@192.0.2.2" }))).toBe(
      "404",
    );
    expect(await statusOf(rawRequest("OPTIONS", { cseq: 5, uri: "tel:+123" }))).toBe("200");
    expect(await statusOf(rawRequest("OPTIONS", { cseq: 6, uri: "urn:a:b" }))).toBe("416");
  });

  it("OPTIONS within a dialog: 200", async () => {
    const { request } = await answered();
    peer.send(request("ACK", 1), 2);
    expect(await statusOf(request("OPTIONS", 2))).toBe("200");
    expect(await statusOf(rawRequest("OPTIONS", { toTag: "stale", cseq: 7 }))).toBe("481");
  });

  it("gives a repeated stateless response the same tag", async () => {
    await statusOf(rawRequest("OPTIONS"));
    await statusOf(rawRequest("OPTIONS"));
    expect(new Set(peer.withStart("200 OK").map(toTagIn)).size).toBe(1);
    expect(lab.flow(2)).toEqual([
      "< OPTIONS",
      "> 200 OPTIONS",
      "< OPTIONS (again)",
      "> 200 OPTIONS (again)",
    ]);
  });

  it("refuses what it does not know, by the rules", async () => {
    expect(await statusOf(rawRequest("SUBSCRIBE"))).toBe("405");
    expect(await statusOf(rawRequest("NEWMETHOD"))).toBe("501");
    expect(await statusOf(rawRequest("BYE", { toTag: "none" }))).toBe("481");
    expect(await statusOf(rawRequest("CANCEL"))).toBe("481");
    const required = rawRequest("INVITE", { headers: [RAW_CONTACT, "Require: 100rel, x-odd"] });
    expect(await statusOf(required)).toBe("420");
    expect(headerIn(lastOf("420"), "Unsupported")).toBe("x-odd");
    const text = { headers: [RAW_CONTACT, "Content-Type: text/plain"], body: "hello" };
    expect(await statusOf(rawRequest("INVITE", { ...text, cseq: 2 }))).toBe("415");
    expect(await statusOf(rawRequest("INVITE", { cseq: 3 }))).toBe("400");
    expect(incoming).toEqual([]);
  });

  it("answers 400 to what is malformed but answerable, and drops the rest", async () => {
    expect(await statusOf(rawRequest("INVITE", { cseqMethod: "BYE" }))).toBe("400");
    expect(
      await statusOf(rawRequest("INVITE").replace("Content-Length: 0", "Content-Length: 9")),
    ).toBe("400");
    expect(await statusOf(rawRequest("INVITE").replace("SIP/2.0\r\n", "SIP/3.0\r\n"))).toBe("505");
    expect(await statusOf(rawRequest("INVITE").replace(/^From.*\r\n/m, ""))).toBe("400");
    expect(await statusOf(rawRequest("INVITE").replace(/^Via.*\r\n/m, ""))).toBe("nothing");
    expect(await statusOf("hello")).toBe("nothing");
    expect(await statusOf("\r\n\r\n")).toBe("nothing");
    expect(bot.counts).toEqual({ malformed: 6, exceptions: 0 });
  });

  it("drops responses that are not for it", async () => {
    const stray = responseTo(rawRequest("INVITE"), "200 OK", ANSWER);
    expect(await statusOf(stray)).toBe("nothing");
    expect(bot.counts).toEqual({ malformed: 0, exceptions: 0 });
  });

  it("answers to where the request came from (RFC 3581), else to where its Via says", async () => {
    const elsewhere = rawRequest("OPTIONS").replace("UDP 192.0.2.9:5060", "UDP 10.1.1.1:9999");
    expect(await statusOf(elsewhere)).toBe("200");
    expect(headerIn(lastOf("200 OK"), "Via")).toContain(";rport=5060;received=192.0.2.9");

    const forged = elsewhere.replace(";rport", ";received=192.0.2.66;rport=1");
    expect(await statusOf(forged.replace("OPTIONS1", "OPTIONS2"))).toBe("200");
    expect(headerIn(lastOf("200 OK"), "Via")).not.toContain("192.0.2.66");

    const other = await lab.network.bindDatagram({ address: "192.0.2.9", port: 7777 });
    const got: unknown[] = [];
    other.onDatagram = (data) => got.push(data);
    peer.send(elsewhere.replace(";rport", "").replace(":9999", ":7777"), 2);
    await lab.advance(20);
    expect(got).toHaveLength(1);
  });
});

describe("queryOptions", () => {
  it("gives the peer's final response, whatever it is", async () => {
    const other = await lab.endpoint(1, "caller");
    const answers = Promise.all([
      other.queryOptions("sip:bot@192.0.2.2", 1000),
      other.queryOptions("sip:nobody@192.0.2.2", 1000),
    ]);
    await lab.advance(50);

    expect(await answers).toMatchObject([
      { statusCode: 200, reasonPhrase: "OK" },
      { statusCode: 404, reasonPhrase: "Not Found" },
    ]);
  });

  it("fails where nothing comes in time, and leaves nothing behind", async () => {
    const failure = bot.queryOptions("sip:x@192.0.2.99", 2000).catch((error: unknown) => error);
    await lab.advance(2100);
    expect(await failure).toMatchObject({ code: "ERR_SIP_NO_RESPONSE" });
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });

  it("fails where the host is unknown", async () => {
    const failure = bot
      .queryOptions("sip:x@nowhere.example", 2000)
      .catch((error: unknown) => error);
    await lab.advance(10);
    expect(await failure).toMatchObject({ code: "ERR_HOST_UNRESOLVED" });
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("the trace", () => {
  it("has every datagram with its bytes, and no credentials", async () => {
    const secret = 'Authorization: Digest username="u", response="0123456789abcdef"';
    peer.send(rawRequest("OPTIONS", { headers: [secret] }), 2);
    await lab.advance(20);

    const [received, sent] = lab.traces;
    expect(received).toMatchObject({
      direction: "received",
      transport: "UDP",
      local: "192.0.2.2:5060",
      remote: "192.0.2.9:5060",
      startLine: "OPTIONS sip:bot@192.0.2.2:5060 SIP/2.0",
      method: "OPTIONS",
      cseq: 1,
      callId: "raw-call",
      retransmission: false,
    });
    expect(received?.text).not.toContain("0123456789abcdef");
    expect(new TextDecoder().decode(received?.bytes)).toBe(received?.text);
    expect(sent).toMatchObject({ direction: "sent", statusCode: 200, method: "OPTIONS" });
  });

  it("has what is no SIP at all", async () => {
    peer.send("hello", 2);
    await lab.advance(20);
    expect(lab.traces).toMatchObject([{ startLine: "hello", method: "", cseq: 0, callId: "" }]);
  });
});
