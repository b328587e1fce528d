import type {
  Envelope,
  GherkinDocument,
  Pickle,
  TestCaseFinished,
  TestStepFinished,
  TestStepResult,
} from "@cucumber/messages";
import { present } from "../environment/index.ts";
import type { ErrorSummary, ScenarioSummary, StepSummary, Verdict } from "../report/index.ts";

/** Attached by the step library for each call of a scenario. */
const CALL_MEDIA_TYPE = "application/vnd.sidetone.call+json";
/** As our errors show themselves: class, code, and what follows. */
const OUR_ERROR = /^(\w+) \[(ERR_[A-Z0-9_]+)\](?: \[AssertionError\])?: ([\s\S]*)$/u;

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
  readonly #pickles = new Map<string, Pickle>();
  readonly #features = new Map<string, { name: string; lines: Map<string, number> }>();
  readonly #keywords = new Map<string, string>();
  readonly #stepTexts = new Map<string, { keyword: string; text: string }>();
  readonly #pickleOfTestCase = new Map<string, string>();
  readonly #running = new Map<string, RunningScenario>();

  constructor(listener: ScenarioListener = {}) {
    this.#listener = listener;
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
    if (envelope.parseError !== undefined) {
      const { message, source } = envelope.parseError;
      const where = source.uri ?? "a feature file";
      this.problems.push({ code: "ERR_FEATURE_MALFORMED", message: `${where}: ${message}` });
    }
    if (envelope.testRunHookFinished !== undefined) {
      const error = errorOf(envelope.testRunHookFinished.result);
      if (error !== undefined) this.problems.push(error);
    }
  };

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
    const text = this.#stepTexts.get(finished.testStepId);
    const error = errorOf(result) ?? stepProblem(result, text?.text ?? "");
    if (text !== undefined) {
      scenario.steps.push({
        ...text,
        status: result.status.toLowerCase(),
        durationMs: milliseconds(result.duration),
        ...(error === undefined ? {} : { error }),
      });
    }
    const verdict = verdictOf(result, error);
    if (verdict === "pass" || scenario.verdict !== "pass") return;
    scenario.verdict = verdict;
    if (error !== undefined) scenario.error = error;
  }

  #finish(finished: TestCaseFinished): void {
    const scenario = this.#running.get(finished.testCaseStartedId);
    if (scenario === undefined) return;
    this.#running.delete(finished.testCaseStartedId);
    const { pickle, startedMs, ...rest } = scenario;
    const feature = this.#features.get(pickle.uri);
    const summary: ScenarioSummary = {
      ...rest,
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

function milliseconds({
  seconds,
  nanos,
}: {
  readonly seconds: number;
  readonly nanos: number;
}): number {
  return seconds * 1000 + nanos / 1e6;
}

function errorOf(result: TestStepResult): ErrorSummary | undefined {
  const text = textOf(result);
  if (statusOf(result) !== "FAILED" || text === undefined) return undefined;
  const ours = OUR_ERROR.exec(text);
  if (ours === null) return { message: text };
  return { code: ours[2] ?? "", message: withoutStack(ours[3] ?? text) };
}

/** "ExpectationError [ERR_X] [AssertionError]: what happened", then the stack. */
function textOf({ exception, message }: TestStepResult): string | undefined {
  return message ?? exception?.message;
}

function withoutStack(text: string): string {
  return text.split(/\n\s+at /u)[0] ?? text;
}

/** Cucumber's statuses as plain words: the enum's own package may be loaded twice. */
function statusOf(result: TestStepResult): string {
  return result.status;
}

function stepProblem(result: TestStepResult, text: string): ErrorSummary | undefined {
  if (statusOf(result) === "UNDEFINED") {
    return {
      code: "ERR_STEP_UNKNOWN",
      message: `No step matches "${text}". docs/steps.md lists the phrases; check spelling and units.`,
    };
  }
  if (statusOf(result) === "AMBIGUOUS") {
    return { code: "ERR_STEP_AMBIGUOUS", message: `Several steps match "${text}".` };
  }
  return undefined;
}

const VERDICTS: Readonly<Record<string, Verdict>> = { PASSED: "pass", SKIPPED: "inconclusive" };

/** Who is at fault decides the verdict; the class name stands first in the error's text. */
function verdictOf(result: TestStepResult, error: ErrorSummary | undefined): Verdict {
  const status = statusOf(result);
  if (status !== "FAILED") return VERDICTS[status] ?? "broken";
  if (error?.code === "ERR_INSTRUMENT_UNHEALTHY") return "inconclusive";
  return /^(?:RemoteError|ExpectationError)\b/u.test(textOf(result) ?? "") ? "fail" : "broken";
}
