import type { Random } from "../../environment/index.ts";
import { type Statistics, summariseGroups } from "../../measure/index.ts";
import type { CallResult } from "./call-result.ts";
import type { Cell } from "./sweep.ts";

/** A cell's calls that count. */
export interface CellCalls {
  readonly cell: Cell;
  readonly calls: readonly CallResult[];
}

/** A cell of TCP against the same network by UDP, turn by turn. */
export interface Comparison {
  readonly tcp: Cell;
  readonly udp: Cell;
  /**
   * Response latency by TCP minus that by UDP, of the same question in the same call: same seed, so
   * the same speech, pauses and loss process.
   */
  readonly responseLatencyMs: Statistics;
  /** The same of barge-in stops; missing where there is no pair. */
  readonly bargeInStopMs?: Statistics;
}

/** Every TCP cell for which there is one of UDP that is like it else. */
export function comparePairs(
  cells: readonly CellCalls[],
  randomFor: (what: string) => Random,
): Comparison[] {
  return cells.flatMap((tcp) => {
    if (tcp.cell.transport === "udp") return [];
    const udp = cells.find(({ cell }) => cell.transport === "udp" && isLike(cell, tcp.cell));
    if (udp === undefined) return [];
    const random = randomFor(`${tcp.cell.id} minus udp`);
    const response = summariseGroups(differences(tcp, udp, latencies), random);
    if (response === undefined) return [];
    const stop = summariseGroups(differences(tcp, udp, stops), random);
    return [
      {
        tcp: tcp.cell,
        udp: udp.cell,
        responseLatencyMs: response,
        ...(stop === undefined ? {} : { bargeInStopMs: stop }),
      },
    ];
  });
}

function isLike(a: Cell, b: Cell): boolean {
  return (
    a.lossRatio === b.lossRatio &&
    a.roundTripMs === b.roundTripMs &&
    a.burstPackets === b.burstPackets &&
    a.preBufferMs === b.preBufferMs
  );
}

/** Index of the question → ms. */
type Values = ReadonlyMap<number, number>;

/** A group for each pair of calls. */
function differences(
  a: CellCalls,
  b: CellCalls,
  valuesIn: (call: CallResult) => Values,
): number[][] {
  const others = new Map(b.calls.map((call) => [call.repeat, valuesIn(call)]));
  return a.calls.map((call) =>
    [...valuesIn(call)].flatMap(([index, ms]) => {
      const other = others.get(call.repeat)?.get(index);
      return other === undefined ? [] : [ms - other];
    }),
  );
}

function latencies({ turns }: CallResult): Values {
  return new Map(
    turns.flatMap(({ index, responseLatencyMs: ms }) => (ms === undefined ? [] : [[index, ms]])),
  );
}

function stops({ stops: all }: CallResult): Values {
  return new Map(
    all.flatMap(({ index, stopLatencyMs: ms }) => (ms === undefined ? [] : [[index, ms]])),
  );
}
