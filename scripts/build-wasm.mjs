#!/usr/bin/env node
// Assembles src/audio/simd/*.wat into TypeScript files that hold the module in base64, so that
// neither the build nor the run time reads a file. The result is committed.
//
//   node scripts/build-wasm.mjs            writes src/audio/simd/*-wasm.ts
//   node scripts/build-wasm.mjs --check    compares with what is there; exit 1 if different
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const FOLDER = fileURLToPath(new URL("../src/audio/simd/", import.meta.url));

const assembler = await wabt();
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".wat"))) {
  const name = basename(file, ".wat");
  const path = `${FOLDER}${name}-wasm.ts`;
  const text = typescriptOf(name, assemble(file));
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`${path} is not what ${file} gives. Run: node scripts/build-wasm.mjs`);
    process.exitCode = 1;
  }
}

/** @param {string} file @returns {Uint8Array} */
function assemble(file) {
  const module = assembler.parseWat(file, readFileSync(FOLDER + file, "utf8"), { simd: true });
  try {
    module.validate();
    return module.toBinary({ write_debug_names: false }).buffer;
  } finally {
    module.destroy();
  }
}

/** @param {string} name @param {Uint8Array} bytes @returns {string} */
function typescriptOf(name, bytes) {
  const constant = `${name.replaceAll("-", "_").toUpperCase()}_WASM`;
  return [
    `// Made from ${name}.wat by scripts/build-wasm.mjs. Do not edit.`,
    "",
    `/** The WebAssembly module of ${name}.wat (${bytes.length} bytes), in base64. */`,
    `export const ${constant}: string =`,
    `  "${Buffer.from(bytes).toString("base64")}";`,
    "",
  ].join("\n");
}
