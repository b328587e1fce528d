import { CODECS, type CodecId } from "../codec/index.ts";
import { type Cryptography, type Random, randomInteger } from "../environment/index.ts";
import type { MediaSettings, MediaSockets } from "../media/index.ts";
import type { MediaCapabilities, SrtpCapability } from "../sdp/index.ts";
import { generateKeys, SRTP_SUITES, srtpSuiteOf } from "../srtp/index.ts";

const DEFAULT_CODECS: readonly CodecId[] = ["PCMU", "PCMA"];
const DEFAULT_PTIME_MS = 20;

/** The codecs that these settings ask for. */
export function codecsOf(settings: MediaSettings | undefined): readonly CodecId[] {
  return settings?.codecs ?? DEFAULT_CODECS;
}

/** Where media would be received. */
interface LocalPorts {
  readonly rtp: Pick<MediaSockets["rtp"], "local">;
  readonly rtcp?: Pick<MediaSockets["rtp"], "local"> | undefined;
}

/**
 * What we offer, and accept, on these sockets.
 * @throws UsageError ERR_UNKNOWN_CODEC, ERR_UNKNOWN_SRTP_SUITE.
 */
export function mediaCapabilities(
  { rtp, rtcp }: LocalPorts,
  settings: MediaSettings,
  { random, cryptography }: { readonly random: Random; readonly cryptography: Cryptography },
): MediaCapabilities {
  return {
    address: rtp.local.address,
    port: rtp.local.port,
    // All that a call may ever change to; which of them it begins with is said to `OfferAnswer`.
    codecs: CODECS.map((codec) => ({
      id: codec.id,
      name: codec.name,
      payloadType: codec.preferredPayloadType,
      clockRateHz: codec.clockRateHz,
      channels: codec.channels,
      ...(codec.fmtp === undefined ? {} : { fmtp: codec.fmtp }),
      supportsPtime: (ptimeMs: number) => codec.supportsPtime(ptimeMs),
    })),
    telephoneEvents: settings.telephoneEvents ?? true,
    comfortNoise: settings.comfortNoise ?? false,
    ptimeMs: settings.ptimeMs ?? DEFAULT_PTIME_MS,
    sessionId: randomInteger(random, 2 ** 31),
    // Who names its codecs wants its own order to count, where there is a choice.
    answerOrder: settings.codecs === undefined ? "offer" : "own",
    rtcp: {
      mode: settings.rtcp ?? "mux",
      ...(rtcp === undefined ? {} : { port: rtcp.local.port }),
    },
    rtcpXr: true,
    srtp: srtpCapability(settings, cryptography),
  };
}

function srtpCapability(settings: MediaSettings, cryptography: Cryptography): SrtpCapability {
  const policy = settings.srtp ?? "off";
  if (policy === "off") return { policy, offers: [] };
  const suites = (settings.srtpSuites ?? SRTP_SUITES).map(srtpSuiteOf);
  const offers = suites.map((suite, index) => ({
    tag: index + 1,
    keys: generateKeys(suite, cryptography),
  }));
  return { policy, offers };
}
