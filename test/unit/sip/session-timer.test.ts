import { beforeEach, describe, expect, it } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type {
  DialogSettings,
  OutboundCall,
  SessionTimerSettings,
  SipCallEvent,
} from "../../../src/sip/index.ts";
import {
  eventsOf,
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  type RawPeer,
  responseTo,
  SDP_TYPE,
} from "./sip-lab.ts";
import { useTwoParties } from "./two-parties.ts";

const parties = useTwoParties();

interface Timed {
  readonly outbound: OutboundCall;
  readonly events: SipCallEvent[];
  readonly theirs: SipCallEvent[];
}

function settings(sessionTimer: SessionTimerSettings): DialogSettings {
  return { sessionTimer };
}

async function connected(
  callers: SessionTimerSettings,
  bots: SessionTimerSettings = {},
): Promise<Timed> {
  const negotiator = new FakeNegotiator();
  const outbound = parties.caller.call("sip:bot@192.0.2.2", {
    negotiator,
    settings: settings(callers),
  });
  const events = eventsOf(outbound);
  await parties.lab.advance(20);
  const inbound = present(parties.incoming.at(-1), "the INVITE arrived");
  const theirs = eventsOf(inbound);
  inbound.configure(settings(bots));
  inbound.answer(new FakeNegotiator());
  await parties.lab.advance(50);
  return { outbound, events, theirs };
}

function agreed(events: readonly SipCallEvent[]): string[] {
  return events
    .filter((event) => event.type === "sessionTimer")
    .map(({ intervalS, refresher }) => `${intervalS} ${refresher}`);
}

function refreshes(host: number): string[] {
  return parties.lab.flow(host).filter((step) => /[<>] UPDATE$/.test(step));
}

describe("a session timer", () => {
  it.each([
    ["caller", "1800 local", "1800 remote", "> UPDATE"],
    ["called", "1800 remote", "1800 local", "< UPDATE"],
  ] as const)("is refreshed at half time by the %s side", async (refresher, ours, theirs, step) => {
    const call = await connected({ intervalS: 1800, refresher });
    expect(agreed(call.events)).toEqual([ours]);
    expect(agreed(call.theirs)).toEqual([theirs]);

    await parties.lab.advance(901_000);
    expect(refreshes(1)).toEqual([step]);
    await parties.lab.advance(900_000);

    expect(refreshes(1)).toEqual([step, step]);
    expect(agreed(call.events)).toEqual([ours, ours, ours]);
    expect(call.outbound.state).toBe("established");
  });

  it("is asked for by the called side, and refreshed by the caller", async () => {
    const call = await connected({}, { intervalS: 600 });

    expect(agreed(call.events)).toEqual(["600 local"]);
    await parties.lab.advance(301_000);
    expect(refreshes(1)).toEqual(["> UPDATE"]);
  });

  it("takes the shorter of both intervals", async () => {
    const call = await connected({ intervalS: 1800 }, { intervalS: 200 });

    expect(agreed(call.theirs)).toEqual(["200 remote"]);
  });

  it("that is too short for the called side is asked for again with its minimum (422)", async () => {
    const call = await connected({ intervalS: 100, minIntervalS: 90 }, { minIntervalS: 300 });
    const again = present(parties.incoming.at(-1), "the second INVITE arrived");
    expect(again.callId).toBe(call.outbound.callId);
    again.configure(settings({ minIntervalS: 300 }));
    const theirs = eventsOf(again);
    again.answer(new FakeNegotiator());
    await parties.lab.advance(50);

    expect(parties.lab.flow(1).slice(0, 6)).toEqual([
      "> INVITE",
      "< 100 INVITE",
      "< 422 INVITE",
      "> ACK",
      "> INVITE",
      "< 100 INVITE",
    ]);
    const invites = parties.lab.traces.filter(
      ({ method, direction, statusCode, local }) =>
        local.startsWith("192.0.2.1:") &&
        method === "INVITE" &&
        direction === "sent" &&
        statusCode === undefined,
    );
    expect(invites.map(({ text }) => headerIn(text, "Session-Expires"))).toEqual(["100", "300"]);
    expect(invites.map(({ text }) => headerIn(text, "Min-SE"))).toEqual([undefined, "300"]);
    expect(invites.map(({ text }) => headerIn(text, "CSeq"))).toEqual(["1 INVITE", "2 INVITE"]);
    expect(agreed(theirs)).toEqual(["300 remote"]);
    expect(call.outbound.state).toBe("established");
  });

  it("is off where one side says so, and a call that requires it is refused", async () => {
    const off = await connected({ intervalS: 1800 }, { use: "off" });
    expect(agreed(off.events)).toEqual([]);
    await connected({ intervalS: 1800, use: "required" }, { use: "off" });

    expect(parties.lab.flow(1)).toContain("< 420 INVITE");
  });

  it("leaves nothing behind when the call has ended", async () => {
    const { outbound } = await connected({ intervalS: 100 });
    void outbound.hangUp();
    await parties.lab.advance(200_000);

    expect(refreshes(1)).toEqual([]);
    expect([parties.caller.liveState, parties.bot.liveState]).toEqual([LIVE_NOTHING, LIVE_NOTHING]);
  });
});

