import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, instant } from "../environment/index.ts";
import { ManualClock } from "../testing/index.ts";
import { peekMessage } from "./message-peek.ts";
import { RetransmissionEngine } from "./retransmission.ts";

const TO = { address: "192.0.2.1", port: 5060 };

function message(startLine: string, method: string, branch = "z9hG4bK1") {
  const text = [
    startLine,
    `Via: SIP/2.0/UDP 192.0.2.9:5060;branch=${branch};rport`,
    "Call-ID: c",
    `CSeq: 7 ${method}`,
    "",
    "",
  ].join("\r\n");
  return { peek: peekMessage(text), text, to: TO };
}

const request = (method: string, branch?: string) =>
  message(`${method} sip:x@y SIP/2.0`, method, branch);
const response = (status: number, method: string, branch?: string) =>
  message(`SIP/2.0 ${status} Whatever`, method, branch);

/** An engine with its pump under a manual clock; notes when something is repeated. */
function pumped() {
  const clock = new ManualClock(instant(0));
  const engine = new RetransmissionEngine();
  const repeated: { at: number; startLine: string }[] = [];
  const advance = (ms: number): void => {
    const until = after(clock.now(), ms);
    for (;;) {
      const due = engine.nextTimeout;
      if (due === undefined || due > until) break;
      clock.advanceTo(due);
      engine.handleTimeout(clock.now());
      for (let out = engine.takeOutput(); out !== undefined; out = engine.takeOutput()) {
        repeated.push({ at: clock.now(), startLine: out.peek.startLine });
      }
    }
    clock.advanceTo(until);
  };
  const instants = (): number[] => repeated.map((each) => each.at);
  return { clock, engine, repeated, advance, instants };
}

describe("RetransmissionEngine", () => {
  it("doubles the interval of an INVITE until 64·T1 (timer A)", () => {
    const { engine, advance, instants } = pumped();
    expect(engine.arm(request("INVITE"), instant(0))).toBe(true);

    advance(60_000);

    expect(instants()).toEqual([500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(engine.size).toBe(0);
  });

  it("stops doubling at T2 for other requests (timer E)", () => {
    const { engine, advance, instants } = pumped();
    engine.arm(request("BYE"), instant(0));

    advance(60_000);

    expect(instants()).toEqual([
      500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
  });

  it("ends with any response to INVITE, but only a final one to other requests", () => {
    const { engine, advance, instants } = pumped();
    engine.arm(request("INVITE"), instant(0));
    engine.handleReceived(response(100, "INVITE").peek, instant(10));
    expect(engine.size).toBe(0);

    engine.arm(request("OPTIONS", "z9hG4bK2"), instant(0));
    advance(600);
    engine.handleReceived(response(100, "OPTIONS", "z9hG4bK2").peek, instant(600));
    advance(9000);
    // RFC 3261 §17.1.2.2: each T2 in Proceeding.
    expect(instants()).toEqual([500, 4600, 8600]);
    engine.handleReceived(response(200, "OPTIONS", "z9hG4bK2").peek, instant(9600));
    expect(engine.nextTimeout).toBeUndefined();
  });

  it("repeats a rejection of INVITE until its ACK (timer G)", () => {
    const { engine, advance, instants } = pumped();
    engine.arm(response(486, "INVITE"), instant(0));
    advance(8000);
    expect(instants()).toEqual([500, 1500, 3500, 7500]);

    engine.handleReceived(request("ACK", "z9hG4bKother").peek, instant(8000));
    expect(engine.size).toBe(1);
    engine.handleReceived(request("ACK").peek, instant(8000));

    expect(engine.size).toBe(0);
  });

  it("leaves alone what sip.js repeats, or nobody has to", () => {
    const { engine } = pumped();
    for (const each of [
      request("ACK"),
      response(100, "INVITE"),
      response(180, "INVITE"),
      response(200, "INVITE"),
      response(200, "BYE"),
      response(404, "OPTIONS"),
    ]) {
      expect(engine.arm(each, instant(0))).toBe(false);
    }
    expect(engine.size).toBe(0);
  });

  it("keeps INVITE and CANCEL of one branch apart", () => {
    const { engine } = pumped();
    engine.arm(request("INVITE"), instant(0));
    engine.arm(request("CANCEL"), instant(0));

    engine.handleReceived(response(200, "CANCEL").peek, instant(10));
    expect(engine.size).toBe(1);
    engine.disarm("z9hG4bK1");
    expect(engine.size).toBe(0);
  });

  it("does not begin again where the same response is sent again", () => {
    const { engine, advance, instants } = pumped();
    engine.arm(response(486, "INVITE"), instant(0));
    advance(400);
    expect(engine.arm(response(486, "INVITE"), instant(400))).toBe(false);
    advance(200);
    expect(instants()).toEqual([500]);
  });

  it("gives up the requests to one destination", () => {
    const { engine } = pumped();
    engine.arm(request("INVITE"), instant(0));
    engine.arm(response(486, "INVITE", "z9hG4bK5"), instant(0));
    engine.arm({ ...request("BYE", "z9hG4bK6"), to: { ...TO, port: 9 } }, instant(0));

    expect(engine.takeRequestsTo(TO).map((each) => each.peek.method)).toEqual(["INVITE"]);
    expect(engine.size).toBe(2);
    engine.clear();
    expect(engine.size).toBe(0);
  });

  it("never repeats after 64·T1, nor more often than each T1 (property)", () => {
    const arming = fc.record({
      at: fc.nat({ max: 20_000 }),
      method: fc.constantFrom("INVITE", "BYE", "OPTIONS", "486"),
    });
    fc.assert(
      fc.property(fc.array(arming, { minLength: 1, maxLength: 20 }), (armings) => {
        const { engine, advance, repeated, clock } = pumped();
        const armedAt = new Map<string, number>();
        for (const [index, { at, method }] of armings
          .toSorted((left, right) => left.at - right.at)
          .entries()) {
          advance(Math.max(0, at - clock.now()));
          const startLine =
            method === "486" ? `SIP/2.0 486 ${index}` : `${method} sip:${index} SIP/2.0`;
          const branch = `z9hG4bK${index}`;
          engine.arm(message(startLine, method === "486" ? "INVITE" : method, branch), clock.now());
          armedAt.set(startLine, clock.now());
        }
        advance(80_000);
        expect(engine.size).toBe(0);
        for (const [startLine, at] of armedAt) {
          const times = [
            at,
            ...repeated.filter((each) => each.startLine === startLine).map((each) => each.at),
          ];
          expect(times.length).toBeGreaterThan(6);
          expect((times.at(-1) ?? 0) - at).toBeLessThan(32_000);
          for (let index = 1; index < times.length; index += 1) {
            expect((times[index] ?? 0) - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(500);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
