import { describe, expect, it } from "vitest";
import { cellsOf, checkSweep, lossModelOf, planCalls, type Sweep } from "./sweep.ts";

const SWEEP: Sweep = {
  lossRatios: [0, 0.02],
  roundTripsMs: [20, 80],
  burstPackets: [1, 3],
  transports: ["tcp-modelled", "udp"],
  congestionControls: ["cubic", "reno"],
  preBuffersMs: [0, 200],
  callsPerCell: 2,
  turnsPerCall: 5,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "7",
};

describe("a sweep", () => {
  it("has each combination once: no runs without loss, no congestion control of UDP", () => {
    const cells = cellsOf(SWEEP);
    // Losses 0, 2 % alone, 2 % in runs; two round trips; cubic, reno, UDP; two pre-buffers.
    expect(cells).toHaveLength(3 * 2 * 3 * 2);
    expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
    expect(cells[0]).toEqual({
      id: "tcp-modelled cubic, 0 % lost, 20 ms, pre-buffer 0 ms",
      lossRatio: 0,
      roundTripMs: 20,
      burstPackets: 1,
      transport: "tcp-modelled",
      congestionControl: "cubic",
      preBufferMs: 0,
    });
    expect(cells.filter(({ transport }) => transport === "udp").map((cell) => cell.id)).toContain(
      "udp, 2 % lost in runs of 3, 80 ms, pre-buffer 200 ms",
    );
  });

  it("plans the first call of each cell, then the second of each", () => {
    const cells = cellsOf(SWEEP);
    const calls = planCalls(cells, SWEEP);
    expect(calls.map(({ cell }) => cell)).toEqual([...cells, ...cells]);
    expect(calls.map(({ repeat }) => repeat)).toEqual([
      ...cells.map(() => 0),
      ...cells.map(() => 1),
    ]);
    expect(planCalls(cells, SWEEP)).toEqual(calls);
  });

  it("gives the packets of what is compared the same fate, and to each repeat another one", () => {
    const calls = planCalls(cellsOf(SWEEP), SWEEP);
    const seeds = (lossRatio: number, burstPackets: number, repeat: number): string[] =>
      calls
        .filter(({ cell }) => cell.lossRatio === lossRatio && cell.burstPackets === burstPackets)
        .filter((call) => call.repeat === repeat)
        .map(({ seed }) => seed);
    expect(seeds(0.02, 1, 0)).toHaveLength(12);
    expect(new Set(seeds(0.02, 1, 0))).toEqual(new Set(["7/2 % lost/0"]));
    expect(new Set(calls.map(({ seed }) => seed)).size).toBe(3 * 2);
  });

  it("loses in runs by Gilbert's model", () => {
    expect(lossModelOf({ lossRatio: 0.02, burstPackets: 1 })).toEqual({
      kind: "bernoulli",
      lossRatio: 0.02,
    });
    expect(lossModelOf({ lossRatio: 0.02, burstPackets: 4 })).toMatchObject({
      kind: "gilbert-elliott",
      toGoodRatio: 0.25,
    });
  });

  it.each([
    ["lossRatios", [-0.01], /loss of -1 %/u],
    ["lossRatios", [0.6], /loss of 60 %.*0 to 50 %/u],
    ["lossRatios", [], /names no loss/u],
    ["lossRatios", [0.01, 0.01], /named twice/u],
    ["roundTripsMs", [Number.NaN], /round trip of NaN ms/u],
    ["burstPackets", [0.5], /run of losses of 0.5/u],
    ["preBuffersMs", [6000], /pre-buffer of 6000 ms/u],
    ["transports", ["quic"], /no transport "quic".*tcp-kernel/u],
    ["congestionControls", ["vegas"], /no congestion control "vegas".*bbr/u],
    ["callsPerCell", 0, /calls in each cell is 0/u],
    ["turnsPerCall", 2.5, /questions of a call is 2.5/u],
    ["callsPerCell", 10_000, /at most 100000/u],
  ])("refuses %s of %j", (key, value, message) => {
    const sweep = { ...SWEEP, [key]: value } as Sweep;
    expect(() => checkSweep(sweep)).toThrow(message);
    expect(() => checkSweep(SWEEP)).not.toThrow();
  });
});
