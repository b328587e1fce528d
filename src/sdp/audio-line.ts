import type { MediaDirection } from "./media-direction.ts";
import { formatText, type PayloadFormat } from "./payload-format.ts";
import type { MediaDescription, SdpAttribute } from "./session-description.ts";

/** What an audio m= line of ours is made of. */
export interface AudioLine {
  readonly port: number;
  readonly protocol: string;
  /** Most preferred first; `fmtp` is ours. */
  readonly formats: readonly PayloadFormat[];
  readonly ptimeMs: number;
  /** RTCP and keys. */
  readonly attributes: readonly SdpAttribute[];
  readonly direction: MediaDirection;
}

/** An m= line with its attributes (RFC 8866 §5.14). */
export function audioLine(line: AudioLine): MediaDescription {
  return {
    media: "audio",
    port: line.port,
    protocol: line.protocol,
    formats: line.formats.map((format) => String(format.payloadType)),
    attributes: [
      ...line.formats.flatMap(formatAttributes),
      { name: "ptime", value: String(line.ptimeMs) },
      ...line.attributes,
      { name: line.direction },
    ],
  };
}

/** A refused m-line keeps its protocol and formats (RFC 3264 §6). */
export function refusedLine(line: MediaDescription): MediaDescription {
  const { media, protocol, formats } = line;
  return { media, port: 0, protocol, formats, attributes: [] };
}

function formatAttributes(format: PayloadFormat): SdpAttribute[] {
  const { payloadType, fmtp } = format;
  return [
    { name: "rtpmap", value: `${payloadType} ${formatText(format)}` },
    ...(fmtp === undefined ? [] : [{ name: "fmtp", value: `${payloadType} ${fmtp}` }]),
  ];
}
