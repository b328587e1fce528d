import type { FactOf, Timeline } from "../timeline/index.ts";

/** What the injured network to or from the AI held up, of one direction. */
export interface AiStallFigures {
  readonly count: number;
  /** The longest; 0 where there was none. */
  readonly longestMs: number;
  /** Of all together. */
  readonly totalMs: number;
  /** What they waited for (`StallCause`), the most frequent first. */
  readonly causes: readonly string[];
  /** What carried the leg; its figures are modelled where that is "tcp-modelled". */
  readonly transport: string | undefined;
  /** Whether anybody looked: routers of the kernel's TCP (nft, netem) do not. */
  readonly areWatched: boolean;
}

/** Stalls of the AI's leg, each of 40 ms and more (docs/measurements.md). */
export function aiStalls(
  timeline: Pick<Timeline, "of">,
  direction: FactOf<"aiStall">["direction"],
): AiStallFigures {
  const stalls = timeline.of("aiStall").filter((stall) => stall.direction === direction);
  const counts = new Map<string, number>();
  for (const cause of stalls.flatMap(({ causes }) => causes)) {
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  const causes = [...counts].toSorted(([, one], [, other]) => other - one);
  const changed = timeline.of("networkChanged").find(({ leg }) => leg === "ai");
  return {
    count: stalls.length,
    longestMs: Math.max(0, ...stalls.map(({ overdueMs }) => overdueMs)),
    totalMs: stalls.reduce((sum, { overdueMs }) => sum + overdueMs, 0),
    causes: causes.map(([cause]) => cause),
    transport: changed?.transport,
    areWatched: changed !== undefined && (changed.backend ?? "hub") === "hub",
  };
}
