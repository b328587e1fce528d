import type { DatagramSocket, Instant, SocketAddress } from "../environment/index.ts";

/** A SIP datagram between the thread that owns the socket and the one that carries the call. */
export interface FrontedDatagram {
  readonly type: "datagram";
  readonly data: Uint8Array;
  /** Where it came from, or goes to. */
  readonly address: SocketAddress;
  /** When it came. */
  readonly at?: Instant;
}

/** A socket error, told to every shard. */
export interface FrontedError {
  readonly type: "socketError";
  readonly message: string;
}

/** Which of an agent's threads one is, and the address that all of them share. Plain data. */
export interface ShardPlace {
  readonly index: number;
  readonly count: number;
  readonly local: SocketAddress;
}

/** The Call-ID header, long or compact (RFC 3261 §20.8), of a message as Latin-1 text. */
const CALL_ID_HEADER = /\r\n(?:call-id|i)[ \t]*:[ \t]*([^\s]+)/iu;

/** Which shard carries the call: the same for every message of it, however often it is asked. */
export function shardOf(callId: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < callId.length; index += 1) {
    hash = Math.imul(hash ^ callId.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV-1a alone are too regular for small counts.
  return ((hash ^ (hash >>> 15)) >>> 0) % count;
}

/**
 * One SIP socket for several threads: each call's messages go to the thread that its Call-ID
 * stands for. It reads no more of them than that, and keeps no state.
 */
export class SipFront {
  readonly #socket: DatagramSocket;
  readonly #shards: readonly ((message: FrontedDatagram | FrontedError) => void)[];
  readonly #decoder = new TextDecoder("latin1");

  constructor(
    socket: DatagramSocket,
    shards: readonly ((message: FrontedDatagram | FrontedError) => void)[],
  ) {
    this.#socket = socket;
    this.#shards = shards;
    socket.onDatagram = (data, from, at) => this.#receive(data, from, at);
    socket.onError = ({ message }) => {
      for (const post of shards) post({ type: "socketError", message });
    };
  }

  /** A shard's message, to be sent. */
  send({ data, address }: FrontedDatagram): void {
    this.#socket.send(data, address);
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  #receive(data: Uint8Array, from: SocketAddress, at: Instant): void {
    const callId = CALL_ID_HEADER.exec(this.#decoder.decode(data))?.[1] ?? "";
    const post = this.#shards[shardOf(callId, this.#shards.length)];
    const address = { address: from.address, port: from.port };
    post?.({ type: "datagram", data: data.slice(), address, at });
  }
}

/** The shared socket, as one of the threads sees it. */
export class FrontedSocket implements DatagramSocket {
  readonly local: SocketAddress;
  onDatagram: DatagramSocket["onDatagram"];
  onError: DatagramSocket["onError"];
  readonly #post: (message: FrontedDatagram) => void;

  constructor(local: SocketAddress, post: (message: FrontedDatagram) => void) {
    this.local = local;
    this.#post = post;
  }

  /** Takes what came for this thread. */
  handle(message: FrontedDatagram | FrontedError): void {
    if (message.type === "socketError") this.onError?.(new Error(message.message));
    else this.onDatagram?.(message.data, message.address, message.at as Instant);
  }

  send(data: Uint8Array, address: SocketAddress): void {
    this.#post({ type: "datagram", data: data.slice(), address });
  }

  tieTo(): void {
    // The socket serves other calls, too.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
