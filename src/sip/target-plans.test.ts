import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import type { Target } from "./locate.ts";
import { TargetPlans } from "./target-plans.ts";

const at = instant(0);

function target(port: number): Target {
  return { address: "192.0.2.1", port, transport: "udp", host: "pbx.example" };
}

const BOTH = [target(1), target(2)];
const TURNED = [target(2), target(1)];

describe("TargetPlans", () => {
  it("keeps a call to its server, whatever the order is by now", () => {
    const plans = new TargetPlans();
    expect(plans.choose("call", BOTH, at)?.port).toBe(1);
    expect(plans.choose("call", TURNED, at)?.port).toBe(1);
    expect(plans.choose("other", TURNED, at)?.port).toBe(2);
  });

  it("goes on to the next, and begins anew when all have failed", () => {
    const plans = new TargetPlans();
    expect(plans.hasNext("call", at)).toBeUndefined();
    plans.choose("call", BOTH, at);
    expect(plans.hasNext("call", at)).toBe(true);
    expect(plans.advance("call", at)).toBe(true);
    expect(plans.chosen("call", at)?.port).toBe(2);
    expect(plans.hasNext("call", at)).toBe(false);
    expect(plans.advance("call", at)).toBe(false);
    expect(plans.choose("call", BOTH, at)?.port).toBe(1);
  });

  it("forgets a call that sends nothing for five minutes, and the one unused for longest", () => {
    const plans = new TargetPlans();
    plans.choose("call", BOTH, at);
    expect(plans.chosen("call", instant(299_999))).toBeDefined();
    expect(plans.chosen("call", instant(599_998))).toBeDefined();
    expect(plans.chosen("call", instant(900_000))).toBeUndefined();
    for (let index = 0; index <= 4096; index += 1) plans.choose(`call ${index}`, BOTH, at);
    expect(plans.size).toBe(4096);
    expect(plans.chosen("call 0", at)).toBeUndefined();
    expect(plans.chosen("call 1", at)).toBeDefined();
  });
});
