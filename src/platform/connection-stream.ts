import { Duplex } from "node:stream";
import { after, type Clock, type StreamConnection, type Timer } from "../environment/index.ts";

/**
 * A connection as Node's own HTTP and the ws library want it: a Duplex with what they ask of a
 * socket. Nothing of the host is needed beneath.
 */
export class ConnectionStream extends Duplex {
  readonly #clock: Clock;
  readonly #opening: Promise<StreamConnection>;
  #connection: StreamConnection | undefined;
  #idleTimer: Timer | undefined;

  /** @param connection what is written before it is there waits; where it fails, so does this. */
  constructor(connection: StreamConnection | Promise<StreamConnection>, clock: Clock) {
    super({ allowHalfOpen: true });
    this.#clock = clock;
    this.#opening = Promise.resolve(connection);
    if (!(connection instanceof Promise)) this.#attach(connection);
  }

  get localAddress(): string | undefined {
    return this.#connection?.local.address;
  }

  get localPort(): number | undefined {
    return this.#connection?.local.port;
  }

  get remoteAddress(): string | undefined {
    return this.#connection?.remote.address;
  }

  get remotePort(): number | undefined {
    return this.#connection?.remote.port;
  }

  override _construct(done: (error?: Error) => void): void {
    // oxlint-disable-next-line promise/no-callback-in-promise -- a stream is told by its callback.
    void this.#constructAsync().then(done);
  }

  override _read(): void {
    // What comes is pushed when it comes.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, taken: () => void): void {
    this.#connection?.send(chunk);
    taken();
  }

  override _writev(chunks: readonly { readonly chunk: unknown }[], taken: () => void): void {
    this.#connection?.send(Buffer.concat(chunks.map(({ chunk }) => chunk as Uint8Array)));
    taken();
  }

  override _final(done: () => void): void {
    this.#connection?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.setTimeout(0);
    this.#connection?.close();
    done(error);
  }

  /** As a socket's: `timeout` is emitted after so long; 0 ends that. */
  setTimeout(ms: number, handler?: () => void): this {
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    if (handler !== undefined && ms > 0) this.once("timeout", handler);
    if (ms > 0) {
      this.#idleTimer = this.#clock.setTimer(after(this.#clock.now(), ms), () => {
        this.emit("timeout");
      });
    }
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** What was the matter, if anything was. */
  async #constructAsync(): Promise<Error | undefined> {
    try {
      const connection = await this.#opening;
      if (this.destroyed) connection.terminate();
      else if (this.#connection === undefined) this.#attach(connection);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #attach(connection: StreamConnection): void {
    this.#connection = connection;
    connection.onData = (data) => {
      // The data are only ours during the call.
      if (!this.destroyed) this.push(Buffer.from(data));
    };
    connection.onClose = (error) => {
      if (this.destroyed || this.readableEnded) return;
      if (error === undefined) this.push(null);
      else this.destroy(error);
    };
  }
}
