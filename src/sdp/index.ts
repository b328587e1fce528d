/**
 * SDP: reading and writing session descriptions, and offer/answer for one audio stream. It knows
 * no SIP and no socket.
 */
export type { MediaDirection } from "./audio-media.ts";
export type { LocalFormat } from "./match-formats.ts";
export { type MediaCapabilities, type NegotiatedMedia, OfferAnswer } from "./offer-answer.ts";
export { parseSdp } from "./parse.ts";
export type {
  MalformedSdp,
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SdpOrigin,
  SessionDescription,
} from "./session-description.ts";
export { writeSdp } from "./write.ts";
