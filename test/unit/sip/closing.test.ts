import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall } from "../../../src/sip/index.ts";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  rawRequest,
  SDP_TYPE,
  SipLab,
} from "./sip-lab.ts";

let lab: SipLab;

beforeEach(() => {
  vi.useFakeTimers();
  lab = new SipLab();
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

describe("closing an endpoint", () => {
  it("ends every call in the way that fits it", async () => {
    const caller = await lab.endpoint(1, "caller");
    const bot = await lab.endpoint(2, "bot");
    const incoming: InboundCall[] = [];
    bot.onInvite = (call) => incoming.push(call);
    const target = "sip:bot@192.0.2.2";
    const up = eventsOf(caller.call(target, { negotiator: new FakeNegotiator() }));
    const ringing = eventsOf(caller.call(target, { negotiator: new FakeNegotiator() }));
    await lab.advance(20);
    incoming[0]?.answer(new FakeNegotiator());
    const remoteUp = eventsOf(present(incoming[0], "it arrived"));
    const remoteRinging = eventsOf(present(incoming[1], "it arrived"));
    await lab.advance(20);

    const closed = caller.close();
    await lab.advance(50);
    await closed;

    expect(briefly(up).at(-1)).toBe("ended local shutdown");
    expect(briefly(ringing).at(-1)).toBe("ended local shutdown 487");
    expect(briefly(remoteUp).at(-1)).toBe("ended remote bye");
    expect(briefly(remoteRinging).at(-1)).toBe("ended remote cancel 487");
    expect(caller.liveState).toEqual(LIVE_NOTHING);
  });

  it("refuses calls that were not answered", async () => {
    const caller = await lab.endpoint(1, "caller");
    const bot = await lab.endpoint(2, "bot");
    bot.onInvite = () => {};
    const events = eventsOf(caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() }));
    await lab.advance(20);

    const closed = bot.close();
    await lab.advance(20);
    await closed;

    expect(briefly(events)).toEqual(["trying 100", "ended remote rejected 480"]);
  });

  it("takes two seconds at most where peers are silent, and sets no timer afterwards", async () => {
    const bot = await lab.endpoint(2, "bot");
    const peer = await lab.peer(9);
    bot.onInvite = (call) => call.answer(new FakeNegotiator());
    peer.send(rawRequest("INVITE", { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP }), 2);
    const silent = eventsOf(bot.call("sip:x@192.0.2.99", { negotiator: new FakeNegotiator() }));
    const failure = bot.queryOptions("sip:x@192.0.2.99", 60_000).catch((error: unknown) => error);
    await lab.advance(100);

    let isClosed = false;
    const closed = bot.close().finally(() => {
      isClosed = true;
    });
    await lab.advance(1900);
    expect(isClosed).toBe(false);
    await lab.advance(150);
    await closed;
    expect(await failure).toMatchObject({ code: "ERR_ENDPOINT_CLOSED" });

    expect(briefly(silent)).toEqual(["ended local shutdown"]);
    // Not acknowledged, but told nevertheless.
    expect(peer.withStart("BYE")).toHaveLength(1);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
    await lab.advance(10);
    expect(vi.getTimerCount()).toBe(0);
    expect(bot.close()).toBe(bot.close());
  });
});

describe("opening an endpoint", () => {
  it("refuses addresses and names that peers could not use", async () => {
    await expect(
      lab.endpoint(1, "bot", { local: { address: "0.0.0.0", port: 5060 } }),
    ).rejects.toMatchObject({ code: "ERR_ADDRESS_UNSPECIFIED" });
    for (const user of ["", "a b", "a@b", "a:b"]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(lab.endpoint(1, user)).rejects.toMatchObject({
        code: "ERR_SIP_USER_MALFORMED",
      });
    }
  });

  it("shows its display name to those whom it calls", async () => {
    const bot = await lab.endpoint(2, "bot", { displayName: 'The "Bot"' });
    const peer = await lab.peer(9);
    bot.call("sip:x@192.0.2.9", { negotiator: new FakeNegotiator() });
    await lab.advance(20);

    expect(peer.received[0]?.text).toMatch(/^From: "The \\"Bot\\"" <sip:bot@192\.0\.2\.2>;tag=/m);
    expect(bot.uri).toBe("sip:bot@192.0.2.2:5060");
  });
});
