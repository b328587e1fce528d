import {
  type Clock,
  type DatagramSocket,
  type Logger,
  type Network,
  type Random,
  type SidetoneError,
  type SocketAddress,
  UsageError,
} from "../environment/index.ts";
import type { Crossing } from "./channel.ts";
import { DnsLocator } from "./dns-locator.ts";
import type { FaultPump } from "./fault-pump.ts";
import { MessageStamp } from "./message-stamp.ts";
import { openBindings, type SipBindings, type SocketView } from "./sip-bindings.ts";
import { contactUriOf } from "./sip-core.ts";
import type { SipSettings } from "./sip-settings.ts";
import type { SipTrace } from "./sip-trace.ts";
import { hostPortText, uriHost } from "./sip-uri.ts";
import { TransportLayer } from "./transport-layer.ts";

/** What an endpoint gives its transports. */
export interface TransportParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly local: SocketAddress;
  readonly user: string;
  readonly sip?: SipSettings;
  readonly socket?: DatagramSocket;
  readonly through?: SocketView;
  readonly onTrace?: (trace: SipTrace) => void;
}

/** Whom transports tell; see `TransportLayerOptions`. */
export interface TransportListeners {
  readonly faults: FaultPump;
  readonly onMessage: (crossing: Crossing) => void;
  readonly onSendFailed: (callId: string, error: SidetoneError) => void;
  readonly isLive: (callId: string) => boolean;
}

/** Transports that stand, and what peers call us by. */
export interface OpenTransports {
  /** Where the transport of our choice is bound. */
  readonly local: SocketAddress;
  readonly uri: string;
  /** Joins them to the endpoint; once. */
  connect(listeners: TransportListeners): TransportLayer;
}

/** @throws EnvironmentError and UsageError as `openBindings`. */
export async function openTransports(parts: TransportParts): Promise<OpenTransports> {
  const { socket, network, local, sip = {}, through } = parts;
  const bindings: SipBindings =
    socket === undefined
      ? await openBindings(network, sip, local, through)
      : { all: [{ transport: "udp", local: socket.local, socket }], sink: undefined };
  return transportsOf(parts, bindings);
}

function transportsOf(parts: TransportParts, bindings: SipBindings): OpenTransports {
  const { user, sip: settings = {}, socket } = parts;
  const { transport = "udp" } = settings;
  checkWebSocket(settings);
  const primary = bindings.all.find((each) => each.transport === transport) ?? bindings.all[0];
  const local = primary?.local ?? parts.local;
  const stamp = new MessageStamp(user, contactUriOf(user, local).toString());
  return {
    local,
    uri:
      primary === undefined
        ? `sip:${user}@${uriHost(local.address)}`
        : stamp.contactUri({ ...primary, sentBy: hostPortText(primary.local) }),
    connect: (listeners) =>
      new TransportLayer({
        ...parts,
        ...listeners,
        onTrace: parts.onTrace,
        bindings,
        stamp,
        settings,
        address: local.address,
        isUdpOnly: socket !== undefined,
        locator: new DnsLocator({
          ...parts,
          dns: parts.network.dns,
          defaultTransport: transport,
          serves: (each) =>
            each === "udp"
              ? bindings.all.some((binding) => binding.transport === "udp")
              : socket === undefined,
          reaches: reachable([local, ...bindings.all.map((each) => each.local)]),
        }),
      }),
  };
}

/** @throws UsageError ERR_SIP_TRANSPORT. */
function checkWebSocket({ transport, webSocketUrl }: SipSettings): void {
  if (webSocketUrl === undefined) return;
  const scheme = /^(wss?):\/\/[^/\s]+/u.exec(webSocketUrl)?.[1];
  if (scheme !== undefined && scheme === transport) return;
  throw new UsageError(
    "ERR_SIP_TRANSPORT",
    "`webSocketUrl` must begin with ws:// or wss:// and go with the `transport` of the same name.",
  );
}

/** Which addresses can be reached from ours: those of the same families. */
function reachable(ours: readonly SocketAddress[]): (address: string) => boolean {
  const families = new Set(ours.map(({ address }) => address.includes(":")));
  return (address) => families.has(address.includes(":"));
}
