/**
 * The published step library: phrase → public API, nothing else. `sidetone run` brings it along; for
 * `cucumber-js`, import "sidetone/steps" in a step file of yours.
 */
// oxlint-disable import/no-unassigned-import -- step files register themselves with cucumber.
import "./parameter-types.ts";
import "./hooks.ts";
import "./interruption.ts";
import "./account.steps.ts";
import "./ai.steps.ts";
import "./ai-fault.steps.ts";
import "./call.steps.ts";
import "./dialog.steps.ts";
import "./digits.steps.ts";
import "./fault.steps.ts";
import "./header.steps.ts";
import "./http.steps.ts";
import "./judge.steps.ts";
import "./media.steps.ts";
import "./ai-network.steps.ts";
import "./network.steps.ts";
import "./message.steps.ts";
import "./playout.steps.ts";
import "./quality.steps.ts";
import "./speech.steps.ts";
import "./tester.steps.ts";
import "./tool.steps.ts";
import "./transfer.steps.ts";
import "./transport.steps.ts";

export { SidetoneWorld } from "./world.ts";
