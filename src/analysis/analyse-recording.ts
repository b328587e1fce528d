import { type Instant, instant, UsageError } from "../environment/index.ts";
import {
  measureRecording,
  PIECE_GAP_MS,
  SEGMENT_GAP_MS,
  type SignalMetrics,
  type SpeechSpan,
  signalMetrics,
} from "../measure/index.ts";
import { concernsOf } from "./concerns.ts";
import type {
  AnalysedSide,
  AnalysisOptions,
  RecordingAnalysis,
  RecordingFile,
  RecordingSource,
  Side,
} from "./recording.ts";
import { SideListener, type SideScan } from "./side-scan.ts";

interface HeardSide {
  readonly scan: SideScan;
  readonly file: RecordingFile;
  readonly channel: AnalysedSide["channel"];
  readonly durationMs: number;
}

/**
 * Measures a recording that Sidetone did not make. It is read once, block by block; memory does not
 * depend on its length beyond some 8 bytes for every 10 ms.
 *
 * @throws UsageError ERR_RECORDING_MONO, ERR_RECORDING_CHANNELS, ERR_RECORDING_EMPTY,
 *   ERR_RECORDING_SILENT, ERR_RECORDING_RATE, ERR_RECORDING_RANGE, ERR_SAMPLE_RATE_UNSUPPORTED,
 *   ERR_DETECTOR where a plug-in's speech cannot be.
 */
export async function analyseRecording(
  source: RecordingSource,
  options: AnalysisOptions = {},
): Promise<RecordingAnalysis> {
  const heard = await hearBoth(source, options);
  const startAt = instant(options.fromMs ?? 0);
  const lengthMs = Math.max(heard.caller.durationMs, heard.bot.durationMs);
  const name =
    "stereo" in source ? source.stereo.name : `${source.caller.name} and ${source.bot.name}`;
  const caller = spansOf(heard.caller.scan, startAt);
  const pieces = spansOf(heard.bot.scan, startAt);
  const metrics = measureRecording({
    id: name,
    startAt,
    endAt: roundInstant(startAt + lengthMs),
    sampleRateHz: heard.bot.file.reader.header.sampleRateHz,
    caller,
    bot: pieces,
    signals: [signalOf("caller", heard.caller, startAt), signalOf("bot", heard.bot, startAt)],
  });
  const sides = {
    caller: sideOf(heard.caller, caller),
    bot: sideOf(
      heard.bot,
      metrics.botTurns.flatMap(({ segments }) => segments),
    ),
  };
  const files = "stereo" in source ? [source.stereo] : [source.caller, source.bot];
  return {
    name,
    ...(options.detector === undefined ? {} : { detector: options.detector.name }),
    metrics,
    sides,
    concerns: concernsOf({ metrics, sides, files, options }),
  };
}

async function hearBoth(
  source: RecordingSource,
  options: AnalysisOptions,
): Promise<Record<Side, HeardSide>> {
  const [first, second]: readonly [Side, Side] =
    options.swap === true ? ["bot", "caller"] : ["caller", "bot"];
  if ("stereo" in source) {
    requireChannels(source.stereo, 2);
    const [left, right] = await hear(source.stereo, [first, second], options);
    return {
      [first]: { ...left, channel: "left" },
      [second]: { ...right, channel: "right" },
    } as Record<Side, HeardSide>;
  }
  requireChannels(source.caller, 1);
  requireChannels(source.bot, 1);
  const [one] = await hear(source.caller, [first], options);
  const [other] = await hear(source.bot, [second], options);
  return {
    [first]: { ...one, channel: "only" },
    [second]: { ...other, channel: "only" },
  } as Record<Side, HeardSide>;
}

async function hear(
  file: RecordingFile,
  sides: readonly Side[],
  options: AnalysisOptions,
): Promise<Omit<HeardSide, "channel">[]> {
  const { reader, name } = file;
  const { sampleRateHz, frames } = reader.header;
  if (sampleRateHz < RATE_HZ_MIN) throw tooLowRate(name, sampleRateHz);
  const listeners = sides.map(
    (side) =>
      new SideListener(
        sampleRateHz,
        side === "caller" ? SEGMENT_GAP_MS : PIECE_GAP_MS,
        options.detector,
      ),
  );
  const part = partOf(options, sampleRateHz);
  const ofMs = frames === undefined ? undefined : (frames * 1000) / sampleRateHz;
  let at = 0;
  let taken = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- blocks stand one behind the other.
    const block = at < part.to ? await reader.next() : undefined;
    if (block === undefined) break;
    const inPart = block.map((samples) =>
      samples.subarray(Math.max(0, part.from - at), Math.max(0, part.to - at)),
    );
    for (const [index, listener] of listeners.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- a plug-in takes block after block.
      await listener.push(inPart[index] as Int16Array);
    }
    taken += lengthOf(inPart);
    at += lengthOf(block);
    options.onProgress?.((at * 1000) / sampleRateHz, ofMs);
  }
  await reader.close();
  if (taken === 0) throw outOfRange(name, (at * 1000) / sampleRateHz, options);
  const durationMs = (taken * 1000) / sampleRateHz;
  const scans = await Promise.all(listeners.map((listener) => listener.finish()));
  return scans.map((scan) => ({ file, durationMs, scan }));
}

