import type { DatagramSocket, SocketAddress } from "../environment/index.ts";
import { ImpairedPath } from "./impaired-path.ts";

/** One port of a relay: what comes in at `near` goes on to `target` from `far`, and back. */
export interface RelayPort {
  readonly near: DatagramSocket;
  readonly far: DatagramSocket;
  readonly target: SocketAddress;
}

/** What passed one port in one direction, before the network did anything to it. */
export interface RelayedCounts {
  readonly packets: number;
  readonly bytes: number;
  /** Had nowhere to go: nobody has sent anything from the other side yet. */
  readonly homeless: number;
}

/** What a port did, and whom it knows. */
export interface RelayPortState {
  readonly near: SocketAddress;
  readonly far: SocketAddress;
  readonly target: SocketAddress;
  /** Who sent to `near` last: what comes back goes there. */
  readonly nearPeer: SocketAddress | undefined;
  /** Who sent to `far` last; the target until then. */
  readonly farPeer: SocketAddress;
  /** How often a peer's address became another one. */
  readonly peerChanges: number;
  /** Towards the target, and back. */
  readonly sent: RelayedCounts;
  readonly received: RelayedCounts;
  /** What the host refused to send, or reported of a peer that does not listen. */
  readonly socketErrors: number;
}

/**
 * Passes datagrams on between two foreign peers, through one injured network: all of its ports share
 * its two directions, as RTP and RTCP of a call would. Sent is what goes towards the target.
 *
 * It reads nothing of what it passes on. Where a peer is, it learns from what comes (symmetric RTP,
 * RFC 4961): the last sender is who gets what comes back.
 */
export class DatagramRelay {
  readonly #path: ImpairedPath;
  readonly #ports: readonly Port[];

  constructor(path: ImpairedPath, ports: readonly RelayPort[]) {
    this.#path = path;
    this.#ports = ports.map((port) => new Port(path, port));
  }

  /** What the network did to the packets of all ports while it was injured. */
  get counts(): ImpairedPath["counts"] {
    return this.#path.counts;
  }

  get ports(): readonly RelayPortState[] {
    return this.#ports.map((port) => port.state);
  }

  /** Gives the ports back; what is under way is dropped. */
  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
  }
}

interface Tally {
  packets: number;
  bytes: number;
  homeless: number;
}

class Port {
  readonly #near: DatagramSocket;
  readonly #far: DatagramSocket;
  readonly #target: SocketAddress;
  #nearPeer: SocketAddress | undefined;
  #farPeer: SocketAddress;
  #peerChanges = 0;
  #socketErrors = 0;
  readonly #sent: Tally = { packets: 0, bytes: 0, homeless: 0 };
  readonly #received: Tally = { packets: 0, bytes: 0, homeless: 0 };

  constructor(path: ImpairedPath, { near, far, target }: RelayPort) {
    this.#near = near;
    this.#far = path.before(far);
    this.#target = target;
    this.#farPeer = target;
    near.onDatagram = (data, from) => this.#pass(data, from);
    this.#far.onDatagram = (data, from) => this.#passBack(data, from);
    near.onError = () => this.#countError();
    this.#far.onError = () => this.#countError();
  }

  get state(): RelayPortState {
    return {
      near: this.#near.local,
      far: this.#far.local,
      target: this.#target,
      nearPeer: this.#nearPeer,
      farPeer: this.#farPeer,
      peerChanges: this.#peerChanges,
      sent: { ...this.#sent },
      received: { ...this.#received },
      socketErrors: this.#socketErrors,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#near.close(), this.#far.close()]);
  }

  #pass(data: Uint8Array, from: SocketAddress): void {
    if (!isSame(this.#nearPeer, from)) {
      if (this.#nearPeer !== undefined) this.#peerChanges += 1;
      this.#nearPeer = { address: from.address, port: from.port };
    }
    this.#sent.packets += 1;
    this.#sent.bytes += data.length;
    this.#far.send(data, this.#farPeer);
  }

  /** Comes from the network, whole or injured. */
  #passBack(data: Uint8Array, from: SocketAddress): void {
    if (!isSame(this.#farPeer, from)) {
      this.#peerChanges += 1;
      this.#farPeer = { address: from.address, port: from.port };
    }
    this.#received.packets += 1;
    this.#received.bytes += data.length;
    if (this.#nearPeer === undefined) this.#received.homeless += 1;
    else this.#near.send(data, this.#nearPeer);
  }

  #countError(): void {
    this.#socketErrors += 1;
  }
}

function isSame(known: SocketAddress | undefined, other: SocketAddress): boolean {
  return known !== undefined && known.port === other.port && known.address === other.address;
}
