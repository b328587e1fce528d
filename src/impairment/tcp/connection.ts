import { elapsedMs, type Instant, type Random } from "../../environment/index.ts";
import type { CongestionControl, StallCause, TcpCounts } from "../ai-path.ts";
import type { Link } from "../link.ts";
import { Reno } from "./congestion-avoidance.ts";
import { Cubic } from "./cubic.ts";
import { Receiver } from "./receiver.ts";
import type { Acknowledgement, DataSegment } from "./segment.ts";
import { Sender } from "./sender.ts";
import { TimerGrain } from "./timer-grain.ts";

/** An end of a connection: that which opened it, and the other one. */
export type End = "near" | "far";

/** What crosses a link. */
export interface Packet {
  readonly connection: ModelledConnection;
  readonly from: End;
  readonly handshake?: "syn" | "synAck";
  readonly sentAt: Instant;
  readonly segment?: DataSegment;
  readonly ack?: Acknowledgement;
}

/** Bytes can be read at an end. */
export interface Readable {
  readonly at: End;
  readonly bytes: number;
  /** When the first of them were written. */
  readonly writtenAt: Instant;
  readonly cause?: StallCause;
}

/** IPv4, TCP, timestamps; each selective acknowledgement is 8 bytes more. */
const HEADER_BYTES = 52;
const SELECTIVE_BYTES = 8;
/** RFC 6298 §2.1, doubled each time. */
const HANDSHAKE_TIMEOUT_MS = 1000;

interface Greeting {
  readonly sentAt: Instant;
  readonly timeoutMs: number;
  readonly dueAt: Instant;
}

interface Half {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly link: Link<Packet>;
  /** What was written and cannot be read at the other end yet. */
  readonly written: { readonly end: number; readonly at: Instant }[];
  bytesWritten: number;
  bytesRead: number;
}

/**
 * One TCP connection between two ends over two links: a model that carries no bytes, but says when
 * so many of them can be read. An engine.
 */
export class ModelledConnection {
  readonly #ends: Readonly<Record<End, Half>>;
  readonly #output: Readable[] = [];
  #state: "connecting" | "answering" | "open" = "connecting";
  /** What each end says of itself until the other one has answered. */
  #syn: Greeting | undefined;
  #synAck: Greeting | undefined;
  readonly #grain: TimerGrain;

  /** Begins the handshake; what is written before its end waits for it. */
  constructor(
    links: { readonly toFar: Link<Packet>; readonly toNear: Link<Packet> },
    how: { readonly random: Random; readonly congestionControl: CongestionControl },
    now: Instant,
  ) {
    const half = (link: Link<Packet>): Half => {
      const avoidance = how.congestionControl === "reno" ? new Reno() : new Cubic();
      const grain = new TimerGrain(how.random());
      return {
        sender: new Sender(avoidance, grain, now),
        receiver: new Receiver(grain),
        link,
        written: [],
        bytesWritten: 0,
        bytesRead: 0,
      };
    };
    this.#ends = { near: half(links.toFar), far: half(links.toNear) };
    this.#grain = new TimerGrain(how.random());
    this.#syn = this.#greet("near", now);
  }

  get nextTimeout(): Instant | undefined {
    const { near, far } = this.#ends;
    const dues = [
      this.#syn?.dueAt,
      this.#synAck?.dueAt,
      near.sender.nextTimeout,
      near.receiver.nextTimeout,
      far.sender.nextTimeout,
      far.receiver.nextTimeout,
    ].filter((due) => due !== undefined);
    return dues.length === 0 ? undefined : (Math.min(...dues) as Instant);
  }

  takeOutput(): Readable | undefined {
    return this.#output.shift();
  }

  countsFrom(end: End): TcpCounts {
    return this.#ends[end].sender.counts;
  }

  /** Bytes written at an end that were not acknowledged yet, or wait for the handshake. */
  bufferedAt(end: End): number {
    const { sender, bytesWritten } = this.#ends[end];
    return this.#isUp(end) ? sender.bufferedBytes : bytesWritten;
  }

  /** Bytes written at an end that cannot be read at the other one yet. */
  unreadFrom(end: End): number {
    const { bytesWritten, bytesRead } = this.#ends[end];
    return bytesWritten - bytesRead;
  }

