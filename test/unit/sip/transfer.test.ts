import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import { briefly, eventsOf, FakeNegotiator, headerIn, LIVE_NOTHING } from "./sip-lab.ts";
import {
  connect,
  DESK,
  follow,
  openTransferLab,
  type TransferLab,
  transfer,
} from "./transfer-lab.ts";

let world: TransferLab;

beforeEach(async () => {
  vi.useFakeTimers();
  world = await openTransferLab();
});

afterEach(async () => {
  await world.lab.close();
  vi.useRealTimers();
});

/** Texts of the requests with this method that left 192.0.2.`host`. */
function sent(host: number, method: string): string[] {
  return world.lab.traces
    .filter(
      (trace) =>
        trace.local === `192.0.2.${host}:5060` &&
        trace.direction === "sent" &&
        trace.method === method &&
        trace.statusCode === undefined &&
        !trace.retransmission,
    )
    .map(({ text }) => text);
}

describe("a blind transfer", () => {
  it("is told from REFER to the answer of the new call, and leaves the first call up", async () => {
    const { lab, callers, bots, caller, atDesk } = world;
    const { refers, placed } = follow(callers, caller);

    const watched = transfer(bots, { target: DESK });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").ring();
    await lab.advance(2000);
    present(atDesk[0], "the desk was called").answer(new FakeNegotiator());
    await lab.advance(100);

    expect(watched.steps).toEqual(["requested", "accepted 202", "progress 100", "progress 180"]);
    expect(watched.outcome).toMatchObject({ result: "completed", statusCode: 200 });
    expect(refers).toMatchObject([{ target: DESK }]);
    const [refer = ""] = sent(2, "REFER");
    expect(headerIn(refer, "Refer-To")).toBe(`<${DESK}>`);
    expect(headerIn(refer, "Referred-By")).toBe("<sip:bot@192.0.2.2>");
    expect(headerIn(refer, "Contact")).toContain("sip:bot@192.0.2.2");
    expect(atDesk[0]?.header("Referred-By")).toBe("<sip:bot@192.0.2.2>");
    expect(callers.state).toBe("established");

    const ended = eventsOf(callers);
    void bots.hangUp();
    await lab.advance(50);
    expect(briefly(ended)).toContain("ended remote bye");
    expect(placed[0]?.state).toBe("established");
  });

  it("tells in NOTIFYs, one after the other, and ends the subscription with the last", async () => {
    const { lab, callers, bots, caller, atDesk } = world;
    follow(callers, caller);

    transfer(bots, { target: DESK });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").reject(486);
    await lab.advance(100);

    const told = sent(1, "NOTIFY").map((text) => [
      headerIn(text, "Event"),
      headerIn(text, "Subscription-State"),
      headerIn(text, "Content-Type"),
      text.split("\r\n\r\n")[1],
    ]);
    expect(told).toEqual([
      ["refer", "active;expires=180", "message/sipfrag", "SIP/2.0 100 Trying\r\n"],
      ["refer", "terminated;reason=noresource", "message/sipfrag", "SIP/2.0 486 Busy Here\r\n"],
    ]);
  });

  it("fails with the status that the target gave, and the call goes on", async () => {
    const { lab, callers, bots, caller, atDesk } = world;
    follow(callers, caller);

    const watched = transfer(bots, { target: DESK });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").reject(486);
    await lab.advance(100);

    expect(watched.outcome).toMatchObject({ result: "failed", statusCode: 486 });
    expect([callers.state, bots.state]).toEqual(["established", "established"]);
  });

  it("may be asked for by the caller as well", async () => {
    const { lab, callers, bots, bot, atDesk } = world;
    follow(bots, bot);

    const watched = transfer(callers, { target: DESK });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").answer(new FakeNegotiator());
    await lab.advance(100);

    expect(watched.outcome).toMatchObject({ result: "completed" });
  });

  it("is refused by who takes none, with the status that it says", async () => {
    const { lab, callers, bots } = world;

    const unset = transfer(bots, { target: DESK });
    await lab.advance(50);
    callers.onRefer = () => ({ statusCode: 403 });
    const forbidden = transfer(bots, { target: DESK });
    await lab.advance(50);

    expect(unset.outcome).toMatchObject({ result: "refused", statusCode: 603 });
    expect(forbidden.outcome).toMatchObject({ result: "refused", statusCode: 403 });
    expect(unset.steps).toEqual(["requested"]);
    expect(sent(1, "NOTIFY")).toEqual([]);
  });

  it("is answered with 500 where the listener throws", async () => {
    const { lab, callers, bots, caller } = world;
    callers.onRefer = () => {
      throw new Error("a bug of the application");
    };

    const watched = transfer(bots, { target: DESK });
    await lab.advance(50);

    expect(watched.outcome).toMatchObject({ result: "refused", statusCode: 500 });
    expect(caller.counts.exceptions).toBe(1);
  });

  it("can be tried again after one that failed, each with NOTIFYs of its own", async () => {
    const { lab, callers, bots, caller, atDesk } = world;
    follow(callers, caller);

    const first = transfer(bots, { target: DESK });
    await lab.advance(50);
    const second = transfer(bots, { target: DESK });
    await lab.advance(50);
    present(atDesk[1], "the desk was called twice").answer(new FakeNegotiator());
    present(atDesk[0], "the desk was called").reject(480);
    await lab.advance(100);

    expect(first.outcome).toMatchObject({ result: "failed", statusCode: 480 });
    expect(second.outcome).toMatchObject({ result: "completed" });
    const events = sent(1, "NOTIFY").map((text) => headerIn(text, "Event"));
    expect(new Set(events)).toEqual(new Set(["refer", "refer;id=2"]));
  });

  it("gets through a network that loses a third of it", async () => {
    await world.lab.close();
    world = await openTransferLab({ lossRatio: 0.3, jitterMs: 30 });
    const { lab, callers, bots, caller, atDesk } = world;
    follow(callers, caller);

    const watched = transfer(bots, { target: DESK });
    await lab.advance(15_000);
    present(atDesk[0], "the desk was called").answer(new FakeNegotiator());
    await lab.advance(20_000);

    expect(watched.outcome).toMatchObject({ result: "completed", statusCode: 200 });
    expect(atDesk).toHaveLength(1);
  });

  it("is known to have come through, although the BYE overtakes the last NOTIFY", async () => {
    const { lab, callers, bots, caller, atDesk } = world;
    follow(callers, caller);

    const watched = transfer(bots, { target: DESK });
    await lab.advance(50);
    void callers.hangUp();
    await lab.advance(100);
    present(atDesk[0], "the desk was called").answer(new FakeNegotiator());
    await lab.advance(100);

    expect(bots.state).toBe("ended");
    expect(watched.outcome).toMatchObject({ result: "completed", statusCode: 200 });
  });

  it("is not reported where the call ends and no NOTIFY comes any more", async () => {
    const { lab, callers, bots, caller } = world;
    follow(callers, caller);

    const watched = transfer(bots, { target: DESK });
    await lab.advance(50);
    void callers.hangUp();
    await lab.advance(10_000);

    expect(watched.outcome).toMatchObject({ result: "unreported" });
  });

  it("times out by its own limit, and by that of the peer that says nothing", async () => {
    const { lab, callers, bots, caller } = world;
    follow(callers, caller);
    const limited = transfer(bots, { target: DESK, timeoutMs: 1500 });
    await lab.advance(1400);
    expect(limited.outcome).toBeUndefined();
    await lab.advance(200);
    expect(limited.outcome).toMatchObject({ result: "timedOut" });
    expect(bots.state).toBe("established");
  });

  it("times out where the peer is gone", async () => {
    const { lab, bots, caller } = world;
    await Promise.all([caller.close(), lab.advance(2500)]);
    // The BYE of the closing endpoint came through: the call has ended at the other end, too.
    const late = transfer(bots, { target: DESK });
    await lab.advance(10);
    expect(late.error).toMatchObject({ code: "ERR_CALL_STATE" });
  });

  it("is refused before anything is sent where the target is none, or the call is not up", async () => {
    const { lab, bots, bot } = world;

    const nowhere = transfer(bots, { target: "desk" });
    const ringing = transfer(bot.call(DESK, { negotiator: new FakeNegotiator() }), {
      target: DESK,
    });
    await lab.advance(50);

    expect(nowhere.error).toMatchObject({ code: "ERR_TARGET_MALFORMED" });
    expect(ringing.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(sent(2, "REFER")).toEqual([]);
  });
});

describe("an attended transfer", () => {
  it("puts the new call in the place of the one to the target", async () => {
    const { lab, callers, bots, caller, bot, desk, atDesk } = world;
    const consultation = await connect(lab, bot, desk);
    const { placed } = follow(callers, caller);
    const ended = eventsOf(consultation.ours);

    const watched = transfer(bots, {
      target: present(consultation.ours.remoteTarget, "it is answered"),
      replaces: present(consultation.ours.dialog, "it is answered"),
    });
    await lab.advance(50);
    const replacing = present(atDesk[0], "the desk was called");
    expect(replacing.replacedCallId).toBe(consultation.theirs.callId);
    replacing.answer(new FakeNegotiator());
    await lab.advance(100);

    expect(watched.outcome).toMatchObject({ result: "completed", statusCode: 200 });
    expect(briefly(ended)).toContain("ended remote bye");
    expect(placed[0]?.state).toBe("established");
    expect(consultation.theirs.state).toBe("ended");
  });

  it("leaves the call to the target alone where the target refuses the new one", async () => {
    const { lab, callers, bots, caller, bot, desk, atDesk } = world;
    const consultation = await connect(lab, bot, desk);
    follow(callers, caller);

    const watched = transfer(bots, {
      target: present(consultation.ours.remoteTarget, "it is answered"),
      replaces: present(consultation.ours.dialog, "it is answered"),
    });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").reject(603);
    await lab.advance(100);

    expect(watched.outcome).toMatchObject({ result: "failed", statusCode: 603 });
    expect(consultation.theirs.state).toBe("established");
  });

  it("leaves nothing behind", async () => {
    const { lab, callers, bots, caller, bot, desk, atDesk } = world;
    const consultation = await connect(lab, bot, desk);
    const { placed } = follow(callers, caller);

    transfer(bots, {
      target: DESK,
      replaces: present(consultation.ours.dialog, "it is answered"),
    });
    await lab.advance(50);
    present(atDesk[0], "the desk was called").answer(new FakeNegotiator());
    await lab.advance(100);
    void bots.hangUp();
    void placed[0]?.hangUp();
    await lab.advance(35_000);

    for (const endpoint of [caller, bot, desk]) expect(endpoint.liveState).toEqual(LIVE_NOTHING);
  });
});
