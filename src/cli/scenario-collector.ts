import type {
  Envelope,
  GherkinDocument,
  Pickle,
  TestCaseFinished,
  TestStepFinished,
} from "@cucumber/messages";
import { present } from "../environment/index.ts";
import type { ErrorSummary, ScenarioSummary, StepSummary, Verdict } from "../report/index.ts";
import { outcomeOf, type StepOutcome } from "./step-outcome.ts";

/** Attached by the step library for each call of a scenario. */
const CALL_MEDIA_TYPE = "application/vnd.sidetone.call+json";
/** Of a scenario that was not over yet: whatever it saw after that was our own doing. */
const INTERRUPTED: StepOutcome = {
  verdict: "inconclusive",
  error: {
    code: "ERR_INTERRUPTED",
    message: "The run was interrupted before this scenario was over.",
  },
};

/** The description of a scenario may look like its steps; such a one would prove nothing. */
const EMPTY: StepOutcome = {
  verdict: "broken",
  error: {
    code: "ERR_SCENARIO_EMPTY",
    fault: "usage",
    message: "The scenario has no step. Steps begin with Given, When, Then, And, But or *.",
  },
};

interface RunningScenario {
  readonly pickle: Pickle;
  readonly steps: StepSummary[];
  readonly callIds: string[];
  readonly startedMs: number;
  verdict: Verdict;
  error?: ErrorSummary;
}

/** What a scenario collector tells while scenarios run. */
export interface ScenarioListener {
  onStarted?(name: string, feature: string): void;
  onFinished?(scenario: ScenarioSummary): void;
}

/**
 * Gathers scenarios and their verdicts from cucumber's messages. It knows cucumber's protocol and
 * nothing of calls but their ids.
 */
export class ScenarioCollector {
  readonly scenarios: ScenarioSummary[] = [];
  /** Errors outside of scenarios: feature files that do not parse, hooks that failed. */
  readonly problems: ErrorSummary[] = [];
  readonly #listener: ScenarioListener;
  readonly #isInterrupted: () => boolean;
  readonly #pickles = new Map<string, Pickle>();
  readonly #features = new Map<string, { name: string; lines: Map<string, number> }>();
  readonly #keywords = new Map<string, string>();
  readonly #stepTexts = new Map<string, { keyword: string; text: string }>();
  readonly #pickleOfTestCase = new Map<string, string>();
  readonly #running = new Map<string, RunningScenario>();

  constructor(listener: ScenarioListener = {}, isInterrupted: () => boolean = () => false) {
    this.#listener = listener;
    this.#isInterrupted = isInterrupted;
  }

  /** One message of cucumber's stream. */
  readonly receive = (envelope: Envelope): void => {
    if (envelope.gherkinDocument !== undefined) this.#noteDocument(envelope.gherkinDocument);
    if (envelope.pickle !== undefined) this.#pickles.set(envelope.pickle.id, envelope.pickle);
    if (envelope.testCase !== undefined) this.#noteTestCase(envelope.testCase);
    if (envelope.testCaseStarted !== undefined) this.#start(envelope.testCaseStarted);
    if (envelope.attachment !== undefined) this.#attach(envelope.attachment);
    if (envelope.testStepFinished !== undefined) this.#finishStep(envelope.testStepFinished);
    if (envelope.testCaseFinished !== undefined) this.#finish(envelope.testCaseFinished);
    if (envelope.parseError !== undefined) this.#noteParseError(envelope.parseError);
    if (envelope.testRunHookFinished !== undefined) {
      const { error } = outcomeOf(envelope.testRunHookFinished.result, "a hook of the run");
      if (error !== undefined) this.problems.push(error);
    }
  };

