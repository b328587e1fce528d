import {
  type Clock,
  type DatagramSocket,
  elapsedMs,
  type Instant,
  type Network,
  type Random,
  type SocketAddress,
  type Timer,
} from "../../environment/index.ts";
import type { PathCounts } from "../impaired-path.ts";
import { flipBit, Link, type LinkOutput } from "../link.ts";
import type { LinkPlan } from "../link-settings.ts";
import { fateOf, type NetworkDirection, type NetworkPlan } from "../profiles.ts";
import { LatenessHistogram } from "./lateness.ts";
import { type FlowStall, StallWatch, type StreamWrite } from "./stall-watch.ts";
import { innerPacketBytes, VXLAN_OVERHEAD_BYTES, VXLAN_PORT } from "./vxlan.ts";

/** What a hub is told at its start. Plain data: it crosses a process's border. */
export interface HubSettings {
  readonly plan: NetworkPlan;
  readonly seed: string;
  /** The underlay's addresses of the two namespaces. */
  readonly near: string;
  readonly far: string;
  /** Never early and late by microseconds, at the cost of a processor; else within 0.5 ms. */
  readonly isPunctual: boolean;
}

/** How late a hub was: of all packets, each after the instant at which its link let it go. */
export interface HubLateness {
  readonly packets: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a hub did so far. */
export interface HubReport {
  readonly counts: PathCounts;
  readonly lateness: HubLateness;
  /** Frames that are no IPv4, not carried. */
  readonly ignored: number;
}

/**
 * The middle of a VXLAN: every IP packet between two namespaces comes here as a datagram, passes the
 * link of its direction, and goes on. It knows nothing of what the packets carry.
 */
export class PacketHub {
  /** Called for each stall of a TCP connection, as it ends. */
  onStall: ((direction: NetworkDirection, stall: FlowStall) => void) | undefined;
  readonly #clock: Clock;
  readonly #socket: DatagramSocket;
  readonly #near: string;
  readonly #ways: Readonly<Record<NetworkDirection, Way>>;
  readonly #lateness = new LatenessHistogram();
  #ignored = 0;

  /** @throws UsageError ERR_IMPAIRMENT; EnvironmentError ERR_PORT_IN_USE. */
  static async open(network: Network, clock: Clock, settings: HubSettings): Promise<PacketHub> {
    const socket = await network.bindDatagram({ address: "0.0.0.0", port: VXLAN_PORT });
    return new PacketHub(socket, clock, settings);
  }

  constructor(socket: DatagramSocket, clock: Clock, { plan, seed, near, far }: HubSettings) {
    this.#socket = socket;
    this.#clock = clock;
    this.#near = near;
    const way = (direction: NetworkDirection, to: string): Way =>
      new Way(plan[direction] ?? {}, fateOf(seed, direction), {
        clock,
        deliver: (data, lateMs) => {
          this.#lateness.add(lateMs);
          socket.send(data, { address: to, port: VXLAN_PORT });
        },
        stalled: (stall) => this.onStall?.(direction, stall),
      });
    this.#ways = { sent: way("sent", far), received: way("received", near) };
    socket.onDatagram = (data, from, arrivedAt) => this.#handle(data, from, arrivedAt);
  }

  get report(): HubReport {
    const { sent, received } = this.#ways;
    return {
      counts: { sent: sent.link.counts, received: received.link.counts },
      lateness: this.#lateness.summary,
      ignored: this.#ignored,
    };
  }

  /** @throws UsageError ERR_IMPAIRMENT. */
  change({ sent, received }: NetworkPlan): void {
    const now = this.#clock.now();
    if (sent !== undefined) this.#ways.sent.change(sent, now);
    if (received !== undefined) this.#ways.received.change(received, now);
  }

  /** A program at the sender's end of a direction wrote; known before it arrives, else no matter. */
  handleWritten(direction: NetworkDirection, write: StreamWrite): void {
    this.#ways[direction].handleWritten(write);
  }

  close(): Promise<void> {
    this.#ways.sent.stop();
    this.#ways.received.stop();
    return this.#socket.close();
  }

  #handle(data: Uint8Array, from: SocketAddress, arrivedAt: Instant): void {
    const sizeBytes = innerPacketBytes(data);
    if (sizeBytes === undefined) {
      this.#ignored += 1;
      return;
    }
    const way = from.address === this.#near ? this.#ways.sent : this.#ways.received;
    way.pass(data.slice(), sizeBytes, arrivedAt);
  }
}

interface WayParts {
  readonly clock: Clock;
  deliver(data: Uint8Array, lateMs: number): void;
  stalled(stall: FlowStall): void;
}

/** One direction: its link, and the one timer that the link wants. */
class Way {
  readonly link: Link<Uint8Array>;
  readonly #random: Random;
  readonly #parts: WayParts;
  readonly #watch = new StallWatch();
  /** The link's own delay: the least that a packet took since it was last changed. */
  #linkMs = Number.POSITIVE_INFINITY;
  #armed: { readonly timer: Timer; readonly dueAt: Instant } | undefined;

  constructor(plan: LinkPlan, random: Random, parts: WayParts) {
    this.link = new Link(plan, random);
    this.#random = random;
    this.#parts = parts;
  }

  change(plan: LinkPlan, now: Instant): void {
    this.link.change(plan, now);
    this.#linkMs = Number.POSITIVE_INFINITY;
  }

  handleWritten(write: StreamWrite): void {
    this.#watch.handleWritten(write);
  }

  pass(data: Uint8Array, sizeBytes: number, now: Instant): void {
    this.#watch.handleOffered(data.subarray(VXLAN_OVERHEAD_BYTES), now);
    this.link.handlePacket(data, sizeBytes, now);
    this.#serve(this.#parts.clock.now());
  }

  stop(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
  }

  #serve(now: Instant): void {
    this.link.handleTimeout(now);
    for (let output = this.link.takeOutput(); output !== undefined; ) {
      this.#deliver(output);
      output = this.link.takeOutput();
    }
    this.#arm();
  }

  #deliver({ packet, sentAt, dueAt, isCorrupted }: LinkOutput<Uint8Array>): void {
    const data = isCorrupted ? packet.slice() : packet;
    // TCP's own checksum is to find the wrong bit: Ethernet and VXLAN stay whole.
    if (isCorrupted) flipBit(data.subarray(VXLAN_OVERHEAD_BYTES), this.#random);
    const now = this.#parts.clock.now();
    this.#linkMs = Math.min(this.#linkMs, elapsedMs(sentAt, dueAt));
    this.#parts.deliver(data, Math.max(0, elapsedMs(dueAt, now)));
    if (isCorrupted) return;
    const stall = this.#watch.handleArrived(data.subarray(VXLAN_OVERHEAD_BYTES), now, this.#linkMs);
    if (stall !== undefined) this.#parts.stalled(stall);
  }

  #arm(): void {
    const dueAt = this.link.nextTimeout;
    if (dueAt === this.#armed?.dueAt) return;
    this.stop();
    if (dueAt === undefined) return;
    const timer = this.#parts.clock.setTimer(dueAt, () => {
      this.#armed = undefined;
      const now = this.#parts.clock.now();
      this.#serve(now < dueAt ? dueAt : now);
    });
    this.#armed = { timer, dueAt };
  }
}
