import type { SrtpKeys } from "../srtp/index.ts";

/** A codec as this side numbers and describes it. */
export interface LocalFormat {
  /** Handed back as `codecId`; means nothing here. */
  readonly id: string;
  /** Encoding name of the rtpmap. */
  readonly name: string;
  /** Static, or the dynamic number to offer until the peer sets another one. */
  readonly payloadType: number;
  /** RTP clock: 8000 for G.722, whatever its audio (RFC 3551 §4.5.2). */
  readonly clockRateHz: number;
  /** Of the rtpmap; default 1. Opus is always announced with 2 (RFC 7587 §7). */
  readonly channels?: number;
  /** Our own format parameters, announced as they stand. */
  readonly fmtp?: string;
  /** Whether packets of this length can be made; default: any. */
  supportsPtime?(ptimeMs: number): boolean;
}

/** How RTCP is carried. */
export interface RtcpCapability {
  /**
   * `mux`: on the RTP port if the peer agrees (RFC 5761), else on `port`; `separate`: on `port`,
   * multiplexing is neither offered nor accepted; `off`: neither sent nor announced.
   */
  readonly mode: "mux" | "separate" | "off";
  /** Of our socket for RTCP; without one, and without multiplexing, no RTCP can flow. */
  readonly port?: number;
}

/**
 * Whether the audio is to be encrypted, keys by SDES (RFC 4568): `off` RTP/AVP only; `optional`
 * RTP/AVP with `a=crypto` (most telephones take that up, the others ignore it), and either
 * accepted; `required` RTP/SAVP, and nothing plain accepted.
 */
export type SrtpPolicy = "off" | "optional" | "required";

/** The encryption that this side offers and accepts. */
export interface SrtpCapability {
  readonly policy: SrtpPolicy;
  /** The keys that we send with, one per suite, most preferred first. Not empty unless `off`. */
  readonly offers: readonly { readonly tag: number; readonly keys: SrtpKeys }[];
}

/** What one side can do, and where it wants its audio. */
export interface MediaCapabilities {
  /** Numeric address, IPv4 or IPv6, to be announced. */
  readonly address: string;
  readonly port: number;
  /**
   * Most preferred first. All that may ever be spoken in this call: `OfferAnswer.reconfigure`
   * narrows it.
   */
  readonly codecs: readonly LocalFormat[];
  /** Digits as RFC 4733, at each clock rate of the codecs. */
  readonly telephoneEvents: boolean;
  /** Comfort noise as RFC 3389, at 8 and 16 kHz. */
  readonly comfortNoise: boolean;
  /** Of the packets that we want to receive and, unless the peer wants another, send. */
  readonly ptimeMs: number;
  /** The number of the `o=` line; its version counts up from it. */
  readonly sessionId: number;
  /**
   * Whose order of codecs counts in an answer; default "offer", as RFC 3264 §6.1 recommends.
   */
  readonly answerOrder?: "offer" | "own";
  readonly rtcp: RtcpCapability;
  /** Announce `a=rtcp-xr:voip-metrics` (RFC 3611 §5). */
  readonly rtcpXr?: boolean;
  readonly srtp: SrtpCapability;
}
