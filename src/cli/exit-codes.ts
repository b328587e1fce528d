import type { ErrorSummary, RunSummary } from "../report/index.ts";

/** What the process's exit code says. */
export const EXIT_CODES: {
  readonly passed: 0;
  readonly failed: 1;
  readonly usage: 2;
  readonly environment: 3;
  readonly inconclusive: 4;
  readonly interrupted: 130;
} = { passed: 0, failed: 1, usage: 2, environment: 3, inconclusive: 4, interrupted: 130 };

/** Codes of errors that lie with the host, the network or the credentials. */
const ENVIRONMENT_CODES =
  /^ERR_(?:PORT_|ADDRESS_|BIND_|HOST_|THREAD_|AI_UNREACHABLE|AI_UNAUTHORIZED|INSTRUMENT_)/u;

/** Broken weighs more than failed, failed more than inconclusive. */
export function exitCodeOf(run: RunSummary, problems: readonly ErrorSummary[]): number {
  const broken = [
    ...problems,
    ...run.scenarios.flatMap(({ verdict, error }) =>
      verdict === "broken" ? [error ?? { message: "" }] : [],
    ),
  ];
  if (broken.some(({ code }) => ENVIRONMENT_CODES.test(code ?? ""))) return EXIT_CODES.environment;
  if (broken.length > 0) return EXIT_CODES.usage;
  const verdicts = new Set(run.scenarios.map(({ verdict }) => verdict));
  if (verdicts.has("fail")) return EXIT_CODES.failed;
  if (verdicts.has("inconclusive") || verdicts.has("unsupported")) return EXIT_CODES.inconclusive;
  // A run without a scenario proves nothing and must not be green.
  return run.scenarios.length === 0 ? EXIT_CODES.usage : EXIT_CODES.passed;
}
