import { measureAiPath } from "./ai-path.ts";
import { measureAiUsage } from "./ai-usage.ts";
import { measureBackchannels, measureBargeIns } from "./barge-in.ts";
import { type CallMetrics, METRICS_VERSION, type RecordingSpan } from "./call-metrics.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import { measureConversation } from "./conversation.ts";
import { factsOf } from "./facts-of.ts";
import { measureBridge, measureInstrument, measureMedia } from "./media-metrics.ts";
import { observe } from "./observations.ts";
import { optional } from "./optional.ts";
import { measureQuality } from "./quality-metrics.ts";
import { recordingMs } from "./recording.ts";
import { measureSetup } from "./setup.ts";
import { withCatchUps } from "./stalls.ts";
import { judgementsOf, measureTester } from "./tester-metrics.ts";
import { measureToolCalls } from "./tool-calls.ts";
import { measureTurns } from "./turns.ts";

/**
 * Every figure of one call, from its facts and its recording: the one code path of steps and
 * reports. It reads no clock and draws no random number, so the same record gives the same
 * figures, live or from its folder. What could not be taken is absent, never guessed.
 */
export function measureCall(record: CallRecord): CallMetrics {
  const seen = observe(record);
  const { facts } = seen;
  return {
    version: METRICS_VERSION,
    callId: record.description.id,
    ...optional("heardAt", seen.heardAt),
    ...optional("recording", seen.recording && spanOf(seen.recording)),
    setup: measureSetup(seen),
    callerTurns: seen.callerTurns,
    botTurns: seen.botTurns,
    turns: measureTurns(seen),
    bargeIns: measureBargeIns(seen),
    backchannels: measureBackchannels(seen),
    toolCalls: measureToolCalls(facts),
    conversation: measureConversation(seen),
    media: measureMedia(facts),
    delays: seen.delays,
    echoes: seen.echoes,
    instrument: measureInstrument(facts),
    unsteady: seen.unsteady,
    quality: withCatchUps(measureQuality(seen, record), facts),
    ...optional("bridge", measureBridge(facts)),
    ...optional("aiPath", measureAiPath(facts)),
    ...optional("ai", measureAiUsage(facts)),
    ...optional("tester", measureTester(record.facts)),
    ...optional("judgements", judgementsOf(record.facts)),
    faults: factsOf(facts, "fault").map(({ code, party, at }) => ({ code, party, at })),
  };
}

function spanOf(recording: RecordedAudio): RecordingSpan {
  return {
    startedAt: recording.startedAt,
    sampleRateHz: recording.sampleRateHz,
    durationMs: recordingMs(recording),
  };
}
