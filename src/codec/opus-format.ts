/** What a peer says of the Opus that it wants to receive (RFC 7587 §6.1), with its defaults. */
export interface OpusFormat {
  readonly maxPlaybackRateHz: number;
  /** 0 = no bound. */
  readonly maxAverageBitrateBps: number;
  readonly usesInbandFec: boolean;
  readonly prefersDtx: boolean;
  readonly wantsConstantRate: boolean;
  readonly minPtimeMs: number;
}

const BITRATE_MIN_BPS = 6000;
const BITRATE_MAX_BPS = 510_000;

/**
 * Reads the value of an `a=fmtp` line of Opus. What is unknown or nonsense is left at its default:
 * the peer can still decode what it did not ask for (RFC 7587 §6.1). `stereo` and `sprop-stereo`
 * change nothing here: we send mono, which every stereo decoder takes, and decode both.
 */
export function parseOpusFormat(fmtp: string | undefined): OpusFormat {
  const parameters = new Map<string, string>();
  for (const part of (fmtp ?? "").split(";")) {
    const [name, value] = part.split("=");
    if (name !== undefined && value !== undefined) {
      parameters.set(name.trim().toLowerCase(), value.trim());
    }
  }
  const number = (name: string, fallback: number): number => {
    const value = parameters.get(name) ?? "";
    return /^\d{1,9}$/u.test(value) ? Number(value) : fallback;
  };
  const bitrate = number("maxaveragebitrate", 0);
  return {
    maxPlaybackRateHz: number("maxplaybackrate", 48_000),
    maxAverageBitrateBps: bitrate < BITRATE_MIN_BPS || bitrate > BITRATE_MAX_BPS ? 0 : bitrate,
    usesInbandFec: number("useinbandfec", 0) === 1,
    prefersDtx: number("usedtx", 0) === 1,
    wantsConstantRate: number("cbr", 0) === 1,
    minPtimeMs: number("minptime", 3),
  };
}
