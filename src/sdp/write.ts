import type {
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SessionDescription,
} from "./session-description.ts";

/** Writes a session description in the order that RFC 8866 §5 prescribes, with CRLF. */
export function writeSdp(description: SessionDescription): string {
  const { origin } = description;
  const { username, sessionId, sessionVersion, addressType, address } = origin;
  const lines = [
    "v=0",
    `o=${username} ${sessionId} ${sessionVersion} IN ${addressType} ${address}`,
    `s=${description.sessionName}`,
    ...connectionLines(description.connection),
    "t=0 0",
    ...description.attributes.map(attributeLine),
    ...description.media.flatMap(mediaLines),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function mediaLines(media: MediaDescription): string[] {
  return [
    `m=${media.media} ${media.port} ${media.protocol} ${media.formats.join(" ")}`,
    ...connectionLines(media.connection),
    ...media.attributes.map(attributeLine),
  ];
}

function connectionLines(connection: SdpConnection | undefined): string[] {
  return connection === undefined ? [] : [`c=IN ${connection.addressType} ${connection.address}`];
}

function attributeLine(attribute: SdpAttribute): string {
  return attribute.value === undefined
    ? `a=${attribute.name}`
    : `a=${attribute.name}:${attribute.value}`;
}
