import type {
  MalformedSdp,
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SdpOrigin,
  SessionDescription,
} from "./session-description.ts";

/** Far above real descriptions; what is longer is an attack or a mistake. */
const MAX_CHARACTERS = 65_536;
const MAX_PORT = 65_535;
const ANYBODY: SdpOrigin = {
  username: "-",
  sessionId: "0",
  sessionVersion: "0",
  addressType: "IP4",
  address: "0.0.0.0",
};

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

interface MediaDraft extends Draft<Omit<MediaDescription, "attributes">> {
  attributes: SdpAttribute[];
}

interface SessionDraft extends Draft<Omit<SessionDescription, "attributes" | "media">> {
  attributes: SdpAttribute[];
  media: MediaDraft[];
}

/**
 * Reads a session description (RFC 8866). It never throws.
 *
 * Tolerant, as peers are: any line ends, `o=`, `s=` and `t=` may be missing, unknown lines are
 * skipped. What offer/answer needs (`v=`, `m=`, `c=`) must be right.
 */
export function parseSdp(text: string): SessionDescription | MalformedSdp {
  if (text.length > MAX_CHARACTERS) return malformed(0, "It is longer than 64 KiB.");
  const session: SessionDraft = {
    kind: "session",
    origin: ANYBODY,
    sessionName: "-",
    attributes: [],
    media: [],
  };
  let hasVersion = false;
  for (const [index, raw] of text.split(/\r\n|\n|\r/u).entries()) {
    const line = raw.trim();
    if (line === "") continue;
    if (!hasVersion && line !== "v=0") return malformed(index + 1, "It does not begin with v=0.");
    hasVersion = true;
    const fault = readLine(session, line);
    if (fault !== undefined) return malformed(index + 1, fault);
  }
  return hasVersion ? session : malformed(0, "It is empty.");
}

/** Takes one line in; returns what is wrong with it. */
function readLine(session: SessionDraft, line: string): string | undefined {
  const type = line.slice(0, 2);
  const value = line.slice(2).trim();
  const media = session.media.at(-1);
  switch (type) {
    case "m=":
      return readMedia(session, value);
    case "c=":
      return readConnection(media ?? session, value);
    case "a=":
      (media ?? session).attributes.push(parseAttribute(value));
      return undefined;
    case "o=":
      session.origin = parseOrigin(value) ?? session.origin;
      return undefined;
    case "s=":
      session.sessionName = value === "" ? "-" : value;
      return undefined;
    default:
      return undefined;
  }
}

function readMedia(session: SessionDraft, value: string): string | undefined {
  const [media = "", portText = "", protocol, ...formats] = value.split(/\s+/u);
  // "port/count" announces several ports for layered codings (RFC 8866 §5.14).
  const port = decimal(portText.split("/")[0] ?? "");
  if (port === undefined || port > MAX_PORT) return "The port of an m= line is not a port.";
  if (protocol === undefined || formats.length === 0) return "An m= line has no format.";
  session.media.push({ media: media.toLowerCase(), port, protocol, formats, attributes: [] });
  return undefined;
}

function readConnection(target: SessionDraft | MediaDraft, value: string): string | undefined {
  const [networkType, addressType, addressText = ""] = value.split(/\s+/u);
  const isInternet = networkType?.toUpperCase() === "IN";
  const family = addressType?.toUpperCase();
  if (!isInternet || (family !== "IP4" && family !== "IP6")) {
    return "A c= line is of no known network or address type.";
  }
  const address = addressText.split("/")[0] ?? "";
  if (address === "") return "A c= line has no address.";
  target.connection = { addressType: family, address } satisfies SdpConnection;
  return undefined;
}

function parseOrigin(value: string): SdpOrigin | undefined {
  const [username, sessionId, sessionVersion, , addressType, address] = value.split(/\s+/u);
  if (username === undefined || sessionId === undefined || sessionVersion === undefined) {
    return undefined;
  }
  return {
    username,
    sessionId,
    sessionVersion,
    addressType: addressType ?? ANYBODY.addressType,
    address: address ?? ANYBODY.address,
  };
}

function parseAttribute(value: string): SdpAttribute {
  const colon = value.indexOf(":");
  if (colon < 0) return { name: value };
  return { name: value.slice(0, colon), value: value.slice(colon + 1).trim() };
}

function decimal(text: string): number | undefined {
  return /^\d{1,9}$/u.test(text) ? Number(text) : undefined;
}

function malformed(lineNumber: number, reason: string): MalformedSdp {
  return { kind: "malformed", reason, lineNumber };
}
