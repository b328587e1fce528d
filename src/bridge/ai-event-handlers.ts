import type { Instant } from "../environment/index.ts";
import type { AiEvent } from "./ai-session.ts";

/** What to do for which event; events without an entry are of no interest. */
export type AiEventHandlers = {
  readonly [Type in AiEvent["type"]]?: (
    event: Extract<AiEvent, { readonly type: Type }>,
    at: Instant,
  ) => void;
};

/** Calls the handler for an event, where there is one. */
export function dispatchAiEvent(handlers: AiEventHandlers, event: AiEvent, at: Instant): void {
  // The mapped type pairs each event with its own handler, which TypeScript cannot follow here.
  const handler = handlers[event.type] as ((event: AiEvent, at: Instant) => void) | undefined;
  handler?.(event, at);
}
