/**
 * SDP: reading and writing session descriptions, and offer/answer for one audio stream. It knows
 * no SIP and no socket.
 */
export type {
  LocalFormat,
  MediaCapabilities,
  RtcpCapability,
  SrtpCapability,
  SrtpPolicy,
} from "./media-capabilities.ts";
export type { MediaDirection } from "./media-direction.ts";
export type { NegotiatedMedia, ReceivedPayload, SendFormat } from "./negotiated-media.ts";
export { OfferAnswer, type Reconfiguration } from "./offer-answer.ts";
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
