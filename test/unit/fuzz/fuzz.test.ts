import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/environment/index.ts";
import { RTCP_CORPUS } from "./support/corpus.ts";
import { fuzz, mustHold } from "./support/fuzz.ts";
import { nextInput } from "./support/mutations.ts";

function failureOf(run: () => void): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail.");
}

function inputsOf(seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: 300 }, () => nextInput(RTCP_CORPUS, random));
}

describe("the fuzz suite", () => {
  it("finds a planted fault, and names the seed, the input and the cause", () => {
    const failure = failureOf(() =>
      fuzz({
        name: "planted",
        corpus: [Uint8Array.from([1, 2, 3, 4])],
        handle: (input) => mustHold(input[0] !== 0xff, "the first octet is not 255"),
      }),
    );

    expect(failure.message).toMatch(/^planted, seed \S+, input \d+ of \d+ octets: ff[0-9a-f]*\.$/);
    expect((failure.cause as Error).message).toContain("the first octet is not 255");
  });

  it("makes the same inputs of the same seed, and spares the corpus", () => {
    const before = RTCP_CORPUS.map((input) => input.slice());
    expect(inputsOf(1)).toEqual(inputsOf(1));
    expect(inputsOf(1)).not.toEqual(inputsOf(2));
    expect(RTCP_CORPUS).toEqual(before);
  });
});
