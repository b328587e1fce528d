import { appendFile, readFile } from "node:fs/promises";
import type { Clock } from "../../src/environment/index.ts";
import { type Cell, type ConnectionResult, runCell } from "../kernel-tcp/cell.ts";

/** One run of the kernel's own TCP, as it is kept. */
export interface KernelRun {
  readonly cell: Cell;
  readonly connections: readonly ConnectionResult[];
  /** How late packets left the hub: what the host itself added. */
  readonly hubLateMsP99: number;
  readonly hubLateMsMax: number;
  /** Linux's release. */
  readonly release: string;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** What a file of runs holds; nothing where there is none yet. A torn last line is left out. */
export async function keptRuns(path: string): Promise<KernelRun[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as KernelRun);
}

/** Whether two cells are the same, seed and all. */
export function isSameCell(one: Cell, other: Cell): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Runs cells on the kernel's TCP, each on so many connections and some at once, and hands over each
 * as it is done.
 *
 * @throws EnvironmentError where this host cannot (see `KernelNetwork.open`).
 */
export async function runKernel(
  clock: Clock,
  cells: readonly Cell[],
  { connections, together, onRun }: KernelRunOptions,
): Promise<void> {
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const result = await runCell(clock, cell, connections);
      await onRun({
        cell,
        connections: result.connections.map((each) => ({
          ...each,
          excessMs: each.excessMs.map(round),
        })),
        hubLateMsP99: round(result.hub?.lateness.p99Ms ?? 0),
        hubLateMsMax: round(result.hub?.lateness.maxMs ?? 0),
        release: result.facts.release,
      });
    }
  };
  await Promise.all(Array.from({ length: together }, work));
}

interface KernelRunOptions {
  readonly connections: number;
  readonly together: number;
  readonly onRun: (run: KernelRun) => unknown;
}

/** Adds a run to a file. */
export async function keepRun(path: string, run: KernelRun): Promise<void> {
  await appendFile(path, `${JSON.stringify(run)}\n`);
}
