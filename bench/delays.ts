/**
 * `npm run bench:delays [-- --seed SEED]`: how far off mouth-to-ear delay and located utterances
 * are, over our own codecs and playout path with noise, loss and jitter, where the truth is known.
 * Exit code 1 where a bound of docs/measurements.md does not hold.
 */
import { parseArgs } from "node:util";
import { loadVoices } from "../src/audio/index.ts";
import { loadCodecs } from "../src/codec/index.ts";
import { hostInfo, NodeFileStore, packageInfo } from "../src/platform/index.ts";
import { printCorrelationAccuracy } from "./delays/print-accuracy.ts";
import { write } from "./media/table.ts";

const { values } = parseArgs({ options: { seed: { type: "string", default: "20261126" } } });
await loadCodecs(["opus"]);
const voices = await loadVoices(new NodeFileStore(), `${packageInfo().root}/fixtures/voices`);
const { node, platform } = hostInfo();
write(`bench:delays · ${node} ${platform} · seed ${values.seed}`);
const broken = printCorrelationAccuracy(voices, values.seed);
for (const line of broken) write(`BROKEN: ${line}`);
process.exitCode = broken.length === 0 ? 0 : 1;
