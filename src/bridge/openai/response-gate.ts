/** A response that is to be asked for. */
export interface ResponseRequest {
  readonly instructions?: string;
  /** Wanted because tools were answered: any response that has seen the answers will do. */
  readonly isForTools: boolean;
}

/**
 * Decides when `response.create` may be sent.
 *
 * The server allows one response at a time, and refuses another while one is active
 * (`conversation_already_has_active_response`). So a request waits for `response.done`, and, where
 * the model called several tools, for the last of their answers: one response for all of them.
 */
export class ResponseGate {
  readonly #outstandingCalls = new Set<string>();
  readonly #unseenOutputs = new Set<string>();
  #wanted: ResponseRequest | undefined;
  #requested: ResponseRequest | undefined;
  #lastRequested: ResponseRequest | undefined;
  /** Refused for a response that we do not know of: nothing is sent before news of responses. */
  #isBlocked = false;
  #activeResponseId: string | undefined;
  #activeSawOutputs = false;

  /** Whether the server owes us something: a response that is active, or one we asked for. */
  get isAwaitingServer(): boolean {
    return this.#activeResponseId !== undefined || this.#requested !== undefined;
  }

  /** Whether a response is active, asked for or wanted. */
  get isOwing(): boolean {
    return this.isAwaitingServer || this.#wanted !== undefined;
  }

  /** The calls that are not answered yet. */
  get outstandingCalls(): readonly string[] {
    return [...this.#outstandingCalls];
  }

  isOutstanding(callId: string): boolean {
    return this.#outstandingCalls.has(callId);
  }

  want(request: ResponseRequest): void {
    this.#wanted = request;
  }

  handleToolCall(callId: string): void {
    this.#outstandingCalls.add(callId);
  }

  /** Our answer to a call has been sent. */
  handleToolAnswer(callId: string, respond: boolean): void {
    this.#outstandingCalls.delete(callId);
    this.#unseenOutputs.add(callId);
    if (respond) this.#wanted ??= { isForTools: true };
  }

  /** The server has our answer in its conversation: responses that begin from now on see it. */
  handleOutputAdded(callId: string): void {
    this.#unseenOutputs.delete(callId);
  }

  /** A response began: ours, or one that the server's turn detection began. */
  handleResponseCreated(responseId: string): void {
    this.#activeResponseId = responseId;
    this.#activeSawOutputs = this.#unseenOutputs.size === 0 && this.#outstandingCalls.size === 0;
    this.#requested = undefined;
    this.#isBlocked = false;
    if (this.#activeSawOutputs && this.#wanted?.isForTools === true) this.#wanted = undefined;
  }

  handleResponseDone(responseId: string): void {
    if (this.#activeResponseId === responseId) this.#activeResponseId = undefined;
    this.#isBlocked = false;
  }

  /**
   * The server refused a request because a response was active: one that turn detection began
   * while ours was on its way. It will do if it saw the tools' answers; else we ask again.
   */
  handleRefused(): void {
    const refused = this.#lastRequested;
    this.#requested = undefined;
    this.#lastRequested = undefined;
    if (refused === undefined) return;
    const isActive = this.#activeResponseId !== undefined;
    if (isActive && refused.isForTools && this.#activeSawOutputs) return;
    this.#isBlocked = !isActive;
    this.#wanted ??= refused;
  }

  /** The server refused a request for good. */
  handleFailed(): void {
    this.#requested = undefined;
    this.#lastRequested = undefined;
  }

  /** Removes and returns the request to be sent now, if any. */
  take(): ResponseRequest | undefined {
    const isFree = !this.isAwaitingServer && !this.#isBlocked && this.#outstandingCalls.size === 0;
    if (!isFree || this.#wanted === undefined) return undefined;
    this.#requested = this.#wanted;
    this.#lastRequested = this.#wanted;
    this.#wanted = undefined;
    return this.#requested;
  }
}
