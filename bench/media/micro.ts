/** Times a piece of work per frame, and what it leaves on the heap. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { median } from "./table.ts";

/** Work on one frame of 20 ms, again and again. */
export interface MicroCase {
  readonly name: string;
  /** Compared with the case of this name, if there is one. */
  readonly against?: string;
  /** Frames of one run; default 1. */
  readonly frames?: number;
  readonly run: () => void;
}

/** What one frame costs. */
export interface MicroFigures {
  readonly microseconds: number;
  readonly bytes: number;
}

const WARM_UP_FRAMES = 1500;
const WARM_UP_MS = 60;
const SLICE_MS = 25;
/** Few enough that no scavenge comes between two readings. */
const HEAP_FRAMES = 200;
const REPETITIONS = 5;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Measures cases in turn, several times, so that what disturbs the machine disturbs all alike. */
export function measureCases(cases: readonly MicroCase[]): ReadonlyMap<string, MicroFigures> {
  for (const each of cases) warmUp(each);
  const times = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    for (const each of cases) times.get(each.name)?.push(microsecondsPerFrame(each));
  }
  const nothing = bytesPerFrame({ name: "", run: () => undefined });
  return new Map(
    cases.map((each) => {
      const { name } = each;
      const bytes = Math.max(0, bytesPerFrame(each) - nothing);
      return [name, { microseconds: median(times.get(name) ?? []), bytes }];
    }),
  );
}

function warmUp({ run, frames = 1 }: MicroCase): void {
  const until = performance.now() + WARM_UP_MS;
  for (let frame = 0; frame < WARM_UP_FRAMES || performance.now() < until; frame += frames) run();
}

function microsecondsPerFrame({ run, frames = 1 }: MicroCase): number {
  const startedAt = performance.now();
  let runs = 0;
  let now = startedAt;
  while (now - startedAt < SLICE_MS) {
    for (let each = 0; each < 20; each += 1) run();
    runs += 20;
    now = performance.now();
  }
  return ((now - startedAt) * 1000) / runs / frames;
}

/** Growth of the heap and of what hangs on it (buffers), per frame. */
function bytesPerFrame({ run, frames = 1 }: MicroCase): number {
  const growths: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    collect();
    const before = heapBytes();
    const runs = Math.ceil(HEAP_FRAMES / frames);
    for (let each = 0; each < runs; each += 1) run();
    growths.push((heapBytes() - before) / runs / frames);
  }
  return median(growths);
}

function heapBytes(): number {
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used + external;
}
