import type { TestStepResult } from "@cucumber/messages";
import type { Fault } from "../environment/index.ts";
import type { ErrorSummary, Verdict } from "../report/index.ts";

/** What a step or hook came to. */
export interface StepOutcome {
  readonly verdict: Verdict;
  readonly error?: ErrorSummary;
}

/** As our errors show themselves: class, code, and what follows. */
const OUR_ERROR =
  /^(Usage|Environment|Remote|Expectation)Error \[(ERR_[A-Z0-9_]+)\](?: \[AssertionError\])?: ([\s\S]*)$/u;
/** Of node:assert, Chai and their like, in steps of users: an expectation that was not met. */
const ASSERTION = /^AssertionError\b/u;

const FAULTS: Readonly<Record<string, Fault>> = {
  Usage: "usage",
  Environment: "environment",
  Remote: "remote",
  Expectation: "expectation",
};

/** The verdict on cucumber's result: who is at fault decides. `text` is the step's, if it is one. */
export function outcomeOf(result: TestStepResult, text: string): StepOutcome {
  // As plain words: the enum's own package may be loaded twice.
  const status: string = result.status;
  switch (status) {
    case "PASSED":
      return { verdict: "pass" };
    case "SKIPPED":
      return { verdict: "inconclusive" };
    case "FAILED":
      return failure(result);
    case "UNDEFINED":
      return broken(
        `No step matches "${text}". docs/steps.md lists the phrases; check spelling and units.`,
        "ERR_STEP_UNKNOWN",
      );
    case "AMBIGUOUS":
      return broken(`Several steps match "${text}".`, "ERR_STEP_AMBIGUOUS");
    case "PENDING":
      return broken(`The step "${text}" is pending: it is still to be written.`);
    default:
      return broken(`Cucumber says "${status.toLowerCase()}" of "${text}".`);
  }
}

function failure({ message, exception }: TestStepResult): StepOutcome {
  const text = message ?? exception?.message ?? "It failed without a message.";
  const [, className = "", code = "", rest = ""] = OUR_ERROR.exec(text) ?? [];
  const fault = FAULTS[className];
  if (fault === undefined) {
    return { verdict: ASSERTION.test(text) ? "fail" : "broken", error: { message: text } };
  }
  return { verdict: verdictOn(fault, code), error: { code, fault, message: withoutStack(rest) } };
}

const INCONCLUSIVE: ReadonlySet<string> = new Set([
  "ERR_INSTRUMENT_UNHEALTHY",
  "ERR_MEASUREMENT_UNCERTAIN",
]);

function verdictOn(fault: Fault, code: string): Verdict {
  if (INCONCLUSIVE.has(code)) return "inconclusive";
  // A judge is an instrument, too: that it fails says nothing of the bot.
  if (fault === "environment" && code.startsWith("ERR_JUDGE_")) return "inconclusive";
  if (code === "ERR_CALL_UNSUPPORTED") return "unsupported";
  return fault === "remote" || fault === "expectation" ? "fail" : "broken";
}

function withoutStack(text: string): string {
  return text.split(/\n\s+at /u)[0] ?? text;
}

function broken(message: string, code?: string): StepOutcome {
  return {
    verdict: "broken",
    error: { ...(code === undefined ? {} : { code }), fault: "usage", message },
  };
}
