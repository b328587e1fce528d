import type { Instant, StreamConnection } from "../../environment/index.ts";
import type { End, ModelledConnection, Readable } from "./connection.ts";

/** The largest send buffer of Linux (`tcp_wmem`), about: who writes more than that waits. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** What a reader who does not read lets pile up before the other end waits: `tcp_rmem`. */
const UNREAD_BYTES_MAX = 6 * 1024 * 1024;

interface Side {
  socket: StreamConnection | undefined;
  /** What it wrote and the model has not let through. */
  readonly bytes: Uint8Array[];
  hasEnded: boolean;
  isPaused: boolean;
}

/** Two real connections of which the bytes pass between when the model says so. */
export class RelayedConnection {
  readonly model: ModelledConnection;
  /** Something was written: the model has to be served. */
  onWrite: (() => void) | undefined;
  /** Both ends are gone. */
  onClosed: (() => void) | undefined;
  readonly #now: () => Instant;
  readonly #sides: Readonly<Record<End, Side>>;

  constructor(model: ModelledConnection, near: StreamConnection, now: () => Instant) {
    this.model = model;
    this.#now = now;
    this.#sides = { near: side(near), far: side(undefined) };
    this.#listen("near", near);
  }

  /** The far end is connected, too. */
  join(far: StreamConnection): void {
    this.#sides.far.socket = far;
    this.#listen("far", far);
    if (this.#sides.near.hasEnded) far.terminate();
  }

  /** Hands on what can be read now. */
  handOn({ at, bytes }: Readable): void {
    const writer = this.#sides[other(at)];
    const { socket } = this.#sides[at];
    let rest = bytes;
    while (rest > 0) {
      const chunk = writer.bytes.shift();
      if (chunk === undefined) throw new Error("Bug: the model let more through than was written.");
      if (chunk.length > rest) writer.bytes.unshift(chunk.subarray(rest));
      socket?.send(chunk.subarray(0, rest));
      rest -= Math.min(rest, chunk.length);
    }
    this.#settle(other(at));
  }

  terminate(): void {
    for (const { socket } of [this.#sides.near, this.#sides.far]) socket?.terminate();
  }

  #listen(end: End, socket: StreamConnection): void {
    const own = this.#sides[end];
    socket.onData = (data) => {
      own.bytes.push(data.slice());
      this.model.write(end, data.length, this.#now());
      this.#settle(end);
      this.onWrite?.();
    };
    // The other end writes again when this one has read.
    socket.onDrain = () => this.#settle(other(end));
    socket.onClose = (error) => {
      own.hasEnded = true;
      const { socket: peer } = this.#sides[other(end)];
      if (error === undefined) this.#settle(end);
      else peer?.terminate();
      if (this.#sides[other(end)].hasEnded || peer === undefined) this.onClosed?.();
    };
  }

  /** Lets an end that writes wait or go on, and the other one know when it has ended. */
  #settle(end: End): void {
    const own = this.#sides[end];
    const reader = this.#sides[other(end)].socket;
    if (own.hasEnded) {
      if (this.model.unreadFrom(end) === 0) reader?.close();
      return;
    }
    const mustWait =
      this.model.bufferedAt(end) >= BUFFER_BYTES_MAX ||
      (reader?.bufferedBytes ?? 0) >= UNREAD_BYTES_MAX;
    if (mustWait === own.isPaused) return;
    own.isPaused = mustWait;
    if (mustWait) own.socket?.pause();
    else own.socket?.resume();
  }
}

function side(socket: StreamConnection | undefined): Side {
  return { socket, bytes: [], hasEnded: false, isPaused: false };
}

function other(end: End): End {
  return end === "near" ? "far" : "near";
}
