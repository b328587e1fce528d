import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  FAULTS,
  type InboundCall,
  type InjectedFault,
  type MessageAlteration,
  type MessageFault,
  type OutboundCall,
  type SipCallEvent,
  type SipEndpoint,
} from "../../../src/sip/index.ts";
import { briefly, eventsOf, FakeNegotiator, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

const TARGET = "sip:bot@192.0.2.2:5060";

describe("faults that a scenario asks for", () => {
  let lab: SipLab;
  let caller: SipEndpoint;
  let bot: SipEndpoint;
  let incoming: InboundCall[];
  let botEvents: SipCallEvent[];
  let injected: InjectedFault[];

  beforeEach(async () => {
    vi.useFakeTimers();
    lab = new SipLab();
    incoming = [];
    injected = [];
    const onInjected = (_callId: string, fault: InjectedFault): void => {
      injected.push(fault);
    };
    caller = await lab.endpoint(1, "caller", { onInjected });
    bot = await lab.endpoint(2, "bot", { onInjected });
    bot.onInvite = (call) => {
      incoming.push(call);
      botEvents = eventsOf(call);
      call.ring();
      call.answer(new FakeNegotiator());
    };
  });

  afterEach(async () => {
    await lab.close();
    vi.useRealTimers();
  });

  function dial(...faults: readonly MessageFault[]): {
    readonly call: OutboundCall;
    readonly events: SipCallEvent[];
  } {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator(), faults });
    return { call, events: eventsOf(call) };
  }

  async function expectNothingLeft(): Promise<void> {
    await lab.advance(35_000);
    expect(caller.liveState).toEqual(LIVE_NOTHING);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  }

  function effects(): string[] {
    return injected.map(({ name, effect }) => `${name} ${effect}`);
  }

  it("no ACK: the bot repeats its 200 for 32 s, then ends the call with BYE", async () => {
    const { events } = dial(FAULTS.noAck());
    await lab.advance(33_000);

    expect(lab.flow(2).filter((step) => step === "> 200 INVITE (again)").length).toBeGreaterThan(5);
    expect(lab.flow(2)).not.toContain("< ACK");
    expect(botEvents.at(-1)).toMatchObject({
      type: "ended",
      endedBy: "network",
      error: { code: "ERR_SIP_ACK_MISSING" },
    });
    expect(briefly(events).at(-1)).toBe("ended remote bye");
    expect(new Set(effects())).toEqual(new Set(["no ACK dropped"]));
    await expectNothingLeft();
  });

  it("late ACK: the bot repeats its 200 until it comes, and the call is up", async () => {
    const { call } = dial(FAULTS.lateAck(1200));
    await lab.advance(1000);
    expect(briefly(botEvents)).not.toContain("confirmed");
    expect(lab.flow(2)).toContain("> 200 INVITE (again)");
    await lab.advance(1000);
    expect(briefly(botEvents)).toContain("confirmed");

    void call.hangUp();
    await expectNothingLeft();
  });

  it("lost BYE: it is repeated until one comes", async () => {
    const { call, events } = dial(FAULTS.lostBye(2));
    await lab.advance(100);
    void call.hangUp();
    await lab.advance(400);
    expect(briefly(botEvents)).not.toContain("ended remote bye");
    await lab.advance(1200);

    expect(briefly(botEvents).at(-1)).toBe("ended remote bye");
    expect(briefly(events).at(-1)).toBe("ended local bye");
    expect(effects()).toEqual(["lost BYE dropped", "lost BYE dropped"]);
    await expectNothingLeft();
  });

  it("every BYE lost: the call ends here after 32 s, and only then the peer is told", async () => {
    const { call, events } = dial(FAULTS.lostBye());
    await lab.advance(100);
    void call.hangUp();
    await lab.advance(31_000);
    expect(briefly(botEvents).at(-1)).toBe("confirmed");
    await lab.advance(2000);

    expect(briefly(events).at(-1)).toBe("ended local bye");
    expect(briefly(botEvents).at(-1)).toBe("ended remote bye");
    expect(effects().at(-1)).toBe("end of the call released");
    await expectNothingLeft();
  });

  it("a BYE that was kept from the peer leaves when the endpoint is closed", async () => {
    const { call } = dial(FAULTS.lostBye());
    await lab.advance(100);
    void call.hangUp();
    await lab.advance(700);
    void caller.close();
    await lab.advance(100);

    expect(briefly(botEvents).at(-1)).toBe("ended remote bye");
  });

  it("duplicated INVITE: there is one call", async () => {
    const { call } = dial(FAULTS.duplicatedInvite(4));
    await lab.advance(500);

    expect(incoming).toHaveLength(1);
    expect(lab.flow(2).filter((step) => step.startsWith("< INVITE"))).toHaveLength(5);
    expect(briefly(botEvents)).toContain("confirmed");
    void call.hangUp();
    await expectNothingLeft();
  });

  it("delayed 200: the caller waits, and the call comes up", async () => {
    bot.inboundFaults = [FAULTS.delayedAnswer(3000)];
    const { call, events } = dial();
    await lab.advance(2900);
    expect(briefly(events)).toEqual(["trying 100", "ringing 180"]);
    await lab.advance(200);

    expect(briefly(events)).toContain("answered 200");
    void call.hangUp();
    await expectNothingLeft();
  });

  it("answer without SDP: the caller acknowledges it and hangs up", async () => {
    bot.inboundFaults = [FAULTS.answerWithoutDescription()];
    const { events } = dial();
    await lab.advance(500);

    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "local", reason: "error" });
    expect(briefly(botEvents).at(-1)).toBe("ended remote bye");
    await expectNothingLeft();
  });

  it("slow peer: the caller repeats its INVITE, and there is one call", async () => {
    bot.inboundFaults = [FAULTS.slowResponses(1200)];
    const { call } = dial();
    await lab.advance(3000);

    expect(lab.flow(1)).toContain("> INVITE (again)");
    expect(incoming).toHaveLength(1);
    expect(briefly(botEvents)).toContain("confirmed");
    void call.hangUp();
    await expectNothingLeft();
  });

  it("retransmission storm from both sides: one call, which ends cleanly", async () => {
    bot.inboundFaults = FAULTS.storm(20);
    const { call, events } = dial(...FAULTS.storm(20));
    await lab.advance(500);
    void call.hangUp();
    await lab.advance(500);

    expect(incoming).toHaveLength(1);
    expect(briefly(events).at(-1)).toBe("ended local bye");
    expect(briefly(botEvents).at(-1)).toBe("ended remote bye");
    await expectNothingLeft();
    expect([caller.counts.exceptions, bot.counts.exceptions]).toEqual([0, 0]);
  });

  const MALFORMED: readonly (readonly [MessageAlteration, string])[] = [
    ["without Call-ID", "ended network noAnswer 408"],
    ["without From", "ended network noAnswer 408"],
    ["bad CSeq", "ended network noAnswer 408"],
    ["other version", "ended remote rejected 505"],
    ["without Via", "ended network noAnswer 408"],
    ["cut short", "ended remote rejected 400"],
    ["garbage", "ended network noAnswer 408"],
  ];
  for (const [alteration, end] of MALFORMED) {
    it(`malformed INVITE (${alteration}): no call, and the caller hears ${end}`, async () => {
      const { events } = dial(FAULTS.malformed("INVITE", alteration));
      await lab.advance(35_000);

      expect(incoming).toHaveLength(0);
      expect(briefly(events).at(-1)).toBe(end);
      expect(bot.counts.malformed).toBeGreaterThan(0);
      await expectNothingLeft();
    });
  }

  it("malformed 200: the caller never hears of the answer, and nobody is left in a call", async () => {
    bot.inboundFaults = [FAULTS.malformed(200, "without Call-ID")];
    dial();
    await lab.advance(70_000);

    expect(caller.counts.malformed).toBeGreaterThan(0);
    expect(botEvents.at(-1)).toMatchObject({ error: { code: "ERR_SIP_ACK_MISSING" } });
    await lab.close();
    expect(caller.liveState.calls + bot.liveState.calls).toBe(0);
  });

  it("holds nothing back once the endpoint is closed", async () => {
    bot.inboundFaults = [FAULTS.slowResponses(60_000)];
    dial();
    await lab.advance(100);
    await lab.close();
    const before = lab.traces.length;
    await lab.advance(90_000);

    expect(lab.traces).toHaveLength(before);
  });

  it("drops what arrives, too, and shows that it came", async () => {
    const lostOk: MessageFault = {
      name: "deaf",
      direction: "received",
      method: "INVITE",
      status: 200,
      times: 1,
      effect: { kind: "drop" },
    };
    const { call, events } = dial(lostOk);
    await lab.advance(100);
    expect(lab.flow(1)).toContain("< 200 INVITE");
    expect(briefly(events)).not.toContain("answered 200");
    await lab.advance(500);
    expect(briefly(events)).toContain("answered 200");
    void call.hangUp();
    await expectNothingLeft();
  });

  it("leaves a call alone that began before, its re-INVITE too", async () => {
    const { call } = dial();
    await lab.advance(100);
    bot.inboundFaults = [FAULTS.delayedAnswer(3000)];
    const renegotiated = call.renegotiate();
    await lab.advance(200);
    await renegotiated;

    expect(injected).toEqual([]);
    void call.hangUp();
    await expectNothingLeft();
  });

  it("counts what is held back as live", async () => {
    bot.inboundFaults = [FAULTS.slowResponses(20_000)];
    dial();
    await lab.advance(100);

    expect(bot.liveState.retransmissions).toBe(3);
  });

  it("refuses faults without measure", () => {
    for (const make of [
      () => FAULTS.lateAck(0),
      () => FAULTS.delayedAnswer(1e9),
      () => FAULTS.lostBye(0),
      () => FAULTS.storm(1e6),
      () => FAULTS.duplicatedInvite(1.5),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: "ERR_FAULT_LIMIT" }));
    }
  });
});
