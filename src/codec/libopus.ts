import { EnvironmentError } from "../environment/index.ts";

/** The C functions of libopus and its memory; pointers are byte offsets into that. */
export interface Libopus {
  /** The memory: another object each time that it has grown. */
  readonly bytes: Uint8Array;
  readonly samples: Int16Array;
  allocate(bytes: number): number;
  createEncoder(rateHz: number, channels: number, application: number, error: number): number;
  destroyEncoder(encoder: number): void;
  encode(
    encoder: number,
    pcm: number,
    samples: number,
    packet: number,
    packetBytesMax: number,
  ): number;
  /** `opus_encoder_ctl`. */
  configure(encoder: number, request: number, value: number): number;
  lookahead(encoder: number): number;
  createDecoder(rateHz: number, channels: number, error: number): number;
  destroyDecoder(decoder: number): void;
  decode(
    decoder: number,
    packet: number,
    packetBytes: number,
    pcm: number,
    samplesMax: number,
    isFec: number,
  ): number;
}

/** What of the Emscripten module of libopus-wasm 0.2.0 is used. */
interface EmscriptenModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAP16: Int16Array;
  readonly _malloc: Libopus["allocate"];
  readonly _oc_create_encoder: Libopus["createEncoder"];
  readonly _oc_destroy_encoder: Libopus["destroyEncoder"];
  readonly _oc_encode: Libopus["encode"];
  readonly _oc_encoder_ctl: Libopus["configure"];
  readonly _oc_encoder_ctl_get_lookahead: Libopus["lookahead"];
  readonly _oc_create_decoder: Libopus["createDecoder"];
  readonly _oc_destroy_decoder: Libopus["destroyDecoder"];
  readonly _oc_decode: Libopus["decode"];
}

/**
 * Loads the WebAssembly module of the package libopus-wasm, without the JavaScript around it: that
 * creates encoders only asynchronously and allocates several arrays for each packet.
 *
 * @throws EnvironmentError ERR_CODEC_UNAVAILABLE where the package is missing or another version.
 */
export async function loadLibopus(): Promise<Libopus> {
  try {
    const entry = import.meta.resolve("libopus-wasm");
    const url = new URL("generated/libopus.generated.mjs", entry).href;
    const imported = (await import(url)) as { default: () => Promise<EmscriptenModule> };
    return withPlainNames(await imported.default());
  } catch (cause) {
    throw new EnvironmentError(
      "ERR_CODEC_UNAVAILABLE",
      "The Opus codec cannot be loaded: the package libopus-wasm 0.2.0 is missing or damaged. Install the dependencies again with npm ci.",
      { cause, context: { codec: "opus" } },
    );
  }
}

function withPlainNames(module: EmscriptenModule): Libopus {
  const { _malloc: allocate } = module;
  const { _oc_create_encoder: createEncoder, _oc_destroy_encoder: destroyEncoder } = module;
  const { _oc_encode: encode, _oc_encoder_ctl: configure } = module;
  const { _oc_encoder_ctl_get_lookahead: lookahead } = module;
  const { _oc_create_decoder: createDecoder, _oc_destroy_decoder: destroyDecoder } = module;
  const { _oc_decode: decode } = module;
  return {
    get bytes(): Uint8Array {
      return module.HEAPU8;
    },
    get samples(): Int16Array {
      return module.HEAP16;
    },
    allocate,
    createEncoder,
    destroyEncoder,
    encode,
    configure,
    lookahead,
    createDecoder,
    destroyDecoder,
    decode,
  };
}
