import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SimdKernel } from "../polyphase-simd.ts";
import { polyphaseTaps } from "../polyphase-taps.ts";
import { PolyphaseModule } from "./polyphase-module.ts";

const SCRIPT = fileURLToPath(new URL("../../../scripts/build-wasm.mjs", import.meta.url));

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("polyphase-wasm.ts", () => {
  it("is what polyphase.wat gives", () => {
    // Exits with 1, and so throws, where the committed bytes differ from a fresh build.
    expect(execFileSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" })).toBe("");
  });
});

describe("PolyphaseModule", () => {
  it("is there on this machine", () => {
    expect(PolyphaseModule.create()).toBeDefined();
  });

  it.each([
    ["WebAssembly", undefined],
    ["SIMD", { Memory: Object, Module: refuseSimd }],
  ])("is not there without %s", (_what, substitute) => {
    vi.stubGlobal("WebAssembly", substitute);

    expect(PolyphaseModule.create()).toBeUndefined();
  });

  it("keeps tables until its memory is full, and then refuses", () => {
    const module = PolyphaseModule.create();
    const table = new Int16Array(8192);
    const addresses = Array.from({ length: 20 }, () => module?.place(table));

    const placed = addresses.filter((address) => address !== undefined);
    expect(placed).toHaveLength(10);
    expect(new Set(placed).size).toBe(10);
    expect(module?.place(new Int16Array(8193))).toBeUndefined();
  });
});

describe("SimdKernel", () => {
  const design = { halfLength: 32, beta: 9, cutoff: 0.94 };

  it("leaves large ratios to the scalar kernel", () => {
    const module = PolyphaseModule.create() as PolyphaseModule;

    expect(SimdKernel.create(polyphaseTaps(441, 80, design), module)).toBeUndefined();
    expect(SimdKernel.create(polyphaseTaps(12, 1, design), module)).toBeUndefined();
    expect(SimdKernel.create(polyphaseTaps(3, 1, design), module)).toBeDefined();
  });

  it("leaves coefficients that could overflow to the scalar kernel", () => {
    const module = PolyphaseModule.create() as PolyphaseModule;
    const taps = polyphaseTaps(3, 1, design);
    const loud = { ...taps, coefficients: taps.coefficients.map((value) => 2 * value) };

    expect(SimdKernel.create(loud, module)).toBeUndefined();
  });
});

/** As V8 does on a processor without SSE4.1. */
function refuseSimd(): never {
  throw new Error("CompileError: Wasm SIMD unsupported");
}