describe("a session that is not refreshed", () => {
  let peer: RawPeer;

  beforeEach(async () => {
    peer = await parties.lab.peer(9);
  });

  async function dial(sessionExpires: string, allow: string): Promise<SipCallEvent[]> {
    const negotiator = new FakeNegotiator();
    const call = parties.caller.call("sip:bot@192.0.2.9", {
      negotiator,
      settings: settings({ intervalS: 90 }),
    });
    const events = eventsOf(call);
    await parties.lab.advance(20);
    const invite = peer.withStart("INVITE")[0] ?? "";
    const headers = [RAW_CONTACT, SDP_TYPE, `Session-Expires: ${sessionExpires}`, allow];
    peer.send(responseTo(invite, "200 OK", { toTag: "a", headers, body: "v=0\r\ns=one\r\n" }), 1);
    await parties.lab.advance(20);
    return events;
  }

  it("ends with BYE and a Reason before it expires, where the peer had to refresh it", async () => {
    const events = await dial("90;refresher=uas", "Allow: INVITE");
    await parties.lab.advance(59_000);
    expect(peer.withStart("BYE")).toHaveLength(0);
    await parties.lab.advance(2000);

    expect(headerIn(peer.withStart("BYE")[0] ?? "", "Reason")).toContain("cause=408");
    peer.send(responseTo(peer.withStart("BYE")[0] ?? "", "200 OK"), 1);
    await parties.lab.advance(20);
    expect(events.at(-1)).toMatchObject({
      reason: "sessionExpired",
      endedBy: "network",
      error: { code: "ERR_SESSION_EXPIRED" },
    });
  });

  it("is refreshed by re-INVITE where the peer knows no UPDATE", async () => {
    const events = await dial("90;refresher=uac", "Allow: INVITE, ACK, BYE");
    await parties.lab.advance(46_000);
    const reinvite = peer.withStart("INVITE")[1] ?? "";
    expect(headerIn(reinvite, "Session-Expires")).toBe("90;refresher=uac");
    expect(peer.withStart("UPDATE")).toHaveLength(0);
    const headers = [RAW_CONTACT, SDP_TYPE, "Session-Expires: 90;refresher=uac"];
    peer.send(responseTo(reinvite, "200 OK", { headers, body: "v=0\r\ns=one\r\n" }), 1);
    await parties.lab.advance(20);

    expect(agreed(events)).toEqual(["90 local", "90 local"]);
  });

  it("ends where the peer knows the dialog no more (481)", async () => {
    const events = await dial("90;refresher=uac", "Allow: UPDATE");
    await parties.lab.advance(46_000);
    peer.send(responseTo(peer.withStart("UPDATE")[0] ?? "", "481 Gone"), 1);
    await parties.lab.advance(20);
    peer.send(responseTo(peer.withStart("BYE")[0] ?? "", "481 Gone"), 1);
    await parties.lab.advance(20);

    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "network" });
  });
});
