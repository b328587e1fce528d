import type { PacketFrame } from "./packet-frame.ts";

/** Encrypts and authenticates the RTP or the RTCP of one direction. It keeps no state per packet. */
export interface PacketCipher {
  readonly tagBytes: number;
  /** Whether the tag directly follows the body (AEAD); else it is the last field of the packet. */
  readonly isTagBehindBody: boolean;
  /** Writes the clear part, the encrypted body and the tag. */
  seal(frame: PacketFrame, packet: Uint8Array, output: Uint8Array, tagOffset: number): void;
  /** Writes the clear part and the body where the tag is right; else false and nothing written. */
  open(frame: PacketFrame, data: Uint8Array, output: Uint8Array, tagOffset: number): boolean;
}
