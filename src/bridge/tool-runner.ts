import {
  after,
  type Clock,
  type ErrorContext,
  errorText,
  type Instant,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
} from "../environment/index.ts";
import type { FactSink, ToolCallFact } from "../timeline/index.ts";
import type { AiSession, AiToolCallEvent } from "./ai-session.ts";
import type { DrainOutcome } from "./drain-waits.ts";
import type { ToolRegistry } from "./tool-registry.ts";
import type { Tool, ToolAnswer, ToolArguments } from "./tools.ts";

/** What a tool runner works with. */
export interface ToolRunnerOptions {
  readonly session: AiSession;
  readonly registry: ToolRegistry;
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

/** A tool call that was not answered yet. */
interface OpenCall {
  readonly call: AiToolCallEvent;
  readonly tool: Tool;
  readonly args: ToolArguments;
  readonly abort: AbortController;
  hasBegun: boolean;
  /** The model does not want to hear of it any more. */
  isTakenBack: boolean;
  /** Resolves, whatever came of it. */
  done: Promise<void>;
}

/** What is told to the model at most. */
const RESULT_CHARACTERS_MAX = 65_536;

/**
 * Carries out the model's tool calls. Those that act on the call run one after another, each after
 * all calls before it and after the speech before it; others run at once, side by side. Every call
 * gets exactly one result, unless the model takes it back.
 */
export class ToolRunner {
  readonly #options: ToolRunnerOptions;
  readonly #open = new Set<OpenCall>();
  #isClosed = false;

  constructor(options: ToolRunnerOptions) {
    this.#options = options;
  }

  handleCall(call: AiToolCallEvent, at: Instant): void {
    this.#note(call, "called", at);
    const request = this.#options.registry.parse(call);
    if (request.kind === "refused") {
      this.#fail(call, request);
      return;
    }
    const { tool, args } = request;
    const open: OpenCall = {
      call,
      tool,
      args,
      abort: new AbortController(),
      hasBegun: false,
      isTakenBack: false,
      done: Promise.resolve(),
    };
    const before = tool.actsOnCall ? [...this.#open].map(({ done }) => done) : [];
    // The wait begins now, also for a call that stands behind another: what counts is what the bot
    // had said when it made this call.
    const speech = tool.waitsForSpeech ? this.#options.speechPlayed(call.responseId) : undefined;
    this.#open.add(open);
    open.done = this.#carryOut(open, before, speech).finally(() => this.#open.delete(open));
  }

  /**
   * The provider takes a call back: it is not begun, or broken off, and nothing is answered. What
   * is being done to the call itself is done to its end.
   */
  handleCancelled(id: string): void {
    for (const open of this.#open) {
      if (open.call.id !== id) continue;
      open.isTakenBack = true;
      this.#stop(open, cancelled("The model took the call back."));
    }
  }

  /** The call is over: what has not begun does not begin any more, and the rest is broken off. */
  close(): void {
    this.#isClosed = true;
    for (const open of this.#open) this.#stop(open, cancelled("The call had ended."));
  }

  #stop(open: OpenCall, why: SidetoneError): void {
    if (!(open.hasBegun && open.tool.actsOnCall)) open.abort.abort(why);
  }

  async #carryOut(
    open: OpenCall,
    before: readonly Promise<void>[],
    speech: Promise<DrainOutcome> | undefined,
  ): Promise<void> {
    const { call, tool, abort } = open;
    await Promise.all(before);
    const wait = await speech;
    if (this.#isClosed) abort.abort(cancelled("The call had ended."));
    if (wait === "flushed" && !abort.signal.aborted) {
      this.#fail(call, INTERRUPTED, { responds: false });
      return;
    }
    const timer = this.#armTimeout(open);
    try {
      abort.signal.throwIfAborted();
      open.hasBegun = true;
      this.#note(call, "started", this.#options.clock.now());
      const answer = await this.#runUnlessStopped(open);
      this.#succeed(open, resultText(answer));
    } catch (error) {
      this.#fail(call, failureOf(error), { isTakenBack: open.isTakenBack });
    } finally {
      timer?.cancel();
      // Whoever still works for this call need not any more.
      if (!tool.actsOnCall) abort.abort(cancelled("The tool call is over."));
    }
  }

  #runUnlessStopped({ call, tool, args, abort }: OpenCall): Promise<ToolAnswer> {
    const { record } = this.#options;
    const { signal } = abort;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      tool.run(args, { toolCallId: call.id, signal, record }).then(resolve, reject);
    });
  }

  #armTimeout({ tool, abort }: OpenCall): { cancel(): void } | undefined {
    const { timeoutMs } = tool;
    if (timeoutMs === undefined) return undefined;
    const { clock } = this.#options;
    return clock.setTimer(after(clock.now(), timeoutMs), () => abort.abort(timedOut(timeoutMs)));
  }

  #succeed({ call, tool, isTakenBack }: OpenCall, result: string): void {
    this.#note(call, "finished", this.#options.clock.now(), { result });
    if (isTakenBack) return;
    this.#options.session.sendToolResult(call.id, result, { respond: tool.responds });
  }

  #fail(
    call: AiToolCallEvent,
    { code, message, details }: ToolFailure,
    how: { readonly isTakenBack?: boolean; readonly responds?: boolean } = {},
  ): void {
    const result = JSON.stringify({ status: "error", message, ...details });
    this.#note(call, "failed", this.#options.clock.now(), { result, code });
    if (how.isTakenBack === true) return;
    const respond = how.responds ?? !this.#isClosed;
    this.#options.session.sendToolResult(call.id, result, { respond });
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

/** The caller's turn asks the model for its next words: it is told, and not asked to speak. */
const INTERRUPTED: ToolFailure = {
  code: "ERR_TOOL_CANCELLED",
  message:
    "The caller interrupted what you said before it was played, so this was not carried out. Call it again if it is still wanted.",
};

function cancelled(message: string): RemoteError {
  return new RemoteError("ERR_TOOL_CANCELLED", message);
}

function timedOut(timeoutMs: number): RemoteError {
  const message = `The tool had not finished after ${timeoutMs} ms and was given up.`;
  return new RemoteError("ERR_TOOL_TIMED_OUT", message);
}

/** @throws RemoteError ERR_TOOL_RESULT for what is no JSON, or too much of it. */
function resultText(answer: ToolAnswer): string {
  let text: string;
  try {
    text = JSON.stringify({ status: "ok", ...answer });
  } catch (cause) {
    const message = `The tool's result cannot be written as JSON: ${errorText(cause)}.`;
    throw new RemoteError("ERR_TOOL_RESULT", message, { cause });
  }
  if (text.length <= RESULT_CHARACTERS_MAX) return text;
  throw new RemoteError(
    "ERR_TOOL_RESULT",
    `The tool's result has ${text.length} characters; ${RESULT_CHARACTERS_MAX} are told to the model at most.`,
  );
}

function failureOf(error: unknown): ToolFailure {
  const message = errorText(error);
  if (!isSidetoneError(error)) return { code: "ERR_TOOL_FAILED", message };
  const { code, context } = error;
  return { code, message, ...(context["outcome"] === undefined ? {} : { details: context }) };
}