  /** The application at an end writes. */
  write(end: End, bytes: number, now: Instant): void {
    const half = this.#ends[end];
    half.bytesWritten += bytes;
    half.written.push({ end: half.bytesWritten, at: now });
    if (!this.#isUp(end)) return;
    half.sender.write(bytes, now);
    this.#flush(end, now);
  }

  handleTimeout(now: Instant): void {
    if (isDue(this.#syn, now)) this.#syn = this.#greet("near", now, this.#syn);
    if (isDue(this.#synAck, now)) this.#synAck = this.#greet("far", now, this.#synAck);
    for (const end of ["near", "far"] as const) {
      const { sender, receiver } = this.#ends[end];
      sender.handleTimeout(now);
      receiver.handleTimeout(now);
      this.#flush(end, now);
    }
  }

  /** A packet of this connection comes out of a link. */
  handlePacket(packet: Packet, now: Instant): void {
    const end: End = packet.from === "near" ? "far" : "near";
    if (packet.handshake !== undefined) return this.#handleHandshake(packet, now);
    // The last of the handshake's three was lost or overtaken; this one says the same.
    if (end === "far") this.#openFar(now);
    const half = this.#ends[end];
    if (packet.segment !== undefined) this.#handleSegment(end, packet.segment, now);
    if (packet.ack !== undefined && this.#isUp(end))
      half.sender.handleAcknowledgement(packet.ack, now);
    this.#flush(end, now);
  }

  #isUp(end: End): boolean {
    return this.#state === "open" || (end === "near" && this.#state === "answering");
  }

  #greet(end: End, now: Instant, before?: Greeting): Greeting {
    const timeoutMs = before === undefined ? HANDSHAKE_TIMEOUT_MS : 2 * before.timeoutMs;
    this.#send(end, { handshake: end === "near" ? "syn" : "synAck" }, now);
    return { sentAt: now, timeoutMs, dueAt: this.#grain.expiry(now, timeoutMs) };
  }

  #handleHandshake(packet: Packet, now: Instant): void {
    if (packet.handshake === "syn") {
      if (this.#state !== "open") this.#synAck = this.#greet("far", now);
      return;
    }
    this.#send("near", { ack: this.#ends.near.receiver.acknowledge() }, now);
    if (this.#syn === undefined) return;
    this.#state = "answering";
    this.#measureHandshake("near", this.#syn, now);
    this.#syn = undefined;
    this.#writeWaiting("near", now);
  }

  #openFar(now: Instant): void {
    if (this.#state !== "answering") return;
    this.#state = "open";
    if (this.#synAck !== undefined) this.#measureHandshake("far", this.#synAck, now);
    this.#synAck = undefined;
    this.#writeWaiting("far", now);
  }

  /** RFC 6298 §3: of what was sent twice no one knows which was answered. */
  #measureHandshake(end: End, { sentAt, timeoutMs }: Greeting, now: Instant): void {
    if (timeoutMs > HANDSHAKE_TIMEOUT_MS) return;
    this.#ends[end].sender.handleHandshake(elapsedMs(sentAt, now));
  }

  #writeWaiting(end: End, now: Instant): void {
    const half = this.#ends[end];
    const { sender, bytesWritten, written } = half;
    if (bytesWritten > 0) {
      // The wait for the handshake is none of the stream's.
      written.splice(0, written.length, { end: bytesWritten, at: now });
      sender.write(bytesWritten, now);
    }
    this.#flush(end, now);
  }

  #handleSegment(end: End, segment: DataSegment, now: Instant): void {
    const { receiver } = this.#ends[end];
    const writer = this.#ends[end === "near" ? "far" : "near"];
    const { readable } = receiver.handleSegment(segment, now, HANDSHAKE_TIMEOUT_MS);
    if (readable === 0) return;
    const from = writer.bytesRead;
    writer.bytesRead += readable;
    let writtenAt: Instant | undefined;
    while (writer.written.length > 0) {
      const [first] = writer.written;
      if (first === undefined || from >= writer.bytesRead) break;
      writtenAt ??= first.at;
      if (first.end > writer.bytesRead) break;
      writer.written.shift();
    }
    const { cause } = segment;
    const why = cause === undefined ? {} : { cause };
    this.#output.push({ at: end, bytes: readable, writtenAt: writtenAt ?? now, ...why });
  }

  /** Sends what an end's engines want sent. */
  #flush(end: End, now: Instant): void {
    const { sender, receiver } = this.#ends[end];
    for (let segment = sender.takeOutput(); segment; segment = sender.takeOutput()) {
      receiver.handleDataSent(now);
      this.#send(end, { segment, ack: receiver.acknowledge() }, now);
    }
    if (receiver.isDue) this.#send(end, { ack: receiver.acknowledge() }, now);
  }

  #send(end: End, what: Pick<Packet, "handshake" | "segment" | "ack">, now: Instant): void {
    const { segment, ack } = what;
    const length = segment === undefined ? 0 : segment.end - segment.begin;
    const sizeBytes = HEADER_BYTES + length + SELECTIVE_BYTES * (ack?.selective.length ?? 0);
    const packet: Packet = { connection: this, from: end, sentAt: now, ...what };
    this.#ends[end].link.handlePacket(packet, sizeBytes, now);
  }
}

function isDue(greeting: Greeting | undefined, now: Instant): boolean {
  return greeting !== undefined && greeting.dueAt <= now;
}
