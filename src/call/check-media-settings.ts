import { checkOpusOptions, codecOf } from "../codec/index.ts";
import { UsageError } from "../environment/index.ts";
import { checkNetwork } from "../impairment/index.ts";
import type { MediaSettings } from "../media/index.ts";
import { srtpSuiteOf } from "../srtp/index.ts";

const PTIMES_MS: readonly number[] = [10, 20, 30, 40, 60];
/** More than this is an answering machine, not a conversation. */
const DELAY_MS_MAX = 1000;

/**
 * The settings with codecs named as we name them; asked for before anything is bound, so that what
 * a scenario got wrong is told to the scenario and not to the peer.
 *
 * @throws UsageError ERR_UNKNOWN_CODEC, ERR_UNKNOWN_SRTP_SUITE, ERR_INVALID_OPUS_OPTIONS,
 *   ERR_MEDIA_SETTINGS, ERR_IMPAIRMENT.
 */
export function checkMediaSettings(settings: MediaSettings): MediaSettings {
  const { codecs, srtpSuites, ptimeMs, jitterBuffer, opus, echo, network } = settings;
  requireSome(codecs, "codec");
  requireSome(srtpSuites, "SRTP suite");
  for (const name of srtpSuites ?? []) srtpSuiteOf(name);
  if (ptimeMs !== undefined && !PTIMES_MS.includes(ptimeMs)) {
    throw invalid(`Packets cannot be ${ptimeMs} ms long; choose ${PTIMES_MS.join(", ")} ms.`);
  }
  if (jitterBuffer !== undefined) checkDelay(jitterBuffer);
  if (echo !== undefined) checkEcho(echo);
  if (opus !== undefined) checkOpusOptions(opus);
  if (network !== undefined) checkNetwork(network);
  return codecs === undefined
    ? settings
    : { ...settings, codecs: codecs.map((id) => codecOf(id).id) };
}

function checkDelay(delay: NonNullable<MediaSettings["jitterBuffer"]>): void {
  const delaysMs =
    delay.kind === "fixed" ? [delay.delayMs] : [delay.minMs ?? 0, delay.maxMs ?? DELAY_MS_MAX];
  const [least = 0, most = least] = delaysMs;
  if (least >= 0 && least <= most && most <= DELAY_MS_MAX) return;
  throw invalid(
    `A jitter buffer cannot delay by ${delaysMs.join(" to ")} ms; choose 0 to ${DELAY_MS_MAX} ms, the smaller first.`,
  );
}

function checkEcho({ levelDb, delayMs }: NonNullable<MediaSettings["echo"]>): void {
  if (levelDb >= -60 && levelDb <= 6 && delayMs >= 0 && delayMs <= DELAY_MS_MAX) return;
  throw invalid(
    `A line cannot echo at ${levelDb} dB after ${delayMs} ms; choose -60 to 6 dB and 0 to ${DELAY_MS_MAX} ms.`,
  );
}

function requireSome(names: readonly string[] | undefined, what: string): void {
  if (names?.length === 0) throw invalid(`Name at least one ${what}.`);
}

function invalid(message: string): UsageError {
  return new UsageError("ERR_MEDIA_SETTINGS", message);
}
