import { Then } from "@cucumber/cucumber";
import { expectJudged } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** A judge has 300 s at most, and a tester's call may still have to end. */
const STEP = { timeout: 660_000 };

/**
 * A language model finds this to be true of the call, by the transcript of both sides: of a tester's
 * call once it is over, of others so far. It is asked at SIDETONE_JUDGE_URL (docs/ai-tester.md). It
 * knows nothing of time: let other steps judge that.
 */
Then("the judge finds that {string}", STEP, async function (this: SidetoneWorld, question: string) {
  const run = await this.run();
  this.note(await expectJudged(this.call, question, run.judge()));
});
