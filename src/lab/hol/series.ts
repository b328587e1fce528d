import type { CellSummary } from "./analysis.ts";
import type { Cell } from "./sweep.ts";

/** One line of a plot: all cells that differ by loss alone, and by round trip between panels. */
export interface Series {
  readonly name: string;
  readonly cells: readonly CellSummary[];
}

/** "tcp-kernel bbr", "tcp-modelled cubic (modelled)", with what else the study varied. */
export function carrierName({ transport, congestionControl }: Cell): string {
  const name = congestionControl === undefined ? transport : `${transport} ${congestionControl}`;
  return transport === "tcp-modelled" ? `${name} (modelled)` : name;
}

/** Lines of the plots, in the order of the cells. Runs and pre-buffers are named where they vary. */
export function seriesOf(cells: readonly CellSummary[]): Series[] {
  const buffers = new Set(cells.map(({ cell }) => cell.preBufferMs));
  const bursts = new Set(
    cells.filter(({ cell }) => cell.lossRatio > 0).map(({ cell }) => cell.burstPackets),
  );
  const nameOf = (cell: Cell, burstPackets: number): string =>
    [
      carrierName(cell),
      ...(bursts.size > 1
        ? [burstPackets === 1 ? "single losses" : `runs of ${burstPackets}`]
        : []),
      ...(buffers.size > 1 ? [`pre-buffer ${cell.preBufferMs} ms`] : []),
    ].join(", ");
  const found = new Map<string, CellSummary[]>();
  for (const summary of cells) {
    const { cell } = summary;
    // Without loss there are no runs: the point belongs to each line.
    for (const burst of cell.lossRatio === 0 && bursts.size > 0 ? bursts : [cell.burstPackets]) {
      const name = nameOf(cell, burst);
      const own = found.get(name) ?? [];
      own.push(summary);
      found.set(name, own);
    }
  }
  return [...found].map(([name, own]) => ({
    name,
    cells: own.toSorted((a, b) => a.cell.lossRatio - b.cell.lossRatio),
  }));
}
