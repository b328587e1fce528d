import { after, type Clock, type Instant, type Timer } from "../../environment/index.ts";
import type { TcpState } from "../ai-path.ts";
import type { NetworkDirection } from "../profiles.ts";
import type { SocketStatistics } from "./socket-statistics.ts";
import { isEventful, NO_TCP, type TcpCounters, type TcpSample } from "./tcp-counters.ts";

/** At most so often is a sender's state read and told. */
const INTERVAL_MS = 500;

/**
 * Tells how the sender of one direction stood (TCP_INFO, and what its kernel counted) each time that
 * it had lost something, or believed so: what a stall can be understood by.
 */
export class TcpRecord {
  readonly #clock: Clock;
  readonly #direction: NetworkDirection;
  readonly #read: () => Promise<readonly SocketStatistics[]>;
  readonly #tell: (state: TcpState) => void;
  #told: TcpCounters = NO_TCP;
  #latest: TcpCounters = NO_TCP;
  #timer: Timer | undefined;
  #freeAt: Instant | undefined;
  #isStopped = false;

  /** @param read gives the sockets of that end. */
  constructor(
    clock: Clock,
    direction: NetworkDirection,
    parts: {
      readonly read: () => Promise<readonly SocketStatistics[]>;
      readonly tell: (state: TcpState) => void;
    },
  ) {
    this.#clock = clock;
    this.#direction = direction;
    this.#read = parts.read;
    this.#tell = parts.tell;
  }

  handleSample({ counters }: TcpSample): void {
    this.#latest = counters;
    if (this.#isStopped || this.#timer !== undefined || !isEventful(this.#told, counters)) return;
    const now = this.#clock.now();
    const dueAt = this.#freeAt === undefined || this.#freeAt < now ? now : this.#freeAt;
    this.#freeAt = after(dueAt, INTERVAL_MS);
    this.#timer = this.#clock.setTimer(dueAt, () => {
      void this.#record();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #record(): Promise<void> {
    const at = this.#clock.now();
    // Without `ss`, or where the namespace has just gone, there are still the counters.
    const sockets = await this.#read().catch(() => []);
    if (this.#isStopped) return;
    this.#timer = undefined;
    const { segments: _segments, ...counters } = this.#latest;
    this.#told = this.#latest;
    const socket = sockets.findLast(({ cwndSegments }) => cwndSegments !== undefined);
    this.#tell({
      direction: this.#direction,
      at,
      ...counters,
      ...(socket === undefined ? {} : { socket: stateOf(socket) }),
    });
  }
}

function stateOf(socket: SocketStatistics): NonNullable<TcpState["socket"]> {
  const { local: _local, remote: _remote, windowLimitedMs: _limited, ...state } = socket;
  return Object.fromEntries(
    Object.entries(state).filter(([, value]) => value !== undefined),
  ) as NonNullable<TcpState["socket"]>;
}
