import { type Random, seededRandom } from "../../../../src/environment/index.ts";
import { nextInput } from "./mutations.ts";

/**
 * How many inputs each target gets. The default is for every test run; nightly, millions:
 * `SIDETONE_FUZZ_RUNS=1000000 SIDETONE_FUZZ_SEED=$(date +%s) npx vitest run --project unit test/unit/fuzz`.
 */
const RUNS = Number(process.env["SIDETONE_FUZZ_RUNS"] ?? 3000);
/** Repeats a run; fixed by default, so that a test run is the same everywhere. */
const SEED = process.env["SIDETONE_FUZZ_SEED"] ?? "1";

/** For the titles of tests: what repeats them. */
export const FUZZ_TITLE: string = `(seed ${SEED}, ${RUNS} inputs)`;
/** Millions of inputs take their time. */
export const FUZZ_TIMEOUT_MS: number = 10_000 + RUNS * 10;

/** No input may take longer: far more than any needs, and than a busy host withholds. */
const INPUT_MS_MAX = 2000;
/** Processor time per input, in the mean. */
const MEAN_CPU_MS_MAX = 2;

/** One target of a fuzz run. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, to be mutated; for what keeps a state, those that fit at this input. */
  readonly corpus: readonly Uint8Array[] | ((index: number) => readonly Uint8Array[]);
  /** The share of inputs that stay valid; default 0.05. More of them lead deeper into states. */
  readonly validShare?: number;
  /** For costly targets: the share of the runs that they get; default 1. */
  readonly share?: number;
  /** Takes one input; throws where an invariant is broken. */
  handle(input: Uint8Array, random: Random, index: number): void;
}

/**
 * Gives the target its inputs.
 *
 * @throws an Error that names the seed, the input's number and its octets: what the target threw,
 * or that it took too long.
 */
export function fuzz(target: FuzzTarget): void {
  const runs = Math.max(1, Math.floor(RUNS * (target.share ?? 1)));
  const random = seededRandom(`${SEED}/${target.name}`);
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < runs; index += 1) {
    const corpus = typeof target.corpus === "function" ? target.corpus(index) : target.corpus;
    const input = nextInput(corpus, random, target.validShare);
    const original = input.slice();
    const startedAt = performance.now();
    try {
      target.handle(input, random, index);
    } catch (error) {
      throw new Error(describeInput(target, index, original), { cause: error });
    }
    if (performance.now() - startedAt > INPUT_MS_MAX) {
      throw new Error(`${describeInput(target, index, original)} It took too long.`);
    }
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const meanMs = (user + system) / 1000 / runs;
  if (meanMs > MEAN_CPU_MS_MAX) {
    throw new Error(`${target.name}, seed ${SEED}: ${meanMs.toFixed(2)} ms of CPU per input.`);
  }
}

/** States what must hold; within `fuzz`, its Error becomes the cause of the report. */
export function mustHold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`It does not hold that ${what}`);
}

function describeInput(target: FuzzTarget, index: number, input: Uint8Array): string {
  return (
    `${target.name}, seed ${SEED}, input ${index} of ${input.length} octets: ` +
    `${Buffer.from(input).toString("hex")}.`
  );
}
