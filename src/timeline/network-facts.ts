import type { FactBase } from "./fact-base.ts";

/**
 * Which network was injured: that before this side's RTP and RTCP, that to its AI, or that before the
 * UDP sockets on which its agent speaks SIP in all of its calls.
 */
interface InjuredNetwork {
  /** Default: RTP and RTCP. */
  readonly leg?: "ai" | "signalling";
  /** Of the AI's leg: what carries it (`AiTransport`). Figures of `tcp-modelled` are modelled. */
  readonly transport?: string;
  /** Of the kernel's TCP: what injured its packets (`KernelBackend`). */
  readonly backend?: string;
}

/**
 * A network was made another one on purpose, in the directions that are named: loss, delay and the
 * like, as they were asked for. To an AI is sent, from it is received.
 */
export interface NetworkChangedFact extends FactBase, InjuredNetwork {
  readonly kind: "networkChanged";
  /** In words. */
  readonly description: string;
  /** As `LinkPlan` of `impairment/`. */
  readonly sent?: object;
  readonly received?: object;
}

/** What an injured network did to the packets of this side while it was injured. */
export interface NetworkCountsFact extends FactBase, InjuredNetwork {
  readonly kind: "networkCounts";
  readonly sent: PacketFates;
  readonly received: PacketFates;
  /** Of the AI's leg, where it is TCP and known: what the senders of each direction did. */
  readonly tcp?: { readonly sent: TcpWork; readonly received: TcpWork };
  /** Of the AI's leg, where it is UDP (standing for WebRTC): at the AI's end, and at ours. */
  readonly audio?: { readonly sent: ReceivedAudioWork; readonly received: ReceivedAudioWork };
}

/** What the receiver of one direction made of audio that came by UDP (`AudioWork` of `impairment/`). */
export interface ReceivedAudioWork {
  readonly playedMs: number;
  readonly concealedMs: number;
  readonly fecRecoveredMs: number;
  readonly insertedMs: number;
  readonly skippedMs: number;
  readonly bufferMsMean: number;
  readonly bufferMsMax: number;
  readonly latePackets: number;
}

/** What the TCP of one direction did. */
export interface TcpWork {
  readonly segments: number;
  /** All kinds together. */
  readonly retransmissions: number;
  readonly tailLossProbes: number;
  readonly timeouts: number;
}

/**
 * On the injured network to or from the AI, bytes came later than its own delay accounts for;
 * `at` is when they came at last.
 */
export interface AiStallFact extends FactBase {
  readonly kind: "aiStall";
  readonly transport: string;
  /** From the AI is received. */
  readonly direction: "sent" | "received";
  /** How long the first of them were overdue. */
  readonly overdueMs: number;
  /** `StallCause` of `impairment/`. */
  readonly causes: readonly string[];
}

/**
 * On the kernel's own TCP to or from the AI something had been sent again: how the sender of that
 * direction stood, at most twice a second. Counts are of the whole call.
 */
export interface AiTcpFact extends FactBase {
  readonly kind: "aiTcp";
  readonly transport: string;
  readonly direction: "sent" | "received";
  readonly retransmissions: number;
  readonly fastRetransmissions: number;
  readonly slowStartRetransmissions: number;
  readonly tailLossProbes: number;
  readonly timeouts: number;
  readonly spuriousTimeouts: number;
  /** TCP_INFO of its connection, as `TcpState` of `impairment/`; missing where there is no `ss`. */
  readonly socket?: object;
}

/** `offered + duplicated = delivered + lost + overflowed + underWay`. */
export interface PacketFates {
  readonly offered: number;
  readonly duplicated: number;
  readonly delivered: number;
  /** At random, or by a script. */
  readonly lost: number;
  /** Dropped by a full queue before a bottleneck. */
  readonly overflowed: number;
  readonly underWay: number;
  readonly corrupted: number;
  readonly reordered: number;
}
