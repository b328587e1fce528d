import { type Instant, instant, seededRandom } from "../../src/environment/index.ts";
import { Link, type LinkSettings } from "../../src/impairment/index.ts";
import { ModelledConnection, type Packet } from "../../src/impairment/tcp/connection.ts";
import { type Cell, trafficOf } from "../kernel-tcp/cell.ts";
import { type Traffic, TrafficReceiver, trafficFigures } from "../kernel-tcp/traffic.ts";

/** What hub and hosts of the real backend add to each way in the median (`dumpcap` at both ends). */
const LATENESS_MS = 0.08;
/**
 * So far from their time our timers go off, either way (`SystemClock`). It decides whether a frame
 * leaves before the answer to an earlier one comes, where the round trip is a multiple of 20 ms.
 */
const TIMER_ERROR_MS = 0.5;
const START_MS = 2000;
/** What has not come so long after the last message was sent is missing, as in `runCell`. */
const LAST_LIMIT_MS = 10_000;

/** What the model makes of a cell. */
export interface ModelFigures {
  readonly excessMs: readonly number[];
  readonly stallsPerMinute: number;
}

/** The same traffic over the same network, with the model in the kernel's place. */
export function modelCell(cell: Cell): ModelFigures {
  const run = new ModelRun(cell);
  while (run.step());
  return trafficFigures(run.sentAt, run.receiver.arrivedAt, cell.rttMs / 2);
}

class ModelRun {
  readonly sentAt: Instant[] = [];
  readonly receiver: TrafficReceiver;
  readonly #traffic: Traffic;
  readonly #errorsMs: readonly number[];
  readonly #from: "near" | "far";
  readonly #connection: ModelledConnection;
  readonly #links: { readonly toFar: Link<Packet>; readonly toNear: Link<Packet> };
  readonly #startMs: number;
  readonly #endMs: number;

  constructor(cell: Cell) {
    const random = seededRandom(cell.seed);
    const settings: LinkSettings = {
      delay: { delayMs: cell.rttMs / 2 + LATENESS_MS },
      loss: { kind: "bernoulli", lossRatio: cell.lossRatio },
    };
    this.#links = { toFar: new Link(settings, random), toNear: new Link(settings, random) };
    const congestionControl = cell.congestionControl === "reno" ? "reno" : "cubic";
    const how = { random, congestionControl } as const;
    this.#connection = new ModelledConnection(this.#links, how, instant(0));
    this.#traffic = trafficOf(cell);
    this.#from = cell.traffic === "bursts" ? "far" : "near";
    this.receiver = new TrafficReceiver(this.#traffic);
    // The phase of its frames against timers and answers is a host's, and no two hosts' the same.
    this.#startMs = START_MS + 1000 * random();
    this.#errorsMs = this.#traffic.messages.map(() => TIMER_ERROR_MS * (2 * random() - 1));
    this.#endMs = this.#startMs + cell.durationMs + LAST_LIMIT_MS;
  }

  /** Goes on to what happens next; false where all is done. */
  step(): boolean {
    const { toFar, toNear } = this.#links;
    const timed = [toFar, toNear, this.#connection];
    const dues = [...timed.map(({ nextTimeout }) => nextTimeout), this.#nextDueMs];
    const now = instant(Math.min(...dues.map((due) => due ?? Number.POSITIVE_INFINITY)));
    if (now > this.#endMs || this.receiver.isComplete) return false;
    for (const link of [toFar, toNear]) this.#hand(link, now);
    this.#connection.handleTimeout(now);
    this.#write(now);
    for (let output = this.#connection.takeOutput(); output; ) {
      this.receiver.handleData(new Uint8Array(output.bytes), now);
      output = this.#connection.takeOutput();
    }
    return true;
  }

  get #nextDueMs(): number | undefined {
    const index = this.sentAt.length;
    const message = this.#traffic.messages[index];
    if (message === undefined) return undefined;
    return this.#startMs + message.atMs + (this.#errorsMs[index] ?? 0);
  }

  #hand(link: Link<Packet>, now: Instant): void {
    link.handleTimeout(now);
    for (let output = link.takeOutput(); output; output = link.takeOutput()) {
      this.#connection.handlePacket(output.packet, now);
    }
  }

  #write(now: Instant): void {
    while ((this.#nextDueMs ?? Number.POSITIVE_INFINITY) <= now) {
      const bytes = this.#traffic.messages[this.sentAt.length]?.sizeBytes ?? 0;
      this.sentAt.push(now);
      this.#connection.write(this.#from, bytes, now);
    }
  }
}
