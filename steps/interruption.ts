import { AfterStep, setDefinitionFunctionWrapper } from "@cucumber/cucumber";
import { isRunAborted } from "./run.ts";

type Definition = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Ctrl-C hangs up the calls that a step is watching. What the step then sees, good or bad, was our
 * own doing, so cucumber and its reporters are told that the step was skipped.
 */
AfterStep(() => (isRunAborted() ? "skipped" : undefined));

setDefinitionFunctionWrapper(
  (definition: Definition): Definition =>
    function skipIfAborted(this: unknown, ...args: unknown[]): unknown {
      try {
        const result = definition.apply(this, args);
        return result instanceof Promise ? result.catch(skippedOrThrown) : result;
      } catch (error) {
        return skippedOrThrown(error);
      }
    },
);

function skippedOrThrown(error: unknown): "skipped" {
  if (isRunAborted()) return "skipped";
  throw error;
}
