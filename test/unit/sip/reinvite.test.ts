import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present, RemoteError } from "../../../src/environment/index.ts";
import type { InboundCall, OutboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import { FakeNegotiator, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

let lab: SipLab;
let caller: SipEndpoint;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
  caller = await lab.endpoint(1, "caller");
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

interface Connected {
  readonly outbound: OutboundCall;
  readonly inbound: InboundCall;
  readonly callers: FakeNegotiator;
  readonly bots: FakeNegotiator;
}

async function connected(): Promise<Connected> {
  const callers = new FakeNegotiator();
  const bots = new FakeNegotiator();
  const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: callers });
  await lab.advance(20);
  const inbound = present(incoming[0], "the INVITE arrived");
  inbound.answer(bots);
  await lab.advance(20);
  callers.steps.length = 0;
  bots.steps.length = 0;
  return { outbound, inbound, callers, bots };
}

/** What a promise came to, for promises that fake time settles. */
function outcomeOf(promise: Promise<void>): { isDone: boolean; error?: unknown } {
  const outcome: { isDone: boolean; error?: unknown } = { isDone: false };
  void (async () => {
    try {
      await promise;
    } catch (error) {
      outcome.error = error;
    }
    outcome.isDone = true;
  })();
  return outcome;
}

describe("re-INVITE of ours", () => {
  it("offers anew from either end, and takes the answer", async () => {
    const { outbound, inbound, callers, bots } = await connected();

    const first = outcomeOf(outbound.renegotiate());
    await lab.advance(50);
    const second = outcomeOf(inbound.renegotiate());
    await lab.advance(50);

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
    const { outbound, callers, bots } = await connected();
    bots.refuseWith = new RemoteError("ERR_SDP_NO_COMMON_CODEC", "No codec in common.");

    const outcome = outcomeOf(outbound.renegotiate());
    await lab.advance(50);

    expect(outcome.error).toMatchObject({
      code: "ERR_REINVITE_REFUSED",
      context: { statusCode: 488 },
    });
    expect(callers.steps).toEqual(["createOffer", "withdrawOffer"]);
    expect(outbound.state).toBe("established");
  });

  it("tells why the peer's answer cannot be used, and leaves the call up", async () => {
    const { outbound, callers } = await connected();
    callers.refuseWith = new RemoteError("ERR_SDP_MALFORMED", "It cannot be read.");

    const outcome = outcomeOf(outbound.renegotiate());
    await lab.advance(50);

    expect(outcome.error).toMatchObject({ code: "ERR_SDP_MALFORMED" });
    expect(callers.steps.at(-1)).toBe("withdrawOffer");
    expect(outbound.state).toBe("established");
  });

  it("gets through when both ends begin at once (RFC 3261 §14.1)", async () => {
    const { outbound, inbound, callers, bots } = await connected();

    const outcomes = [outcomeOf(outbound.renegotiate()), outcomeOf(inbound.renegotiate())];
    await lab.advance(30_000);

    expect(outcomes).toEqual([{ isDone: true }, { isDone: true }]);
    expect(callers.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(bots.steps.filter((step) => step.startsWith("acceptAnswer"))).toHaveLength(1);
    expect(lab.flow(1).join(" ")).toContain("491");
  });

  it("gets through a network that loses a third of it", async () => {
    await lab.close();
    lab = new SipLab({ lossRatio: 0.3, jitterMs: 30 });
    bot = await lab.endpoint(2, "bot");
    bot.onInvite = (call) => incoming.push(call);
    caller = await lab.endpoint(1, "caller");
    const callers = new FakeNegotiator();
    const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: callers });
    await lab.advance(10_000);
    present(incoming[0], "the INVITE arrived").answer(new FakeNegotiator());
    await lab.advance(10_000);

    for (let change = 0; change < 5; change += 1) {
      const outcome = outcomeOf(outbound.renegotiate());
      // oxlint-disable-next-line no-await-in-loop -- one change after the other.
      await lab.advance(20_000);
      expect(outcome).toEqual({ isDone: true });
    }
    expect(outbound.state).toBe("established");
  });

  it("refuses a second change while one is under way, and one without a call", async () => {
    const { outbound } = await connected();

    const first = outcomeOf(outbound.renegotiate());
    const second = outcomeOf(outbound.renegotiate());
    await lab.advance(50);
    void outbound.hangUp();
    await lab.advance(50);
    const third = outcomeOf(outbound.renegotiate());
    await lab.advance(10);

    expect(first).toEqual({ isDone: true });
    expect(second.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(third.error).toMatchObject({ code: "ERR_CALL_STATE" });
  });

  it("does not keep anybody waiting when the call ends, and leaves nothing behind", async () => {
    const { outbound, inbound } = await connected();

    const outcome = outcomeOf(outbound.renegotiate());
    void inbound.hangUp();
    await lab.advance(100_000);

    expect(outcome.isDone).toBe(true);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});
