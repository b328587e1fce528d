import { describe, expect, it } from "vitest";
import type { ScenarioSummary } from "../report/index.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";

type Judged = Pick<ScenarioSummary, "verdict" | "error">;

const passed: Judged = { verdict: "pass" };
const failed: Judged = { verdict: "fail", error: { fault: "remote", message: "It went." } };
const unclear: Judged = { verdict: "inconclusive" };
const unsupported: Judged = { verdict: "unsupported" };
const broken: Judged = { verdict: "broken", error: { message: "Cannot read properties." } };
const misused: Judged = { verdict: "broken", error: { fault: "usage", message: "No such step." } };
const hostless: Judged = {
  verdict: "broken",
  error: { fault: "environment", message: "The port is in use." },
};

describe("the exit code", () => {
  it.each([
    ["0 where all passed", [passed, passed], EXIT_CODES.passed],
    ["1 where one failed", [passed, failed, unclear], EXIT_CODES.failed],
    ["2 where one is broken", [failed, broken], EXIT_CODES.usage],
    ["2 where a scenario is misused", [passed, misused], EXIT_CODES.usage],
    ["3 where the host is wrong", [failed, misused, hostless], EXIT_CODES.environment],
    ["4 where one is inconclusive", [passed, unclear], EXIT_CODES.inconclusive],
    ["1 where the bot cannot do it", [passed, unsupported, unclear], EXIT_CODES.failed],
    ["2 where no scenario ran", [], EXIT_CODES.usage],
  ] as const)("is %s", (_name, scenarios, exitCode) => {
    expect(exitCodeOf(scenarios, [])).toBe(exitCode);
  });

  it("counts what went wrong outside of scenarios", () => {
    expect(exitCodeOf([passed], [{ message: "A hook failed." }])).toBe(EXIT_CODES.usage);
    const noDisk = { fault: "environment", message: "A hook failed." } as const;
    expect(exitCodeOf([passed], [noDisk])).toBe(EXIT_CODES.environment);
  });

  it("does not read an environment's fault out of a failed scenario", () => {
    const refused: Judged = { verdict: "fail", error: { fault: "environment", message: "" } };
    expect(exitCodeOf([refused], [])).toBe(EXIT_CODES.failed);
  });
});
