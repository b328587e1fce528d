import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { loadConfiguration, runCucumber } from "@cucumber/cucumber/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  EnvironmentError,
  ExpectationError,
  RemoteError,
  UsageError,
} from "../environment/index.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { ScenarioCollector } from "./scenario-collector.ts";

// Cucumber itself runs here, so that a change of its messages is noticed.

let folder: string;
let isInterrupted = false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-collector-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** What the step `it throws "…"` throws. */
const THROWN: Readonly<Record<string, () => Error>> = {
  usage: () => new UsageError("ERR_NO_CALL", "No call was placed."),
  environment: () => new EnvironmentError("ERR_PORT_IN_USE", "The port is in use."),
  remote: () => new RemoteError("ERR_CALL_ENDED_EARLY", "The call ended."),
  expectation: () => new ExpectationError("ERR_ABOVE_LIMIT", "Too slow.\nSee the parts."),
  unsupported: () => new RemoteError("ERR_CALL_UNSUPPORTED", "No codec in common."),
  undecided: () => new EnvironmentError("ERR_JUDGE_TIMED_OUT", "It took too long."),
  unhealthy: () => new EnvironmentError("ERR_INSTRUMENT_UNHEALTHY", "Too close to tell."),
  assertion: () => new assert.AssertionError({ message: "4 is not 5", actual: 4, expected: 5 }),
  bug: () => new TypeError("Cannot read properties of undefined"),
};

/** The step file is loaded by Node, not by vitest; this is how it reaches the test. */
Object.assign(globalThis, {
  sidetoneCollectorTest: {
    fail: (kind: string): never => {
      throw THROWN[kind]?.() ?? new Error(`no such error: ${kind}`);
    },
    interrupt: (): void => {
      isInterrupted = true;
    },
  },
});

const STEPS = `
  const test = globalThis.sidetoneCollectorTest;
  Given("it works", () => {});
  Given("it throws {string}", (kind) => test.fail(kind));
  Given("it is skipped", () => "skipped");
  Given("it is pending", () => "pending");
  Given("two match", () => {});
  Given(/^two (match)$/, (_word) => {});
  Given("someone presses Ctrl-C", () => test.interrupt());
`;

let runs = 0;

async function run(feature: string, moreSteps = ""): Promise<ScenarioCollector> {
  isInterrupted = false;
  runs += 1;
  const cucumber = import.meta.resolve("@cucumber/cucumber");
  const steps = join(folder, `steps-${runs}.mjs`);
  const path = join(folder, `run-${runs}.feature`);
  await writeFile(
    steps,
    `import { After, AfterAll, Before, BeforeAll, Given } from ${JSON.stringify(cucumber)};${STEPS}${moreSteps}`,
  );
  await writeFile(path, feature);
  const collector = new ScenarioCollector({}, () => isInterrupted);
  const provided = { paths: [path], import: [steps], format: ["summary"], strict: true };
  const { runConfiguration } = await loadConfiguration({ file: false, provided });
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const environment = { stdout: nowhere, stderr: nowhere };
  // Where a hook of the run fails, cucumber throws after its messages have told of it.
  await runCucumber(runConfiguration, environment, collector.receive).catch(() => undefined);
  return collector;
}

/** A feature of scenarios with these steps, each named for its last one. */
function featureOf(...scenarios: readonly (readonly string[])[]): string {
  const texts = scenarios.map(
    (steps) => `Scenario: ${steps.at(-1)}\n${steps.map((step) => `Given ${step}\n`).join("")}`,
  );
  return `Feature: Verdicts\n${texts.join("\n")}`;
}

function judged({ scenarios }: ScenarioCollector): Record<string, readonly unknown[]> {
  return Object.fromEntries(
    scenarios.map(({ name, verdict, error }) => [name, [verdict, error?.code, error?.fault]]),
  );
}

