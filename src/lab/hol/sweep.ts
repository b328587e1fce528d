import { UsageError } from "../../environment/index.ts";
import {
  AI_TRANSPORTS,
  type AiTransport,
  burstyLoss,
  type CongestionControl,
  type LossModel,
} from "../../impairment/index.ts";

/** What a study varies, and how often. Each list holds at least one value, none of them twice. */
export interface Sweep {
  /** Of the packets on the AI's leg, in each direction, in the long run; 0 to 1. */
  readonly lossRatios: readonly number[];
  /** There and back, without anything lost. */
  readonly roundTripsMs: readonly number[];
  /** Mean length of a run of losses: 1 is each packet by itself, more is Gilbert's model. */
  readonly burstPackets: readonly number[];
  readonly transports: readonly AiTransport[];
  /** For TCP; UDP has none. */
  readonly congestionControls: readonly CongestionControl[];
  /** How long the bridge holds an answer's speech back before it plays it; 0 is not at all. */
  readonly preBuffersMs: readonly number[];
  readonly callsPerCell: number;
  /** Questions of a call. */
  readonly turnsPerCall: number;
  /** What speech is sent and wanted as over TCP: 24 kHz PCM or G.711, a sixth of it. */
  readonly aiFormat: AiFormat;
  /** Of the kernel's own TCP it is real, whatever stands here. */
  readonly time: StudyTime;
  /** Whether ViSQOL listens to every call, which takes long. */
  readonly visqol: boolean;
  readonly seed: string;
}

/** As OpenAI's Realtime protocol has them: "audio/pcm" and "audio/pcmu", both in base64. */
export type AiFormat = "pcm" | "pcmu";

/** Over this host's sockets and clock, or in a world of its own (docs/virtual-time.md). */
export type StudyTime = "real" | "virtual";

/** One combination. Its calls differ by their seeds alone. */
export interface Cell {
  /** Stable, and readable: "tcp-kernel bbr, 2 % lost in runs of 3, 80 ms, pre-buffer 0 ms". */
  readonly id: string;
  readonly lossRatio: number;
  readonly roundTripMs: number;
  readonly burstPackets: number;
  readonly transport: AiTransport;
  /** Missing where the transport has none. */
  readonly congestionControl?: CongestionControl;
  readonly preBufferMs: number;
}

type Carrier = Pick<Cell, "transport" | "congestionControl">;

/** A call of the plan. */
export interface PlannedCall {
  readonly cell: Cell;
  /** From 0. */
  readonly repeat: number;
  /**
   * Of the call, and of what becomes of each packet. It does not depend on what is compared
   * (transport, congestion control, round trip, pre-buffer), so that these meet the same fate.
   */
  readonly seed: string;
}

const AI_FORMATS: readonly AiFormat[] = ["pcm", "pcmu"];
const CONGESTION_CONTROLS: readonly CongestionControl[] = ["cubic", "reno", "bbr"];
/** Beyond this nothing talks any more. */
const LOSS_RATIO_MAX = 0.5;
const ROUND_TRIP_MS_MAX = 2000;
const PRE_BUFFER_MS_MAX = 5000;
const CALLS_MAX = 10_000;
const TURNS_MAX = 30;
const PLAN_MAX = 100_000;

/** @throws UsageError ERR_HOL_SWEEP naming the value that cannot be; ERR_IMPAIRMENT. */
export function checkSweep(sweep: Sweep): void {
  requireNumbers("loss", sweep.lossRatios.map(percentOf), { max: percentOf(LOSS_RATIO_MAX) }, "%");
  requireNumbers("round trip", sweep.roundTripsMs, { max: ROUND_TRIP_MS_MAX }, "ms");
  requireNumbers("run of losses", sweep.burstPackets, { min: 1, max: 100 }, "packets");
  requireNumbers("pre-buffer", sweep.preBuffersMs, { max: PRE_BUFFER_MS_MAX }, "ms");
  requireNames("transport", sweep.transports, AI_TRANSPORTS);
  requireNames("congestion control", sweep.congestionControls, CONGESTION_CONTROLS);
  requireNames("format of speech", [sweep.aiFormat], AI_FORMATS);
  requireCount("calls in each cell", sweep.callsPerCell, CALLS_MAX);
  requireCount("questions of a call", sweep.turnsPerCall, TURNS_MAX);
  for (const lossRatio of sweep.lossRatios) {
    for (const burst of sweep.burstPackets) lossModelOf({ lossRatio, burstPackets: burst });
  }
  const calls = cellsOf(sweep).length * sweep.callsPerCell;
  if (calls <= PLAN_MAX) return;
  throw unfit(`The sweep has ${calls} calls. Name fewer values: at most ${PLAN_MAX} are placed.`);
}

