import { codecNamed } from "../codec/index.ts";
import { type Random, randomInteger, type SocketAddress } from "../environment/index.ts";
import type { MediaCapabilities } from "../sdp/index.ts";

/** Dynamic payload type, as most peers number it. */
const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;
const PTIME_MS = 20;

/** What we offer, and accept, on this socket. */
export function mediaCapabilities(
  local: SocketAddress,
  codecNames: readonly string[] | undefined,
  random: Random,
): MediaCapabilities {
  return {
    address: local.address,
    port: local.port,
    codecs: (codecNames ?? ["PCMU", "PCMA"]).map((name) => {
      const { payloadType, clockRateHz } = codecNamed(name);
      return { name, payloadType, clockRateHz };
    }),
    telephoneEventPayloadType: TELEPHONE_EVENT_PAYLOAD_TYPE,
    ptimeMs: PTIME_MS,
    sessionId: randomInteger(random, 2 ** 31),
  };
}
