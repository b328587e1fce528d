/** An `a=` line: a property (no value) or an attribute with one (RFC 8866 §5.13). */
export interface SdpAttribute {
  readonly name: string;
  readonly value?: string;
}

/** A `c=` line; a multicast TTL or count is left out (RFC 8866 §5.7). */
export interface SdpConnection {
  readonly addressType: "IP4" | "IP6";
  readonly address: string;
}

/** An `o=` line (RFC 8866 §5.2); the two numbers are kept as text, they may exceed 2^53. */
export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly addressType: string;
  readonly address: string;
}

/** An `m=` line and what stands below it (RFC 8866 §5.14). */
export interface MediaDescription {
  /** audio, video, image, application, text, message… */
  readonly media: string;
  /** 0: refused or not in use. */
  readonly port: number;
  /** "RTP/AVP", "RTP/SAVP"… */
  readonly protocol: string;
  /** For RTP the payload types, most preferred first. */
  readonly formats: readonly string[];
  readonly connection?: SdpConnection;
  readonly attributes: readonly SdpAttribute[];
}

/** A session description; lines that play no part in offer/answer are left out. */
export interface SessionDescription {
  readonly kind: "session";
  readonly origin: SdpOrigin;
  readonly sessionName: string;
  readonly connection?: SdpConnection;
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly MediaDescription[];
}

/** A text that is not a session description, with the reason as a sentence. */
export interface MalformedSdp {
  readonly kind: "malformed";
  readonly reason: string;
  /** From 1; 0 where the whole text is meant. */
  readonly lineNumber: number;
}
