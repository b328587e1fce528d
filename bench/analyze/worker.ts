/** One section of bench:analyze in a process of its own: `worker.js SECTION FILE`. */
import { analyseRecording, WavReader } from "../../src/analysis/index.ts";
import { decodeWav } from "../../src/audio/index.ts";
import { instant } from "../../src/environment/index.ts";
import { type CallRecord, measureCall } from "../../src/measure/index.ts";
import { fileBlocks, NodeFileStore } from "../../src/platform/index.ts";
import type { Fact } from "../../src/timeline/index.ts";

const [section = "", path = ""] = process.argv.slice(2);

const started = process.hrtime.bigint();
const turns = section === "folder" ? await measureFolder() : await measureFile();
const { user, system } = process.cpuUsage();
const result = {
  turns,
  cpuMs: (user + system) / 1000,
  wallMs: Number(process.hrtime.bigint() - started) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(JSON.stringify(result));

async function measureFile(): Promise<number> {
  const reader = await WavReader.open(fileBlocks(path), path);
  const { metrics } = await analyseRecording({ stereo: { name: "call.wav", reader } });
  return metrics.turns.length;
}

/** A call of ours of this length, heard 70 ms later at either end. */
async function measureFolder(): Promise<number> {
  const { sampleRateHz, channels } = decodeWav(await new NodeFileStore().read(path));
  const [left = new Int16Array(0), right = new Int16Array(0)] = channels;
  const endAt = instant(1000 + (left.length * 1000) / sampleRateHz);
  const facts: Fact[] = (["caller", "bot"] as const).flatMap((party): Fact[] => [
    { kind: "callPhase", phase: "answered", party, at: instant(1000) },
    { kind: "recordingStarted", party, at: instant(1000), sampleRateHz },
    { kind: "callPhase", phase: "ended", party, at: endAt, endedBy: "local", reason: "bye" },
  ]);
  const record: CallRecord = {
    description: {
      version: 1,
      sidetoneVersion: "0.0.0",
      id: "bench",
      callId: "bench",
      direction: "outbound",
      local: "sip:caller@127.0.0.1",
      remote: "sip:bot@127.0.0.1",
      startedAt: "2026-11-26T00:00:00.000Z",
      seed: "bench",
      node: process.version,
      platform: process.platform,
      parties: ["caller", "bot"],
    },
    facts,
    audio: { sampleRateHz, startedAt: instant(1000), left, right },
    botAudio: { sampleRateHz, startedAt: instant(930), left, right },
  };
  return measureCall(record).turns.length;
}
