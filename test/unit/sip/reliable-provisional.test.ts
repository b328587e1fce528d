import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import type {
  DialogSettings,
  InboundCall,
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
  rawRequest,
  SDP_TYPE,
  SipLab,
  toTagIn,
} from "./sip-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
let peer: RawPeer;
let incoming: InboundCall[];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming = [];
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
  peer = await lab.peer(9);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

interface Invited {
  readonly call: InboundCall;
  readonly events: SipCallEvent[];
  readonly negotiator: FakeNegotiator;
}

/** The raw peer calls the bot. */
async function invited(
  headers: readonly string[],
  { isLate = false, settings = {} }: { isLate?: boolean; settings?: DialogSettings } = {},
): Promise<Invited> {
  const offer = isLate ? {} : { body: RAW_SDP };
  const type = isLate ? [] : [SDP_TYPE];
  peer.send(rawRequest("INVITE", { headers: [RAW_CONTACT, ...headers, ...type], ...offer }), 2);
  await lab.advance(20);
  const call = present(incoming.at(-1), "the INVITE arrived");
  const events = eventsOf(call);
  call.configure(settings);
  return { call, events, negotiator: new FakeNegotiator() };
}

const SUPPORTED = ["Supported: 100rel"];

/** PRACK for the newest reliable response. */
async function prack(
  cseq: number,
  { body, rseq }: { readonly body?: string; readonly rseq?: number } = {},
): Promise<string> {
  const response =
    peer.received.map(({ text }) => text).findLast((text) => /^RSeq:/m.test(text)) ?? "";
  const rack = `RAck: ${rseq ?? headerIn(response, "RSeq")} 1 INVITE`;
  const headers = body === undefined ? [rack] : [rack, SDP_TYPE];
  const toTag = toTagIn(response);
  peer.send(
    rawRequest("PRACK", { cseq, toTag, headers, ...(body === undefined ? {} : { body }) }),
    2,
  );
  await lab.advance(20);
  return peer.received.at(-1)?.text ?? "";
}

function statuses(): string[] {
  return peer.received.map(({ text }) => {
    const cseq = headerIn(text, "CSeq") ?? "";
    return `${text.split(" ", 2)[1]} ${cseq}`;
  });
}

