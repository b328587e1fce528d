/** What carries SIP messages (RFC 3261 §18, RFC 7118). */
export type SipTransport = "udp" | "tcp" | "tls" | "ws" | "wss";

interface TransportTraits {
  /** As Via names it (RFC 3261 §20.42, RFC 7118 §5.2). */
  readonly viaToken: string;
  readonly defaultPort: number;
  /** As a Contact URI names it; UDP goes without saying. */
  readonly uriParameter: string;
  readonly isSecure: boolean;
}

const TRAITS: Readonly<Record<SipTransport, TransportTraits>> = {
  udp: { viaToken: "UDP", defaultPort: 5060, uriParameter: "", isSecure: false },
  tcp: { viaToken: "TCP", defaultPort: 5060, uriParameter: ";transport=tcp", isSecure: false },
  tls: { viaToken: "TLS", defaultPort: 5061, uriParameter: ";transport=tls", isSecure: true },
  ws: { viaToken: "WS", defaultPort: 80, uriParameter: ";transport=ws", isSecure: false },
  // RFC 7118 §5.2.4: there is one parameter for both.
  wss: { viaToken: "WSS", defaultPort: 443, uriParameter: ";transport=ws", isSecure: true },
};

export function transportTraits(transport: SipTransport): TransportTraits {
  return TRAITS[transport];
}

/** The transport that a URI parameter or Via names; `undefined` where it is none of ours. */
export function transportNamed(name: string): SipTransport | undefined {
  const lower = name.toLowerCase();
  return lower in TRAITS ? (lower as SipTransport) : undefined;
}
