import type { Interval } from "../../measure/index.ts";
import type { CellSummary } from "./analysis.ts";

/** One figure of two cells that should tell the same. */
export interface FigurePair {
  readonly name: string;
  readonly unit: "ms" | "/min";
  readonly one: Estimate;
  readonly other: Estimate;
  /**
   * Whether the intervals overlap, or those of times are apart by no more than a packet; missing
   * where one has none.
   */
  readonly agrees?: boolean;
}

/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly interval?: Interval;
}

/** A modelled cell beside the kernel's, or one cell in virtual and in real time. */
export interface Agreement {
  readonly one: CellSummary;
  readonly other: CellSummary;
  readonly figures: readonly FigurePair[];
}

/** Another study that this one is laid beside. */
export interface StudyAgainst {
  /** "the study in real time of …". */
  readonly name: string;
  readonly agreements: readonly Agreement[];
}

type FigureOf = (
  cell: CellSummary,
) => { readonly value: number; readonly interval?: Interval | undefined } | undefined;

/**
 * In virtual time all calls have the same phase between the packets of caller and bot, on a host's
 * sockets each has its own: what is heard may come a packet earlier or later.
 */
const PACKET_MS = 20;
/** Percentiles' values need at least so many for p95 to be more than the maximum. */
const P95_VALUES_MIN = 72;

/** What is compared. */
export const AGREEMENT_FIGURES: readonly {
  readonly name: string;
  readonly unit: FigurePair["unit"];
  readonly of: FigureOf;
}[] = [
  {
    name: "response p50",
    unit: "ms",
    of: ({ responseLatencyMs: s }) => s && { value: s.p50, interval: s.p50Interval },
  },
  {
    name: "response p95",
    unit: "ms",
    of: ({ responseLatencyMs: s }) =>
      s === undefined || s.n < P95_VALUES_MIN
        ? undefined
        : { value: s.p95, interval: s.p95Interval },
  },
  {
    name: "stalls ≥ 100 ms",
    unit: "/min",
    of: ({ pathStallsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
  {
    name: "playout stalls",
    unit: "/min",
    of: ({ playoutStallsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
  {
    name: "gaps",
    unit: "/min",
    of: ({ gapsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
];

/** The figures that both cells have. */
export function agreementOf(one: CellSummary, other: CellSummary): Agreement {
  const figures = AGREEMENT_FIGURES.flatMap(({ name, unit, of }): FigurePair[] => {
    const [a, b] = [estimate(of(one)), estimate(of(other))];
    if (a === undefined || b === undefined) return [];
    return [{ name, unit, one: a, other: b, ...agreesEntry(a, b, unit === "ms" ? PACKET_MS : 0) }];
  });
  return { one, other, figures };
}

/** Each modelled cell beside the one of the kernel's TCP that is like it else. */
export function modelBesideKernel(cells: readonly CellSummary[]): Agreement[] {
  return cells.flatMap((modelled) => {
    if (!modelled.isModelled) return [];
    const kernelId = modelled.cell.id.replace("tcp-modelled", "tcp-kernel");
    const kernel = cells.find(({ cell }) => cell.id === kernelId);
    return kernel === undefined ? [] : [agreementOf(modelled, kernel)];
  });
}

/** Each cell of a study beside the same cell of another one. */
export function studiesBeside(
  one: readonly CellSummary[],
  other: readonly CellSummary[],
): Agreement[] {
  return one.flatMap((summary) => {
    const same = other.find(({ cell }) => cell.id === summary.cell.id);
    return same === undefined ? [] : [agreementOf(summary, same)];
  });
}

/** How many of the pairs that have intervals have intervals that overlap. */
export function agreedOf(agreements: readonly Agreement[]): {
  readonly agreed: number;
  readonly compared: number;
} {
  const compared = agreements
    .flatMap(({ figures }) => figures)
    .filter(({ agrees }) => agrees !== undefined);
  return {
    agreed: compared.filter(({ agrees }) => agrees === true).length,
    compared: compared.length,
  };
}

function estimate(figure: ReturnType<FigureOf>): Estimate | undefined {
  if (figure === undefined) return undefined;
  const { value, interval } = figure;
  return interval === undefined ? { value } : { value, interval };
}

function agreesEntry(
  { interval: a }: Estimate,
  { interval: b }: Estimate,
  slack: number,
): { agrees?: boolean } {
  if (a === undefined || b === undefined) return {};
  return { agrees: a.low <= b.high + slack && b.low <= a.high + slack };
}
