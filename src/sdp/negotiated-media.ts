import type { SocketAddress } from "../environment/index.ts";
import type { SrtpKeys } from "../srtp/index.ts";
import type { MediaDirection } from "./media-direction.ts";

/** What a payload type that arrives stands for. */
export type ReceivedPayload =
  | { readonly kind: "audio"; readonly codecId: string }
  | { readonly kind: "telephoneEvent"; readonly clockRateHz: number }
  | { readonly kind: "comfortNoise"; readonly clockRateHz: number };

/** The codec to send with, as the peer numbers it. */
export interface SendFormat {
  readonly codecId: string;
  readonly payloadType: number;
  /** RTP clock. */
  readonly clockRateHz: number;
  readonly channels: number;
  /** The peer's `a=fmtp` for it: how it wants to be sent to. */
  readonly remoteFmtp?: string;
}

/** What both sides agreed on, seen from here. */
export interface NegotiatedMedia {
  readonly send: SendFormat;
  /**
   * What may arrive. Numbers of earlier exchanges of the session stay in it, since packets that
   * are still under way carry them, and their meaning does not change (RFC 3264 §8.3.2).
   */
  readonly receive: ReadonlyMap<number, ReceivedPayload>;
  /** Where to send digits: at `send.clockRateHz` (RFC 4733 §2.1). */
  readonly telephoneEventPayloadType?: number;
  /**
   * Set instead where the peer knows digits only at another clock rate than the audio's, as many
   * do that speak Opus. Event durations count in this clock.
   */
  readonly otherTelephoneEvent?: { readonly payloadType: number; readonly clockRateHz: number };
  /** Where to send comfort noise: at `send.clockRateHz`. */
  readonly comfortNoisePayloadType?: number;
  /** Of the packets to send. */
  readonly ptimeMs: number;
  /** What the peer would like to receive (a=ptime), as it wrote it. */
  readonly remotePtimeMs?: number;
  /** Where to send to; `undefined` while the stream is held by a null address, or refused. */
  readonly remote: SocketAddress | undefined;
  /** Where to send RTCP to; `undefined`: nowhere. Stays while the stream is held. */
  readonly remoteRtcp: SocketAddress | undefined;
  /** RTP and RTCP share the ports, in both directions (RFC 5761). */
  readonly rtcpMux: boolean;
  /** The peer asks for VoIP metrics in RTCP XR (RFC 3611 §5). */
  readonly remoteRtcpXr: boolean;
  readonly direction: MediaDirection;
  /**
   * Set if the stream is encrypted. Each of the two is the same object as after the exchange
   * before exactly if its keys did not change, so that its rollover counter goes on.
   */
  readonly srtp?: { readonly send: SrtpKeys; readonly receive: SrtpKeys };
}
