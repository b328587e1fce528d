import { after, type Clock, type Timer } from "../environment/index.ts";
import type { Call } from "./call.ts";

/** What an agent may ask of its host beside the environment. */
export interface Instrument {
  /** Lag of this thread's event loop since the last reading. */
  readLag(): { readonly p99Ms: number; readonly maxMs: number };
}

const INTERVAL_MS = 1000;

/** Once a second, while calls are up, each gets a fact: how much this thread's event loop lagged. */
export class InstrumentWatch {
  readonly #clock: Clock;
  readonly #instrument: Instrument;
  readonly #calls: () => Iterable<Call>;
  #timer: Timer;

  constructor(clock: Clock, instrument: Instrument, calls: () => Iterable<Call>) {
    this.#clock = clock;
    this.#instrument = instrument;
    this.#calls = calls;
    this.#timer = this.#arm();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    const dueAt = after(this.#clock.now(), INTERVAL_MS);
    return this.#clock.setTimer(dueAt, () => {
      this.#tell();
      this.#timer = this.#arm();
    });
  }

  #tell(): void {
    const { p99Ms, maxMs } = this.#instrument.readLag();
    const at = this.#clock.now();
    const lag = { eventLoopLagMsP99: p99Ms, eventLoopLagMsMax: maxMs };
    for (const call of this.#calls()) {
      if (!call.hasEnded) call.record({ kind: "instrument", at, ...lag });
    }
  }
}
