import { seededRandom } from "../environment/index.ts";
import {
  type Change,
  type ComparedCall,
  compareCalls,
  instrumentConcerns,
} from "../measure/index.ts";
import type { RunSummary, Verdict } from "./run-summary.ts";

/** A scenario that came to another verdict. */
export interface VerdictChange {
  readonly scenario: string;
  /** How often it came to each verdict, "3 pass, 1 fail". */
  readonly a: string;
  readonly b: string;
  /** Fewer of its runs passed. */
  readonly isWorse: boolean;
}

/** Two runs, side by side. */
export interface RunComparison {
  readonly runIds: { readonly a: string; readonly b: string };
  readonly changes: readonly Change[];
  readonly verdicts: readonly VerdictChange[];
  /** Scenarios of one run only: they are compared with nothing. */
  readonly onlyIn: { readonly a: readonly string[]; readonly b: readonly string[] };
  /** Versions and surroundings that differ: what else may explain a change. */
  readonly circumstances: readonly {
    readonly name: string;
    readonly a?: string;
    readonly b?: string;
  }[];
  /** Calls whose instrument was not healthy: their figures are as doubtful as the comparison. */
  readonly unhealthyCalls: { readonly a: number; readonly b: number };
}

/** What changed from run `a` to run `b`; the same two runs always give the same answer. */
export function compareRuns(a: RunSummary, b: RunSummary): RunComparison {
  const random = seededRandom(`compare ${a.runId} ${b.runId}`);
  const [namesA, namesB] = [verdictsOf(a), verdictsOf(b)];
  return {
    runIds: { a: a.runId, b: b.runId },
    changes: compareCalls(callsOf(a), callsOf(b), random),
    verdicts: verdictChanges(namesA, namesB),
    onlyIn: {
      a: [...namesA.keys()].filter((name) => !namesB.has(name)),
      b: [...namesB.keys()].filter((name) => !namesA.has(name)),
    },
    circumstances: [
      ...differences(a.versions, b.versions),
      ...differences(a.environment, b.environment),
    ],
    unhealthyCalls: { a: unhealthy(a), b: unhealthy(b) },
  };
}

/** Whether something got worse, by more than noise. */
export function isWorse({ changes, verdicts }: RunComparison): boolean {
  return (
    verdicts.some((change) => change.isWorse) ||
    changes.some(({ verdict, moreIsBetter }) => verdict === (moreIsBetter ? "fell" : "rose"))
  );
}

function callsOf(run: RunSummary): ComparedCall[] {
  const scenarioOf = new Map(
    run.scenarios.flatMap(({ uri, name, callIds }) =>
      callIds.map((id) => [id, nameOf({ uri, name })] as const),
    ),
  );
  return run.calls.map(({ id, metrics }) => ({ scenario: scenarioOf.get(id) ?? "", metrics }));
}

/** By feature file (without its folders) and name: lines move when a file is edited. */
function nameOf({ uri, name }: { readonly uri: string; readonly name: string }): string {
  return `${uri.split("/").at(-1) ?? uri}: ${name}`;
}

function verdictsOf(run: RunSummary): Map<string, Verdict[]> {
  const verdicts = new Map<string, Verdict[]>();
  for (const scenario of run.scenarios) {
    const name = nameOf(scenario);
    verdicts.set(name, [...(verdicts.get(name) ?? []), scenario.verdict]);
  }
  return verdicts;
}

function verdictChanges(
  a: ReadonlyMap<string, Verdict[]>,
  b: ReadonlyMap<string, Verdict[]>,
): VerdictChange[] {
  return [...a].flatMap(([scenario, ofA]) => {
    const ofB = b.get(scenario);
    if (ofB === undefined || words(ofA) === words(ofB)) return [];
    return [{ scenario, a: words(ofA), b: words(ofB), isWorse: passRatio(ofB) < passRatio(ofA) }];
  });
}

function passRatio(verdicts: readonly Verdict[]): number {
  return verdicts.filter((verdict) => verdict === "pass").length / verdicts.length;
}

function words(verdicts: readonly Verdict[]): string {
  const kinds = [...new Set(verdicts)].toSorted();
  if (kinds.length === 1 && verdicts.length === 1) return kinds.join();
  return kinds
    .map((kind) => `${verdicts.filter((verdict) => verdict === kind).length} ${kind}`)
    .join(", ");
}

function differences(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): { name: string; a?: string; b?: string }[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => {
    const [ofA, ofB] = [a[name], b[name]];
    if (ofA === ofB) return [];
    return [
      { name, ...(ofA === undefined ? {} : { a: ofA }), ...(ofB === undefined ? {} : { b: ofB }) },
    ];
  });
}

function unhealthy(run: RunSummary): number {
  return run.calls.filter(({ metrics }) => instrumentConcerns(metrics).length > 0).length;
}
