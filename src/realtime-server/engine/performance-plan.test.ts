import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../environment/index.ts";
import { planPerformance } from "./performance-plan.ts";
import type { Reply, ReplyPart } from "./repertoire.ts";

const PACING = { firstDeltaMs: [100, 200], deltaMs: [200, 400], speedFactor: [5, 15] } as const;

function speech(durationMs: number): ReplyPart {
  const samples = new Int16Array(durationMs * 24);
  const sampleRateHz = 24_000;
  const voice = { id: "v", text: "One two three.", sampleRateHz, samples, onsetMs: 0, offsetMs: 0 };
  return { kind: "speech", voice };
}

const TOOL: ReplyPart = {
  kind: "tool",
  tool: { name: "hangup_call", arguments: {} },
  followUp: undefined,
};

function plan(reply: Reply, faults = {}, seed = "seed") {
  return planPerformance(reply, PACING, faults, seededRandom(seed));
}

describe("planPerformance", () => {
  it("sends all audio once, in order, in pieces and at the speed it was told", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 15_000 }), fc.string(), (durationMs, seed) => {
        const audio = plan({ parts: [speech(durationMs)] }, {}, seed).filter((step) => {
          return step.kind === "audio";
        });

        let at = 0;
        for (const [index, { fromMs, toMs, atMs }] of audio.entries()) {
          const isLast = index === audio.length - 1;
          const leastMs = index === 0 ? 100 : 200;
          expect(fromMs).toBe(at);
          expect(toMs - fromMs).toBeLessThanOrEqual(2 * leastMs);
          expect(toMs - fromMs).toBeGreaterThanOrEqual(isLast ? 0 : leastMs);
          expect(atMs).toBeGreaterThanOrEqual(fromMs / 15 - 1e-6);
          expect(atMs).toBeLessThanOrEqual(fromMs / 5 + 1e-6);
          at = toMs;
        }
        expect(audio[0]?.atMs).toBe(0);
        expect(at).toBe(durationMs);
      }),
      { numRuns: 100 },
    );
  });

  it("lets the words run ahead of the voice", () => {
    const steps = plan({ parts: [speech(1000)] });

    expect(steps.slice(0, 3).map(({ kind }) => kind)).toEqual([
      "speechBegin",
      "transcript",
      "transcript",
    ]);
    expect(steps[0]?.atMs).toBe(-10);
  });

  it("ends with the speech, and then the response", () => {
    expect(
      plan({ parts: [speech(1000)] })
        .slice(-2)
        .map(({ kind }) => kind),
    ).toEqual(["speechEnd", "finish"]);
  });

  it("ends a message after the first arguments of the call that follows it", () => {
    const steps = plan({ parts: [speech(1000), TOOL] });

    expect(steps.slice(-5).map(({ kind }) => kind)).toEqual([
      "audio",
      "toolBegin",
      "speechEnd",
      "toolEnd",
      "finish",
    ]);
  });

  it("calls first where the script wants it", () => {
    const kinds = plan({ parts: [TOOL, speech(100)] }).map(({ kind }) => kind);

    expect(kinds.slice(0, 3)).toEqual(["toolBegin", "toolEnd", "speechBegin"]);
  });

  it("calls at the answer's deadline where nothing is said", () => {
    expect(plan({ parts: [TOOL] })).toEqual([
      { kind: "toolBegin", part: 0, atMs: 0 },
      { kind: "toolEnd", part: 0, atMs: 0 },
      { kind: "finish", atMs: 0 },
    ]);
  });

  it("only finishes where there is nothing to do", () => {
    expect(plan({ parts: [] })).toEqual([{ kind: "finish", atMs: 0 }]);
  });

  it("delays the ends, and only them, on request", () => {
    const prompt = plan({ parts: [speech(1000)] });
    const late = plan({ parts: [speech(1000)] }, { lateDoneMs: 700 });

    expect(late.slice(0, -2)).toEqual(prompt.slice(0, -2));
    expect((late.at(-1)?.atMs ?? 0) - (prompt.at(-1)?.atMs ?? 0)).toBeCloseTo(700, 9);
  });

  it("repeats itself from its seed", () => {
    const reply = { parts: [speech(5000)] };

    expect(plan(reply, {}, "a")).toEqual(plan(reply, {}, "a"));
    expect(plan(reply, {}, "a")).not.toEqual(plan(reply, {}, "b"));
  });
});
