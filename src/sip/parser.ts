import { IncomingRequestMessage, IncomingResponseMessage } from "sip.js/lib/core/index.js";
import {
  canonicalHeaderName,
  isToken,
  parseCSeq,
  parseVia,
  splitOutsideQuotes,
} from "./header-grammar.ts";
import { headLines } from "./message-peek.ts";
import { parseNameAddr, parseUri } from "./wire-uri.ts";

/** A message as sip.js wants it, or why it is none. */
export type ParsedMessage =
  | { readonly kind: "request"; readonly message: IncomingRequestMessage }
  | { readonly kind: "response"; readonly message: IncomingResponseMessage }
  /** Nothing but white space: somebody keeps a NAT binding alive (RFC 5626 §3.5.1). */
  | { readonly kind: "keepAlive" }
  | MalformedMessage;

/** Not a valid message. `request` is there where it can still be answered with `statusCode`. */
export interface MalformedMessage {
  readonly kind: "malformed";
  readonly reason: string;
  readonly statusCode: 400 | 505;
  readonly request?: IncomingRequestMessage;
}

type Incoming = IncomingRequestMessage | IncomingResponseMessage;

/** A fault that was found, as text. */
type Fault = string | undefined;

const decoder = new TextDecoder();

/** What a datagram holds as text, for peeking and tracing. */
export function decodeMessageText(data: Uint8Array): string {
  return decoder.decode(data);
}

/**
 * Reads one datagram (RFC 3261 §7, §25). Every header that sip.js ever asks to have parsed is
 * parsed here, so that its own grammar, some 200 times slower, never runs.
 *
 * It tolerates what does no harm (bare line feeds, folding, underscores in host names, unquoted
 * UTF-8 display names) and drops a malformed Contact or Record-Route value, for which its absence
 * is then reported. It never throws.
 */
export function parseMessage(data: Uint8Array, text: string): ParsedMessage {
  if (text.trim() === "") return { kind: "keepAlive" };
  const lines = headLines(text);
  const startLine = lines[0] as string;
  const message = /^SIP\s*\//i.test(startLine)
    ? new IncomingResponseMessage()
    : new IncomingRequestMessage();
  message.data = text;
  const startFault =
    message instanceof IncomingResponseMessage
      ? readStatusLine(message, startLine)
      : readRequestLine(message, startLine);
  // The head is read even after a malformed start line, so that the request can be answered.
  const headFault = readHead(message, lines);
  const fault = startFault ?? headFault ?? readBody(message, data, text);
  if (fault !== undefined) return malformed(message, fault);
  return message instanceof IncomingResponseMessage
    ? { kind: "response", message }
    : { kind: "request", message };
}

const UNSUPPORTED_VERSION = "the protocol version is not SIP/2.0";

function malformed(message: Incoming, reason: string): MalformedMessage {
  const statusCode = reason === UNSUPPORTED_VERSION ? 505 : 400;
  const isAnswerable =
    message instanceof IncomingRequestMessage &&
    message.method !== "" &&
    message.method !== "ACK" &&
    message.headers["Via"]?.[0]?.parsed !== undefined;
  return isAnswerable
    ? { kind: "malformed", reason, statusCode, request: message }
    : { kind: "malformed", reason, statusCode };
}

const REQUEST_LINE = /^(\S+)[ \t]+(\S+)[ \t]+SIP\/(\d+\.\d+)[ \t]*$/i;
/** Whatever its method and Request-URI look like, somebody waits for a response. */
const REQUEST_LIKE_LINE = /^(\S+)[ \t].*[ \t]SIP\/\d+\.\d+[ \t]*$/i;
const STATUS_LINE = /^SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+(.*))?$/i;

function readRequestLine(message: IncomingRequestMessage, line: string): Fault {
  const method = REQUEST_LIKE_LINE.exec(line)?.[1];
  message.method = method !== undefined && isToken(method) ? method : "";
  if (message.method === "") return "the request line is malformed";
  const match = REQUEST_LINE.exec(line);
  if (match === null) return "the request line is malformed";
  message.ruri = parseUri(match[2] as string);
  return undefined;
}

