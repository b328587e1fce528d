import { describe, expect, it } from "vitest";
import type { WatchedCall } from "../../../src/call/index.ts";
import { expectKeepsSpeaking, expectStop } from "../../../src/expect/index.ts";
import { type CallPlan, type Speech, syntheticCall } from "../report/synthetic-call.ts";
import { recordedCall } from "./recorded-call.ts";

/** A call to a bot of which only the sound is known, which says `speech`. */
function callWith(
  utterance: CallPlan["utterances"][number],
  speech: readonly Speech[],
): WatchedCall {
  const { facts, audio } = syntheticCall({
    endMs: 8000,
    utterances: [utterance],
    responses: [{ id: "long", speech }],
    botKnown: false,
  });
  return recordedCall(facts, ["caller"], audio);
}

const HUM = { id: "mm-hmm", fromMs: 2000, toMs: 2350, purpose: "backchannel" } as const;
const EXCUSE_ME = { id: "excuse-me", fromMs: 2000, toMs: 2600, purpose: "interruption" } as const;
const PAUSE = [
  { fromMs: 500, toMs: 2400 },
  { fromMs: 3000, toMs: 4000 },
] as const;

describe("a step on a bot that may only have paused", () => {
  it("is inconclusive of a backchannel, where one that stops fails and one that goes on passes", async () => {
    await expect(expectKeepsSpeaking(callWith(HUM, PAUSE))).rejects.toMatchObject({
      code: "ERR_MEASUREMENT_UNCERTAIN",
      message: expect.stringContaining("the bot may only have paused"),
    });
    await expect(expectKeepsSpeaking(callWith(HUM, [PAUSE[0]]))).rejects.toMatchObject({
      code: "ERR_FALSE_STOP",
    });
    const goesOn = callWith(HUM, [{ fromMs: 500, toMs: 5000 }]);
    await expect(expectKeepsSpeaking(goesOn)).resolves.toContain("kept talking");
  });

  it("is inconclusive of an interruption, unless it would hold of the later stop, too", async () => {
    // Heard up to 470 ms after the onset, or else up to 2,070 ms.
    await expect(expectStop(callWith(EXCUSE_ME, PAUSE), 1500)).rejects.toMatchObject({
      code: "ERR_MEASUREMENT_UNCERTAIN",
    });
    await expect(expectStop(callWith(EXCUSE_ME, PAUSE), 2200)).resolves.toContain("heard 472 ms");
    await expect(expectStop(callWith(EXCUSE_ME, [PAUSE[0]]), 1500)).resolves.toContain("heard");
    await expect(expectStop(callWith(EXCUSE_ME, [PAUSE[0]]), 300)).rejects.toMatchObject({
      code: "ERR_ABOVE_LIMIT",
    });
  });
});
