import type { Instant } from "../environment/index.ts";
import { betweenMs, type TimeSpan } from "./time-spans.ts";

/** One part of a latency. Several names where no event separates them. */
export interface LatencyPart<Name extends string = string> extends TimeSpan {
  readonly covers: readonly Name[];
  /** Signed: an event may come before the one that usually precedes it. */
  readonly ms: number;
}

/** Where a part ends: `undefined` where the event that would end it is not known. */
export interface PartBoundary<Name extends string = string> {
  readonly name: Name;
  readonly endAt: Instant | undefined;
}

/**
 * Cuts the time from `startAt` to the last boundary into parts that add up to the whole exactly.
 *
 * A boundary that is not known merges its part with the next, so that nothing is guessed and
 * nothing is lost. The last boundary must be known; else there are no parts.
 */
export function partsBetween<Name extends string>(
  startAt: Instant,
  boundaries: readonly PartBoundary<Name>[],
): LatencyPart<Name>[] {
  if (boundaries.at(-1)?.endAt === undefined) return [];
  const parts: LatencyPart<Name>[] = [];
  let from = startAt;
  let covers: Name[] = [];
  for (const { name, endAt } of boundaries) {
    covers.push(name);
    if (endAt === undefined) continue;
    parts.push({ covers, startAt: from, endAt, ms: betweenMs(from, endAt) });
    from = endAt;
    covers = [];
  }
  return parts;
}
