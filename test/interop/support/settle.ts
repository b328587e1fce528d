import { setTimeout as delay } from "node:timers/promises";

const LOOK_INTERVAL_MS = 250;

/**
 * Looks again and again until a value is as awaited, or the time is over.
 * @returns the last value seen, for the test to assert, and how long that took.
 */
export async function settle<Value>(
  look: () => Promise<Value> | Value,
  isSettled: (value: Value) => boolean,
  limitMs: number,
): Promise<{ readonly value: Value; readonly tookMs: number }> {
  const startedAt = performance.now();
  for (;;) {
    const value = await look();
    const tookMs = performance.now() - startedAt;
    if (isSettled(value) || tookMs >= limitMs) return { value, tookMs };
    await delay(LOOK_INTERVAL_MS);
  }
}
