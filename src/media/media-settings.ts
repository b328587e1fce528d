import type { CodecId, OpusOptions } from "../codec/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import type { PlayoutDelay } from "../rtp/index.ts";
import type { LineEchoSettings } from "./line-echo.ts";

/**
 * What one side of a call wants of its media; an agent has them, and a call may change each. Plain
 * data: they cross a thread's border.
 */
export interface MediaSettings {
  /** In order of preference; one alone forces it. Default PCMU, PCMA. */
  readonly codecs?: readonly CodecId[];
  /** Length of the packets to send, where the peer does not ask for another; default 20. */
  readonly ptimeMs?: 10 | 20 | 30 | 40 | 60;
  /** Default: adaptive from 40 to 200 ms. */
  readonly jitterBuffer?: PlayoutDelay;
  /** Whether telephone events (RFC 4733) are offered; default true. */
  readonly telephoneEvents?: boolean;
  /** Offers comfort noise (RFC 3389) and, where it is agreed on, sends none of our silence. */
  readonly comfortNoise?: boolean;
  /** Where RTCP goes; default "mux", which falls back to the next port where the peer cannot. */
  readonly rtcp?: "mux" | "separate" | "off";
  /** Mean time between RTCP reports; default 5000 (RFC 3550 §6.2). */
  readonly rtcpIntervalMs?: number;
  /** Default "off". */
  readonly srtp?: "off" | "optional" | "required";
  /** In order of preference; default: all, the strongest first. */
  readonly srtpSuites?: readonly string[];
  /** Sends to where the peer's packets come from, whatever its SDP says (comedia). */
  readonly followsSource?: boolean;
  /** Whether tones in the audio are looked for (Q.23); default true. */
  readonly hearsTones?: boolean;
  /** What our line gives back of what we hear; default: nothing. Only where no AI listens. */
  readonly echo?: LineEchoSettings;
  /** What the network does to this side's RTP and RTCP, each direction by itself; default: nothing. */
  readonly network?: NetworkPlan;
  /** Where RTP ports are taken from, RTCP one above; default 16384 to 32767. */
  readonly rtpPorts?: { readonly first: number; readonly last: number };
  readonly opus?: OpusOptions;
}

/** The jitter buffer where nothing is said. */
export const DEFAULT_PLAYOUT_DELAY: PlayoutDelay = { kind: "adaptive", minMs: 40, maxMs: 200 };