describe("the verdict on a scenario", () => {
  it("follows from who is at fault", async () => {
    const kinds = Object.keys(THROWN).map((kind) => ["it works", `it throws "${kind}"`]);
    const collector = await run(featureOf(["it works"], ...kinds));
    expect(judged(collector)).toEqual({
      "it works": ["pass", undefined, undefined],
      'it throws "usage"': ["broken", "ERR_NO_CALL", "usage"],
      'it throws "environment"': ["broken", "ERR_PORT_IN_USE", "environment"],
      'it throws "remote"': ["fail", "ERR_CALL_ENDED_EARLY", "remote"],
      'it throws "expectation"': ["fail", "ERR_ABOVE_LIMIT", "expectation"],
      'it throws "unsupported"': ["unsupported", "ERR_CALL_UNSUPPORTED", "remote"],
      'it throws "undecided"': ["inconclusive", "ERR_JUDGE_TIMED_OUT", "environment"],
      'it throws "unhealthy"': ["inconclusive", "ERR_INSTRUMENT_UNHEALTHY", "environment"],
      'it throws "assertion"': ["fail", undefined, undefined],
      'it throws "bug"': ["broken", undefined, undefined],
    });
    expect(collector.problems).toEqual([]);
  });

  it("has the error's message, without its stack, at the step and at the scenario", async () => {
    const { scenarios } = await run(featureOf(["it works", 'it throws "expectation"']));
    const error = { message: "Too slow.\nSee the parts." };
    expect(scenarios).toMatchObject([
      { line: 2, error, steps: [{ status: "passed" }, { status: "failed", error }] },
    ]);
  });

  it("is broken for steps that are unknown, ambiguous or pending, and where there is none", async () => {
    const feature = featureOf(["it plays the tuba"], ["two match"], ["it is pending"]);
    const collector = await run(`${feature}\nScenario: empty\nThe caller dials the bot\n`);
    expect(judged(collector)).toEqual({
      "it plays the tuba": ["broken", "ERR_STEP_UNKNOWN", "usage"],
      "two match": ["broken", "ERR_STEP_AMBIGUOUS", "usage"],
      "it is pending": ["broken", undefined, "usage"],
      empty: ["broken", "ERR_SCENARIO_EMPTY", "usage"],
    });
    expect(collector.scenarios[0]?.error?.message).toContain('"it plays the tuba"');
    expect(exitCodeOf(collector.scenarios, collector.problems)).toBe(EXIT_CODES.usage);
  });

  it("is what went wrong first", async () => {
    const feature = featureOf(['it throws "remote"', "it plays the tuba"], ["it is skipped"]);
    const collector = await run(feature, 'After(() => test.fail("usage"));');
    expect(judged(collector)).toEqual({
      "it plays the tuba": ["fail", "ERR_CALL_ENDED_EARLY", "remote"],
      "it is skipped": ["inconclusive", undefined, undefined],
    });
  });

  it("is unsupported where a hook finds that out after the steps", async () => {
    const feature = featureOf(["it works"], ['it throws "usage"']);
    const collector = await run(feature, 'After(() => test.fail("unsupported"));');
    expect(judged(collector)).toEqual({
      "it works": ["unsupported", "ERR_CALL_UNSUPPORTED", "remote"],
      'it throws "usage"': ["unsupported", "ERR_CALL_UNSUPPORTED", "remote"],
    });
    expect(exitCodeOf(collector.scenarios, [])).toBe(EXIT_CODES.failed);
  });

  it("is broken where a hook fails", async () => {
    const collector = await run(featureOf(["it works"]), 'Before(() => test.fail("environment"));');
    expect(judged(collector)).toEqual({ "it works": ["broken", "ERR_PORT_IN_USE", "environment"] });
    expect(exitCodeOf(collector.scenarios, [])).toBe(EXIT_CODES.environment);
  });

  it("is inconclusive for a scenario that is interrupted, and for those after it", async () => {
    const collector = await run(
      featureOf(
        ['it throws "remote"'],
        ["someone presses Ctrl-C", 'it throws "expectation"'],
        ["it plays the tuba"],
        ["it works"],
      ),
    );
    expect(judged(collector)).toEqual({
      'it throws "remote"': ["fail", "ERR_CALL_ENDED_EARLY", "remote"],
      'it throws "expectation"': ["inconclusive", "ERR_INTERRUPTED", undefined],
      "it plays the tuba": ["inconclusive", "ERR_INTERRUPTED", undefined],
      "it works": ["inconclusive", "ERR_INTERRUPTED", undefined],
    });
  });

  it("stays a pass where the interruption came after the last step", async () => {
    const collector = await run(featureOf(["it works"]), "After(() => test.interrupt());");
    expect(judged(collector)).toEqual({ "it works": ["pass", undefined, undefined] });
  });
});

describe("what goes wrong outside of scenarios", () => {
  it("is a feature that does not parse, with file, line and column", async () => {
    const collector = await run("Feature: Odd\n\nScenario: One\nGiven it works\nit plays\n");
    expect(collector.problems).toMatchObject([{ code: "ERR_FEATURE_MALFORMED", fault: "usage" }]);
    expect(collector.problems[0]?.message).toMatch(/run-\d+\.feature:5:1: expected: /u);
    expect(exitCodeOf(collector.scenarios, collector.problems)).toBe(EXIT_CODES.usage);
  });

  it.each(["BeforeAll", "AfterAll"])("is a failing %s hook", async (hook) => {
    const collector = await run(
      featureOf(["it works"]),
      `${hook}(() => test.fail("environment"));`,
    );
    expect(collector.problems).toMatchObject([
      { code: "ERR_PORT_IN_USE", fault: "environment", message: "The port is in use." },
    ]);
    expect(exitCodeOf(collector.scenarios, collector.problems)).toBe(EXIT_CODES.environment);
  });
});