  #noteParseError({ message, source }: NonNullable<Envelope["parseError"]>): void {
    // The parser puts the place into its message: "(3:1): expected: …".
    const [, place, what = message] = /^\((\d+:\d+)\): ([\s\S]*)$/u.exec(message) ?? [];
    const uri = source.uri ?? "a feature file";
    this.problems.push({
      code: "ERR_FEATURE_MALFORMED",
      fault: "usage",
      message: `${place === undefined ? uri : `${uri}:${place}`}: ${what}`,
    });
  }

  #noteDocument({ feature, uri }: GherkinDocument): void {
    if (feature === undefined || uri === undefined) return;
    const rules = feature.children.flatMap(({ rule }) => rule?.children ?? []);
    const lines = new Map<string, number>();
    for (const { background, scenario } of [...feature.children, ...rules]) {
      for (const step of [...(background?.steps ?? []), ...(scenario?.steps ?? [])]) {
        this.#keywords.set(step.id, step.keyword.trim());
      }
      if (scenario !== undefined) lines.set(scenario.id, scenario.location.line);
    }
    this.#features.set(uri, { name: feature.name, lines });
  }

  #noteTestCase(testCase: NonNullable<Envelope["testCase"]>): void {
    this.#pickleOfTestCase.set(testCase.id, testCase.pickleId);
    const pickle = this.#pickles.get(testCase.pickleId);
    for (const step of testCase.testSteps) {
      const pickleStep = pickle?.steps.find(({ id }) => id === step.pickleStepId);
      if (pickleStep === undefined) continue;
      const keyword = this.#keywords.get(pickleStep.astNodeIds[0] ?? "") ?? "";
      this.#stepTexts.set(step.id, { keyword, text: pickleStep.text });
    }
  }

  #start(started: NonNullable<Envelope["testCaseStarted"]>): void {
    const pickleId = this.#pickleOfTestCase.get(started.testCaseId) ?? "";
    const pickle = present(
      this.#pickles.get(pickleId),
      "cucumber sends pickles before it runs them",
    );
    this.#running.set(started.id, {
      pickle,
      steps: [],
      callIds: [],
      startedMs: milliseconds(started.timestamp),
      verdict: "pass",
    });
    this.#listener.onStarted?.(pickle.name, this.#features.get(pickle.uri)?.name ?? "");
  }

  #attach(attachment: NonNullable<Envelope["attachment"]>): void {
    if (attachment.mediaType !== CALL_MEDIA_TYPE) return;
    const scenario = this.#running.get(attachment.testCaseStartedId ?? "");
    const { id } = JSON.parse(attachment.body) as { readonly id: string };
    scenario?.callIds.push(id);
  }

  #finishStep(finished: TestStepFinished): void {
    const scenario = this.#running.get(finished.testCaseStartedId);
    if (scenario === undefined) return;
    const result = finished.testStepResult;
    const step = this.#stepTexts.get(finished.testStepId);
    const outcome = this.#outcomeOf(finished, step?.text);
    // Said once: every step after the interruption would say the same.
    const isRepeated = outcome === INTERRUPTED && scenario.verdict !== "pass";
    const error = isRepeated ? undefined : outcome.error;
    if (step !== undefined) {
      scenario.steps.push({
        ...step,
        status: result.status.toLowerCase(),
        durationMs: milliseconds(result.duration),
        ...(error === undefined ? {} : { error }),
      });
    }
    blame(scenario, outcome);
  }

  /** `text` is missing for hooks: those that come after the steps may pass even when interrupted. */
  #outcomeOf({ testStepResult }: TestStepFinished, text: string | undefined): StepOutcome {
    const outcome = outcomeOf(testStepResult, text ?? "a hook");
    const isSpoilt = this.#isInterrupted() && (text !== undefined || outcome.verdict !== "pass");
    return isSpoilt ? INTERRUPTED : outcome;
  }

  #finish(finished: TestCaseFinished): void {
    const scenario = this.#running.get(finished.testCaseStartedId);
    if (scenario === undefined) return;
    this.#running.delete(finished.testCaseStartedId);
    const { pickle, startedMs } = scenario;
    if (pickle.steps.length === 0) blame(scenario, EMPTY);
    const { verdict, error, steps, callIds } = scenario;
    const feature = this.#features.get(pickle.uri);
    const summary: ScenarioSummary = {
      verdict,
      ...(error === undefined ? {} : { error }),
      steps,
      callIds,
      name: pickle.name,
      feature: feature?.name ?? "",
      uri: pickle.uri,
      line: feature?.lines.get(pickle.astNodeIds[0] ?? "") ?? 1,
      tags: pickle.tags.map(({ name }) => name),
      durationMs: milliseconds(finished.timestamp) - startedMs,
    };
    this.scenarios.push(summary);
    this.#listener.onFinished?.(summary);
  }
}

/**
 * What went wrong first decides; the rest follows from it. That a call was refused as unsupported is
 * told by a hook after the steps, but came before whatever failed for want of that call.
 */
function blame(scenario: RunningScenario, { verdict, error }: StepOutcome): void {
  const isCause = verdict === "unsupported" && scenario.verdict !== "unsupported";
  if (verdict === "pass" || (scenario.verdict !== "pass" && !isCause)) return;
  scenario.verdict = verdict;
  if (error !== undefined) scenario.error = error;
}

function milliseconds({
  seconds,
  nanos,
}: {
  readonly seconds: number;
  readonly nanos: number;
}): number {
  return seconds * 1000 + nanos / 1e6;
}
