import { elapsedMs, type Instant, type SocketAddress, UsageError } from "../environment/index.ts";

/** One UDP datagram that crossed a socket, or one message that crossed a TCP connection. */
export interface CapturedDatagram {
  readonly at: Instant;
  /** Milliseconds since 1970-01-01 UTC, as the host's clock showed at `at`. */
  readonly wallClockMs: number;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  /** Copied. */
  readonly payload: Uint8Array;
}

/** How to write. */
export interface PcapOptions {
  /** Of the time stamps; default "microseconds", which every reader knows. */
  readonly resolution?: "microseconds" | "nanoseconds";
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const UDP_HEADER_BYTES = 8;
const UDP_PROTOCOL = 17;
const TCP_HEADER_BYTES = 20;
const TCP_PROTOCOL = 6;
/** Header of five words, PSH and ACK (RFC 9293 §3.1). */
const TCP_DATA = [0x50, 0x18] as const;
const TCP_WINDOW = 0xffff;
const HOP_LIMIT = 64;
/** The most that fits an IPv4 datagram with either header; longer payloads are cut. */
const MAX_PAYLOAD_BYTES = 65_495;
const CHUNK_BYTES = 256 * 1024;
const SNAP_BYTES = 262_144;
/** Each packet begins with an IPv4 or IPv6 header. */
const LINKTYPE_RAW = 101;
const MAGIC = { microseconds: 0xa1b2_c3d4, nanoseconds: 0xa1b2_3c4d };
const MAX_CACHED_ADDRESSES = 64;

interface CapturedPacket {
  readonly at: Instant;
  /** IP header, UDP header and payload, within a chunk. */
  readonly bytes: Uint8Array;
  /** Of the packet before it was cut. */
  readonly wholeBytes: number;
}

/**
 * Writes datagrams as a pcap file (draft-ietf-opsawg-pcap, LINKTYPE_RAW), with the IP and UDP
 * headers that they had on the wire as far as they can be known: addresses, ports, checksums.
 * Messages of a TCP connection get a segment each, with sequence numbers of their own that fit
 * together, because nobody tells us those of the wire.
 *
 * The packets are spaced by their monotonic instants; the first one's wall clock says where all of
 * them lie. So a step of the host's clock does not tear a capture.
 */
export class PcapWriter {
  readonly #resolution: "microseconds" | "nanoseconds";
  readonly #packets: CapturedPacket[] = [];
  readonly #addresses = new Map<string, Uint8Array>();
  /** Where the next segment in a direction begins. */
  readonly #sequences = new Map<string, number>();
  #chunk = new Uint8Array(0);
  #chunkUsed = 0;
  #recordBytes = 0;
  #wallClockMsAtZero = 0;

  constructor(options: PcapOptions = {}) {
    this.#resolution = options.resolution ?? "microseconds";
  }

  /** Datagrams added so far. */
  get packetCount(): number {
    return this.#packets.length;
  }

