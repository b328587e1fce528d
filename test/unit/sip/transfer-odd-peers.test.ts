import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type {
  InboundCall,
  ReceivedRefer,
  ReportStatus,
  SipEndpoint,
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
import { transfer } from "./transfer-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
let peer: RawPeer;
let call: InboundCall;
let botTag: string;
let cseq: number;

beforeEach(async () => {
  vi.useFakeTimers();
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  peer = await lab.peer(9);
  bot.onInvite = (invite) => {
    call = invite;
    invite.answer(new FakeNegotiator());
  };
  peer.send(rawRequest("INVITE", { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP }), 2);
  await lab.advance(20);
  botTag = present(toTagIn(present(peer.withStart("200")[0], "answered")), "tagged");
  cseq = 1;
  peer.send(inDialog("ACK", [], undefined, 1), 2);
  await lab.advance(20);
  peer.received.length = 0;
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

function inDialog(
  method: string,
  headers: readonly string[] = [],
  body?: string,
  number = (cseq +=
    1),
): string {
  const branch = `z9hG4bK${method}${number}`;
  const content = body === undefined ? {} : { body };
  return rawRequest(method, { cseq: number, branch, toTag: botTag, headers, ...content });
}

/** The status of the response to a request. */
async function statusOf(request: string): Promise<string> {
  const before = peer.received.length;
  peer.send(request, 2);
  await lab.advance(20);
  return present(peer.received[before], "it was answered").text.slice(8, 11);
}

function notify(state: string, status: string, event = "refer"): string {
  return inDialog(
    "NOTIFY",
    [
      `Event: ${event}`,
      `Subscription-State: ${state}`,
      "Content-Type: message/sipfrag;version=2.0",
    ],
    `SIP/2.0 ${status}\r\n`,
  );
}

const TARGET = { target: "sip:desk@192.0.2.3" };

/** The peer answers our REFER with this. */
async function answer(status: string, headers: readonly string[] = []): Promise<void> {
  await lab.advance(20);
  const refer = present(peer.withStart("REFER").at(-1), "the REFER arrived");
  peer.send(responseTo(refer, status, { headers }), 2);
  await lab.advance(20);
}

describe("a transferor meets", () => {
  it("a NOTIFY that overtakes the 202, and one that is the last already", async () => {
    const watched = transfer(call, TARGET);
    await lab.advance(20);

    expect(await statusOf(notify("active;expires=60", "100 Trying"))).toBe("200");
    expect(await statusOf(notify("terminated;reason=noresource", "200 OK"))).toBe("200");
    await answer("202 Accepted");

    expect(watched.steps).toEqual(["requested", "accepted", "progress 100"]);
    expect(watched.outcome).toMatchObject({ result: "completed", statusCode: 200 });
    expect(await statusOf(notify("active", "200 OK"))).toBe("481");
  });

  it("a peer that ends the subscription with its 100 Trying", async () => {
    const watched = transfer(call, TARGET);
    await answer("202 Accepted");
    await statusOf(notify("terminated;reason=noresource", "100 Trying"));
    expect(watched.outcome).toMatchObject({ result: "unreported", statusCode: 100 });
  });

  it("a peer that tells the end in an active NOTIFY, and then ends it", async () => {
    const watched = transfer(call, TARGET);
    await answer("202 Accepted");
    await statusOf(notify("active;expires=60", "603 Decline"));
    expect(watched.outcome).toMatchObject({ result: "failed", statusCode: 603 });
    expect(await statusOf(notify("terminated;reason=timeout", "603 Decline"))).toBe("200");
  });

  it("a peer that grants no subscription (RFC 4488)", async () => {
    const watched = transfer(call, TARGET);
    await answer("200 OK", ["Refer-Sub: false"]);
    expect(watched.outcome).toMatchObject({ result: "unreported" });
  });

  it("a peer that accepts and never says more", async () => {
    const watched = transfer(call, TARGET);
    await answer("202 Accepted");
    await lab.advance(31_900);
    expect(watched.outcome).toBeUndefined();
    await lab.advance(200);
    expect(watched.outcome).toMatchObject({ result: "timedOut" });
  });

  it("a peer whose subscription runs out", async () => {
    const watched = transfer(call, TARGET);
    await answer("202 Accepted");
    await statusOf(notify("active;expires=10", "180 Ringing"));
    await lab.advance(9900);
    expect(watched.outcome).toBeUndefined();
    await lab.advance(200);
    expect(watched.outcome).toMatchObject({ result: "timedOut" });
  });

  it("a peer that does not answer the REFER at all", async () => {
    const watched = transfer(call, TARGET);
    await lab.advance(33_000);
    expect(watched.outcome).toMatchObject({ result: "timedOut" });
    expect(watched.steps).toEqual(["requested"]);
  });

  it("NOTIFYs of other events and ids, and bodies that are no fragment", async () => {
    const watched = transfer(call, TARGET);
    await answer("202 Accepted");

    const presence = notify("active", "200 OK", "presence");
    expect(await statusOf(presence)).toBe("489");
    expect(headerIn(peer.withStart("489")[0] ?? "", "Allow-Events")).toBe("refer");
    expect(await statusOf(notify("active", "200 OK", "refer;id=77"))).toBe("481");
    expect(await statusOf(inDialog("NOTIFY", ["Subscription-State: active"]))).toBe("489");
    expect(await statusOf(notify("active;expires=never", "nonsense"))).toBe("200");
    expect(watched.outcome).toBeUndefined();
    expect(await statusOf(notify("active", "200 OK", "Refer;id=1"))).toBe("200");
    expect(watched.outcome).toMatchObject({ result: "completed" });
    expect(bot.counts.exceptions).toBe(0);
  });

  it("a NOTIFY without any REFER", async () => {
    expect(await statusOf(notify("active", "200 OK"))).toBe("481");
    expect(await statusOf(rawRequest("NOTIFY", { cseq: 3, headers: ["Event: refer"] }))).toBe(
      "481",
    );
  });
});

const referWith = (...headers: readonly string[]): string => inDialog("REFER", headers);

describe("a transferee meets", () => {
  let refers: ReceivedRefer[];
  let report: ReportStatus;

  beforeEach(() => {
    refers = [];
    call.onRefer = (refer) => {
      refers.push(refer);
      return {
        follow: (told) => {
          report = told;
        },
      };
    };
  });

  it("a REFER with Replaces, Require and Referred-By, which the new call has to carry", async () => {
    const dialog = "12%40host%3Bto-tag%3Da%3Bfrom-tag%3Db";
    const status = await statusOf(
      referWith(
        `Refer-To: "Desk" <sip:desk@192.0.2.3;transport=udp?Replaces=${dialog}&Require=replaces&From=sip%3Aevil%40x>`,
        'Referred-By: "Bot" <sip:bot@example.com>',
      ),
    );
    expect(status).toBe("202");
    expect(refers).toMatchObject([
      {
        target: "sip:desk@192.0.2.3;transport=udp",
        replaces: { callId: "12@host", toTag: "a", fromTag: "b", earlyOnly: false },
        headers: [
          'Referred-By: "Bot" <sip:bot@example.com>',
          "Replaces: 12@host;to-tag=a;from-tag=b",
          "Require: replaces",
        ],
      },
    ]);
  });

  it("REFERs that are none, and refuses each as the RFC says", async () => {
    expect(await statusOf(referWith())).toBe("400");
    expect(await statusOf(referWith("Refer-To: <sip:a@x>", "Refer-To: <sip:b@x>"))).toBe("400");
    expect(await statusOf(referWith("Refer-To: <sip:a@x>, <sip:b@x>"))).toBe("400");
    expect(await statusOf(referWith("Refer-To: <sip:a@x?Replaces=nonsense>"))).toBe("400");
    expect(await statusOf(referWith("Refer-To: <sip:a@x?Replaces=%GG>"))).toBe("400");
    expect(await statusOf(referWith("Refer-To: <tel:+15550100>"))).toBe("416");
    expect(await statusOf(referWith("Refer-To: <sip:a@x;method=BYE>"))).toBe("603");
    expect(refers).toEqual([]);
  });

  it("a REFER outside of any call", async () => {
    const outside = rawRequest("REFER", { cseq: 5, headers: ["Refer-To: <sip:a@x>", RAW_CONTACT] });
    expect(await statusOf(outside)).toBe("603");
  });

  it("a transferor that wants no NOTIFYs (RFC 4488)", async () => {
    await statusOf(
      referWith("Refer-To: <sip:a@x>", "Refer-Sub: false", "Require: norefersub", RAW_CONTACT),
    );
    report(200);
    await lab.advance(100);
    const accepted = present(peer.withStart("202")[0], "it was accepted");
    expect(headerIn(accepted, "Refer-Sub")).toBe("false");
    expect(peer.withStart("NOTIFY")).toEqual([]);
  });

  it("a transferor that refuses the first NOTIFY, and gets no other", async () => {
    await statusOf(referWith("Refer-To: <sip:a@x>"));
    await lab.advance(20);
    const first = present(peer.withStart("NOTIFY")[0], "it came");
    peer.send(responseTo(first, "481 Subscription Does Not Exist"), 2);
    await lab.advance(20);
    report(180);
    report(200);
    await lab.advance(1000);
    expect(peer.withStart("NOTIFY")).toHaveLength(1);
  });

  it("a call that takes longer than the subscription lasts", async () => {
    peer.onMessage = (text) => {
      if (text.startsWith("NOTIFY")) peer.send(responseTo(text, "200 OK"), 2);
    };
    await statusOf(referWith("Refer-To: <sip:a@x>"));
    report(180, "Ringing");
    await lab.advance(181_000);
    report(200);
    await lab.advance(1000);
    const told = peer.withStart("NOTIFY");
    expect(told.map((text) => headerIn(text, "Subscription-State"))).toEqual([
      "active;expires=180",
      "active;expires=180",
      "terminated;reason=timeout",
    ]);
    expect(told.at(-1)).toContain("SIP/2.0 180 Ringing");
  });

  it("a transferor that vanishes, and keeps nothing of it", async () => {
    await statusOf(referWith("Refer-To: <sip:a@x>"));
    report(200);
    void call.hangUp();
    await lab.advance(100_000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});
