import type { WatchedCall } from "../call/index.ts";

/**
 * " Done on purpose: no ACK (3 times).": whoever reads of a failure must be able to tell what the
 * scenario itself made go wrong. Empty where nothing was.
 */
export function injectedText(call: WatchedCall): string {
  const counts = new Map<string, number>();
  for (const { name, effect } of call.timeline.of("sipFault")) {
    if (effect !== "released") counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return "";
  const done = [...counts].map(([name, count]) => `${name} (${timesText(count)})`);
  return ` Done on purpose: ${done.join(", ")}.`;
}

/** "once", "3 times" */
export function timesText(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
