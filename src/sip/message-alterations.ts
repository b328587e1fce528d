/** Ways in which a message is made wrong on purpose. */
export type MessageAlteration =
  /** The body and its type are taken out: an INVITE or a 200 without offer or answer. */
  | "without body"
  /** Each codec is one that nobody has. */
  | "unknown codec"
  | "without Call-ID"
  | "without From"
  | "without Via"
  | "bad CSeq"
  | "other version"
  /** Less than Content-Length says; without a body, cut within its head. */
  | "cut short"
  /** Octets that are no SIP at all. */
  | "garbage";

const HEAD_END = "\r\n\r\n";
/** A dynamic payload type, and a name that is registered nowhere (RFC 3551 §6). */
const UNKNOWN_FORMAT = "127";
const UNKNOWN_CODEC = "X-NOBODY-HAS-THIS/8000";

const ALTERATIONS: Readonly<Record<MessageAlteration, (text: string) => string>> = {
  "without body": (text) => withBody(withoutHeader(text, "Content-Type"), ""),
  "unknown codec": (text) => withBody(text, withUnknownCodec(bodyOf(text))),
  "without Call-ID": (text) => withoutHeader(text, "Call-ID"),
  "without From": (text) => withoutHeader(text, "From"),
  "without Via": (text) => withoutHeader(text, "Via"),
  "bad CSeq": (text) => text.replace(/^(CSeq:[ \t]*)\d+/imu, "$1one"),
  "other version": (text) => text.replace("SIP/2.0", "SIP/7.0"),
  "cut short": (text) => text.slice(0, cutAt(text)),
  garbage: () => "\u0001\u0002 this is no SIP message \u007f".repeat(4),
};

/** The message made wrong. Pure; what cannot be applied to it leaves it as it is. */
export function alterMessage(text: string, alteration: MessageAlteration): string {
  return ALTERATIONS[alteration](text);
}

/** Within the body where there is one, else within the last header line. */
function cutAt(text: string): number {
  const body = bodyOf(text);
  return body === "" ? Math.floor(text.length * 0.8) : text.length - Math.ceil(body.length / 2);
}

function bodyOf(text: string): string {
  const end = text.indexOf(HEAD_END);
  return end === -1 ? "" : text.slice(end + HEAD_END.length);
}

function withoutHeader(text: string, name: string): string {
  return text.replaceAll(
    new RegExp(`^${name}[ \\t]*:[^\\r\\n]*(?:\\r\\n[ \\t][^\\r\\n]*)*\\r\\n`, "gimu"),
    "",
  );
}

function withBody(text: string, body: string): string {
  const end = text.indexOf(HEAD_END);
  if (end === -1) return text;
  const length = new TextEncoder().encode(body).length;
  const head = text
    .slice(0, end)
    .replace(/^(Content-Length|l)([ \t]*:[ \t]*)\d+/imu, `$1$2${length}`);
  return head + HEAD_END + body;
}

function withUnknownCodec(sdp: string): string {
  return sdp
    .replaceAll(/^(m=audio \d+ \S+)(?: \S+)*/gmu, `$1 ${UNKNOWN_FORMAT}`)
    .replaceAll(/^a=(?:rtpmap|fmtp|rtcp-fb):[^\r\n]*\r\n/gmu, "")
    .replaceAll(/^(m=audio [^\r\n]*\r\n)/gmu, `$1a=rtpmap:${UNKNOWN_FORMAT} ${UNKNOWN_CODEC}\r\n`);
}