function readStatusLine(message: IncomingResponseMessage, line: string): Fault {
  const match = STATUS_LINE.exec(line);
  if (match === null) return "the status line is malformed";
  message.statusCode = Number(match[1]);
  message.reasonPhrase = match[2]?.trim() ?? "";
  return undefined;
}

function readHead(message: Incoming, lines: readonly string[]): Fault {
  // The header's name comes from the peer, and must not meet Object's own properties.
  message.headers = Object.create(null) as IncomingRequestMessage["headers"];
  let fault: Fault;
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] as string;
    if (line === "") break;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim();
    const found = isToken(name)
      ? addHeader(message, canonicalHeaderName(name), line.slice(colon + 1).trim())
      : "a header line has no name";
    fault ??= found;
  }
  return checkRequestLine(message, lines[0] as string) ?? fault ?? checkMandatory(message);
}

function checkRequestLine(message: Incoming, startLine: string): Fault {
  if (message instanceof IncomingResponseMessage) return undefined;
  if (!/SIP\/2\.0[ \t]*$/i.test(startLine)) return UNSUPPORTED_VERSION;
  return message.ruri === undefined ? "the Request-URI is malformed" : undefined;
}

/** RFC 3261 §8.1.1; Max-Forwards is not missed by a user agent. */
function checkMandatory(message: Incoming): Fault {
  for (const name of ["Via", "From", "To", "Call-ID", "CSeq"]) {
    if (message.headers[name] === undefined) return `the ${name} header is missing`;
  }
  if (message instanceof IncomingResponseMessage) return undefined;
  const cseq = message.headers["CSeq"]?.[0]?.parsed as { method: string } | undefined;
  return cseq?.method === message.method ? undefined : "the CSeq's method is not the request's";
}

/** Files one header line; the values of a list stand as if each had a line of its own. */
function addHeader(message: Incoming, name: string, value: string): Fault {
  const read = READERS[name];
  if (read !== undefined) return read(message, value, name);
  append(message, name, value);
  return undefined;
}

type Reader = (message: Incoming, value: string, name: string) => Fault;

const READERS: Readonly<Partial<Record<string, Reader>>> = {
  Via: readVia,
  From: readFromOrTo,
  To: readFromOrTo,
  "Call-ID": readCallId,
  CSeq: readCSeq,
  Contact: readAddressList,
  Route: readAddressList,
  "Record-Route": readAddressList,
  "Content-Type": readMediaType,
  "Content-Disposition": readDisposition,
  "Content-Length": readContentLength,
  Event: readEvent,
  "WWW-Authenticate": readChallenge,
  "Proxy-Authenticate": readChallenge,
};

function append(message: Incoming, name: string, raw: string, parsed?: unknown): void {
  const header = parsed === undefined ? { raw } : { raw, parsed };
  const headers = message.headers[name];
  if (headers === undefined) message.headers[name] = [header];
  else headers.push(header);
}

function readVia(message: Incoming, value: string): Fault {
  const values = splitOutsideQuotes(value, ",");
  if (values === undefined) return "a Via header is malformed";
  for (const raw of values) {
    // RFC 4475 §3.1.2.1. All of them are copied into our response, so they should be some.
    if (raw === "") return "a Via header has an empty value";
    const isTop = message.headers["Via"] === undefined;
    const via = parseVia(raw);
    // Those below the top are only ever copied.
    if (isTop && via === undefined) return "the top Via header is malformed";
    append(message, "Via", raw, via);
    if (isTop && via !== undefined) {
      message.via = { host: via.host, port: via.port as number };
      message.viaBranch = via.branch as string;
    }
  }
  return undefined;
}

function readFromOrTo(message: Incoming, value: string, name: string): Fault {
  if (message.headers[name] !== undefined) return `there are several ${name} headers`;
  const parsed = parseNameAddr(value);
  append(message, name, value, parsed);
  if (parsed === undefined) return `the ${name} header is malformed`;
  const tag = parsed.getParam("tag") ?? "";
  if (name === "From") {
    message.from = parsed;
    message.fromTag = tag;
  } else {
    message.to = parsed;
    message.toTag = tag;
  }
  return undefined;
}

function readCallId(message: Incoming, value: string): Fault {
  if (message.headers["Call-ID"] !== undefined) return "there are several Call-ID headers";
  append(message, "Call-ID", value, value);
  if (value === "" || /\s/.test(value)) return "the Call-ID header is malformed";
  message.callId = value;
  return undefined;
}

