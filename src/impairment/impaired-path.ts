import {
  type Clock,
  type DatagramSocket,
  type Instant,
  type Random,
  type SocketAddress,
  type Timer,
} from "../environment/index.ts";
import { flipBit, Link, type LinkCounts } from "./link.ts";
import { checkNetwork, type NetworkPlan } from "./profiles.ts";

/** What became of the datagrams of both directions. */
export interface PathCounts {
  readonly sent: LinkCounts;
  readonly received: LinkCounts;
}

/** IPv4 and UDP headers, IPv6 and UDP headers: what a rate limit counts beside the payload. */
const HEADER_BYTES = { v4: 28, v6: 48 };

type Delivery = (data: Uint8Array, at: Instant) => void;

interface Datagram {
  readonly data: Uint8Array;
  readonly deliver: Delivery;
}

/**
 * An injured network before UDP sockets of our own: they share its two directions, so that RTP and
 * RTCP of one call stand in one queue. It needs no privileges and works on every host.
 *
 * A network that does nothing costs nothing: datagrams go straight to and from the socket, and are
 * not counted. A datagram leaves, or is handed on, when a timer of the host says so: up to about a millisecond
 * after its instant. What is handed on has arrived then.
 */
export class ImpairedPath {
  /** What it was told at first. */
  readonly plan: NetworkPlan;
  readonly #clock: Clock;
  readonly #sent: Pump;
  readonly #received: Pump;

  /** @throws UsageError ERR_IMPAIRMENT. */
  constructor(clock: Clock, random: Random, plan: NetworkPlan = {}) {
    this.plan = plan;
    this.#clock = clock;
    this.#sent = new Pump(clock, random, new Link(plan.sent ?? {}, random));
    this.#received = new Pump(clock, random, new Link(plan.received ?? {}, random));
  }

  get counts(): PathCounts {
    return { sent: this.#sent.counts, received: this.#received.counts };
  }

  /**
   * Another network from now on, in the directions that are named; what is under way stays so.
   * @throws UsageError ERR_IMPAIRMENT.
   */
  change(plan: NetworkPlan): void {
    const now = this.#clock.now();
    checkNetwork(plan);
    if (plan.sent !== undefined) this.#sent.change(plan.sent, now);
    if (plan.received !== undefined) this.#received.change(plan.received, now);
  }

  /** The socket, seen through this network. Closing it drops what is under way to and from it. */
  before(socket: DatagramSocket): DatagramSocket {
    return new ImpairedSocket(socket, this.#sent, this.#received);
  }
}

class Pump {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #link: Link<Datagram>;
  #timer: { readonly timer: Timer; readonly dueAt: Instant } | undefined;

  constructor(clock: Clock, random: Random, link: Link<Datagram>) {
    this.#clock = clock;
    this.#random = random;
    this.#link = link;
  }

  get counts(): LinkCounts {
    return this.#link.counts;
  }

  get isIdle(): boolean {
    return this.#link.isIdle;
  }

  change(plan: NonNullable<NetworkPlan["sent"]>, now: Instant): void {
    this.#link.change(plan, now);
  }

  /** What is not delayed passes before this returns. */
  pass(datagram: Datagram, sizeBytes: number, now = this.#clock.now()): void {
    this.#link.handlePacket(datagram, sizeBytes, now);
    this.#serve(now);
  }

  #serve(now: Instant): void {
    this.#link.handleTimeout(now);
    for (;;) {
      const output = this.#link.takeOutput();
      if (output === undefined) break;
      const { data, deliver } = output.packet;
      const arrived = output.isCorrupted ? data.slice() : data;
      if (output.isCorrupted) flipBit(arrived, this.#random);
      deliver(arrived, now);
    }
    this.#arm();
  }

  #arm(): void {
    const dueAt = this.#link.nextTimeout;
    if (dueAt === this.#timer?.dueAt) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (dueAt === undefined) return;
    const timer = this.#clock.setTimer(dueAt, () => {
      this.#timer = undefined;
      // A host's timer may be early; what it was set for is served, not asked for again.
      const now = this.#clock.now();
      this.#serve(now < dueAt ? dueAt : now);
    });
    this.#timer = { timer, dueAt };
  }
}

class ImpairedSocket implements DatagramSocket {
  readonly local: SocketAddress;
  onDatagram: DatagramSocket["onDatagram"];
  onError: DatagramSocket["onError"];
  readonly #socket: DatagramSocket;
  readonly #sent: Pump;
  readonly #received: Pump;
  readonly #headerBytes: number;
  #isClosed = false;

  constructor(socket: DatagramSocket, sent: Pump, received: Pump) {
    this.#socket = socket;
    this.#sent = sent;
    this.#received = received;
    this.local = socket.local;
    this.#headerBytes = HEADER_BYTES[socket.local.address.includes(":") ? "v6" : "v4"];
    socket.onError = (error) => this.onError?.(error);
    socket.onDatagram = (data, from, arrivedAt) => this.#receive(data, from, arrivedAt);
  }

  send(data: Uint8Array, to: SocketAddress): void {
    if (this.#isClosed) return;
    if (this.#sent.isIdle) return this.#socket.send(data, to);
    const deliver: Delivery = (sent) => {
      if (!this.#isClosed) this.#socket.send(sent, to);
    };
    this.#sent.pass({ data: data.slice(), deliver }, data.length + this.#headerBytes);
  }

  tieTo(peer: SocketAddress | undefined): void {
    this.#socket.tieTo(peer);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#socket.close();
  }

  #receive(data: Uint8Array, from: SocketAddress, arrivedAt: Instant): void {
    if (this.#received.isIdle) return this.onDatagram?.(data, from, arrivedAt);
    // What a socket hands over is only valid during the call.
    const sender = { address: from.address, port: from.port };
    const deliver: Delivery = (received, at) => {
      if (!this.#isClosed) this.onDatagram?.(received, sender, at);
    };
    this.#received.pass(
      { data: data.slice(), deliver },
      data.length + this.#headerBytes,
      arrivedAt,
    );
  }
}
