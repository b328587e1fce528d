import type { VoiceLibrary } from "../../src/audio/index.ts";
import { quantile } from "../../src/measure/index.ts";
import {
  type CorrelationAccuracy,
  DELAY_BOUND_COVERED,
  DELAY_BOUND_P95_MS,
  DELAY_ROWS,
  measureDelayRow,
  measureLocatedRow,
} from "../../src/testing/index.ts";
import { Table, write } from "../media/table.ts";

/**
 * Prints how far off mouth-to-ear delay and located edges are, on lines whose truth is known.
 *
 * @returns what is out of bounds.
 */
export function printCorrelationAccuracy(voices: VoiceLibrary, seed: string): string[] {
  const bot = voices.all("bot");
  return [
    ...printed("mouth-to-ear delay, windows of 1 s: |error| in ms", "windows", (row) =>
      measureDelayRow(row, bot, seed),
    ),
    ...printed("known utterances located among others, both edges: |error| in ms", "edges", (row) =>
      measureLocatedRow(row, bot, seed),
    ),
  ];
}

function printed(
  title: string,
  unit: string,
  measure: (row: (typeof DELAY_ROWS)[number]) => CorrelationAccuracy,
): string[] {
  write(title);
  const table = new Table(["line", unit, "not sure", "mean", "p95", "max", "covered"]);
  return DELAY_ROWS.flatMap((row) => {
    const { errorsMs, missed, coveredRatio } = measure(row);
    const sorted = errorsMs.toSorted((a, b) => a - b);
    const p95 = quantile(sorted, 0.95);
    table.row([
      row.name,
      String(errorsMs.length),
      String(missed),
      (sorted.reduce((sum, each) => sum + each, 0) / Math.max(1, sorted.length)).toFixed(3),
      p95.toFixed(3),
      (sorted.at(-1) ?? Number.NaN).toFixed(3),
      `${(100 * coveredRatio).toFixed(0)} %`,
    ]);
    const isGood = p95 <= DELAY_BOUND_P95_MS && coveredRatio >= DELAY_BOUND_COVERED;
    return isGood ? [] : [`${row.name}: p95 ${p95.toFixed(3)} ms, covered ${coveredRatio}`];
  });
}
