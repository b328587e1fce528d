import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, OutboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  type RawPeer,
  responseTo,
  SipLab,
} from "./sip-lab.ts";

/** One server of the domain is 192.0.2.2, the other 192.0.2.3; the first is preferred. */
let lab: SipLab;
let caller: SipEndpoint;

const TARGET = "sip:bot@pbx.example";
const ANSWER_CONTACT = "Contact: <sip:raw@192.0.2.2:5060>";

beforeEach(async () => {
  vi.useFakeTimers();
  lab = new SipLab();
  lab.network.dns.srv.set("_sip._udp.pbx.example", [
    { target: "one.pbx.example", port: 5060, priority: 1, weight: 1 },
    { target: "two.pbx.example", port: 5060, priority: 2, weight: 1 },
  ]);
  lab.network.dns.hosts.set("one.pbx.example", [{ address: "192.0.2.2" }]);
  lab.network.dns.hosts.set("two.pbx.example", [{ address: "192.0.2.3" }]);
  caller = await lab.endpoint(1, "caller");
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

/** A bot that answers at once. */
async function bot(host: number): Promise<InboundCall[]> {
  const calls: InboundCall[] = [];
  const endpoint = await lab.endpoint(host, "bot");
  endpoint.onInvite = (call) => {
    calls.push(call);
    call.answer(new FakeNegotiator());
  };
  return calls;
}

/** A peer that answers each request of a method like this. */
async function answering(host: number, method: string, status: string): Promise<RawPeer> {
  const peer = await lab.peer(host);
  peer.onMessage = (text) => {
    if (text.startsWith(method)) peer.send(responseTo(text, status, { toTag: `t${host}` }), 1);
  };
  return peer;
}

function dial(target = TARGET): { call: OutboundCall; events: ReturnType<typeof eventsOf> } {
  const call = caller.call(target, { negotiator: new FakeNegotiator(), ringTimeoutMs: 30_000 });
  return { call, events: eventsOf(call) };
}

/** INVITEs that left, with the instant, without repetitions. */
function invites(): { remote: string; text: string; at: number }[] {
  return lab.traces.filter(
    (trace) =>
      trace.direction === "sent" &&
      trace.method === "INVITE" &&
      trace.statusCode === undefined &&
      !trace.retransmission,
  );
}

describe("a call to a domain with two servers (RFC 3263 §4.3)", () => {
  it("goes to the first, and asks the second nothing where that answers", async () => {
    const [one, two] = [await bot(2), await bot(3)];
    const { call, events } = dial();
    await lab.advance(100);
    expect(briefly(events)).toContain("answered 200");
    const hungUp = call.hangUp();
    await lab.advance(100);
    await hungUp;
    expect([one.length, two.length]).toEqual([1, 0]);
  });

  it("goes on to the second at once where the first answers 503: the same but for the branch", async () => {
    const first = await answering(2, "INVITE", "503 Service Unavailable");
    const two = await bot(3);
    const { call, events } = dial();
    await lab.advance(100);

    expect(briefly(events)).toContain("answered 200");
    expect(two).toHaveLength(1);
    const [before = "", after = ""] = invites().map(({ text }) => text);
    for (const name of ["Call-ID", "From", "To", "CSeq"]) {
      expect(headerIn(after, name)).toBe(headerIn(before, name));
    }
    expect(headerIn(after, "Via")).not.toBe(headerIn(before, "Via"));
    // The ACK of the 503 went where the 503 came from, with its branch.
    const [ack = ""] = first.withStart("ACK");
    expect(headerIn(ack, "Via")).toBe(headerIn(before, "Via"));
    void call.hangUp();
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("is not troubled by a 503 that is repeated after it went on", async () => {
    const first = await answering(2, "INVITE", "503 Service Unavailable");
    await bot(3);
    const { call, events } = dial();
    await lab.advance(100);
    const [invite = ""] = first.withStart("INVITE");
    first.send(responseTo(invite, "503 Service Unavailable", { toTag: "t2" }), 1);
    await lab.advance(100);
    expect(call.state).toBe("established");
    expect(briefly(events)).not.toContain("ended remote rejected 503");
    expect(first.withStart("ACK")).toHaveLength(2);
  });

  it("goes on after four seconds where the first keeps silent, and stops repeating", async () => {
    const silent = await lab.peer(2);
    const two = await bot(3);
    dial();
    await lab.advance(3900);
    expect(two).toHaveLength(0);
    await lab.advance(200);
    expect(two).toHaveLength(1);
    const { length } = silent.received;
    await lab.advance(28_000);
    expect(silent.received).toHaveLength(length);
    const [before, after] = invites();
    expect((after?.at ?? 0) - (before?.at ?? 0)).toBeCloseTo(4000, -2);
  });

  it("ends the call that a silent server takes after all", async () => {
    const slow = await lab.peer(2);
    await bot(3);
    const { call } = dial();
    await lab.advance(4200);
    expect(call.state).toBe("established");
    const [invite = ""] = slow.withStart("INVITE");
    const late = { toTag: "late", headers: [ANSWER_CONTACT] };
    slow.send(responseTo(invite, "200 OK", late), 1);
    await lab.advance(50);
    expect(slow.withStart("ACK")).toHaveLength(1);
    expect(slow.withStart("BYE")).toHaveLength(1);
    expect(call.state).toBe("established");
  });

  it("goes on at once where the host says that nobody listens there", async () => {
    await lab.close();
    vi.useRealTimers();
    vi.useFakeTimers();
    lab = new SipLab({
      reportsUnbound: true,
      hosts: { "two.example": ["192.0.2.8", "192.0.2.3"] },
    });
    caller = await lab.endpoint(1, "caller");
    const two = await bot(3);
    const { events } = dial("sip:bot@two.example:5060");
    await lab.advance(200);
    expect(two).toHaveLength(1);
    expect(briefly(events)).toContain("answered 200");
  });

  it("takes any other answer for the answer", async () => {
    for (const status of ["486 Busy Here", "500 Server Error", "603 Decline", "480 Gone"]) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other.
      const peer = await answering(2, "INVITE", status);
      const { events } = dial();
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await lab.advance(100);
      expect(briefly(events).at(-1)).toBe(`ended remote rejected ${status.slice(0, 3)}`);
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await peer.close();
    }
    expect(new Set(invites().map(({ remote }) => remote))).toEqual(new Set(["192.0.2.2:5060"]));
  });

  it("does not ring a second time where the first rang", async () => {
    const first = await lab.peer(2);
    const two = await bot(3);
    const { events } = dial();
    await lab.advance(50);
    const [invite = ""] = first.withStart("INVITE");
    const ring = { toTag: "r", headers: [ANSWER_CONTACT] };
    first.send(responseTo(invite, "180 Ringing", ring), 1);
    await lab.advance(50);
    first.send(responseTo(invite, "503 Service Unavailable", { toTag: "r" }), 1);
    await lab.advance(5000);
    expect(two).toHaveLength(0);
    expect(briefly(events).at(-1)).toBe("ended remote rejected 503");
  });

  it("goes nowhere else once it is given up", async () => {
    const first = await lab.peer(2);
    const two = await bot(3);
    const { call, events } = dial();
    await lab.advance(50);
    const [invite = ""] = first.withStart("INVITE");
    first.send(responseTo(invite, "100 Trying"), 1);
    await lab.advance(10);
    void call.hangUp();
    await lab.advance(10);
    expect(first.withStart("CANCEL")).toHaveLength(1);
    first.send(responseTo(invite, "503 Service Unavailable", { toTag: "x" }), 1);
    await lab.advance(5000);
    expect(two).toHaveLength(0);
    expect(briefly(events).at(-1)).toMatch(/^ended/);
  });

  it("ends with the last server's answer where all fail, and begins with the first next time", async () => {
    await answering(2, "INVITE", "503 Service Unavailable");
    await answering(3, "INVITE", "503 Service Unavailable");
    const { events } = dial();
    await lab.advance(200);
    expect(briefly(events).at(-1)).toBe("ended remote rejected 503");
    dial();
    await lab.advance(200);
    const remotes = invites().map(({ remote }) => remote.slice(0, 9));
    expect(remotes).toEqual(["192.0.2.2", "192.0.2.3", "192.0.2.2", "192.0.2.3"]);
  });

  it("says that nobody answered where all keep silent, and nothing is left", async () => {
    const { events } = dial();
    await lab.advance(40_000);
    expect(events.at(-1)).toMatchObject({ type: "ended", error: { code: "ERR_SIP_NO_RESPONSE" } });
    await lab.advance(40_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("says that the host is unknown where DNS knows nothing of it", async () => {
    const { events } = dial("sip:bot@nowhere.example");
    await lab.advance(100);
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_HOST_UNRESOLVED" } });
  });
});

describe("OPTIONS to a domain with two servers", () => {
  it("is answered by the second where the first answers 503", async () => {
    await answering(2, "OPTIONS", "503 Service Unavailable");
    await answering(3, "OPTIONS", "200 OK");
    const answer = caller.queryOptions(TARGET, 10_000);
    await lab.advance(100);
    expect(await answer).toMatchObject({ statusCode: 200 });
  });

  it("and where the first keeps silent", async () => {
    const silent = await lab.peer(2);
    await answering(3, "OPTIONS", "200 OK");
    const answer = caller.queryOptions(TARGET, 10_000);
    await lab.advance(4100);
    expect(await answer).toMatchObject({ statusCode: 200 });
    expect(silent.received.length).toBeGreaterThan(1);
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });
});

describe("an outbound proxy", () => {
  it("gets every request outside of a dialog, with itself in Route", async () => {
    const proxy = await lab.peer(8);
    const sip = { outboundProxy: "sip:192.0.2.8" };
    const endpoint = await lab.endpoint(4, "roamer", { sip });
    endpoint.call("sip:bot@far.example", { negotiator: new FakeNegotiator() });
    void endpoint.queryOptions("sip:far.example", 100).catch(() => undefined);
    await lab.advance(50);
    for (const method of ["INVITE sip:bot@far.example", "OPTIONS sip:far.example"]) {
      const [request = ""] = proxy.withStart(method);
      expect(headerIn(request, "Route")).toBe("<sip:192.0.2.8;lr>");
    }
    expect(lab.network.dns.questions).toEqual([]);
  });

  it("has to be permitted like any other host", async () => {
    const options = { allow: ["far.example"], sip: { outboundProxy: "sip:192.0.2.8" } };
    const endpoint = await lab.endpoint(4, "roamer", options);
    expect(() =>
      endpoint.call("sip:bot@far.example", { negotiator: new FakeNegotiator() }),
    ).toThrow(expect.objectContaining({ code: "ERR_TARGET_NOT_ALLOWED" }));
  });
});

describe("a strict router (RFC 3261 §12.2.1.1)", () => {
  it("gets requests of the dialog in its own name, with the target last in Route", async () => {
    const peer = await lab.peer(2);
    const router = await lab.peer(8);
    const { call } = dial("sip:raw@192.0.2.2");
    await lab.advance(20);
    const [invite = ""] = peer.withStart("INVITE");
    const recorded = "Record-Route: <sip:192.0.2.7;lr>, <sip:192.0.2.8;method=INVITE>";
    const headers = [ANSWER_CONTACT, recorded];
    peer.send(responseTo(invite, "200 OK", { toTag: "t", headers, body: "v=0\r\n" }), 1);
    await lab.advance(20);
    void call.hangUp();
    await lab.advance(20);
    for (const method of ["ACK", "BYE"]) {
      const text = present(router.withStart(method)[0], "it went to the strict router");
      expect(text).toMatch(new RegExp(`^${method} sip:192\\.0\\.2\\.8 SIP/2\\.0\r\n`));
      const routes = text.split("\r\n").filter((line) => line.startsWith("Route:"));
      expect(routes).toEqual(["Route: <sip:192.0.2.7;lr>", "Route: <sip:raw@192.0.2.2:5060>"]);
    }
  });

  it("is told apart where it is alone", async () => {
    const router = await lab.peer(8);
    caller.call("sip:raw@192.0.2.2", {
      negotiator: new FakeNegotiator(),
      headers: ["Route: <sip:192.0.2.8>"],
    });
    await lab.advance(20);
    const [invite = ""] = router.withStart("INVITE sip:192.0.2.8 ");
    expect(headerIn(invite, "Route")).toBe("<sip:raw@192.0.2.2>");
    expect(headerIn(invite, "To")).toBe("<sip:raw@192.0.2.2>");
  });
});
