// Silero VAD (version 5 or 6) as the detector of `sidetone analyze --detector`. See README.md.
import { fileURLToPath } from "node:url";
import ort from "onnxruntime-node";

const MODEL =
  process.env["SILERO_MODEL"] ?? fileURLToPath(new URL("silero_vad.onnx", import.meta.url));
/** Speech begins above the one, and ends below the other: Silero's own hysteresis. */
const BEGINS = 0.5;
const ENDS = 0.35;
/** A window decides for all of its 32 ms, and follows the sound by about one. */
const UNCERTAINTY_MS = 64;
const WINDOW_MS = 32;

const session = await ort.InferenceSession.create(MODEL);

/** @param {{ sampleRateHz: 8000 | 16000, joinGapMs: number }} settings */
export function createDetector({ sampleRateHz, joinGapMs }) {
  const windowSize = (sampleRateHz * WINDOW_MS) / 1000;
  const contextSize = windowSize / 8;
  /** The last samples of the window before, and a window that fills. */
  const input = new Float32Array(contextSize + windowSize);
  const sr = new ort.Tensor("int64", BigInt64Array.of(BigInt(sampleRateHz)), []);
  let state = new ort.Tensor("float32", new Float32Array(2 * 128), [2, 1, 128]);
  let filled = contextSize;
  let windows = 0;
  let isSpeech = false;
  const found = [];

  async function decide() {
    const tensor = new ort.Tensor("float32", input, [1, input.length]);
    const { output, stateN } = await session.run({ input: tensor, state, sr });
    state = stateN;
    const [probability] = output.data;
    isSpeech = probability >= (isSpeech ? ENDS : BEGINS);
    if (isSpeech) note(windows * WINDOW_MS, (windows + 1) * WINDOW_MS);
    windows += 1;
    input.copyWithin(0, windowSize);
    filled = contextSize;
  }

  function note(startMs, endMs) {
    const last = found.at(-1);
    if (last !== undefined && startMs - last.endMs < joinGapMs) last.endMs = endMs;
    else found.push({ startMs, endMs, uncertaintyMs: UNCERTAINTY_MS });
  }

  return {
    async push(samples) {
      for (const sample of samples) {
        input[filled++] = sample / 32_768;
        if (filled === input.length) await decide();
      }
    },
    async finish() {
      if (filled > contextSize) {
        input.fill(0, filled);
        await decide();
      }
      return found;
    },
  };
}
