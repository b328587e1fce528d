import { describe, expect, it } from "vitest";
import { agreedOf, agreementOf, modelBesideKernel, studiesBeside } from "./agreement.ts";
import type { CellSummary } from "./analysis.ts";
import { cellsOf } from "./sweep.ts";

const [MODELLED, KERNEL, UDP] = cellsOf({
  lossRatios: [0.01],
  roundTripsMs: [20],
  burstPackets: [1],
  transports: ["tcp-modelled", "tcp-kernel", "udp"],
  congestionControls: ["cubic"],
  preBuffersMs: [0],
  callsPerCell: 1,
  turnsPerCall: 1,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "1",
});

/** A cell with so many stalls a minute, and an interval of one either way. */
function summary(cell: CellSummary["cell"] | undefined, stalls: number): CellSummary {
  if (cell === undefined) throw new Error("no cell");
  return {
    cell,
    isModelled: cell.transport === "tcp-modelled",
    calls: 6,
    failed: [],
    unhealthy: 0,
    turns: 6,
    missed: { count: 0, total: 6 },
    notYielded: { count: 0, total: 0 },
    pathStallsPerMinute: {
      perMinute: stalls,
      interval: { low: stalls - 1, high: stalls + 1, confidence: 0.95 },
    },
    gapsPerMinute: { perMinute: 3 },
    stallCauses: new Map(),
    packets: { offered: 0, lost: 0 },
  };
}

describe("the agreement of cells", () => {
  it("is that of their intervals, and none where there is none", () => {
    const { figures } = agreementOf(summary(MODELLED, 5), summary(KERNEL, 7));
    expect(figures.map(({ name, agrees }) => [name, agrees])).toEqual([
      ["stalls ≥ 100 ms", true],
      ["gaps", undefined],
    ]);
    const far = agreementOf(summary(MODELLED, 5), summary(KERNEL, 7.1));
    expect(far.figures[0]?.agrees).toBe(false);
    expect(agreedOf([far, agreementOf(summary(UDP, 5), summary(UDP, 5))])).toEqual({
      agreed: 1,
      compared: 2,
    });
  });

  it("pairs the model with the kernel, and a cell with itself in another study", () => {
    const cells = [summary(MODELLED, 5), summary(KERNEL, 5), summary(UDP, 0)];
    expect(modelBesideKernel(cells).map(({ one, other }) => [one.cell.id, other.cell.id])).toEqual([
      [MODELLED?.id, KERNEL?.id],
    ]);
    expect(studiesBeside(cells, [summary(UDP, 1)]).map(({ one }) => one.cell.id)).toEqual([
      UDP?.id,
    ]);
  });
});
