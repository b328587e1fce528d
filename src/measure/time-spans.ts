import { elapsedMs, type Instant, instant } from "../environment/index.ts";

/** A stretch of time, `endAt` exclusive. */
export interface TimeSpan {
  readonly startAt: Instant;
  readonly endAt: Instant;
}

/** Rounds to 1 µs, the resolution of the call folder, so that both ways give the same figures. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Signed milliseconds from `from` to `to`, rounded to 1 µs. */
export function betweenMs(from: Instant, to: Instant): number {
  return roundMs(elapsedMs(from, to));
}

/** `at`, rounded to 1 µs. */
export function roundInstant(at: Instant): Instant {
  return instant(roundMs(at));
}

/** The span between two instants, whichever is first. */
export function spanBetween(one: Instant, other: Instant): TimeSpan {
  return one <= other ? { startAt: one, endAt: other } : { startAt: other, endAt: one };
}

/** Milliseconds for which two spans coincide; 0 where they do not touch. */
export function overlapMs(a: TimeSpan, b: TimeSpan): number {
  return Math.max(0, Math.min(a.endAt, b.endAt) - Math.max(a.startAt, b.startAt));
}

/** True where `at` lies within the span. */
export function contains(span: TimeSpan, at: Instant): boolean {
  return span.startAt <= at && at < span.endAt;
}

/** Milliseconds of all spans, none counted twice. */
export function totalMs(spans: readonly TimeSpan[]): number {
  return roundMs(unionOf(spans).reduce((sum, span) => sum + (span.endAt - span.startAt), 0));
}

/** The union of spans as spans that do not touch, in order. */
function unionOf(spans: readonly TimeSpan[]): TimeSpan[] {
  const union: TimeSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.startAt - b.startAt)) {
    const last = union.at(-1);
    if (last === undefined || span.startAt > last.endAt) {
      union.push({ startAt: span.startAt, endAt: span.endAt });
    } else if (span.endAt > last.endAt) {
      union[union.length - 1] = { startAt: last.startAt, endAt: span.endAt };
    }
  }
  return union;
}
