import type { Instant } from "../environment/index.ts";
import type { RtpPacket } from "../rtp/index.ts";
import type { ReceivedFormats } from "./received-format.ts";

/** What follows a receiver: the way to the ear (`PlayoutPath`) or to an AI (`IngressPath`). */
export interface ReceivePath {
  setFormats(formats: ReceivedFormats): void;
  /** Audio or comfort noise. */
  handlePacket(packet: RtpPacket, now: Instant): void;
  /** A packet of the stream that is not audio. */
  handleOtherPayload(packet: RtpPacket, now: Instant): void;
}