  /**
   * Takes one datagram, in any order of time.
   * @throws UsageError ERR_ADDRESS_NOT_NUMERIC.
   */
  add(datagram: CapturedDatagram): void {
    this.#add(datagram, UDP_PROTOCOL, (packet, offset) => {
      writePorts(packet, offset, datagram);
      writeUint16(packet, offset + 4, packet.length - offset);
      // 0 would mean "no checksum".
      writeUint16(packet, offset + 6, transportChecksum(packet, offset, UDP_PROTOCOL) || 0xffff);
    });
  }

  /**
   * Takes one message of a TCP connection; those of one direction in the order of the stream.
   * @throws UsageError ERR_ADDRESS_NOT_NUMERIC.
   */
  addSegment(message: CapturedDatagram): void {
    const { from, to, payload } = message;
    const [own, other] = [directionKey(from, to), directionKey(to, from)];
    const sequence = this.#sequences.get(own) ?? 1;
    const acknowledged = this.#sequences.get(other) ?? 1;
    this.#sequences.set(own, sequence + Math.min(payload.length, MAX_PAYLOAD_BYTES));
    this.#add(message, TCP_PROTOCOL, (packet, offset) => {
      writePorts(packet, offset, message);
      const view = new DataView(packet.buffer, packet.byteOffset + offset);
      view.setUint32(4, sequence);
      view.setUint32(8, acknowledged);
      packet.set(TCP_DATA, offset + 12);
      view.setUint16(14, TCP_WINDOW);
      view.setUint16(16, transportChecksum(packet, offset, TCP_PROTOCOL));
    });
  }

  #add(
    { at, wallClockMs, payload, from, to }: CapturedDatagram,
    protocol: typeof UDP_PROTOCOL | typeof TCP_PROTOCOL,
    writeHeader: (packet: Uint8Array, offset: number) => void,
  ): void {
    const [source, destination] = sameFamily(
      this.#addressBytes(from.address),
      this.#addressBytes(to.address),
    );
    if (this.#packets.length === 0) this.#wallClockMsAtZero = wallClockMs - at;
    const ipHeaderBytes = source.length === 4 ? 20 : 40;
    const payloadBytes = Math.min(payload.length, MAX_PAYLOAD_BYTES);
    const headerBytes =
      ipHeaderBytes + (protocol === UDP_PROTOCOL ? UDP_HEADER_BYTES : TCP_HEADER_BYTES);
    const bytes = this.#allocate(headerBytes + payloadBytes);

    writeIpHeader(bytes, [source, destination], protocol, this.#packets.length);
    bytes.set(payload.subarray(0, payloadBytes), headerBytes);
    writeHeader(bytes, ipHeaderBytes);
    this.#packets.push({ at, bytes, wholeBytes: headerBytes + payload.length });
    this.#recordBytes += RECORD_HEADER_BYTES + bytes.length;
  }

  /** The whole file, packets in order of time. */
  bytes(): Uint8Array {
    const file = new Uint8Array(FILE_HEADER_BYTES + this.#recordBytes);
    const view = new DataView(file.buffer);
    view.setUint32(0, MAGIC[this.#resolution], true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, SNAP_BYTES, true);
    view.setUint32(20, LINKTYPE_RAW, true);

    let offset = FILE_HEADER_BYTES;
    const ordered = this.#packets.toSorted((left, right) => elapsedMs(right.at, left.at));
    for (const { at, bytes, wholeBytes } of ordered) {
      this.#writeTime(view, offset, at);
      view.setUint32(offset + 8, bytes.length, true);
      view.setUint32(offset + 12, wholeBytes, true);
      file.set(bytes, offset + RECORD_HEADER_BYTES);
      offset += RECORD_HEADER_BYTES + bytes.length;
    }
    return file;
  }

  /** Splits before scaling: nanoseconds since 1970 exceed what a number holds exactly. */
  #writeTime(view: DataView, offset: number, at: Instant): void {
    const unitsPerMs = this.#resolution === "microseconds" ? 1000 : 1_000_000;
    const baseMs = Math.floor(this.#wallClockMsAtZero);
    const units = Math.round((this.#wallClockMsAtZero - baseMs + at) * unitsPerMs);
    const wholeMs = Math.floor(units / unitsPerMs);
    const ms = Math.max(0, baseMs + wholeMs);
    const seconds = Math.floor(ms / 1000);
    view.setUint32(offset, seconds, true);
    const fraction = (ms - seconds * 1000) * unitsPerMs + (units - wholeMs * unitsPerMs);
    view.setUint32(offset + 4, fraction, true);
  }

  /** Takes memory from the present chunk: one allocation for about a minute of one call. */
  #allocate(byteLength: number): Uint8Array {
    if (this.#chunkUsed + byteLength > this.#chunk.length) {
      this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, byteLength));
      this.#chunkUsed = 0;
    }
    const begin = this.#chunkUsed;
    this.#chunkUsed += byteLength;
    return this.#chunk.subarray(begin, this.#chunkUsed);
  }

  #addressBytes(address: string): Uint8Array {
    const known = this.#addresses.get(address);
    if (known !== undefined) return known;
    const bytes = parseAddress(address);
    if (bytes === undefined) {
      throw new UsageError(
        "ERR_ADDRESS_NOT_NUMERIC",
        "A datagram to be captured has an address that is not an IP address. Resolve it before.",
      );
    }
    if (this.#addresses.size === MAX_CACHED_ADDRESSES) this.#addresses.clear();
    this.#addresses.set(address, bytes);
    return bytes;
  }
}

function writeIpHeader(
  packet: Uint8Array,
  [source, destination]: readonly [Uint8Array, Uint8Array],
  protocol: number,
  identification: number,
): void {
  if (source.length === 4) {
    packet[0] = 0x45;
    writeUint16(packet, 2, packet.length);
    writeUint16(packet, 4, identification);
    packet[6] = 0x40;
    packet[8] = HOP_LIMIT;
    packet[9] = protocol;
    packet.set(source, 12);
    packet.set(destination, 16);
    writeUint16(packet, 10, folded(sum16(packet, 0, 20)));
    return;
  }
  packet[0] = 0x60;
  writeUint16(packet, 4, packet.length - 40);
  packet[6] = protocol;
  packet[7] = HOP_LIMIT;
  packet.set(source, 8);
  packet.set(destination, 24);
}

/** UDP and TCP begin with the same four bytes. */
function writePorts(packet: Uint8Array, offset: number, { from, to }: CapturedDatagram): void {
  writeUint16(packet, offset, from.port);
  writeUint16(packet, offset + 2, to.port);
}

/** Over a header and payload that stand already, all but the checksum. */
function transportChecksum(packet: Uint8Array, offset: number, protocol: number): number {
  // The pseudo header of RFC 768, RFC 9293 §3.1 and RFC 8200 §8.1: addresses, protocol, length.
  const addresses = offset === 20 ? sum16(packet, 12, 20) : sum16(packet, 8, 40);
  const sum =
    addresses + protocol + (packet.length - offset) + sum16(packet, offset, packet.length);
  return folded(sum);
}

function directionKey(from: SocketAddress, to: SocketAddress): string {
  return `${from.address} ${from.port} ${to.address} ${to.port}`;
}

/** The sum of 16-bit words of which RFC 1071 takes the complement. */
function sum16(bytes: Uint8Array, begin: number, end: number): number {
  let sum = 0;
  for (let index = begin; index + 1 < end; index += 2) {
    sum += ((bytes[index] as number) << 8) | (bytes[index + 1] as number);
  }
  return (end - begin) % 2 === 0 ? sum : sum + ((bytes[end - 1] as number) << 8);
}

function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x1_0000);
  return ~rest & 0xffff;
}

function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Both addresses in one family: IPv4 in IPv6 (RFC 4291 §2.5.5.2) where they differ. */
function sameFamily(left: Uint8Array, right: Uint8Array): readonly [Uint8Array, Uint8Array] {
  if (left.length === right.length) return [left, right];
  return [mapped(left), mapped(right)];
}

function mapped(address: Uint8Array): Uint8Array {
  return address.length === 16 ? address : Uint8Array.from([...MAPPED_PREFIX, ...address]);
}

/** 4 or 16 bytes; an IPv4-mapped address gives the 4 that are meant. */
function parseAddress(address: string): Uint8Array | undefined {
  if (!address.includes(":")) return parseIpv4(address);
  const bytes = parseIpv6(address.split("%")[0] ?? "");
  const isMapped = bytes !== undefined && MAPPED_PREFIX.every((byte, i) => bytes[i] === byte);
  return isMapped ? bytes.slice(12) : bytes;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isValid = parts.every((part) => /^\d{1,3}$/u.test(part) && Number(part) < 256);
  return isValid && parts.length === 4 ? Uint8Array.from(parts, Number) : undefined;
}

/** RFC 4291 §2.2, its three forms. */
function parseIpv6(text: string): Uint8Array | undefined {
  const halves = withHexTail(text).split("::");
  const [before = [], behind = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - before.length - behind.length;
  const isCompressed = halves.length === 2;
  if (halves.length > 2 || (isCompressed ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...behind];
  if (!groups.every((group) => /^[\da-f]{1,4}$/iu.test(group))) return undefined;
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >>> 8, value & 0xff];
    }),
  );
}

/** Writes a dotted IPv4 tail as two groups; what is wrong with it stays wrong. */
function withHexTail(text: string): string {
  const tailBegin = text.lastIndexOf(":") + 1;
  const tail = parseIpv4(text.slice(tailBegin));
  if (tail === undefined) return text;
  const [a = 0, b = 0, c = 0, d = 0] = tail;
  const groups = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16));
  return `${text.slice(0, tailBegin)}${groups.join(":")}`;
}
