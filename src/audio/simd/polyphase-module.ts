import { POLYPHASE_WASM } from "./polyphase-wasm.ts";

const PAGE_BYTES = 65_536;
/** 256 KiB: one workspace for all filters of a thread, and the tables of some forty ratios. */
const PAGES = 4;
const WINDOW_SAMPLES = 16_384;
const RESULT_SAMPLES = 32_768;
const RESULTS_AT = 2 * WINDOW_SAMPLES;
const TABLES_AT = RESULTS_AT + 2 * RESULT_SAMPLES;
/** Larger tables (44.1 kHz) would crowd out the others; they belong to whole recordings. */
const TABLE_MAX_BYTES = 16_384;

/** `row` of polyphase.wat: window, row, rowEnd, hop, output, stride (all bytes), count. */
type Row = (...integers: readonly [...Bytes, count: number]) => void;
type Bytes = readonly [number, number, number, number, number, number];

/** What we use of the global `WebAssembly`, which TypeScript declares only with the DOM. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { row: Row } };
  readonly Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
}

/**
 * The instance of polyphase.wat of this thread, with its memory: a workspace that keeps nothing
 * from one call to the next, and tables of coefficients that stay. A filter's own state lies in
 * the JavaScript heap, so that nothing here must ever be released. The memory never grows: the
 * views of it stay valid.
 */
export class PolyphaseModule {
  readonly row: Row;
  readonly window: Int16Array;
  readonly results: Int16Array;
  readonly #buffer: ArrayBuffer;
  #tablesEnd = TABLES_AT;

  /** @throws whatever WebAssembly throws where the machine lacks it or its SIMD. */
  private constructor(webAssembly: WebAssemblyGlobal) {
    const bytes = Uint8Array.from(atob(POLYPHASE_WASM), (character) => character.charCodeAt(0));
    const memory = new webAssembly.Memory({ initial: PAGES, maximum: PAGES });
    const module = new webAssembly.Module(bytes);
    this.row = new webAssembly.Instance(module, { sidetone: { memory } }).exports.row;
    this.#buffer = memory.buffer;
    this.window = new Int16Array(memory.buffer, 0, WINDOW_SAMPLES);
    this.results = new Int16Array(memory.buffer, RESULTS_AT, RESULT_SAMPLES);
  }

  /** An instance; `undefined` where the machine has no WebAssembly or no SIMD (SSE4.1, Neon). */
  static create(): PolyphaseModule | undefined {
    const { WebAssembly: webAssembly } = globalThis as { WebAssembly?: WebAssemblyGlobal };
    try {
      return webAssembly && new PolyphaseModule(webAssembly);
    } catch {
      return undefined;
    }
  }

  /** Keeps a table of coefficients for good; returns its address, `undefined` if it does not fit. */
  place(table: Int16Array): number | undefined {
    const address = this.#tablesEnd;
    const end = address + table.byteLength;
    if (table.byteLength > TABLE_MAX_BYTES || end > PAGES * PAGE_BYTES) return undefined;
    new Int16Array(this.#buffer, address, table.length).set(table);
    this.#tablesEnd = end;
    return address;
  }

  /** The address of one of the samples of `window`. */
  windowAddress(index: number): number {
    return 2 * index;
  }

  /** The address of one of the `results`. */
  resultAddress(index: number): number {
    return RESULTS_AT + 2 * index;
  }
}
