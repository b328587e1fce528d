import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeWav } from "../../src/audio/index.ts";
import { loadCodecs } from "../../src/codec/index.ts";
import { seededRandom } from "../../src/environment/index.ts";
import {
  ACCURACY_ROWS,
  type AccuracyRow,
  brokenBounds,
  type Clip,
  type EdgeBounds,
  errorSummary,
  makeDialogue,
  measureRow,
} from "../../src/testing/index.ts";

function clipsOf(voices: "voices" | "held-out"): Clip[] {
  return (["caller", "bot"] as const).flatMap((party) => {
    const folder = new URL(`../../fixtures/${voices}/${party}/`, import.meta.url);
    const text = readFileSync(new URL("voices.json", folder), "utf8");
    return (JSON.parse(text) as readonly { readonly file: string }[]).map(({ file }) => {
      const { sampleRateHz, channels } = decodeWav(readFileSync(new URL(file, folder)));
      return { party, sampleRateHz, samples: channels[0] ?? new Int16Array() };
    });
  });
}

/** Shares and percentiles need more of them. */
function dialoguesFor({ coveredRatio }: EdgeBounds): number {
  return coveredRatio === undefined ? 1 : 2;
}

/** An echo takes some seconds of one side alone to be proved. */
function turnsFor({ conditions }: AccuracyRow): number {
  return conditions.some(({ echo }) => echo !== undefined) ? 8 : 6;
}

const clips = clipsOf("voices");
const heldOut = clipsOf("held-out");

// `npm run bench:accuracy` prints the same for more dialogues and every condition.
describe("edges of speech in dialogues of known truth (seed 20261126)", () => {
  beforeAll(() => loadCodecs(["opus"]));

  it.each(ACCURACY_ROWS.filter(({ bounds }) => Object.keys(bounds).length > 0))(
    "keep the bounds: $name",
    (row) => {
      const dialogues = dialoguesFor(row.bounds);
      const turns = turnsFor(row);
      const accuracy = measureRow(row, clips, { dialogues, turns, seed: "20261126" });

      expect(accuracy.spans).toBe(turns * dialogues * row.conditions.length);
      expect(brokenBounds(accuracy, row.bounds)).toEqual([]);
    },
  );

  it.each(ACCURACY_ROWS.filter(({ heldOutBounds }) => Object.keys(heldOutBounds).length > 0))(
    "keep the bounds with voices that the detector was not set by: $name",
    (row) => {
      const dialogues = dialoguesFor(row.heldOutBounds);
      const turns = turnsFor(row);
      const accuracy = measureRow(row, heldOut, { dialogues, turns, seed: "20261126" });

      expect(brokenBounds(accuracy, row.heldOutBounds)).toEqual([]);
    },
  );

  it.each(ACCURACY_ROWS)("are known where the sentence is known and located: $name", (row) => {
    // One condition of each row: location knows neither codec nor noise.
    const [condition] = row.conditions.slice(-1);
    if (condition === undefined) throw new Error("each row has conditions");
    const only = { ...row, conditions: [condition] };
    const options = { dialogues: 1, turns: 4, seed: "20261126", method: "located" } as const;
    const accuracy = measureRow(only, clips, options);

    expect(accuracy.spans).toBe(4);
    expect(brokenBounds(accuracy, row.locatedBounds)).toEqual([]);
  });

  it("are told to be out of bounds where they are", () => {
    const row = ACCURACY_ROWS[0];
    const poor = {
      spans: 2,
      missed: 1,
      invented: 0,
      onsetErrorsMs: [19, -19],
      offsetErrorsMs: [0, 1],
      heardOnsetErrorsMs: [0, 0],
      heardOffsetErrorsMs: [0, 41],
      coveredRatio: 0.5,
    };

    expect(brokenBounds(poor, row?.bounds ?? {})).toHaveLength(4);
    expect(brokenBounds(poor, { heardP95Ms: 40 })).toEqual(["heard offset p95 41.00 > 40"]);
    expect(errorSummary([3, -5])).toEqual({ meanMs: 4, p95Ms: 5, biasMs: -1 });
  });
});

describe("makeDialogue", () => {
  const condition = { sampleRateHz: 8000, levelDbov: [-20, -20] } as const;
  const make = (seed: string): ReturnType<typeof makeDialogue> =>
    makeDialogue(clips, condition, { turns: 4, random: seededRandom(seed) });

  it("repeats with its seed, and differs with another", () => {
    expect(Buffer.from(make("a").left.buffer).equals(Buffer.from(make("a").left.buffer))).toBe(
      true,
    );
    expect(make("a").spans).toEqual(make("a").spans);
    expect(make("a").spans).not.toEqual(make("b").spans);
  });

  it("has silence outside of the spans that it states, and speech within", () => {
    const { cleanLeft, spans } = make("a");
    const caller = spans.filter(({ party }) => party === "caller");
    const isInside = (ms: number): boolean =>
      caller.some(({ onsetMs, offsetMs }) => onsetMs - 3 <= ms && ms <= offsetMs + 3);
    const peak = cleanLeft.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const outside = cleanLeft.filter((_, index) => !isInside(index / 8));

    expect(peak).toBeGreaterThan(3000);
    expect(Math.max(...outside.map((sample) => Math.abs(sample)))).toBeLessThan(peak / 10);
  });
});
