import { describe, expect, it } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import { FakeNegotiator, LIVE_NOTHING } from "./sip-lab.ts";
import { outcomeOf, useTwoParties } from "./two-parties.ts";

const parties = useTwoParties();

describe("re-INVITE of ours", () => {
  it("offers anew from either end, and takes the answer", async () => {
    const { outbound, inbound, callers, bots } = await parties.connected();

    const first = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);
    const second = outcomeOf(inbound.renegotiate());
    await parties.lab.advance(50);

    expect([first, second]).toEqual([{ isDone: true }, { isDone: true }]);
    expect(callers.steps).toEqual([
      "createOffer",
      "acceptAnswer answer-to-offer-2",
      "acceptOffer offer-1",
    ]);
    expect(bots.steps).toEqual([
      "acceptOffer offer-2",
      "createOffer",
      "acceptAnswer answer-to-offer-1",
    ]);
    expect(outbound.state).toBe("established");
  });

  it("changes nothing where the peer refuses, and says with what", async () => {
    const { outbound, callers, bots } = await parties.connected();
    bots.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");

    const outcome = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);

    expect(outcome.error).toMatchObject({
      code: "ERR_REINVITE_REFUSED",
      context: { statusCode: 488 },
    });
    expect(callers.steps).toEqual(["createOffer", "withdrawOffer"]);
    expect(outbound.state).toBe("established");
  });

  it("tells why the peer's answer cannot be used, and leaves the call up", async () => {
    const { outbound, callers } = await parties.connected();
    callers.refuseWith = new RemoteError("ERR_SDP_MALFORMED", "It cannot be read.");

    const outcome = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);

    expect(outcome.error).toMatchObject({ code: "ERR_SDP_MALFORMED" });
    expect(callers.steps.at(-1)).toBe("withdrawOffer");
    expect(outbound.state).toBe("established");
  });

  it("gets through when both ends begin at once (RFC 3261 §14.1)", async () => {
    const { outbound, inbound, callers, bots } = await parties.connected();

    const outcomes = [outcomeOf(outbound.renegotiate()), outcomeOf(inbound.renegotiate())];
    await parties.lab.advance(30_000);

    expect(outcomes).toEqual([{ isDone: true }, { isDone: true }]);
    expect(callers.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(bots.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(parties.lab.flow(1).join(" ")).toContain("491");
  });

  it("gets through a network that loses a third of it", async () => {
    await parties.lab.close();
    await parties.open({ lossRatio: 0.3, jitterMs: 30 });
    const callers = new FakeNegotiator();
    const outbound = parties.caller.call("sip:bot@192.0.2.2", { negotiator: callers });
    await parties.lab.advance(10_000);
    present(parties.incoming[0], "the INVITE arrived").answer(new FakeNegotiator());
    await parties.lab.advance(10_000);

    for (let change = 0; change < 5; change += 1) {
      const outcome = outcomeOf(outbound.renegotiate());
      // oxlint-disable-next-line no-await-in-loop -- one change after the other.
      await parties.lab.advance(20_000);
      expect(outcome).toEqual({ isDone: true });
    }
    expect(outbound.state).toBe("established");
  });

  it("refuses a second change while one is under way, and one without a call", async () => {
    const { outbound } = await parties.connected();

    const first = outcomeOf(outbound.renegotiate());
    const second = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(50);
    void outbound.hangUp();
    await parties.lab.advance(50);
    const third = outcomeOf(outbound.renegotiate());
    await parties.lab.advance(10);

    expect(first).toEqual({ isDone: true });
    expect(second.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(third.error).toMatchObject({ code: "ERR_CALL_STATE" });
  });

  it("does not keep anybody waiting when the call ends, and leaves nothing behind", async () => {
    const { outbound, inbound } = await parties.connected();

    const outcome = outcomeOf(outbound.renegotiate());
    void inbound.hangUp();
    await parties.lab.advance(100_000);

    expect(outcome.isDone).toBe(true);
    expect(parties.caller.liveState).toEqual(LIVE_NOTHING);
    expect(parties.bot.liveState).toEqual(LIVE_NOTHING);
  });
});
