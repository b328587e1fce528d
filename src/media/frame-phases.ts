import { type Instant, instant } from "../environment/index.ts";

/** Deadlines lie on multiples of this: all frame lengths in use are whole multiples of it. */
const GRID_MS = 1.25;
/** The longest that a new call waits for its first deadline. */
const WAIT_MS_MAX = 5;
/** Of the grid, the points that are filled first, then the next ones. */
const PREFERRED_MS = [5, 2.5, GRID_MS] as const;
/**
 * So many calls are served in one go. That takes about half a millisecond, by which the last of
 * them is always late, and so keeps its distance; more would gain little.
 */
const CALLS_TOGETHER = 32;

/**
 * Where the deadlines of a thread's calls lie against each other: together, in groups.
 *
 * A call that is served alone finds the processor's caches full of something else, which doubles
 * what it costs. So a new call's first deadline is put off by up to 5 ms to where others have
 * theirs. It knows no calls, only how many have a deadline where.
 */
export class FramePhases {
  /** Calls by frame length and place in the frame. */
  readonly #calls = new Map<string, number>();

  /** Where a call that begins at `now` should have its first deadline; `claim` tells that it has. */
  choose(now: Instant, frameMs: number): Instant {
    const first = Math.ceil(now / GRID_MS) * GRID_MS;
    let best = first;
    let least = Number.POSITIVE_INFINITY;
    for (const stepMs of PREFERRED_MS) {
      const begin = Math.ceil(first / stepMs) * stepMs;
      for (let at = begin; at < now + WAIT_MS_MAX; at += stepMs) {
        const calls = this.callsAt(instant(at), frameMs);
        if (calls < CALLS_TOGETHER) return instant(at);
        if (calls < least) {
          least = calls;
          best = at;
        }
      }
    }
    return instant(best);
  }

  /** Calls whose deadlines, of that frame length, fall on this instant. */
  callsAt(deadline: Instant, frameMs: number): number {
    return this.#calls.get(keyOf(deadline, frameMs)) ?? 0;
  }

  /** A call has its deadlines here from now on. */
  claim(deadline: Instant, frameMs: number): void {
    const key = keyOf(deadline, frameMs);
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
  }

  /** A call has them here no longer; any of its deadlines will do. */
  release(deadline: Instant, frameMs: number): void {
    const key = keyOf(deadline, frameMs);
    const calls = (this.#calls.get(key) ?? 0) - 1;
    if (calls > 0) this.#calls.set(key, calls);
    else this.#calls.delete(key);
  }
}

function keyOf(deadline: Instant, frameMs: number): string {
  const points = Math.round(frameMs / GRID_MS);
  return `${frameMs}/${Math.round(deadline / GRID_MS) % points}`;
}
