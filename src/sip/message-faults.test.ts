import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { type FaultEffect, type MessageFault, MessageFaultEngine } from "./message-faults.ts";
import { peekMessage } from "./message-peek.ts";

const CALL_ID = "call-1";

function textOf(method: string, statusCode: number | undefined): string {
  const start =
    statusCode === undefined ? `${method} sip:a@b SIP/2.0` : `SIP/2.0 ${statusCode} Phrase`;
  return `${start}\r\nCall-ID: ${CALL_ID}\r\nCSeq: 1 ${method}\r\n\r\n`;
}

const METHOD = fc.constantFrom("INVITE", "ACK", "BYE", "CANCEL", "INFO");
const STATUS = fc.option(fc.constantFrom(100, 180, 200, 486), { nil: undefined });
const DIRECTION = fc.constantFrom("sent" as const, "received" as const);
const EFFECT: fc.Arbitrary<FaultEffect> = fc.oneof(
  fc.constant({ kind: "drop" as const }),
  fc.record({ kind: fc.constant("delay" as const), delayMs: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({
    kind: fc.constant("duplicate" as const),
    copies: fc.integer({ min: 1, max: 5 }),
    intervalMs: fc.integer({ min: 0, max: 50 }),
  }),
  fc.constant({ kind: "alter" as const, alteration: "garbage" as const }),
);
const FAULT: fc.Arbitrary<MessageFault> = fc
  .record({
    direction: DIRECTION,
    method: fc.option(METHOD, { nil: undefined }),
    status: fc.option(fc.constantFrom<number | "any">(200, "any"), { nil: undefined }),
    times: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    effect: EFFECT,
  })
  .map(({ direction, method, status, times, effect }) => ({
    name: effect.kind,
    direction,
    effect,
    ...(method === undefined ? {} : { method }),
    ...(status === undefined ? {} : { status }),
    ...(times === undefined ? {} : { times }),
  }));
const MESSAGES = fc.array(
  fc.record({ direction: DIRECTION, method: METHOD, status: STATUS, atMs: fc.nat(10_000) }),
  { maxLength: 30 },
);

describe("MessageFaultEngine", () => {
  it("loses and makes up nothing but what it says, and each message in its order of dues", () => {
    fc.assert(
      fc.property(fc.array(FAULT, { maxLength: 4 }), MESSAGES, (faults, messages) => {
        const engine = new MessageFaultEngine();
        engine.arm(CALL_ID, faults, instant(0));
        const passed: string[] = [];
        const notes: string[] = [];
        const drain = (): void => {
          for (let out = engine.takeOutput(); out !== undefined; out = engine.takeOutput()) {
            if (out.type === "pass") passed.push(out.message.text);
            else notes.push(out.fault.effect);
          }
        };
        for (const each of messages.toSorted((a, b) => a.atMs - b.atMs)) {
          const text = textOf(each.method, each.status);
          const message = {
            direction: each.direction,
            peek: peekMessage(text),
            text,
            pass: () => {},
          };
          const now = instant(each.atMs);
          engine.handleTimeout(now);
          if (engine.concerns(message)) engine.handleMessage(message, now);
          else passed.push(text);
          drain();
        }
        while (engine.nextTimeout !== undefined) {
          const due = engine.nextTimeout;
          engine.handleTimeout(due);
          drain();
        }
        const copies = faults.flatMap(({ effect }) =>
          effect.kind === "duplicate" ? [effect.copies] : [],
        );
        const dropped = notes.filter((note) => note === "dropped").length;
        const duplicated = notes.filter((note) => note === "duplicated").length;
        const least = messages.length - dropped;
        expect(passed.length).toBeGreaterThanOrEqual(least + duplicated * Math.min(...copies, 5));
        expect(passed.length).toBeLessThanOrEqual(least + duplicated * Math.max(...copies, 0));
        expect(engine.pendingCount).toBe(0);
      }),
    );
  });

  it("lets a dropped BYE go once, and not where another one passed", () => {
    const engine = new MessageFaultEngine();
    const drop: MessageFault = {
      name: "lost BYE",
      direction: "sent",
      method: "BYE",
      times: 1,
      effect: { kind: "drop" },
    };
    const text = textOf("BYE", undefined);
    const message = { direction: "sent" as const, peek: peekMessage(text), text, pass: () => {} };
    const outputs = (): string[] => {
      const types: string[] = [];
      for (let out = engine.takeOutput(); out !== undefined; out = engine.takeOutput())
        types.push(out.type);
      return types;
    };

    engine.arm(CALL_ID, [drop], instant(0));
    engine.handleMessage(message, instant(1));
    expect(outputs()).toEqual(["injected"]);
    engine.handleCallEnded(CALL_ID, instant(2));
    engine.handleCallEnded(CALL_ID, instant(3));
    expect(outputs()).toEqual(["injected", "pass"]);

    engine.arm(CALL_ID, [drop], instant(10));
    engine.handleMessage(message, instant(11));
    engine.handleMessage(message, instant(12));
    engine.handleCallEnded(CALL_ID, instant(13));
    expect(outputs()).toEqual(["injected", "pass"]);
  });
});