function lengthOf([first]: readonly Int16Array[]): number {
  return first?.length ?? 0;
}

/** What is to be heard of a file, in samples. */
function partOf(
  { fromMs = 0, toMs = Number.POSITIVE_INFINITY }: AnalysisOptions,
  sampleRateHz: number,
): { readonly from: number; readonly to: number } {
  return {
    from: Math.round((fromMs * sampleRateHz) / 1000),
    to: Math.round((toMs * sampleRateHz) / 1000),
  };
}

/** Below the telephone's own rate. */
const RATE_HZ_MIN = 8000;

function spansOf(scan: SideScan, startAt: Instant): SpeechSpan[] {
  const at = (sample: number): Instant =>
    roundInstant(startAt + (sample * 1000) / scan.sampleRateHz);
  return scan.segments.map(
    ({ startSample, endSample, onsetUncertaintySamples, offsetUncertaintySamples }) => ({
      startAt: at(startSample),
      endAt: at(endSample),
      uncertaintyMs:
        Math.round(
          (Math.max(onsetUncertaintySamples, offsetUncertaintySamples) * 1_000_000) /
            scan.sampleRateHz,
        ) / 1000,
    }),
  );
}

function roundInstant(ms: number): Instant {
  return instant(Math.round(ms * 1000) / 1000);
}

function signalOf(side: Side, { scan, file }: HeardSide, startedAt: Instant): SignalMetrics {
  const { sampleRateHz } = file.reader.header;
  return signalMetrics(side, scan.signal, { sampleRateHz, startedAt });
}

function sideOf(
  { scan, file, channel, durationMs }: HeardSide,
  segments: readonly SpeechSpan[],
): AnalysedSide {
  const { encoding, sampleRateHz } = file.reader.header;
  return {
    file: file.name,
    channel,
    encoding,
    sampleRateHz,
    durationMs,
    peakDbov: scan.signal.peakDbov,
    segments,
    extremes: scan.extremes,
  };
}

function requireChannels({ name, reader }: RecordingFile, wanted: 1 | 2): void {
  const { channelCount } = reader.header;
  if (channelCount === wanted) return;
  if (wanted === 2 && channelCount === 1) {
    throw new UsageError(
      "ERR_RECORDING_MONO",
      `${name} has one channel, in which caller and bot cannot be told apart. Give a stereo recording with one side in each channel, or two files: sidetone analyze caller.wav bot.wav`,
      { context: { name } },
    );
  }
  throw new UsageError(
    "ERR_RECORDING_CHANNELS",
    `${name} has ${channelCount} channels; ${wanted === 2 ? "a recording of a call has two, caller and bot" : "of two files each has one, caller or bot"}. Choose some with, for example: sox in.wav out.wav remix ${wanted === 2 ? "1 2" : "1"}`,
    { context: { name, channelCount } },
  );
}

function tooLowRate(name: string, sampleRateHz: number): UsageError {
  return new UsageError(
    "ERR_RECORDING_RATE",
    `${name} has ${sampleRateHz} samples per second; speech is measured from ${RATE_HZ_MIN} on. Is the header right?`,
    { context: { name, sampleRateHz } },
  );
}

function outOfRange(
  name: string,
  lengthMs: number,
  { fromMs = 0, toMs }: AnalysisOptions,
): UsageError {
  const until = toMs === undefined ? "the end" : `${toMs / 1000} s`;
  return new UsageError(
    "ERR_RECORDING_RANGE",
    `Nothing of ${name} lies between ${fromMs / 1000} s and ${until}: it is ${(lengthMs / 1000).toFixed(3)} s long. Check --from and --to.`,
    { context: { name, fromMs, toMs, lengthMs } },
  );
}
