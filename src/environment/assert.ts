/**
 * Crashes where one of our own invariants is broken: a bug, not an error.
 *
 * @param why says why the condition holds, for the reader and for the crash.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`Bug: invariant broken: ${why}`);
}

/** `value`, which cannot be missing because of `why`. */
export function present<T>(value: T | undefined | null, why: string): T {
  assert(value !== undefined && value !== null, why);
  return value;
}
