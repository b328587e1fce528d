import { expect, it } from "vitest";
import { falseVerdicts, VERDICTS_TIMEOUT_MS } from "./runs.ts";

it(
  "judges 250 calls to right and wrong bots as they were, part 4 of 4",
  async () => {
    expect(await falseVerdicts(3)).toEqual([]);
  },
  VERDICTS_TIMEOUT_MS,
);
