/** How users and options name a codec: its rtpmap name, with the rate where one name has several. */
export type CodecId = "PCMU" | "PCMA" | "G722" | "opus" | "L16/8000" | "L16/16000";

/** A speech codec: what SDP says of it, and where its encoders and decoders come from. */
export interface Codec {
  readonly id: CodecId;
  /** The encoding name of SDP's rtpmap (RFC 3551 §6): "opus", "L16". */
  readonly name: string;
  /** The static RTP payload type, where it has one (RFC 3551 §6, table 4). */
  readonly staticPayloadType?: number;
  /** The static payload type, or the dynamic one that we offer. */
  readonly preferredPayloadType: number;
  /** Ticks per second of the RTP timestamp: 8000 for G.722 (RFC 3551 §4.5.2), 48 000 for Opus. */
  readonly clockRateHz: number;
  /** Of the rtpmap: 2 for Opus, whatever is really sent (RFC 7587 §7), else 1. */
  readonly channels: number;
  /** Samples per second of the PCM side, which is always mono. */
  readonly sampleRateHz: number;
  /** The format parameters that we offer. */
  readonly fmtp?: string;
  /** Whether its encoders make packets of this duration. */
  supportsPtime(ptimeMs: number): boolean;
  /**
   * The packet duration to send with where `wantedMs` is asked for: within what the encoder can
   * and the peer's format parameters allow, as near as may be.
   */
  sendablePtimeMs(wantedMs: number, remoteFmtp?: string): number;
  /** An encoder of its own state, for one direction of one call; release it. */
  createEncoder(options: EncoderOptions): AudioEncoder;
  /** A decoder of its own state, for one source; release it. */
  createDecoder(): AudioDecoder;
}

/** How to encode. */
export interface EncoderOptions {
  /** Duration of each packet, of which `supportsPtime` holds. */
  readonly ptimeMs: number;
  /** The peer's format parameters (`a=fmtp`): what it can receive. */
  readonly remoteFmtp?: string;
  readonly opus?: OpusOptions;
}

/** What Opus lets one choose; what is not chosen follows the peer's format parameters. */
export interface OpusOptions {
  /** Bits per second, 6000 to 510 000; default 32 000. The peer's maxaveragebitrate bounds it. */
  readonly bitrateBps?: number;
  /** 0 (cheapest) to 10; default 5. */
  readonly complexity?: number;
  /** Whether packets carry their predecessor again; default: if the peer uses it. */
  readonly inbandFec?: boolean;
  /** How much loss in-band FEC is meant for, in percent; default 10. */
  readonly expectedLossPercent?: number;
  /** Whether nothing is sent in silence; default: if the peer prefers it. */
  readonly dtx?: boolean;
}

/** Encodes one stream. Allocates nothing per packet. */
export interface AudioEncoder {
  /**
   * Encodes exactly one packet's `samples` into `output`, which must have room.
   *
   * @returns the bytes written; 0 = send nothing (DTX).
   */
  encode(samples: Int16Array, output: Uint8Array): number;
  /**
   * How much later audio comes out of a decoder than it went into this encoder, beyond the packet's
   * own duration: the algorithmic delay of the pair.
   */
  readonly lookaheadMs: number;
  /** Gives its memory back; may be called again. */
  release(): void;
}

/** Decodes one stream. Allocates nothing per packet, and never throws for what the network sent. */
export interface AudioDecoder {
  /**
   * Decodes `payload` into `output`; what does not fit is cut off.
   *
   * @returns the samples written; 0 if the payload is malformed: conceal it.
   */
  decode(payload: Uint8Array, output: Int16Array): number;
  /**
   * Decodes the audio lost just before the payload `next`, where `next` carries it (Opus in-band
   * FEC). `output` is as long as what was lost.
   *
   * @returns false, with `output` untouched, if it is not there.
   */
  recover(next: Uint8Array, output: Int16Array): boolean;
  /** Fills `output`, of any length, with what stands in for lost audio. */
  conceal(output: Int16Array): void;
  /** The duration of `payload` in ticks of the RTP clock; 0 if it cannot be told. */
  payloadTicks(payload: Uint8Array): number;
  /** Gives its memory back; may be called again. */
  release(): void;
}
