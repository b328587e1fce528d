/**
 * `npm run bench:accuracy [-- --seed SEED] [--dialogues N]`: how far edges of speech are off, on
 * dialogues made of the fixtures whose truth is known to the sample. Exit code 1 where a bound of
 * docs/measurements.md does not hold.
 */
import { parseArgs } from "node:util";
import { loadVoices, type VoiceLibrary } from "../src/audio/index.ts";
import { loadCodecs } from "../src/codec/index.ts";
import { hostInfo, NodeFileStore, packageInfo } from "../src/platform/index.ts";
import {
  ACCURACY_ROWS,
  type AccuracyRow,
  brokenBounds,
  type Clip,
  type EdgeAccuracy,
  type EdgeGoal,
  errorSummary,
  measureRow,
} from "../src/testing/index.ts";
import { printCorrelationAccuracy } from "./delays/print-accuracy.ts";
import { Table, write } from "./media/table.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "20261126" },
    dialogues: { type: "string", default: "6" },
  },
});
await loadCodecs(["opus"]);
const fixtures = `${packageInfo().root}/fixtures`;
const { node, platform } = hostInfo();
write(`bench:accuracy · ${node} ${platform} · seed ${values.seed}`);
write("edges of speech, found − true, in ms; held out: voices and phrases it was not set by");
write("heard: beyond what lies below the noise, or within 2 dB of the definition of an edge");
const table = new Table([
  "condition",
  "voices",
  "method",
  "figure",
  "n",
  "missed",
  "invented",
  "mean |e|",
  "p95 |e|",
  "p95 heard",
  "bias",
  "covered",
  "goal",
  "met",
]);
const broken: string[] = [];
for (const [voices, folder] of Object.entries({ fixtures: "voices", "held out": "held-out" })) {
  const clips = clipsOf(await loadVoices(new NodeFileStore(), `${fixtures}/${folder}`));
  for (const row of ACCURACY_ROWS) {
    const detectedBounds = voices === "fixtures" ? row.bounds : row.heldOutBounds;
    const bounds = { detected: detectedBounds, located: row.locatedBounds };
    for (const method of ["detected", "located"] as const) {
      const accuracy = measureRow(row, clips, {
        seed: values.seed,
        dialogues: Number(values.dialogues),
        turns: 8,
        method,
      });
      table.rows(linesOf(row, accuracy).map((line) => [row.name, voices, method, ...line]));
      const lost = brokenBounds(accuracy, bounds[method]);
      broken.push(...lost.map((what) => `${row.name}, ${voices}, ${method}: ${what}`));
    }
  }
}
const known = await loadVoices(new NodeFileStore(), `${fixtures}/voices`);
broken.push(...printCorrelationAccuracy(known, values.seed));
for (const line of broken) write(`BROKEN: ${line}`);
process.exitCode = broken.length === 0 ? 0 : 1;

function clipsOf(voices: VoiceLibrary): Clip[] {
  return (["caller", "bot"] as const).flatMap((party) =>
    voices.all(party).map(({ sampleRateHz, samples }): Clip => ({ party, sampleRateHz, samples })),
  );
}

function linesOf({ goal }: AccuracyRow, accuracy: EdgeAccuracy): string[][] {
  const { spans, missed, invented, coveredRatio } = accuracy;
  const figures = [
    ["onset", accuracy.onsetErrorsMs, accuracy.heardOnsetErrorsMs],
    ["offset", accuracy.offsetErrorsMs, accuracy.heardOffsetErrorsMs],
  ] as const;
  return figures.map(([figure, errorsMs, heardErrorsMs]) => {
    const { meanMs, p95Ms, biasMs } = errorSummary(errorsMs);
    return [
      figure,
      String(spans),
      String(missed),
      String(invented),
      meanMs.toFixed(1),
      p95Ms.toFixed(1),
      errorSummary(heardErrorsMs).p95Ms.toFixed(1),
      biasMs.toFixed(1),
      `${(100 * coveredRatio).toFixed(0)} %`,
      goal === undefined ? "none" : goalWords(goal),
      goal === undefined ? "–" : metWords(goal, coveredRatio, errorsMs, heardErrorsMs),
    ];
  });
}

function metWords(
  goal: EdgeGoal,
  coveredRatio: number,
  errorsMs: readonly number[],
  heardErrorsMs: readonly number[],
): string {
  const isMet = (errors: readonly number[]): boolean => {
    const { meanMs, p95Ms } = errorSummary(errors);
    return meanMs <= (goal.meanMs ?? Infinity) && p95Ms <= goal.p95Ms;
  };
  if (coveredRatio < (goal.coveredRatio ?? 0)) return "no";
  if (isMet(errorsMs)) return "yes";
  return isMet(heardErrorsMs) ? "as heard" : "no";
}

function goalWords({ meanMs, p95Ms, coveredRatio }: EdgeGoal): string {
  const words = [
    ...(meanMs === undefined ? [] : [`mean ${meanMs}`]),
    `p95 ${p95Ms}`,
    ...(coveredRatio === undefined ? [] : [`covered ${100 * coveredRatio} %`]),
  ];
  return words.join(", ");
}