/** Every combination once, in an order that is always the same. */
export function cellsOf(sweep: Sweep): Cell[] {
  const all = networksOf(sweep).flatMap((network) =>
    carriersOf(sweep).flatMap((carrier) =>
      sweep.preBuffersMs.map((preBufferMs) => {
        const cell = { ...network, ...carrier, preBufferMs };
        return { id: cellId(cell), ...cell };
      }),
    ),
  );
  return [...new Map(all.map((cell) => [cell.id, cell])).values()];
}

/**
 * All calls: the first of every cell, then the second of every cell, and so on. So a study that was
 * broken off has something of each cell, and what the host did meanwhile falls on all alike.
 */
export function planCalls(cells: readonly Cell[], sweep: Sweep): PlannedCall[] {
  return Array.from({ length: sweep.callsPerCell }, (_, repeat) =>
    cells.map((cell) => ({ cell, repeat, seed: seedOf(cell, repeat, sweep.seed) })),
  ).flat();
}

/** In which time a cell's calls are placed: a kernel has its own. */
export function timeOf({ transport }: Pick<Cell, "transport">, { time }: Sweep): StudyTime {
  return transport === "tcp-kernel" ? "real" : time;
}

/** In words: "virtual time, but for tcp-kernel". */
export function timeWords({ time, transports }: Sweep): string {
  const isMixed = time === "virtual" && transports.includes("tcp-kernel");
  return isMixed ? "virtual time, but for tcp-kernel" : `${time} time`;
}

/** What loses a cell's packets. @throws UsageError ERR_IMPAIRMENT. */
export function lossModelOf({
  lossRatio,
  burstPackets,
}: Pick<Cell, "lossRatio" | "burstPackets">): LossModel {
  if (burstPackets === 1 || lossRatio === 0) return { kind: "bernoulli", lossRatio };
  return burstyLoss(lossRatio, burstPackets);
}

/** In words, as it stands in tables. */
export function lossWords({
  lossRatio,
  burstPackets,
}: Pick<Cell, "lossRatio" | "burstPackets">): string {
  const percent = `${percentOf(lossRatio)} %`;
  return burstPackets === 1 ? `${percent} lost` : `${percent} lost in runs of ${burstPackets}`;
}

/** 0.005 → 0.5, without what binary fractions leave. */
export function percentOf(ratio: number): number {
  return Number((100 * ratio).toPrecision(12));
}

/** Without loss there are no runs of it: one cell, whatever the model. */
function networksOf(sweep: Sweep): Pick<Cell, "lossRatio" | "roundTripMs" | "burstPackets">[] {
  return sweep.burstPackets.flatMap((burst) =>
    sweep.lossRatios.flatMap((lossRatio) =>
      sweep.roundTripsMs.map((roundTripMs) => ({
        lossRatio,
        roundTripMs,
        burstPackets: lossRatio === 0 ? 1 : burst,
      })),
    ),
  );
}

function carriersOf({ transports, congestionControls }: Sweep): Carrier[] {
  return transports.flatMap((transport): Carrier[] =>
    transport === "udp"
      ? [{ transport }]
      : congestionControls.map((congestionControl) => ({ transport, congestionControl })),
  );
}

function cellId(cell: Omit<Cell, "id">): string {
  const { transport, congestionControl, roundTripMs, preBufferMs } = cell;
  const carrier = congestionControl === undefined ? transport : `${transport} ${congestionControl}`;
  return `${carrier}, ${lossWords(cell)}, ${roundTripMs} ms, pre-buffer ${preBufferMs} ms`;
}

function seedOf(cell: Cell, repeat: number, seed: string): string {
  return `${seed}/${lossWords(cell)}/${repeat}`;
}

function requireNumbers(
  what: string,
  values: readonly number[],
  { min = 0, max }: { readonly min?: number; readonly max: number },
  unit: string,
): void {
  if (values.length === 0) throw unfit(`The sweep names no ${what}. Name at least one.`);
  for (const value of values) {
    if (Number.isFinite(value) && value >= min && value <= max) continue;
    throw unfit(`A ${what} of ${value} ${unit} cannot be. It must be ${min} to ${max} ${unit}.`);
  }
  requireOnce(what, values);
}

function requireNames(what: string, names: readonly string[], known: readonly string[]): void {
  if (names.length === 0)
    throw unfit(`The sweep names no ${what}. There are: ${known.join(", ")}.`);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw unfit(`There is no ${what} "${name}". There are: ${known.join(", ")}.`);
  }
  requireOnce(what, names);
}

function requireOnce(what: string, values: readonly (number | string)[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw unfit(`The ${what} ${twice} is named twice. Name it once.`);
}

function requireCount(what: string, count: number, max: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= max) return;
  throw unfit(`The number of ${what} is ${count}. It must be a whole number from 1 to ${max}.`);
}

function unfit(message: string): UsageError {
  return new UsageError("ERR_HOL_SWEEP", message);
}
