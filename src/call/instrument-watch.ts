import { after, type Clock, type Timer } from "../environment/index.ts";
import type { Call } from "./call.ts";
import type { EventLoopLag } from "./event-loop-lag.ts";

/** What an agent may ask of its host beside the environment. */
export interface Instrument {
  /** Lag of this thread's event loop since the last reading. */
  readLag(): EventLoopLag;
  /** The same, without beginning anew. */
  peekLag(): EventLoopLag;
}

const INTERVAL_MS = 1000;

/** Once a second, while calls are up, each gets a fact: how well this end kept time. */
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

  /** Since the calls were last told. */
  get lag(): EventLoopLag {
    return this.#instrument.peekLag();
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
    const lag = this.#instrument.readLag();
    for (const call of this.#calls()) {
      if (!call.hasEnded) call.recordTiming(lag);
    }
  }
}
