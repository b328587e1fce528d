import { decodeWav } from "../../audio/index.ts";
import type { SpeechPlugIns } from "../../call/index.ts";
import { type FileStore, UsageError } from "../../environment/index.ts";
import { espeakWav, loadUserModule, loadUserPackage } from "../../platform/index.ts";
import type { SpeechRecogniser, SpeechSynthesiser } from "../../realtime-server/index.ts";

const ESPEAK = /^espeak-ng(?::(?<voice>[\w+-]+))?$/u;
const ESPEAK_VOICE = "en-us";
const SHERPA = /^sherpa-onnx:(?<config>.+)$/u;

/** What speaks and what understands where recordings do not suffice; see docs/embedded-server.md. */
export function speechPlugIns(
  files: FileStore,
  load: (name: string) => unknown = loadUserPackage,
): SpeechPlugIns {
  return {
    synthesiser: async (spec) => {
      const espeak = ESPEAK.exec(spec);
      return espeak === null
        ? created<SpeechSynthesiser>(await loadUserModule(spec), "createSynthesiser", spec)
        : espeakSynthesiser(espeak.groups?.["voice"] ?? ESPEAK_VOICE);
    },
    recogniser: async (spec) => {
      const config = SHERPA.exec(spec)?.groups?.["config"];
      return config === undefined
        ? created<SpeechRecogniser>(await loadUserModule(spec), "createRecogniser", spec)
        : sherpaRecogniser(await configuration(files, config), load("sherpa-onnx-node") as Sherpa);
    },
  };
}

function espeakSynthesiser(voice: string): SpeechSynthesiser {
  return {
    synthesise: async (text) => {
      const { channels, sampleRateHz } = decodeWav(await espeakWav(text, voice));
      return { samples: channels[0] ?? new Int16Array(0), sampleRateHz };
    },
  };
}

/** @throws UsageError ERR_MODULE_FAILED where the module exports no such function. */
async function created<PlugIn>(module: unknown, name: string, path: string): Promise<PlugIn> {
  const create = (module as Readonly<Record<string, unknown>>)[name];
  if (typeof create !== "function") {
    throw new UsageError("ERR_MODULE_FAILED", `${path} exports no function ${name}.`, {
      context: { path, name },
    });
  }
  return (await (create as () => unknown)()) as PlugIn;
}

/** What we use of sherpa-onnx-node: speech recognition of whole utterances, on this machine. */
interface Sherpa {
  readonly OfflineRecognizer: new (
    config: unknown,
  ) => {
    createStream(): SherpaStream;
    decode(stream: SherpaStream): void;
    getResult(stream: SherpaStream): { readonly text: string };
  };
}

interface SherpaStream {
  acceptWaveform(audio: { readonly sampleRate: number; readonly samples: Float32Array }): void;
}

function sherpaRecogniser(config: unknown, { OfflineRecognizer }: Sherpa): SpeechRecogniser {
  const recogniser = new OfflineRecognizer(config);
  return {
    recognise: (samples, sampleRate) => {
      const stream = recogniser.createStream();
      stream.acceptWaveform({ sampleRate, samples: Float32Array.from(samples, (s) => s / 32_768) });
      recogniser.decode(stream);
      return recogniser.getResult(stream).text;
    },
  };
}

/** The model's files and settings, as sherpa-onnx's own documentation describes them. */
async function configuration(files: FileStore, path: string): Promise<unknown> {
  try {
    return JSON.parse(await files.readText(path)) as unknown;
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new UsageError("ERR_MODULE_FAILED", `${path} is not JSON: ${cause.message}`, {
        context: { path },
        cause,
      });
    }
    throw cause;
  }
}
