/**
 * One media session: RTP out on absolute deadlines, RTP in through a jitter buffer, digits, and
 * the stereo recording on the same clock. It knows nothing of SIP or of AI.
 */
export { type AudioSource, SILENT_SOURCE } from "./audio-source.ts";
export { MediaSession, type MediaSessionOptions } from "./media-session.ts";
export type { PacketTap } from "./rtp-sender.ts";
export { type Utterance, UtterancePlayer, type UtteranceStart } from "./utterance-player.ts";