function readCSeq(message: Incoming, value: string): Fault {
  if (message.headers["CSeq"] !== undefined) return "there are several CSeq headers";
  const parsed = parseCSeq(value);
  if (parsed === undefined) {
    append(message, "CSeq", value);
    return "the CSeq header is malformed";
  }
  append(message, "CSeq", value, { value: parsed.sequence, method: parsed.method });
  message.cseq = parsed.sequence;
  if (message instanceof IncomingResponseMessage) message.method = parsed.method;
  return undefined;
}

/** Contact, Route and Record-Route; malformed values and "*" are left out. */
function readAddressList(message: Incoming, value: string, name: string): Fault {
  for (const raw of splitOutsideQuotes(value, ",") ?? []) {
    const parsed = parseNameAddr(raw);
    if (parsed !== undefined) append(message, name, raw, parsed);
  }
  return undefined;
}

/** sip.js compares with "application/sdp", so parameters and letter case are taken away. */
function readMediaType(message: Incoming, value: string): Fault {
  const mediaType = (value.split(";")[0] as string).replaceAll(/\s/g, "").toLowerCase();
  if (mediaType !== "") message.headers["Content-Type"] = [{ raw: value, parsed: mediaType }];
  return undefined;
}

/** Of an event sip.js looks at the type only (RFC 6665 §8.2.1). */
function readEvent(message: Incoming, value: string): Fault {
  const event = (value.split(";")[0] as string).trim().toLowerCase();
  if (event !== "") message.headers["Event"] = [{ raw: value, parsed: { event } }];
  return undefined;
}

function readDisposition(message: Incoming, value: string): Fault {
  const type = (value.split(";")[0] as string).trim().toLowerCase();
  if (type !== "") message.headers["Content-Disposition"] = [{ raw: value, parsed: { type } }];
  return undefined;
}

function readContentLength(message: Incoming, value: string): Fault {
  if (!/^\d{1,9}$/.test(value)) return "the Content-Length header is malformed";
  const known = message.headers["Content-Length"]?.[0]?.raw;
  if (known !== undefined && Number(known) !== Number(value)) {
    return "there are several Content-Length headers";
  }
  message.headers["Content-Length"] = [{ raw: value, parsed: value }];
  return undefined;
}

/** sip.js never looks into challenges (see `authenticator.ts`); it must only not parse them. */
function readChallenge(message: Incoming, value: string, name: string): Fault {
  append(message, name, value, {});
  return undefined;
}

/** RFC 3261 §18.3: what is behind Content-Length is discarded; too little is an error. */
function readBody(message: Incoming, data: Uint8Array, text: string): Fault {
  const blank = /\r?\n\r?\n/.exec(text);
  const bodyText = blank === null ? "" : text.slice(blank.index + blank[0].length);
  const declared = message.headers["Content-Length"]?.[0]?.raw;
  const bodyBytes = bodyText === "" ? 0 : bodyLength(data);
  const declaredBytes = declared === undefined ? bodyBytes : Number(declared);
  if (declaredBytes > bodyBytes) return "the body is shorter than Content-Length says";
  message.body =
    declaredBytes === bodyBytes
      ? bodyText
      : decoder.decode(
          data.subarray(data.length - bodyBytes, data.length - bodyBytes + declaredBytes),
        );
  return checkBodyType(message);
}

const LF = 10;
const CR = 13;

/** Bytes behind the first empty line. */
function bodyLength(data: Uint8Array): number {
  for (let index = data.indexOf(LF); index !== -1; index = data.indexOf(LF, index + 1)) {
    const next = data[index + 1] === CR ? index + 2 : index + 1;
    if (data[next] === LF) return data.length - next - 1;
  }
  return 0;
}

/** sip.js throws on a body without a type. SDP is recognised; anything else cannot be used. */
function checkBodyType(message: Incoming): Fault {
  if (message.body === "" || message.headers["Content-Type"] !== undefined) return undefined;
  if (message.body.startsWith("v=")) return readMediaType(message, "application/sdp");
  if (message instanceof IncomingRequestMessage) return "the body has no Content-Type";
  message.body = "";
  return undefined;
}
