import { elapsedMs, type Instant } from "../environment/index.ts";

/** How a wait for queued speech ended. */
export type DrainOutcome = "played" | "flushed" | "timeout" | "closed";

/** A wait for the speech queued up to now, or up to the end of a response. */
export interface DrainRequest {
  /** Wait for the end of this response, too; without it: for what is queued now. */
  readonly responseId?: string;
  readonly deadline: Instant;
  /** Called once. */
  readonly settle: (outcome: DrainOutcome) => void;
}

interface Wait {
  readonly request: DrainRequest;
  /** How many samples must have left the queue; unknown while the response is being made. */
  mark: number | undefined;
}

/**
 * Waits for positions of a first-in, first-out queue. Positions count the samples that ever
 * entered or left it.
 */
export class DrainWaits {
  #waits: Wait[] = [];

  /** When `handleTimeout` is due. */
  get nextTimeout(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { request } of this.#waits) {
      if (earliest === undefined || request.deadline < earliest) earliest = request.deadline;
    }
    return earliest;
  }

  /** `mark`: the position to wait for, where it is already known. */
  add(request: DrainRequest, mark: number | undefined): void {
    this.#waits.push({ request, mark });
  }

  /** The response's audio has fully entered the queue, which ends at `mark`. */
  handleResponseDone(responseId: string, mark: number): void {
    for (const wait of this.#waits) {
      if (wait.request.responseId === responseId) wait.mark ??= mark;
    }
  }

  /** The queue has been played up to `position`. */
  handlePosition(position: number): void {
    if (this.#waits.length === 0) return;
    this.#settle("played", (wait) => wait.mark !== undefined && wait.mark <= position);
  }

  handleTimeout(now: Instant): void {
    if (this.#waits.length === 0) return;
    this.#settle("timeout", (wait) => elapsedMs(wait.request.deadline, now) >= 0);
  }

  /** Ends every wait. */
  settleAll(outcome: DrainOutcome): void {
    this.#settle(outcome, () => true);
  }

  #settle(outcome: DrainOutcome, isDue: (wait: Wait) => boolean): void {
    const due = this.#waits.filter(isDue);
    if (due.length === 0) return;
    this.#waits = this.#waits.filter((wait) => !due.includes(wait));
    for (const wait of due) wait.request.settle(outcome);
  }
}
