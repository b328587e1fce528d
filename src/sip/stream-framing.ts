import { headLines } from "./message-peek.ts";

/** What a stream consists of. */
export type StreamPiece =
  /** One message, head and body. */
  | { readonly kind: "message"; readonly data: Uint8Array }
  /** A line end between messages: half a ping, or a pong (RFC 5626 §3.5.1). */
  | { readonly kind: "lineEnd" }
  /** From here on nobody can tell where a message begins. Nothing follows. */
  | { readonly kind: "garbage"; readonly reason: string };

/** A whole datagram's worth: no real message has a longer head. */
const HEAD_BYTES_MAX = 65_536;
const BODY_BYTES_MAX = 1_048_576;
const CR = 13;
const LF = 10;
const INITIAL_BYTES = 4096;

const START_LINE = /^(?:SIP\/\d+\.\d+[ \t].*|\S+[ \t]+\S+[ \t]+SIP\/\d+\.\d+[ \t]*)$/iu;
const LENGTH_HEADER = /^(?:content-length|l)[ \t]*:[ \t]*(.*?)[ \t]*$/iu;

/**
 * Cuts the byte stream of a connection into messages, by Content-Length (RFC 3261 §18.3). How the
 * bytes are divided into pieces on their way makes no difference. An engine: no I/O, no clock; it
 * knows nothing of what the messages mean.
 */
export class StreamFramer {
  readonly #output: StreamPiece[] = [];
  readonly #decoder = new TextDecoder("latin1");
  #buffer = new Uint8Array(INITIAL_BYTES);
  #begin = 0;
  #end = 0;
  /** Up to here, from `#begin`, there is no end of a head. */
  #scanned = 0;
  /** Of the message whose head is complete. */
  #messageBytes: number | undefined;
  #isBroken = false;

  handleBytes(data: Uint8Array): void {
    if (this.#isBroken) return;
    this.#append(data);
    while (this.#step());
  }

  takeOutput(): StreamPiece | undefined {
    return this.#output.shift();
  }

  /** Takes one piece off the front; false where more bytes are needed. */
  #step(): boolean {
    if (this.#messageBytes !== undefined) return this.#takeMessage(this.#messageBytes);
    const available = this.#end - this.#begin;
    const first = this.#buffer[this.#begin];
    if (available === 0) return false;
    if (first === LF) return this.#takeLineEnd(1);
    if (first === CR) {
      if (available === 1) return false;
      if (this.#buffer[this.#begin + 1] === LF) return this.#takeLineEnd(2);
    }
    return this.#readHead();
  }

  #takeLineEnd(length: number): boolean {
    this.#begin += length;
    this.#output.push({ kind: "lineEnd" });
    return true;
  }

  #takeMessage(length: number): boolean {
    if (this.#end - this.#begin < length) return false;
    const data = this.#buffer.slice(this.#begin, this.#begin + length);
    this.#output.push({ kind: "message", data });
    this.#begin += length;
    this.#messageBytes = undefined;
    this.#scanned = 0;
    return true;
  }

  /** Learns how long the message is; true where its head is complete. */
  #readHead(): boolean {
    const pending = this.#buffer.subarray(this.#begin, this.#end);
    if (!isTokenStart(pending[0] as number)) return this.#break("it does not begin with a word");
    const headBytes = headEnd(pending, this.#scanned);
    if ((headBytes ?? pending.length) > HEAD_BYTES_MAX) return this.#break("its head is too long");
    if (headBytes === undefined) {
      // The end may have begun with the last three bytes.
      this.#scanned = Math.max(0, pending.length - 3);
      return false;
    }
    const lines = headLines(this.#decoder.decode(pending.subarray(0, headBytes)));
    if (!START_LINE.test(lines[0] ?? "")) return this.#break("its first line is none of SIP");
    return this.#readLength(lines, headBytes);
  }

  #readLength(lines: readonly string[], headBytes: number): boolean {
    const values = lines
      .slice(1)
      .map((line) => LENGTH_HEADER.exec(line)?.[1])
      .filter((value) => value !== undefined);
    const [value, ...others] = values;
    if (value === undefined) return this.#break("it has no Content-Length");
    if (!/^\d{1,9}$/u.test(value) || others.some((other) => Number(other) !== Number(value))) {
      // The head alone can still be answered, with 400 (RFC 4475 §3.1.2.4).
      this.#takeMessage(headBytes);
      return this.#break("its Content-Length is malformed");
    }
    if (Number(value) > BODY_BYTES_MAX) return this.#break("its body is too long");
    this.#messageBytes = headBytes + Number(value);
    return true;
  }

  #break(reason: string): false {
    this.#isBroken = true;
    this.#output.push({ kind: "garbage", reason });
    return false;
  }

  #append(data: Uint8Array): void {
    const kept = this.#end - this.#begin;
    if (this.#end + data.length > this.#buffer.length) {
      const needed = kept + data.length;
      const into =
        needed > this.#buffer.length
          ? new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
          : this.#buffer;
      into.set(this.#buffer.subarray(this.#begin, this.#end));
      this.#buffer = into;
      this.#begin = 0;
      this.#end = kept;
    }
    this.#buffer.set(data, this.#end);
    this.#end += data.length;
  }
}

/** Methods and "SIP/2.0" begin with a letter; a token may begin with more than that. */
function isTokenStart(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** How many bytes the head has, its empty line included; line ends may be bare line feeds. */
function headEnd(bytes: Uint8Array, from: number): number | undefined {
  for (let index = bytes.indexOf(LF, from); index !== -1; index = bytes.indexOf(LF, index + 1)) {
    if (bytes[index + 1] === LF) return index + 2;
    if (bytes[index + 1] === CR && bytes[index + 2] === LF) return index + 3;
  }
  return undefined;
}
