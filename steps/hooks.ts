import { After, AfterAll, Before, Status, setDefaultTimeout } from "@cucumber/cucumber";
import { requireAiNetwork, requireInjected, requireSupported } from "../src/index.ts";
import { endRun } from "./run.ts";
import type { SidetoneWorld } from "./world.ts";

/** Attached per call, so that reports find the calls of a scenario. */
const CALL_MEDIA_TYPE = "application/vnd.sidetone.call+json";
/** No step waits longer than its own limits; this one is only the last resort. */
const STEP_LIMIT_MS = 120_000;

setDefaultTimeout(STEP_LIMIT_MS);

Before(async function (this: SidetoneWorld, { pickle }) {
  const { harness } = await this.run();
  this.begunAt = harness.switchboard.clock.now();
  // After Ctrl-C no scenario begins any more; the calls of the present one are hung up already.
  if (harness.isAborted) return "skipped";
  this.unsubscribe = harness.switchboard.subscribe((call) => {
    call.scenario = pickle.name;
    if (!this.calls.includes(call)) this.calls.push(call);
  });
  return undefined;
});

After(async function (this: SidetoneWorld, { result }) {
  const { harness } = await this.run();
  this.unsubscribe?.();
  // Before the calls are ended: they are to end by their BYE.
  await this.healSip();
  await harness.endCalls(this.calls);
  await Promise.all(this.calls.map((call) => harness.leave(call)));
  await Promise.all(this.calls.map((call) => call.release()));
  for (const { id, callId } of this.calls) {
    this.attach(JSON.stringify({ id, callId }), CALL_MEDIA_TYPE);
  }
  await this.bot?.ai.configure({ faults: {} });
  await this.bot?.agent.answerWith({ kind: "answer", ringMs: 0 });
  await this.forgetIdentities();
  await Promise.all([...this.standIns.values()].map((server) => server.close()));
  const told = [...this.toldAboutTransfers];
  await Promise.all(told.map((agent) => agent.treatTransfers({ kind: "accept" })));
  // Last, because it may throw: whatever the steps made of it, such a call proves nothing.
  for (const call of this.calls) requireAiNetwork(call);
  for (const call of this.calls) if (!this.expectedRefusals.has(call)) requireSupported(call);
  // Where a step failed already, that is what the reader must see.
  if (result?.status === Status.PASSED) requireInjected(this.calls, this.wantedFaults);
});

AfterAll(endRun);
