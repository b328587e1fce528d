import { encodeWav } from "../audio/index.ts";
import type { FileStore } from "../environment/index.ts";
import {
  type CallMetrics,
  type CallRecord,
  measureCall,
  type RecordedAudio,
} from "../measure/index.ts";
import { CALL_FILES, type CallDescription, encodeFacts } from "../timeline/index.ts";
import { aiJournal } from "./ai-journal.ts";
import type { WatchedCall } from "./watched-call.ts";

/** What was written of one call. */
export interface LeftCall {
  readonly record: CallRecord;
  readonly metrics: CallMetrics;
}

/** Writes a call's folder (architecture §1) below `callsFolder` and measures the call. */
export async function leaveCallFolder(
  call: WatchedCall,
  files: FileStore,
  callsFolder: string,
): Promise<LeftCall> {
  const artifacts = await call.artifacts();
  const record = call.recordOf(artifacts);
  const metrics = measureCall(record);
  const aiEvents = artifacts.get("bot")?.aiEvents;
  const testerEvents = artifacts.get("caller")?.aiEvents;
  const described = { ...record.description, ...aiEntry(metrics) };
  const write = (name: string, content: Uint8Array | string | undefined): Promise<void> =>
    content === undefined
      ? Promise.resolve()
      : files.write(`${callsFolder}/${record.description.id}/${name}`, content);
  const seenFrom = artifacts.get("caller") ?? artifacts.get("bot");
  await Promise.all([
    write(CALL_FILES.description, jsonText(described)),
    write(CALL_FILES.timeline, encodeFacts(record.facts)),
    write(CALL_FILES.audio, wavOf(record.audio)),
    write(CALL_FILES.botAudio, wavOf(record.botAudio)),
    write(CALL_FILES.pcap, seenFrom?.pcap),
    write(CALL_FILES.plainPcap, seenFrom?.plainPcap),
    write(CALL_FILES.ai, aiEvents && aiJournal(aiEvents, record.facts, "bot")),
    write(CALL_FILES.testerAi, testerEvents && aiJournal(testerEvents, record.facts, "caller")),
    write(CALL_FILES.metrics, jsonText(metrics)),
  ]);
  return { record, metrics };
}

function aiEntry({ ai }: CallMetrics): Pick<CallDescription, "ai"> {
  if (ai === undefined) return {};
  const { totalTokens, costUsd } = ai;
  return { ai: costUsd === undefined ? { totalTokens } : { totalTokens, costUsd } };
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function wavOf(audio: RecordedAudio | undefined): Uint8Array | undefined {
  if (audio === undefined) return undefined;
  return encodeWav({ sampleRateHz: audio.sampleRateHz, channels: [audio.left, audio.right] });
}
