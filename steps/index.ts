/**
 * The published step library: phrase → public API, nothing else. Import it in cucumber's
 * configuration: `import: ["sidetone/steps"]`.
 */
// oxlint-disable import/no-unassigned-import -- step files register themselves with cucumber.
import "./parameter-types.ts";
import "./hooks.ts";
import "./call.steps.ts";
import "./speech.steps.ts";
import "./tool.steps.ts";

export { SidetoneWorld } from "./world.ts";
