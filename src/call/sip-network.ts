import type { Clock, DatagramSocket, Environment, Instant } from "../environment/index.ts";
import {
  describeNetwork,
  ImpairedPath,
  type NetworkPlan,
  type PathCounts,
} from "../impairment/index.ts";
import type { FactSink } from "../timeline/index.ts";

/** A call whose messages pass. */
interface CallThrough {
  readonly record: FactSink;
}

/** The fates that a count is made of. */
type Fates = PathCounts["sent"];

/**
 * The injured network before an agent's UDP sockets for SIP: one for all of its calls, which share its
 * rate and its queue. SIP over TCP, TLS and WebSocket goes beside it.
 */
export class SipNetwork {
  readonly #path: ImpairedPath;
  readonly #clock: Clock;
  #plan: NetworkPlan;
  /** The counts from which those of a call are taken. */
  readonly #before = new Map<CallThrough, PathCounts>();
  /** The counts as they were when there was a call last, or the network was made another one. */
  #idleSince: PathCounts;

  /** @throws UsageError ERR_IMPAIRMENT. */
  constructor({ clock, random }: Environment, plan: NetworkPlan = {}) {
    this.#path = new ImpairedPath(clock, random, plan);
    this.#clock = clock;
    this.#idleSince = this.#path.counts;
    this.#plan = plan;
  }

  /** The socket, seen through this network. */
  readonly before = (socket: DatagramSocket): DatagramSocket => this.#path.before(socket);

  /**
   * Another network from now on, in the directions that are named; the calls that are up tell of it.
   * @throws UsageError ERR_IMPAIRMENT.
   */
  change(plan: NetworkPlan): void {
    this.#path.change(plan);
    this.#plan = { ...this.#plan, ...plan };
    if (this.#before.size === 0) this.#idleSince = this.#path.counts;
    for (const call of this.#before.keys()) this.#recordPlan(call, plan);
  }

  /**
   * A call begins. Its counts are those of all messages at this address from now to its end; where it
   * is the only one, from the end of the one before on: its INVITE may have been lost already.
   */
  watch(call: CallThrough): void {
    this.#before.set(call, this.#before.size === 0 ? this.#idleSince : this.#path.counts);
    if (isInjured(this.#plan)) this.#recordPlan(call, this.#plan);
  }

  /** A call ends. */
  handleEnd(call: CallThrough, at: Instant): void {
    const before = this.#before.get(call);
    if (before === undefined) return;
    this.#before.delete(call);
    const { sent, received } = this.#path.counts;
    if (this.#before.size === 0) this.#idleSince = { sent, received };
    const since = {
      sent: difference(sent, before.sent),
      received: difference(received, before.received),
    };
    if (since.sent.offered + since.received.offered === 0) return;
    call.record({ kind: "networkCounts", leg: "signalling", at, ...since });
  }

  #recordPlan(call: CallThrough, plan: NetworkPlan): void {
    const description = describeNetwork(plan);
    const at = this.#clock.now();
    call.record({ kind: "networkChanged", leg: "signalling", at, description, ...plan });
  }
}

function isInjured({ sent = {}, received = {} }: NetworkPlan): boolean {
  return Object.keys(sent).length + Object.keys(received).length > 0;
}

/** `underWay` is what was under way before less what is now: the sum of the fates stays right. */
function difference(now: Fates, before: Fates): Fates {
  return {
    offered: now.offered - before.offered,
    duplicated: now.duplicated - before.duplicated,
    delivered: now.delivered - before.delivered,
    lost: now.lost - before.lost,
    overflowed: now.overflowed - before.overflowed,
    underWay: now.underWay - before.underWay,
    corrupted: now.corrupted - before.corrupted,
    reordered: now.reordered - before.reordered,
  };
}
