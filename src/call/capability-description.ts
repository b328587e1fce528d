import type { Environment } from "../environment/index.ts";
import type { MediaSettings } from "../media/index.ts";
import { OfferAnswer } from "../sdp/index.ts";
import { codecsOf, mediaCapabilities } from "./capabilities.ts";
import { checkMediaSettings } from "./check-media-settings.ts";

/**
 * The media that a call would be taken with, for OPTIONS (RFC 3264 §9): port 0, so that nobody sends
 * to it, and no keys, because nothing will be encrypted by them.
 */
export function describeCapabilities(
  { random, cryptography }: Environment,
  address: string,
  wanted: MediaSettings,
): string {
  const settings = checkMediaSettings(wanted);
  const rtp = { local: { address, port: 0 } };
  const capabilities = mediaCapabilities({ rtp }, settings, { random, cryptography });
  const negotiator = new OfferAnswer(capabilities);
  negotiator.reconfigure({ codecs: codecsOf(settings) });
  return negotiator.createOffer().replaceAll(/^a=(?:crypto|rtcp):.*\r\n/gmu, "");
}
