import { after, type Clock, type Timer } from "../../environment/index.ts";
import { SAMPLE_MS } from "./stall-causes.ts";
import { isEventful, NO_TCP, parseTcpCounters, type TcpSample } from "./tcp-counters.ts";

/** Samples with nothing but new segments are told this rarely. */
const UNEVENTFUL_SAMPLES = 10;

/** Reads the TCP counters of the namespace that it runs in, and tells what changed. */
export class TcpWatch {
  readonly #clock: Clock;
  readonly #read: () => string;
  readonly #tell: (sample: TcpSample) => void;
  #last = NO_TCP;
  #untold = 0;
  #timer: Timer | undefined;

  /** @param read gives /proc/net/snmp and /proc/net/netstat as one text. */
  constructor(clock: Clock, read: () => string, tell: (sample: TcpSample) => void) {
    this.#clock = clock;
    this.#read = read;
    this.#tell = tell;
  }

  start(): void {
    const at = this.#clock.now();
    const counters = parseTcpCounters(this.#read());
    this.#untold += 1;
    const isDue = this.#untold >= UNEVENTFUL_SAMPLES && counters.segments !== this.#last.segments;
    if (isDue || isEventful(this.#last, counters)) {
      this.#last = counters;
      this.#untold = 0;
      this.#tell({ at, counters });
    }
    this.#timer = this.#clock.setTimer(after(at, SAMPLE_MS), () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
