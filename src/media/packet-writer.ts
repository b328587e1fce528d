import type { DatagramSocket, Instant, Random, SocketAddress } from "../environment/index.ts";
import { randomInteger } from "../environment/index.ts";
import { encodeRtp } from "../rtp/index.ts";
import type { SrtpSender } from "../srtp/index.ts";

/** RTP over IPv4 and UDP on Ethernet leaves 1,460 bytes; audio frames are far below. */
export const PACKET_BYTES_MAX = 1460;

/** A packet as it crossed a socket, and as it is without SRTP. */
export interface TappedPacket {
  readonly at: Instant;
  readonly direction: "sent" | "received";
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly data: Uint8Array;
  /** Decrypted, where `data` is encrypted. */
  readonly plain?: Uint8Array;
}

/** A tap on packets as they cross the socket; `data` is only valid during the call. */
export type PacketTap = (packet: TappedPacket) => void;

/** One packet's own part of the header. */
export interface OutgoingPacket {
  readonly payload: Uint8Array;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly timestamp: number;
}

/** What a writer needs for its whole life. */
export interface PacketWriterOptions {
  readonly socket: DatagramSocket;
  readonly random: Random;
  readonly now: () => Instant;
  readonly onPacket: PacketTap | undefined;
}

/** Numbers, encrypts and sends the packets of one RTP stream (RFC 3550 §5.1). */
export class PacketWriter {
  readonly ssrc: number;
  /** Where to; `undefined` while nothing may be sent. */
  remote: SocketAddress | undefined;
  /** Encrypts, where SRTP was negotiated. */
  protection: SrtpSender | undefined;
  packetsSent = 0;
  bytesSent = 0;
  readonly #options: PacketWriterOptions;
  readonly #room = new Uint8Array(PACKET_BYTES_MAX);
  /** The part of it that the newest packet fills: kept, since most are of one length. */
  #plain: Uint8Array = this.#room;
  #sealed: Uint8Array | undefined;
  #sequenceNumber: number;

  constructor(options: PacketWriterOptions) {
    this.#options = options;
    // Random starts (RFC 3550 §5.1): sequence below 2^15, so that a first wrap cannot be mistaken.
    this.ssrc = randomInteger(options.random, 2 ** 32);
    this.#sequenceNumber = randomInteger(options.random, 2 ** 15);
  }

  /** Sends one packet; returns false where there is nowhere to send to. */
  send(packet: OutgoingPacket): boolean {
    const { remote } = this;
    if (remote === undefined) return false;
    const { marker, payloadType, timestamp, payload } = packet;
    const { ssrc } = this;
    const sequenceNumber = this.#sequenceNumber;
    const header = { marker, payloadType, sequenceNumber, timestamp, ssrc };
    const bytes = encodeRtp(header, payload, this.#room);
    if (this.#plain.length !== bytes) this.#plain = this.#room.subarray(0, bytes);
    const plain = this.#plain;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    const data = this.#protect(plain);
    const { socket, onPacket, now } = this.#options;
    socket.send(data, remote);
    onPacket?.({
      at: now(),
      direction: "sent",
      local: socket.local,
      remote,
      data,
      ...(data === plain ? {} : { plain }),
    });
    this.packetsSent += 1;
    this.bytesSent += payload.length;
    return true;
  }

  #protect(plain: Uint8Array): Uint8Array {
    if (this.protection === undefined) return plain;
    this.#sealed ??= new Uint8Array(PACKET_BYTES_MAX);
    return this.#sealed.subarray(0, this.protection.protectRtp(plain, this.#sealed));
  }
}
