import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import {
  ANONYMOUS,
  type CallOptions,
  type InboundCall,
  type OutboundCall,
  type SipEndpoint,
} from "../../../src/sip/index.ts";
import { headerValues } from "../../../src/sip-syntax/index.ts";
import { briefly, eventsOf, FakeNegotiator, headerIn, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

const TARGET = "sip:bot@127.0.0.2:5060";
const LOCAL = { address: "127.0.0.2", port: 5060 };

describe("headers and identity", () => {
  let lab: SipLab;
  let caller: SipEndpoint;
  let bot: SipEndpoint;
  let incoming: InboundCall[];

  beforeEach(async () => {
    vi.useFakeTimers();
    lab = new SipLab();
    incoming = [];
    caller = await lab.endpoint(1, "caller", { local: { address: "127.0.0.1", port: 5060 } });
    bot = await lab.endpoint(2, "bot", { local: LOCAL });
    bot.onInvite = (call) => incoming.push(call);
  });

  afterEach(async () => {
    await lab.close();
    vi.useRealTimers();
  });

  async function dial(options: Partial<CallOptions> = {}): Promise<OutboundCall> {
    const call = caller.call(TARGET, { negotiator: new FakeNegotiator(), ...options });
    await lab.advance(50);
    return call;
  }

  function received(start: string, at: SipEndpoint = bot): string {
    const local = `${at.local.address}:${at.local.port}`;
    const trace = lab.traces.find(
      (each) =>
        each.local === local && each.direction === "received" && each.startLine.startsWith(start),
    );
    return present(trace, `${start} arrived`).text;
  }

  function theCall(): InboundCall {
    return present(incoming[0], "the call arrived");
  }

  it("calls as somebody else, for a telephone number, with headers of one's own", async () => {
    const call = await dial({
      identity: {
        from: '"Ann \\"A\\" B" <tel:+15550100>',
        to: "<tel:+15550199>",
        requestUri: "tel:+15550199",
      },
      headers: [
        "P-Asserted-Identity: <tel:+15550100>",
        "Diversion: <sip:x@y>;reason=no-answer",
        "History-Info: <sip:a@b>;index=1, <sip:c@d>;index=1.1",
        "User-to-User: 56a390f3d2b7310023a2;encoding=hex",
      ],
    });
    const invite = received("INVITE");
    expect(invite.split("\r\n")[0]).toBe("INVITE tel:+15550199 SIP/2.0");
    expect(headerIn(invite, "Route")).toBe("<sip:bot@127.0.0.2:5060;lr>");
    expect(headerIn(invite, "From")).toMatch(/^"Ann \\"A\\" B" <tel:\+15550100>;tag=/u);
    expect(headerIn(invite, "To")).toBe("<tel:+15550199>");
    expect(headerValues(invite, "History-Info")).toHaveLength(2);
    expect(headerIn(invite, "User-to-User")).toBe("56a390f3d2b7310023a2;encoding=hex");

    expect(theCall()).toMatchObject({ target: "tel:+15550199", from: "tel:+15550100" });
    const events = eventsOf(theCall());
    theCall().answer(new FakeNegotiator());
    await lab.advance(50);
    void call.hangUp();
    await lab.advance(50);
    expect(briefly(events)).toEqual(["answered 200", "confirmed", "ended remote bye"]);
    // RFC 3261 §12.2.1.1: the dialog's addresses stay those of the INVITE.
    expect(headerIn(received("BYE"), "From")).toContain("<tel:+15550100>;tag=");
    await lab.advance(35_000);
    expect([caller.liveState, bot.liveState]).toEqual([LIVE_NOTHING, LIVE_NOTHING]);
  });

  it("does not say who it is where it shall not", async () => {
    await dial({ identity: { from: ANONYMOUS }, headers: ["Privacy: id"] });
    const invite = received("INVITE");
    expect(headerIn(invite, "From")).toMatch(
      /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/u,
    );
    expect(headerIn(invite, "Privacy")).toBe("id");
  });

  it("adds header lines to 18x, 200 and refusals", async () => {
    await dial();
    theCall().respondWith(["X-Foo: bar", "P-Asserted-Identity: <tel:+15550199>"]);
    theCall().ring();
    theCall().answer(new FakeNegotiator());
    await lab.advance(50);
    expect(headerIn(received("SIP/2.0 180", caller), "X-Foo")).toBe("bar");
    expect(headerIn(received("SIP/2.0 200", caller), "P-Asserted-Identity")).toBe(
      "<tel:+15550199>",
    );

    await dial();
    const second = present(incoming[1], "the second call arrived");
    second.respondWith(["Retry-After: 5"]);
    second.reject(486, "Very Busy");
    await lab.advance(50);
    const refusal = received("SIP/2.0 486", caller);
    expect(refusal).toMatch(/^SIP\/2\.0 486 Very Busy\r\n/u);
    expect(headerIn(refusal, "Retry-After")).toBe("5");
  });

  it("says why it hangs up in BYE, CANCEL and refusal", async () => {
    const reason = 'Reason: Q.850;cause=16;text="Terminated"';
    const call = await dial();
    theCall().answer(new FakeNegotiator());
    await lab.advance(50);
    void call.hangUp([reason]);
    await lab.advance(50);
    expect(headerIn(received("BYE"), "Reason")).toBe('Q.850;cause=16;text="Terminated"');

    const cancelled = await dial();
    incoming[1]?.ring();
    await lab.advance(50);
    void cancelled.hangUp(["Reason: SIP;cause=200"]);
    await lab.advance(50);
    expect(headerIn(received("CANCEL"), "Reason")).toBe("SIP;cause=200");

    await dial();
    void incoming[2]?.hangUp(["Reason: Q.850;cause=31"]);
    await lab.advance(50);
    expect(headerIn(received("SIP/2.0 480", caller), "Reason")).toBe("Q.850;cause=31");
  });

  it("refuses addresses and headers that cannot be, before anything leaves", async () => {
    for (const identity of [
      { from: "Ann" },
      { from: "<sip:a@b>\r\nX-Evil: 1" },
      { to: '"open <sip:a@b>' },
      { requestUri: "mailto:a@b" },
      { requestUri: "" },
    ]) {
      expect(place(caller, { identity })).toThrow(coded("ERR_ADDRESS_MALFORMED"));
    }
    expect(place(caller, { identity: { requestUri: "tel:112" } })).toThrow(
      coded("ERR_NUMBER_REFUSED"),
    );
    expect(lab.traces).toHaveLength(0);
    const call = await dial();
    expect(() => call.hangUp(["Via: x"])).toThrow(coded("ERR_HEADER_RESERVED"));
    expect(() => theCall().respondWith(["Route: <sip:a>"])).toThrow(coded("ERR_HEADER_RESERVED"));
    expect(() => theCall().respondWith(["no colon"])).toThrow(coded("ERR_HEADER_MALFORMED"));
  });
});

function coded(code: string): unknown {
  return expect.objectContaining({ code });
}

function place(caller: SipEndpoint, options: Partial<CallOptions>): () => OutboundCall {
  return () => caller.call(TARGET, { negotiator: new FakeNegotiator(), ...options });
}
