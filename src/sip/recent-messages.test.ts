import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { RecentMessages } from "./recent-messages.ts";

describe("RecentMessages", () => {
  it("knows a message again for at least one window, then forgets it", () => {
    const recent = new RecentMessages(1000);

    expect(recent.isRepeated("a", instant(0))).toBe(false);
    expect(recent.isRepeated("b", instant(1))).toBe(false);
    expect(recent.isRepeated("a", instant(999))).toBe(true);
    expect(recent.isRepeated("b", instant(1500))).toBe(true);
    expect(recent.isRepeated("c", instant(2600))).toBe(false);
    expect(recent.isRepeated("a", instant(3700))).toBe(false);
  });

  it("does not take different messages for each other", () => {
    const recent = new RecentMessages(60_000);
    const repeated = Array.from({ length: 20_000 }, (_, index) =>
      recent.isRepeated(`INVITE ${index}`, instant(index)),
    );
    expect(repeated).not.toContain(true);
  });
});
