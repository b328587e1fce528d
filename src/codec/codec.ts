/**
 * A speech codec between linear PCM and RTP payloads.
 *
 * Implementations keep no state between calls that the caller need know of, allocate nothing, and
 * never throw for what the network sent: every payload decodes to some audio.
 */
export interface Codec {
  /** The encoding name of SDP's rtpmap (RFC 3551 §6). */
  readonly name: "PCMU" | "PCMA";
  /** The static RTP payload type (RFC 3551 §6, table 4). */
  readonly payloadType: number;
  /** Ticks per second of the RTP timestamp. */
  readonly clockRateHz: number;
  /** Samples per second of the PCM side. */
  readonly sampleRateHz: number;
  /** Encodes all `samples` into `output`, which must have room; returns the bytes written. */
  encode(samples: Int16Array, output: Uint8Array): number;
  /** Decodes the whole `payload` into `output`, which must have room; returns the samples written. */
  decode(payload: Uint8Array, output: Int16Array): number;
}
