import type { SocketAddress } from "../environment/index.ts";
import { attributeValue, attributeValues, hasAttribute } from "./attributes.ts";
import { isNullAddress, isNumericAddress } from "./internet-address.ts";
import type { MediaCapabilities } from "./media-capabilities.ts";
import type { MediaDescription, SdpAttribute, SessionDescription } from "./session-description.ts";

/** What a description says about RTCP. */
export interface RtcpAnnouncement {
  /** Where its writer wants RTCP if it is not multiplexed; `undefined`: nowhere. */
  readonly remote: SocketAddress | undefined;
  readonly isMux: boolean;
  /** It asks for VoIP metrics in XR (RFC 3611 §5.1). */
  readonly wantsVoipMetrics: boolean;
}

/** What both sides will do about RTCP. */
export interface AgreedRtcp {
  readonly remoteRtcp: SocketAddress | undefined;
  readonly rtcpMux: boolean;
  readonly remoteRtcpXr: boolean;
}

const MAX_PORT = 65_535;

/** Reads `a=rtcp` (RFC 3605), `a=rtcp-mux` (RFC 5761) and `a=rtcp-xr` (RFC 3611 §5). */
export function readRtcp(
  session: SessionDescription,
  media: MediaDescription,
  remote: SocketAddress | undefined,
): RtcpAnnouncement {
  // a=rtcp-xr may stand at session level too (RFC 3611 §5.1), the others may not.
  const formats = attributeValues([...session.attributes, ...media.attributes], "rtcp-xr");
  return {
    remote: remote === undefined ? undefined : rtcpAddress(media, remote),
    isMux: hasAttribute(media.attributes, "rtcp-mux"),
    wantsVoipMetrics: formats.some((value) => value.split(/\s+/u).includes("voip-metrics")),
  };
}

/** The attributes to announce; `isMux`: to be offered, or offered by the peer and accepted. */
export function rtcpAttributes(capabilities: MediaCapabilities, isMux: boolean): SdpAttribute[] {
  const { port, rtcp, rtcpXr = false } = capabilities;
  if (rtcp.mode === "off") return [];
  // Only a port that is not RTP's plus one needs telling (RFC 3605 §2.1).
  const needsPort = rtcp.port !== undefined && rtcp.port !== port + 1;
  return [
    ...(needsPort ? [{ name: "rtcp", value: String(rtcp.port) }] : []),
    ...(isMux ? [{ name: "rtcp-mux" }] : []),
    ...(rtcpXr ? [{ name: "rtcp-xr", value: "voip-metrics" }] : []),
  ];
}

/** Joins the peer's announcement with what we can; `remote` is the peer's address for RTP. */
export function agreeRtcp(
  capabilities: MediaCapabilities,
  announced: RtcpAnnouncement,
  remote: SocketAddress | undefined,
): AgreedRtcp {
  const { mode, port } = capabilities.rtcp;
  // Both must say it; where one does not, the ports stay apart (RFC 5761 §5.1.1).
  const rtcpMux = mode === "mux" && announced.isMux;
  const separate = mode === "off" || port === undefined ? undefined : announced.remote;
  return {
    remoteRtcp: rtcpMux ? remote : separate,
    rtcpMux,
    remoteRtcpXr: mode !== "off" && announced.wantsVoipMetrics,
  };
}

/** `a=rtcp:<port> [IN IP4|IP6 <address>]` (RFC 3605 §2.1), else the port after RTP's. */
function rtcpAddress(media: MediaDescription, remote: SocketAddress): SocketAddress | undefined {
  const value = attributeValue(media.attributes, "rtcp") ?? "";
  const match = /^(\d{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?/iu.exec(value);
  const [, portText = String(remote.port + 1), written = remote.address] = match ?? [];
  const port = Number(portText);
  const address = isNumericAddress(written) ? written : remote.address;
  if (port === 0 || port > MAX_PORT || isNullAddress(address)) return undefined;
  return { address, port };
}
