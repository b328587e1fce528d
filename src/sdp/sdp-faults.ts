import { RemoteError } from "../environment/index.ts";
import type { AudioMedia } from "./audio-media.ts";
import type { LocalFormat, SrtpCapability } from "./media-capabilities.ts";
import { formatText, isAuxiliary } from "./payload-format.ts";
import type { SessionDescription } from "./session-description.ts";

/** Which of the two descriptions is at fault. */
export type DescriptionRole = "offer" | "answer";

/** Enough of a foreign list to recognise it by. */
const MAX_NAMES = 12;

/** ERR_SDP_MALFORMED: a description that cannot be read, or has no usable address. */
export function malformedSdp(message: string): RemoteError {
  return new RemoteError(
    "ERR_SDP_MALFORMED",
    `${message} The SIP message in the call's trace shows the description.`,
  );
}

/** ERR_SDP_NO_COMMON_CODEC: says what was offered and what we speak. */
export function noCommonCodec(
  role: DescriptionRole,
  session: SessionDescription,
  found: { readonly audios: readonly AudioMedia[]; readonly codecs: readonly LocalFormat[] },
): RemoteError {
  const open = found.audios.filter((audio) => !audio.isRefused);
  const offered = open.flatMap((audio) => audio.formats.filter((each) => !isAuxiliary(each)));
  const spoken = found.codecs.map(formatText);
  return new RemoteError(
    "ERR_SDP_NO_COMMON_CODEC",
    `${whatIsWrong(role, session, found.audios)}; we speak ${spoken.join(", ")}. Allow one of them at the peer, or name one of the peer's codecs here.`,
    {
      context: {
        offered: offered.map(formatText),
        own: spoken,
        mediaLines: session.media.map(({ media, port, protocol, formats }) =>
          [media, port, protocol, ...formats].join(" "),
        ),
      },
    },
  );
}

function whatIsWrong(
  role: DescriptionRole,
  session: SessionDescription,
  audios: readonly AudioMedia[],
): string {
  if (audios.length === 0) {
    const lines = session.media.map(({ media, protocol }) => `${media} over ${protocol}`);
    const instead = lines.length === 0 ? "no media at all" : listed(lines);
    return `The peer's ${role} has no audio over RTP/AVP or RTP/SAVP, but ${instead}`;
  }
  const open = audios.filter((audio) => !audio.isRefused);
  if (open.length === 0) return `The peer's ${role} refuses the audio (port 0)`;
  const codecs = open.flatMap((audio) => audio.formats.filter((each) => !isAuxiliary(each)));
  const names = codecs.length === 0 ? "no codec that has a name" : listed(codecs.map(formatText));
  return `The peer's ${role} has ${names}`;
}

/** ERR_SRTP_NOT_ALLOWED: RTP/SAVP, while SRTP is off here. */
export function srtpNotAllowed(role: DescriptionRole): RemoteError {
  return new RemoteError(
    "ERR_SRTP_NOT_ALLOWED",
    `The peer's ${role} wants encrypted audio (RTP/SAVP), and SRTP is off here. Set the SRTP policy to optional or required, or allow RTP/AVP at the peer.`,
  );
}

/** ERR_SRTP_REQUIRED: a plain offer, while we want SRTP. */
export function srtpRequired(): RemoteError {
  return new RemoteError(
    "ERR_SRTP_REQUIRED",
    "The peer offers its audio without encryption, and SRTP is required here. Turn SRTP with SDES keys (RFC 4568) on at the peer, or set the SRTP policy to optional.",
  );
}

/** ERR_SRTP_DOWNGRADED: a plain answer to an offer that allowed encrypted audio only. */
export function srtpDowngraded(): RemoteError {
  return new RemoteError(
    "ERR_SRTP_DOWNGRADED",
    "We offered encrypted audio only (RTP/SAVP), and the answer is without encryption: the peer, or something on the way, took it out. Turn SRTP with SDES keys (RFC 4568) on at the peer, or set the SRTP policy to optional.",
  );
}

/** ERR_SRTP_NO_COMMON_SUITE: keys are offered, but none that we can use. */
export function noCommonSuite(audio: AudioMedia, capability: SrtpCapability): RemoteError {
  const offered = audio.cryptos.map(suiteOf);
  const own = capability.offers.map(({ keys }) => keys.suite);
  const has =
    offered.length === 0
      ? "has no a=crypto line (DTLS-SRTP is not spoken here)"
      : `has ${listed(offered)}`;
  return new RemoteError(
    "ERR_SRTP_NO_COMMON_SUITE",
    `The peer's offer of encrypted audio ${has}; we speak SDES (RFC 4568) with ${own.join(", ")}. Allow one of them at the peer.`,
    { context: { offered, own } },
  );
}

/** ERR_SRTP_MALFORMED: an answer whose keys do not fit our offer; `fault` is a sentence. */
export function srtpMalformed(fault: string): RemoteError {
  return new RemoteError(
    "ERR_SRTP_MALFORMED",
    `The peer's answer cannot be used for SRTP. ${fault} Look at the SRTP settings of the peer.`,
  );
}

/** The suite of an `a=crypto` value; never its keys. */
function suiteOf(value: string): string {
  const [, suite = ""] = value.split(/\s+/u);
  return /^\w{1,40}$/u.test(suite) ? suite : "an unreadable a=crypto line";
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => name.slice(0, 40));
  return `${shown.join(", ")}${names.length > MAX_NAMES ? " and more" : ""}`;
}
