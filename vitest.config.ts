import { defineConfig, type ViteUserConfig } from "vitest/config";

/**
 * Six groups: `unit` (beside the sources: deterministic, no sockets), `loopback` (real sockets on
 * 127.0.0.1, one file at a time so that they do not disturb each other's clocks), `side-by-side`
 * (the same, but they do not assert what a busy machine would break: two files at a time), `sdk`
 * (the providers' own clients against the embedded server), `interop` and `interop-side-by-side`
 * (need Debian packages or root; run by `.ci/run`). The groups run one after the other
 * (`groupOrder`): unit tests would steal the processor from tests that measure time.
 *
 * Unit test files share their workers' modules (`isolate: false`): loading sip.js, zod and the like
 * 66 times took twice as long as the tests. They keep no state in modules.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          isolate: false,
          include: ["src/**/*.test.ts", "test/unit/**/*.test.ts"],
          // No test waits; but a host that is busy with other things may take its time.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "loopback",
          include: ["test/loopback/*.test.ts", "test/loopback/sip/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "side-by-side",
          include: ["test/loopback/side-by-side/*.test.ts"],
          maxWorkers: 2,
          maxConcurrency: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "sdk",
          include: ["test/sdk/**/*.test.ts"],
          // Mostly they wait for what does not come, and they measure no time.
          maxConcurrency: 3,
          sequence: { groupOrder: 3 },
          testTimeout: 20_000,
          hookTimeout: 20_000,
          // As a user would: the clients trust our authority, and are told nothing else about it.
          env: { NODE_EXTRA_CA_CERTS: `${import.meta.dirname}/fixtures/tls/ca.pem` },
        },
      },
      {
        test: {
          name: "interop",
          include: ["test/interop/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "interop-side-by-side",
          include: ["test/interop/side-by-side/*.test.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 5 },
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

export default config;