describe("provisional responses of ours", () => {
  it("go reliably with a description, and the 200 waits for PRACK and repeats nothing", async () => {
    const { call, events, negotiator } = await invited(SUPPORTED);

    call.openEarlyMedia(negotiator);
    call.answer(negotiator);
    await lab.advance(20);
    expect(statuses()).toEqual(["100 1 INVITE", "183 1 INVITE"]);
    expect(peer.received.at(-1)?.text).toContain("Require: 100rel");
    await prack(2);

    expect(statuses()).toEqual(["100 1 INVITE", "183 1 INVITE", "200 2 PRACK", "200 1 INVITE"]);
    expect(peer.received.at(-1)?.text).toContain("Content-Length: 0");
    expect(negotiator.steps).toEqual(["acceptOffer raw"]);
    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183", "answered 200"]);
  });

  it("are repeated after 0.5, 1, 2 … s until PRACK comes (RFC 3262 §3)", async () => {
    const { call, negotiator } = await invited(SUPPORTED);
    call.openEarlyMedia(negotiator);
    await lab.advance(3600);
    const sent = peer.withStart("183");
    await prack(2);
    await lab.advance(10_000);

    expect(sent).toHaveLength(4);
    expect(new Set(sent).size).toBe(1);
    expect(peer.withStart("183")).toHaveLength(4);
  });

  it("end the call with 504 where no PRACK comes", async () => {
    const { call, events, negotiator } = await invited(SUPPORTED);
    call.openEarlyMedia(negotiator);
    await lab.advance(70_000);

    expect(events.at(-1)).toMatchObject({
      statusCode: 504,
      error: { code: "ERR_SIP_PRACK_MISSING" },
    });
  });

  it("carry an offer where the INVITE had none; PRACK brings the answer", async () => {
    const { call, events, negotiator } = await invited(SUPPORTED, { isLate: true });
    call.openEarlyMedia(negotiator);
    await lab.advance(20);
    await prack(2, { body: RAW_SDP });
    call.answer(negotiator);
    await lab.advance(20);

    expect(negotiator.steps).toEqual(["createOffer", "acceptAnswer raw"]);
    expect(briefly(events)).toEqual(["ringing 183", "earlyMedia 183", "answered 200"]);
    expect(peer.received.at(-1)?.text).toContain("Content-Length: 0");
  });

  it("refuse the call where PRACK brings an answer that cannot be used", async () => {
    const { call, events, negotiator } = await invited(SUPPORTED, { isLate: true });
    call.openEarlyMedia(negotiator);
    await lab.advance(20);
    negotiator.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");
    await prack(2, { body: RAW_SDP });

    expect(statuses().slice(-2)).toEqual(["200 2 PRACK", "488 1 INVITE"]);
    expect(briefly(events).at(-1)).toBe("ended local noCommonCodec 488");
  });

  it("may be followed by a further offer in PRACK (RFC 3262 §5)", async () => {
    const { call, negotiator } = await invited(SUPPORTED);
    call.openEarlyMedia(negotiator);
    await lab.advance(20);

    const answer = await prack(2, { body: "v=0\r\ns=second\r\n" });

    expect(answer).toContain("s=answer-to-second");
    expect(negotiator.steps).toEqual(["acceptOffer raw", "acceptOffer second"]);
  });

  it("get 481 for a PRACK that matches none", async () => {
    const { call, negotiator } = await invited(SUPPORTED);
    call.openEarlyMedia(negotiator);
    await lab.advance(20);

    expect(await prack(2, { rseq: 1 })).toMatch(/^SIP\/2\.0 481/);
    expect(await prack(3)).toMatch(/^SIP\/2\.0 200/);
    expect(await prack(4)).toMatch(/^SIP\/2\.0 481/);
  });

  it("all go reliably where the caller requires it, one after the other", async () => {
    const { call, negotiator } = await invited(["Require: 100rel"]);
    call.ring();
    call.openEarlyMedia(negotiator);
    await lab.advance(20);
    expect(statuses()).toEqual(["100 1 INVITE", "180 1 INVITE"]);
    const first = Number(headerIn(peer.received.at(-1)?.text ?? "", "RSeq"));
    await prack(2);

    expect(statuses().at(-1)).toBe("183 1 INVITE");
    expect(Number(headerIn(peer.received.at(-1)?.text ?? "", "RSeq"))).toBe(first + 1);
  });

  it("can be acknowledged late, after the 200", async () => {
    const { call, negotiator } = await invited(["Require: 100rel"]);
    call.ring();
    call.answer(negotiator);
    await lab.advance(20);

    expect(statuses()).toEqual(["100 1 INVITE", "180 1 INVITE", "200 1 INVITE"]);
    expect(await prack(2)).toMatch(/^SIP\/2\.0 200/);
    await lab.advance(400);
    expect(peer.withStart("180")).toHaveLength(1);
  });

  it("go unreliably to a caller that cannot, and the 200 repeats the answer", async () => {
    const { call, negotiator } = await invited([]);
    call.openEarlyMedia(negotiator);
    call.answer(negotiator);
    await lab.advance(20);

    expect(statuses()).toEqual(["100 1 INVITE", "183 1 INVITE", "200 1 INVITE"]);
    expect(peer.received[1]?.text).not.toContain("100rel");
    expect(peer.received[2]?.text).toContain("s=answer-to-raw");
  });

  it("make no early offer to a caller that cannot acknowledge it", async () => {
    const { call, events, negotiator } = await invited([], { isLate: true });
    call.openEarlyMedia(negotiator);
    await lab.advance(20);

    expect(negotiator.steps).toEqual([]);
    expect(briefly(events)).toEqual(["ringing 183"]);
  });

  it("can be off (420) or required (421)", async () => {
    const off = await invited(["Require: 100rel"], { settings: { reliableProvisional: "off" } });
    await lab.advance(20);
    expect(briefly(off.events)).toEqual(["ended local rejected 420"]);
    expect(headerIn(peer.received.at(-1)?.text ?? "", "Unsupported")).toBe("100rel");

    peer.send(
      rawRequest("INVITE", { callId: "other", branch: "z9hG4bKother", headers: [RAW_CONTACT] }),
      2,
    );
    await lab.advance(20);
    const required = present(incoming.at(-1), "the INVITE arrived");
    required.configure({ reliableProvisional: "required" });
    await lab.advance(20);
    expect(headerIn(peer.received.at(-1)?.text ?? "", "Require")).toBe("100rel");
    expect(peer.received.at(-1)?.text).toMatch(/^SIP\/2\.0 421/);
  });

  it("stop when the caller gives up", async () => {
    const { call, negotiator } = await invited(SUPPORTED);
    call.openEarlyMedia(negotiator);
    await lab.advance(20);
    peer.send(rawRequest("CANCEL", { branch: "z9hG4bKINVITE1" }), 2);
    await lab.advance(40_000);

    expect(peer.withStart("183")).toHaveLength(1);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});
