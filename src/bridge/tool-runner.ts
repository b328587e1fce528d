import {
  type Clock,
  type ErrorContext,
  errorText,
  type Instant,
  isSidetoneError,
} from "../environment/index.ts";
import type { FactSink, ToolCallFact } from "../timeline/index.ts";
import type { AiSession, AiToolCallEvent } from "./ai-session.ts";
import type { DrainOutcome } from "./drain-waits.ts";
import {
  parseToolRequest,
  type ToolHandlers,
  type ToolRequest,
  type TransferResult,
} from "./tools.ts";

/** What a tool runner works with. */
export interface ToolRunnerOptions {
  readonly session: AiSession;
  readonly handlers: ToolHandlers;
  readonly record: FactSink;
  readonly clock: Clock;
  /** Resolves when what the bot has said before the call (and in its response) has been played. */
  readonly speechPlayed: (responseId: string) => Promise<DrainOutcome>;
}

interface ToolFailure {
  readonly code: string;
  readonly message: string;
  /** What the model may want to tell apart, such as the status by which a transfer failed. */
  readonly details?: ErrorContext;
}

type Feasible = Exclude<ToolRequest, { readonly kind: "refused" }>;

/**
 * Carries out the model's tool calls, one after another in the order in which they were made, each
 * after the speech before it has been played. Every call gets exactly one result.
 */
export class ToolRunner {
  readonly #options: ToolRunnerOptions;
  readonly #cancelled = new Set<string>();
  readonly #open = new Set<string>();
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: ToolRunnerOptions) {
    this.#options = options;
  }

  handleCall(call: AiToolCallEvent, at: Instant): void {
    this.#note(call, "called", at);
    const request = parseToolRequest(call.name, call.args, call.argsError);
    if (request.kind === "refused") {
      this.#fail(call, request);
      return;
    }
    this.#open.add(call.id);
    const before = this.#last;
    // The wait begins now, also for a call that stands behind another: what counts is what the bot
    // had said when it made this call.
    const speechPlayed = this.#options.speechPlayed(call.responseId);
    this.#last = this.#runAfter(before, speechPlayed, { call, request });
  }

  /** The provider takes a call back; one that is being carried out goes on. */
  handleCancelled(id: string): void {
    if (this.#open.has(id)) this.#cancelled.add(id);
  }

  /** The call is over: what has not begun does not begin any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #runAfter(
    before: Promise<void>,
    speechPlayed: Promise<DrainOutcome>,
    { call, request }: { readonly call: AiToolCallEvent; readonly request: Feasible },
  ): Promise<void> {
    await before;
    await speechPlayed;
    this.#open.delete(call.id);
    const isCancelled = this.#cancelled.delete(call.id);
    if (isCancelled || this.#isClosed) {
      const why = isCancelled ? "The model took the call back." : "The call had ended.";
      this.#fail(call, { code: "ERR_TOOL_CANCELLED", message: why });
      return;
    }
    await this.#run(call, request);
  }

  async #run(call: AiToolCallEvent, request: Feasible): Promise<void> {
    const { handlers, session, clock } = this.#options;
    this.#note(call, "started", clock.now());
    let outcome: TransferResult | undefined;
    try {
      outcome = await carryOut(request, handlers);
    } catch (error) {
      this.#fail(call, failureOf(error));
      return;
    }
    const { result: how, statusCode } = outcome ?? {};
    const result = JSON.stringify({ status: "ok", outcome: how, statusCode });
    this.#note(call, "finished", clock.now(), { result });
    // After hanging up or transferring there is nobody to talk to; after digits the model may go on talking.
    session.sendToolResult(call.id, result, { respond: request.kind === "sendDigits" });
  }

  #fail(call: AiToolCallEvent, { code, message, details }: ToolFailure): void {
    const result = JSON.stringify({ status: "error", message, ...details });
    this.#note(call, "failed", this.#options.clock.now(), { result, code });
    this.#options.session.sendToolResult(call.id, result, { respond: !this.#isClosed });
  }

  #note(
    call: AiToolCallEvent,
    event: ToolCallFact["event"],
    at: Instant,
    more: { readonly result?: string; readonly code?: string } = {},
  ): void {
    this.#options.record({
      kind: "toolCall",
      event,
      toolCallId: call.id,
      name: call.name,
      arguments: call.args,
      ...more,
      at,
    });
  }
}

async function carryOut(
  request: Feasible,
  handlers: ToolHandlers,
): Promise<TransferResult | undefined> {
  if (request.kind === "transfer") {
    const { destination, attended } = request;
    return handlers.transfer({ destination, attended });
  }
  await (request.kind === "hangUp" ? handlers.hangUp() : handlers.sendDigits(request.digits));
  return undefined;
}

function failureOf(error: unknown): ToolFailure {
  const message = errorText(error);
  if (!isSidetoneError(error)) return { code: "ERR_TOOL_FAILED", message };
  const { code, context } = error;
  return { code, message, ...(context["outcome"] === undefined ? {} : { details: context }) };
}
