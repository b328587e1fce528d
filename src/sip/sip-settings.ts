import { type SocketAddress, type TlsIdentity, UsageError } from "../environment/index.ts";
import type { SipTransport } from "./transport-name.ts";

/** What an endpoint can listen with. */
export type ListeningTransport = "udp" | "tcp" | "tls";

/** One socket that an endpoint listens on; port 0 lets the host choose. */
export interface SipBinding extends SocketAddress {
  readonly transport: ListeningTransport;
}

/** How an endpoint secures SIP. PEM texts. */
export interface SipTlsSettings extends TlsIdentity {
  /** The name that servers are asked for (SNI) and must prove; default: the host that is called. */
  readonly serverName?: string;
  /** False takes whatever certificate a server shows. Default true. */
  readonly verify?: boolean;
  /** Whether those who connect to us must show a certificate of an authority in `ca`. */
  readonly requiresClientCertificate?: boolean;
}

/** How an endpoint's SIP travels. Plain data. */
export interface SipSettings {
  /** For requests whose target names none; default "udp". */
  readonly transport?: SipTransport;
  /**
   * On what it listens. Default: for "udp" and "tcp" both, on one port (RFC 3261 §18.2.1); for
   * "tls" that, where there is a certificate; for "ws" and "wss" nothing.
   */
  readonly listen?: readonly SipBinding[];
  readonly tls?: SipTlsSettings;
  /** The server's URL for "ws" and "wss", by which all requests go, e.g. wss://pbx.example/ws. */
  readonly webSocketUrl?: string;
  /** Requests above 1300 bytes go by TCP (RFC 3261 §18.1.1), or by UDP all the same. Default "tcp". */
  readonly largeRequests?: "tcp" | "udp";
  /**
   * How long one of several servers may keep silent before the next is tried (RFC 3263 §4.3).
   * Default 4000; the RFC's own time-out is 32 000, longer than most calls may ring.
   */
  readonly serverTimeoutMs?: number;
  /** All requests outside of a dialog go by way of this, a sip: or sips: URI. */
  readonly outboundProxy?: string;
}

const LISTENING = new Set<string>(["udp", "tcp", "tls"]);

/**
 * What to bind, in order.
 * @throws UsageError ERR_SIP_TRANSPORT.
 */
export function bindingsOf(settings: SipSettings, local: SocketAddress): readonly SipBinding[] {
  const { transport = "udp", listen, tls } = settings;
  const hasCertificate = tls?.certificate !== undefined && tls.key !== undefined;
  if (listen !== undefined) {
    checkListen(listen, hasCertificate);
    return listen;
  }
  const { address, port } = local;
  if (transport === "udp" || transport === "tcp") {
    return [
      { transport: "udp", address, port },
      { transport: "tcp", address, port },
    ];
  }
  return transport === "tls" && hasCertificate ? [{ transport, address, port }] : [];
}

function checkListen(listen: readonly SipBinding[], hasCertificate: boolean): void {
  for (const { transport } of listen) {
    if (!LISTENING.has(transport)) {
      throw new UsageError(
        "ERR_SIP_TRANSPORT",
        `SIP cannot be listened for by "${transport}"; it can by udp, tcp and tls.`,
      );
    }
    if (transport === "tls" && !hasCertificate) {
      throw new UsageError(
        "ERR_SIP_TRANSPORT",
        "To listen for SIP over TLS, a `certificate` and its `key` are needed.",
      );
    }
  }
}
