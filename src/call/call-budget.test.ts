import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { CallBudget } from "./call-budget.ts";

const codeOf = (action: () => unknown): unknown => {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
};

describe("CallBudget", () => {
  it("refuses the call beyond the concurrent ones, and takes one again when one has ended", () => {
    const budget = new CallBudget({ maxConcurrentCalls: 2 });
    const leave = budget.enterPlaced();
    budget.enterPlaced();
    expect(codeOf(() => budget.enterPlaced())).toBe("ERR_TOO_MANY_CALLS");
    leave();
    leave();
    budget.enterPlaced();
    expect(codeOf(() => budget.enterPlaced())).toBe("ERR_TOO_MANY_CALLS");
  });

  it("refuses the call beyond those of the run, whether or not the others have ended", () => {
    const budget = new CallBudget({ maxCalls: 2, maxConcurrentCalls: 2 });
    budget.enterPlaced()();
    budget.enterPlaced()();
    expect(codeOf(() => budget.enterPlaced())).toBe("ERR_CALLS_EXHAUSTED");
    expect(budget.placed).toBe(2);
    expect(budget.live).toBe(0);
  });

  it("does not count calls that others placed against the limits, but as live", () => {
    const budget = new CallBudget({ maxCalls: 1, maxConcurrentCalls: 1 });
    const leave = [budget.enterTaken(), budget.enterTaken()];
    budget.enterPlaced();
    expect(budget.live).toBe(3);
    for (const each of leave) each();
    expect(budget.live).toBe(1);
  });

  it("holds for all agents of a run together", () => {
    const ledger = CallBudget.newLedger();
    const budgets = [0, 1, 2].map(() => new CallBudget({ ledger, maxCalls: 2 }));
    budgets[0]?.enterPlaced();
    budgets[1]?.enterPlaced();
    expect(codeOf(() => budgets[2]?.enterPlaced())).toBe("ERR_CALLS_EXHAUSTED");
  });

  it("limits ringing and duration: refused where more was asked for, lowered where nothing was", () => {
    const budget = new CallBudget({ maxRingMs: 20_000, maxCallDurationMs: 60_000 });
    expect(budget.ringMs(20_000, 30_000)).toBe(20_000);
    expect(budget.ringMs(undefined, 30_000)).toBe(20_000);
    expect(codeOf(() => budget.ringMs(20_001, 30_000))).toBe("ERR_CALL_LIMIT");
    expect(budget.durationMs(undefined, 300_000)).toBe(60_000);
    expect(codeOf(() => budget.durationMs(61_000, 300_000))).toBe("ERR_CALL_LIMIT");
    expect(new CallBudget().durationMs(3_600_000, 300_000)).toBe(3_600_000);
    expect(codeOf(() => new CallBudget().ringMs(180_001, 30_000))).toBe("ERR_CALL_LIMIT");
  });

  it("refuses limits that are none", () => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => new CallBudget({ maxCalls: value }))).toBe("ERR_LIMIT_MALFORMED");
    }
  });

  it("waits, blocking, for calls that end in another thread, and not for ever", async () => {
    const ledger = CallBudget.newLedger();
    const budget = new CallBudget({ ledger });
    budget.enterTaken();
    expect(budget.waitUntilNoneLive(10)).toBe(false);
    const script = `const { workerData } = require("node:worker_threads");
      const counts = new Int32Array(workerData);
      Atomics.sub(counts, 2, 1);
      Atomics.notify(counts, 2);`;
    const worker = new Worker(script, { eval: true, workerData: ledger });
    expect(budget.waitUntilNoneLive(10_000)).toBe(true);
    await worker.terminate();
  });
});
