import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const ran = featureRuns();

describe.concurrent("steps about the network", { timeout: 120_000 }, () => {
  it("injure each direction of each side, before and within a call, and the report says so", async ({
    expect,
  }) => {
    const { exitCode, output, report } = await ran("network-green.feature", "--seed", "sip");
    expect(exitCode, output).toBe(0);
    const facts = (await report.text("calls/001/timeline.jsonl"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; party: string; description?: string });
    const changes = facts.filter(({ kind }) => kind === "networkChanged");
    expect(changes.length).toBeGreaterThanOrEqual(5);
    expect(changes.some(({ description = "" }) => /400 ms: 100 % lost/u.test(description))).toBe(
      true,
    );
    expect(facts.some(({ kind, party }) => kind === "networkCounts" && party === "caller")).toBe(
      true,
    );
    expect(await report.text("index.html")).toContain("network: ");
  });

  it.for(["network-red.feature", "ai-network-red.feature"])(
    "fail for a call that is not what they ask for: %s",
    async (feature, { expect }) => {
      const result = await ran(feature, VIRTUAL);
      const ends = await endsOf(result);
      expect(ends.length).toBeGreaterThan(1);
      expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
      expect(result.exitCode, result.output).toBe(1);
    },
  );

  it.for(["network-broken.feature", "ai-network-broken.feature"])(
    "refuse what cannot be: %s",
    async (feature, { expect }) => {
      const result = await ran(feature, VIRTUAL);
      const ends = await endsOf(result);
      expect(ends.length).toBeGreaterThan(1);
      expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
      expect(result.exitCode, result.output).toBe(2);
    },
  );
});
