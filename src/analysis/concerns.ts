import { UsageError } from "../environment/index.ts";
import type { CallMetrics } from "../measure/index.ts";
import type { AnalysedSide, AnalysisOptions, Concern, RecordingFile, Side } from "./recording.ts";

interface Analysed {
  readonly metrics: CallMetrics;
  readonly sides: Readonly<Record<Side, AnalysedSide>>;
  readonly files: readonly RecordingFile[];
  readonly options: AnalysisOptions;
}

/** Two files of one call that differ by more than this were not begun or ended together. */
const LENGTHS_MS = 1000;
/** Bots greet, and say more: the side that speaks first and this many times as much is taken for one. */
const BOT_TALK_RATIO = 1.5;

/**
 * What is the matter with a recording.
 *
 * @throws UsageError ERR_RECORDING_SILENT where nobody speaks at all.
 */
export function concernsOf({ metrics, sides, files, options }: Analysed): Concern[] {
  requireSpeech(metrics, sides);
  return [
    ...files.flatMap(truncated),
    ...(["caller", "bot"] as const).flatMap((side) => silent(side, sides[side])),
    ...swapped(metrics, sides, options),
    ...lengths(sides, files),
  ];
}

function requireSpeech(
  { callerTurns, botTurns, recording }: CallMetrics,
  sides: Analysed["sides"],
): void {
  if (callerTurns.length + botTurns.length > 0) return;
  const { caller, bot } = sides;
  const seconds = ((recording?.durationMs ?? 0) / 1000).toFixed(1);
  throw new UsageError(
    "ERR_RECORDING_SILENT",
    `Nobody speaks in ${caller.file === bot.file ? caller.file : `${caller.file} and ${bot.file}`}: ${seconds} s were read, the loudest sample has ${Math.max(caller.peakDbov, bot.peakDbov).toFixed(0)} dBov. Is it the right file, and was the recorder connected?`,
    { context: { peakDbov: [caller.peakDbov, bot.peakDbov] } },
  );
}

function truncated({ name, reader }: RecordingFile): Concern[] {
  const { framesRead, framesMissing, strayBytes, header } = reader;
  const seconds = (frames: number): string => (frames / header.sampleRateHz).toFixed(3);
  const isCut = framesMissing > 0;
  if (!isCut && strayBytes === 0) return [];
  const what = isCut
    ? `its header promises ${seconds(framesRead + framesMissing)} s`
    : `it ends within a sample (${strayBytes} bytes left out)`;
  return [
    {
      code: "ERR_RECORDING_TRUNCATED",
      message: `${name} was cut short: ${what}, ${seconds(framesRead)} s are there and were analysed.`,
      isDoubtful: false,
    },
  ];
}

function silent(side: Side, { file, channel, segments, peakDbov }: AnalysedSide): Concern[] {
  if (segments.length > 0) return [];
  return [
    {
      code: "ERR_RECORDING_SIDE_SILENT",
      message: `The ${side} says nothing: no speech in ${placeOf(file, channel)}, the loudest sample has ${peakDbov.toFixed(0)} dBov. Are both sides in one channel?`,
      isDoubtful: true,
    },
  ];
}

function swapped(
  metrics: CallMetrics,
  sides: Analysed["sides"],
  options: AnalysisOptions,
): Concern[] {
  const first = { caller: sides.caller.segments[0]?.startAt, bot: sides.bot.segments[0]?.startAt };
  if (first.caller === undefined || first.bot === undefined || options.fromMs !== undefined)
    return [];
  const { callerSpeechMs, botSpeechMs } = metrics.conversation;
  if (first.caller >= first.bot || callerSpeechMs < BOT_TALK_RATIO * botSpeechMs) return [];
  const ratio = (callerSpeechMs / botSpeechMs).toFixed(1);
  return [
    {
      code: "ERR_RECORDING_SWAPPED",
      message: `Caller and bot may be swapped: ${placeOf(sides.caller.file, sides.caller.channel)} speaks first and ${ratio} times as much as the other side, as bots do. If it is the bot, ${options.swap === true ? "leave out" : "add"} --swap.`,
      isDoubtful: true,
    },
  ];
}

function lengths({ caller, bot }: Analysed["sides"], files: readonly RecordingFile[]): Concern[] {
  if (files.length < 2 || Math.abs(caller.durationMs - bot.durationMs) <= LENGTHS_MS) return [];
  return [
    {
      code: "ERR_RECORDING_LENGTHS",
      message: `${caller.file} has ${secondsOf(caller)} s and ${bot.file} ${secondsOf(bot)} s. Figures between the two hold only if both begin at the same instant.`,
      isDoubtful: true,
    },
  ];
}

function secondsOf({ durationMs }: AnalysedSide): string {
  return (durationMs / 1000).toFixed(1);
}

function placeOf(file: string, channel: AnalysedSide["channel"]): string {
  return channel === "only" ? file : `the ${channel} channel of ${file}`;
}
