/**
 * One media session: RTP out on absolute deadlines, RTP in through a jitter buffer, SRTP, RTCP,
 * digits, and the stereo recording on the same clock. It knows nothing of SIP or of AI.
 */
export { type AudioSource, type FrameFormat, SILENT_SOURCE } from "./audio-source.ts";
export { type DigitRequest, requireDigits } from "./digit-transmission.ts";
export { FrameWheel } from "./frame-wheel.ts";
export { LineEcho, type LineEchoSettings } from "./line-echo.ts";
export { MediaSession, type MediaSessionOptions } from "./media-session.ts";
export type { MediaSettings } from "./media-settings.ts";
export type { PacketTap, TappedPacket } from "./packet-writer.ts";
export { PlayoutPath } from "./playout-path.ts";
export { PlayoutScaler } from "./playout-scaler.ts";
export { RingbackSource } from "./ringback-source.ts";
export { bindRtpPorts, type MediaSockets } from "./rtp-ports.ts";
export { type Utterance, UtterancePlayer, type UtteranceStart } from "./utterance-player.ts";
