import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, SipCallEvent, SipEndpoint } from "../../../src/sip/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  headerIn,
  type RawPeer,
  responseTo,
  SipLab,
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

async function dial(redirects?: "report" | "follow"): Promise<SipCallEvent[]> {
  const settings = redirects === undefined ? {} : { redirects };
  const call = caller.call("sip:bot@192.0.2.9", { negotiator: new FakeNegotiator(), settings });
  const events = eventsOf(call);
  await lab.advance(20);
  return events;
}

/** Answers the newest INVITE. */
async function answer(status: string, contacts: readonly string[] = []): Promise<void> {
  const headers = contacts.map((contact) => `Contact: ${contact}`);
  peer.send(responseTo(targets.at(-1) ?? "", status, { toTag: "x", headers }), 1);
  await lab.advance(20);
}

let targets: string[];

beforeEach(() => {
  targets = [];
  peer.onMessage = (text) => {
    if (text.startsWith("INVITE ")) targets.push(text);
  };
});

function users(): string[] {
  return targets.map((text) => /^INVITE sip:([^@]*)@/.exec(text)?.[1] ?? "");
}

describe("a redirection", () => {
  it("is reported where nothing else is said", async () => {
    const events = await dial();
    await answer("302 Moved Temporarily", ["<sip:other@192.0.2.9>"]);

    expect(briefly(events)).toEqual(["ended remote rejected 302"]);
    expect(users()).toEqual(["bot"]);
  });

  it("is followed by q-value, in the same Call-ID with a higher CSeq", async () => {
    const events = await dial("follow");
    await answer("300 Multiple Choices", [
      "<sip:low@192.0.2.9>;q=0.2, <sip:high@192.0.2.9>;q=0.9",
      "<sip:middle@192.0.2.9>;q=0.5",
    ]);
    await answer("486 Busy Here");
    await answer("404 Not Found");

    expect(users()).toEqual(["bot", "high", "middle", "low"]);
    expect(new Set(targets.map((text) => headerIn(text, "Call-ID"))).size).toBe(1);
    expect(new Set(targets.map((text) => headerIn(text, "To"))).size).toBe(1);
    expect(targets.map((text) => headerIn(text, "CSeq"))).toEqual([
      "1 INVITE",
      "2 INVITE",
      "3 INVITE",
      "4 INVITE",
    ]);
    await answer("480 Temporarily Unavailable");
    expect(briefly(events).at(-1)).toBe("ended remote rejected 480");
  });

  it("that goes in a circle ends, and so does one that never ends", async () => {
    const events = await dial("follow");
    await answer("302 Moved Temporarily", ["<sip:other@192.0.2.9>"]);
    await answer("302 Moved Temporarily", ["<sip:bot@192.0.2.9>"]);
    expect(briefly(events).at(-1)).toBe("ended remote rejected 302");

    const endless = await dial("follow");
    for (let hop = 0; hop < 9; hop += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await answer("302 Moved Temporarily", [`<sip:hop${hop}@192.0.2.9>`]);
    }
    expect(briefly(endless).at(-1)).toBe("ended remote rejected 302");
    expect(users().filter((user) => user.startsWith("hop"))).toHaveLength(5);
  });

  it("leaves out what cannot be called, and ends at a 6xx", async () => {
    const events = await dial("follow");
    await answer("302 Moved Temporarily", [
      "<tel:+4930123456>, <sip:one@192.0.2.9>;q=0.8, <sip:two@192.0.2.9>;q=0.1",
    ]);
    await answer("603 Decline");

    expect(users()).toEqual(["bot", "one"]);
    expect(briefly(events).at(-1)).toBe("ended remote rejected 603");
  });

  it("is not followed where the safety policy forbids it, and says so", async () => {
    const events = await dial("follow");
    await answer("302 Moved Temporarily", ["<sip:112@192.0.2.9>"]);

    expect(users()).toEqual(["bot"]);
    expect(events.at(-1)).toMatchObject({
      statusCode: 302,
      error: { code: "ERR_NUMBER_REFUSED" },
    });
  });

  it("is made by us, with Contacts in their order", async () => {
    const incoming: InboundCall[] = [];
    const bot = await lab.endpoint(2, "bot");
    bot.onInvite = (call) => incoming.push(call);
    const negotiator = new FakeNegotiator();
    const call = caller.call("sip:bot@192.0.2.2", {
      negotiator,
      settings: { redirects: "follow" },
    });
    const events = eventsOf(call);
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    inbound.redirect([
      { uri: "sip:second@192.0.2.9", preference: 0.5 },
      { uri: "sip:first@192.0.2.9", preference: 1 },
    ]);
    await lab.advance(20);

    expect(users()).toEqual(["first"]);
    expect(briefly(events)).toContain("redirected 302");
    expect(inbound.state).toBe("ended");
  });
});
