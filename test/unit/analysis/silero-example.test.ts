import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  analyseRecording,
  type DetectorPlugIn,
  type RecordingAnalysis,
  WavReader,
} from "../../../src/analysis/index.ts";
import { loadUserModule } from "../../../src/platform/index.ts";
import { inBlocks, interleaved, madeWav, speech } from "./made-wav.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/silero-vad/detector.mjs");

/** As onnxruntime-node with Silero's model, but it hears levels; it refuses what the model would. */
const STAND_IN = `
class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
const sizes = { 8000: 288, 16000: 576 };
const InferenceSession = { create: async (path) => {
  if (path !== "model.onnx") throw new Error("no model " + path);
  return { run: async ({ input, state, sr }) => {
    const wanted = sizes[Number(sr.data[0])];
    if (sr.type !== "int64" || sr.dims.length !== 0) throw new Error("sr");
    if (input.dims.join() !== "1," + wanted || input.data.length !== wanted) throw new Error("input");
    if (state.dims.join() !== "2,1,128" || state.data.length !== 256) throw new Error("state");
    const window = input.data.subarray(wanted / 9);
    const power = window.reduce((sum, value) => sum + value * value, 0) / window.length;
    const output = new Tensor("float32", Float32Array.of(power > 1e-5 ? 0.9 : 0.1), [1, 1]);
    return { output, stateN: new Tensor("float32", new Float32Array(256), [2, 1, 128]) };
  } };
} };
module.exports = { Tensor, InferenceSession };
`;

describe("the example around Silero VAD", () => {
  let folder = "";
  let plugIn: DetectorPlugIn;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidetone-silero-"));
    const stub = join(folder, "node_modules", "onnxruntime-node");
    await mkdir(stub, { recursive: true });
    await writeFile(
      join(stub, "package.json"),
      '{ "name": "onnxruntime-node", "main": "index.js" }',
    );
    await writeFile(join(stub, "index.js"), STAND_IN);
    await cp(EXAMPLE, join(folder, "detector.mjs"));
    process.env["SILERO_MODEL"] = "model.onnx";
    const module = (await loadUserModule(join(folder, "detector.mjs"))) as DetectorPlugIn;
    plugIn = { name: "detector.mjs", createDetector: module.createDetector };
  });

  afterAll(async () => {
    delete process.env["SILERO_MODEL"];
    await rm(folder, { recursive: true });
  });

  function analysed(sampleRateHz: number): Promise<RecordingAnalysis> {
    const caller = speech([[1000, 2000]], 6000, { sampleRateHz, seed: "caller" });
    const bot = speech([[2700, 4500]], 6000, { sampleRateHz, seed: "bot" });
    const bytes = madeWav({ sampleRateHz, data: interleaved(caller, bot) });
    return WavReader.open(inBlocks(bytes), "call.wav").then((reader) =>
      analyseRecording({ stereo: { name: "call.wav", reader } }, { detector: plugIn }),
    );
  }

  it.each([8000, 16_000, 48_000])("finds turns at %s Hz, as well as it says", async (rateHz) => {
    const { detector, metrics } = await analysed(rateHz);

    expect(detector).toBe("detector.mjs");
    const [turn] = metrics.turns;
    expect(metrics.turns).toHaveLength(1);
    expect(turn?.uncertaintyMs).toBe(128);
    expect(Math.abs((turn?.responseLatencyMs ?? 0) - 700)).toBeLessThanOrEqual(64);
  });
});
