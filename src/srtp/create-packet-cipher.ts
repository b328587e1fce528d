import type { Cryptography } from "../environment/index.ts";
import { CounterModeCipher } from "./counter-mode-cipher.ts";
import { GcmCipher } from "./gcm-cipher.ts";
import type { SrtpKeys } from "./keys.ts";
import type { PacketCipher } from "./packet-cipher.ts";
import { deriveSessionKeys } from "./session-keys.ts";
import { suiteParameters } from "./suites.ts";

/** The cipher of one direction's RTP or RTCP. */
export function createPacketCipher(
  keys: SrtpKeys,
  kind: "rtp" | "rtcp",
  cryptography: Cryptography,
): PacketCipher {
  const { mode, rtpTagBytes, rtcpTagBytes } = suiteParameters(keys.suite);
  const sessionKeys = deriveSessionKeys(keys, kind, cryptography);
  if (mode === "gcm") return new GcmCipher(kind, sessionKeys, cryptography);
  const tagBytes = kind === "rtp" ? rtpTagBytes : rtcpTagBytes;
  return new CounterModeCipher(tagBytes, sessionKeys, cryptography);
}
