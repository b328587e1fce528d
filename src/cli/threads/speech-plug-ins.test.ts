import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadUserPackage, NodeFileStore } from "../../platform/index.ts";
import { speechPlugIns } from "./speech-plug-ins.ts";

const folder = mkdtempSync(join(tmpdir(), "sidetone-plug-ins-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const files = new NodeFileStore();

/** Stands for sherpa-onnx-node: understands how long it listened, with which model. */
const DOUBLE = `
exports.OfflineRecognizer = class {
  constructor(config) { this.config = config; }
  createStream() {
    return { acceptWaveform(audio) { this.audio = audio; } };
  }
  decode(stream) {
    const { samples, sampleRate } = stream.audio;
    const peak = Math.max(...samples);
    stream.text = this.config.modelConfig.tokens + " " + samples.length / sampleRate + " s, peak " + peak;
  }
  getResult({ text }) { return { text }; }
};`;

describe("speechPlugIns", () => {
  it("understands by sherpa-onnx-node of the user's project, with the user's model", async () => {
    written("project/node_modules/sherpa-onnx-node/index.js", DOUBLE);
    const config = written("model.json", '{"modelConfig":{"tokens":"tokens.txt"}}');
    const plugIns = speechPlugIns(files, (name) => loadUserPackage(name, join(folder, "project")));

    const recogniser = await plugIns.recogniser(`sherpa-onnx:${config}`);

    expect(recogniser.recognise(new Int16Array(8000).fill(16_384), 16_000)).toBe(
      "tokens.txt 0.5 s, peak 0.5",
    );
  });

  it("says how to install sherpa-onnx-node where it is not there", async () => {
    const config = written("model.json", "{}");
    const plugIns = speechPlugIns(files, (name) => loadUserPackage(name, folder));

    await expect(plugIns.recogniser(`sherpa-onnx:${config}`)).rejects.toMatchObject({
      code: "ERR_PACKAGE_MISSING",
      message: expect.stringContaining("npm install sherpa-onnx-node"),
    });
  });

  it("refuses a configuration that is not there, or no JSON", async () => {
    const plugIns = speechPlugIns(files, () => ({}));

    await expect(plugIns.recogniser("sherpa-onnx:/no/such.json")).rejects.toMatchObject({
      code: "ERR_FILE_MISSING",
    });
    const config = written("broken.json", "{");
    await expect(plugIns.recogniser(`sherpa-onnx:${config}`)).rejects.toMatchObject({
      code: "ERR_MODULE_FAILED",
    });
  });

  it("takes a synthesiser and a recogniser from modules of the user's", async () => {
    const path = written(
      "plug-in.mjs",
      `export const createRecogniser = () => ({ recognise: (samples) => String(samples.length) });
       export async function createSynthesiser() {
         return { synthesise: (text) => ({ samples: new Int16Array(text.length), sampleRateHz: 8000 }) };
       }`,
    );
    const plugIns = speechPlugIns(files);

    const recogniser = await plugIns.recogniser(path);
    expect(recogniser.recognise(new Int16Array(7), 8000)).toBe("7");
    const synthesiser = await plugIns.synthesiser(path);
    expect(await synthesiser.synthesise("four")).toEqual({
      samples: new Int16Array(4),
      sampleRateHz: 8000,
    });
  });

  it("refuses a module that is no plug-in", async () => {
    const path = written("other.mjs", "export const x = 1;");

    await expect(speechPlugIns(files).synthesiser(path)).rejects.toMatchObject({
      code: "ERR_MODULE_FAILED",
      message: expect.stringContaining("exports no function createSynthesiser"),
    });
  });
});
