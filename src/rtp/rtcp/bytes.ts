import { assert } from "../../environment/index.ts";

/** Reads 16 bits, most significant octet first. */
export function readUint16(data: Uint8Array, offset: number): number {
  return ((data[offset] as number) << 8) | (data[offset + 1] as number);
}

/** Reads 32 bits, most significant octet first; unsigned. */
export function readUint32(data: Uint8Array, offset: number): number {
  return readUint16(data, offset) * 0x10000 + readUint16(data, offset + 2);
}

/** Reads 24 bits of two's complement. */
export function readInt24(data: Uint8Array, offset: number): number {
  return (((data[offset] as number) << 24) >> 8) | readUint16(data, offset + 1);
}

/** Writes octets and integers, most significant octet first, into memory of the caller. */
export class ByteWriter {
  readonly #output: Uint8Array;
  #offset = 0;

  constructor(output: Uint8Array) {
    this.#output = output;
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.#offset;
  }

  uint8(value: number): void {
    assert(this.#offset < this.#output.length, "the output holds the whole compound packet");
    this.#output[this.#offset] = value;
    this.#offset += 1;
  }

  uint16(value: number): void {
    this.uint8(value >>> 8);
    this.uint8(value);
  }

  /** The low 24 bits, so that negative values come out in two's complement. */
  uint24(value: number): void {
    this.uint8(value >>> 16);
    this.uint16(value);
  }

  uint32(value: number): void {
    this.uint16(value >>> 16);
    this.uint16(value);
  }

  bytes(data: Uint8Array): void {
    assert(
      this.#offset + data.length <= this.#output.length,
      "the output holds the whole compound packet",
    );
    this.#output.set(data, this.#offset);
    this.#offset += data.length;
  }

  /** Zeros up to the next 32-bit boundary, counted from the output's begin. */
  alignToWord(): void {
    while (this.#offset % 4 !== 0) this.uint8(0);
  }

  /** Writes over 16 bits that were written before. */
  patchUint16(offset: number, value: number): void {
    this.#output[offset] = value >>> 8;
    this.#output[offset + 1] = value;
  }
}
