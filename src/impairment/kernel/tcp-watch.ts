import { after, type Clock, type Timer } from "../../environment/index.ts";
import { SAMPLE_MS } from "./stall-causes.ts";
import { isEventful, NO_TCP, TcpCounterParser, type TcpSample } from "./tcp-counters.ts";

/** Samples with nothing but new segments are told this rarely. */
const UNEVENTFUL_SAMPLES = 10;

/** Reads the TCP counters of a namespace, and tells what changed. */
export class TcpWatch {
  readonly #clock: Clock;
  readonly #read: () => string | undefined;
  readonly #tell: (sample: TcpSample) => void;
  readonly #parser = new TcpCounterParser();
  #last = NO_TCP;
  #untold = 0;
  #timer: Timer | undefined;

  /**
   * @param read gives the namespace's /proc/net/snmp and /proc/net/netstat as one text; nothing once
   *   the namespace has gone.
   */
  constructor(clock: Clock, read: () => string | undefined, tell: (sample: TcpSample) => void) {
    this.#clock = clock;
    this.#read = read;
    this.#tell = tell;
  }

  start(): void {
    const at = this.#clock.now();
    const text = this.#read();
    if (text === undefined) return;
    const counters = this.#parser.parse(text);
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
