import { isSidetoneError, type RemoteError } from "../environment/index.ts";
import { type AudioMedia, isRtpAudio, readAudioMedia } from "./audio-media.ts";
import type { AgreedCrypto, CryptoExchange } from "./crypto-exchange.ts";
import { type MatchedFormats, type MatchOptions, matchFormats } from "./match-formats.ts";
import type { LocalFormat, SrtpCapability } from "./media-capabilities.ts";
import {
  type DescriptionRole,
  malformedSdp,
  noCommonCodec,
  noCommonSuite,
  srtpDowngraded,
  srtpMalformed,
  srtpNotAllowed,
  srtpRequired,
} from "./sdp-faults.ts";
import type { SessionDescription } from "./session-description.ts";

/** The audio m-line to speak. */
export interface FoundAudio {
  /** Of the m-line. */
  readonly index: number;
  readonly audio: AudioMedia;
  readonly matched: MatchedFormats;
  /** `undefined`: plain RTP. */
  readonly crypto: AgreedCrypto | undefined;
}

/** What is looked for, and where. */
export interface AudioSearch {
  readonly role: DescriptionRole;
  readonly session: SessionDescription;
  readonly codecs: readonly LocalFormat[];
  readonly match: MatchOptions;
  readonly srtp: SrtpCapability;
  readonly crypto: CryptoExchange;
  /** A refused stream can hold a call that is up, but not begin one. */
  readonly isCallUp: boolean;
}

/**
 * Chooses the audio m-line: one in use before one with port 0, encrypted before plain as far as
 * the policy has a say, else the first.
 * @throws RemoteError ERR_SDP_MALFORMED, ERR_SDP_NO_COMMON_CODEC, ERR_SRTP_….
 */
export function findAudio(search: AudioSearch): FoundAudio {
  const { role, session, codecs } = search;
  const candidates = readCandidates(session);
  const audios = candidates.flatMap(({ audio }) => audio ?? []);
  let fault: RemoteError | undefined;
  for (const { index, audio } of preferred(candidates, search)) {
    if (audio === undefined) {
      fault = malformedSdp("An audio stream has no numeric address.");
      continue;
    }
    const matched = matchFormats(codecs, audio.formats, search.match);
    const isUsable = matched.codecs.length > 0 && (search.isCallUp || !audio.isRefused);
    if (!isUsable) continue;
    const crypto = secured(audio, search);
    if (!isSidetoneError(crypto)) return { index, audio, matched, crypto };
    fault = crypto;
  }
  throw fault ?? noCommonCodec(role, session, { audios, codecs });
}

interface Candidate {
  readonly index: number;
  readonly audio: AudioMedia | undefined;
}

function readCandidates(session: SessionDescription): Candidate[] {
  return [...session.media.entries()]
    .filter(([, media]) => isRtpAudio(media))
    .map(([index, media]) => ({ index, audio: readAudioMedia(session, media) }));
}

/** Lines of both kinds may stand side by side, of which one is taken (RFC 4568 §7.1.1). */
function preferred(candidates: readonly Candidate[], search: AudioSearch): Candidate[] {
  const rank = ({ audio }: Candidate): number => {
    if (audio === undefined) return 3;
    if (audio.isRefused) return 4;
    const canDecrypt = search.role === "offer" && search.crypto.choose(audio.cryptos) !== undefined;
    if (canDecrypt) return audio.isSecure ? 0 : 1;
    return audio.isSecure ? 3 : 2;
  };
  return candidates.toSorted((left, right) => rank(left) - rank(right));
}

/** The keys for this line, `undefined` for plain RTP, or why it cannot be taken. */
function secured(audio: AudioMedia, search: AudioSearch): AgreedCrypto | undefined | RemoteError {
  // A refused stream needs no keys, and is no downgrade.
  if (audio.isRefused) return search.crypto.agreed;
  return search.role === "offer" ? securedOffer(audio, search) : securedAnswer(audio, search);
}

function securedOffer(
  audio: AudioMedia,
  { srtp, crypto }: AudioSearch,
): AgreedCrypto | undefined | RemoteError {
  const chosen = crypto.choose(audio.cryptos);
  if (chosen !== undefined) return chosen;
  if (audio.isSecure) {
    return srtp.policy === "off" ? srtpNotAllowed("offer") : noCommonSuite(audio, srtp);
  }
  if (srtp.policy !== "required") return undefined;
  return audio.cryptos.length > 0 ? noCommonSuite(audio, srtp) : srtpRequired();
}

function securedAnswer(
  audio: AudioMedia,
  { srtp, crypto }: AudioSearch,
): AgreedCrypto | undefined | RemoteError {
  if (srtp.policy === "off") return audio.isSecure ? srtpNotAllowed("answer") : undefined;
  if (audio.cryptos.length === 0 && !audio.isSecure) {
    return srtp.policy === "required" ? srtpDowngraded() : undefined;
  }
  const answered = crypto.readAnswer(audio.cryptos);
  return "fault" in answered ? srtpMalformed(answered.fault) : answered;
}
