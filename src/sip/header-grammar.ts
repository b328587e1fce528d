/** Parameters of a header or URI; names in lower case, `null` where there is no "=". */
export type ParameterMap = Record<string, string | null>;

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Whether `text` is a token (RFC 3261 §25.1). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Splits at `separator` where it stands outside of quoted strings and angle brackets, and trims
 * the parts; `undefined` where a quote or bracket is left open.
 */
export function splitOutsideQuotes(text: string, separator: "," | ";"): string[] | undefined {
  if (!text.includes(separator)) return [text.trim()];
  const parts: string[] = [];
  let start = 0;
  let index = 0;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === '"' || character === "<") {
      index = character === '"' ? quotedStringEnd(text, index) : text.indexOf(">", index) + 1;
      if (index === 0) return undefined;
      continue;
    }
    if (character === separator) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
    index += 1;
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** The index behind the quoted string that begins at `start`; 0 where it is left open. */
export function quotedStringEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === "\\") index += 1;
    else if (character === '"') return index + 1;
  }
  return 0;
}

/**
 * Reads ";name=value;name" (RFC 3261 §7.3.1, generic-param), white space around ";" and "=" allowed.
 * @returns `undefined` where a name is not a token or a quote is left open.
 */
export function parseParameters(text: string): ParameterMap | undefined {
  const parameters: ParameterMap = {};
  const trimmed = text.trim();
  if (trimmed === "") return parameters;
  if (!trimmed.startsWith(";")) return undefined;
  const parts = splitOutsideQuotes(trimmed.slice(1), ";");
  if (parts === undefined) return undefined;
  for (const part of parts) {
    if (part === "") continue; // ";;" is malformed, but does no harm.
    const equals = part.indexOf("=");
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!isToken(name)) return undefined;
    // Assigning null to it would take the object's prototype away, which sip.js relies on.
    if (name === "__proto__") continue;
    parameters[name] = equals === -1 ? null : part.slice(equals + 1).trim();
  }
  return parameters;
}

/** A Via header's value (RFC 3261 §20.42). */
export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  readonly received: string | undefined;
  /** `null`: asked for, not yet filled in (RFC 3581). */
  readonly rport: string | null | undefined;
}

const SENT_BY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*(\d{1,5}))?$/;
const SENT_PROTOCOL = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+/i;

/** Reads one Via value; `undefined` where it is malformed. */
export function parseVia(text: string): Via | undefined {
  const protocol = SENT_PROTOCOL.exec(text);
  if (protocol === null) return undefined;
  const rest = text.slice(protocol[0].length);
  const semicolon = rest.indexOf(";");
  const sentBy = SENT_BY.exec((semicolon === -1 ? rest : rest.slice(0, semicolon)).trim());
  const parameters = parseParameters(semicolon === -1 ? "" : rest.slice(semicolon));
  if (sentBy === null || parameters === undefined) return undefined;
  const port = sentBy[2] === undefined ? undefined : Number(sentBy[2]);
  if (port !== undefined && port > 65_535) return undefined;
  return {
    transport: (protocol[1] as string).toUpperCase(),
    host: sentBy[1] as string,
    port,
    branch: parameters["branch"] ?? undefined,
    received: parameters["received"] ?? undefined,
    rport: parameters["rport"],
  };
}

const CSEQ = /^(\d{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)$/;

/** Reads a CSeq value (RFC 3261 §20.16: the number is below 2^31). */
export function parseCSeq(text: string): { sequence: number; method: string } | undefined {
  const match = CSEQ.exec(text);
  const sequence = Number(match?.[1]);
  if (match === null || sequence >= 2 ** 31) return undefined;
  return { sequence, method: match[2] as string };
}

const COMPACT_NAMES: Readonly<Record<string, string>> = {
  a: "Accept-Contact",
  b: "Referred-By",
  c: "Content-Type",
  d: "Request-Disposition",
  e: "Content-Encoding",
  f: "From",
  i: "Call-ID",
  j: "Reject-Contact",
  k: "Supported",
  l: "Content-Length",
  m: "Contact",
  n: "Identity-Info",
  o: "Event",
  r: "Refer-To",
  s: "Subject",
  t: "To",
  u: "Allow-Events",
  v: "Via",
  x: "Session-Expires",
  y: "Identity",
};

const SPECIAL_NAMES: Readonly<Record<string, string>> = {
  "Call-Id": "Call-ID",
  Cseq: "CSeq",
  "Min-Se": "Min-SE",
  Rack: "RAck",
  Rseq: "RSeq",
  "Www-Authenticate": "WWW-Authenticate",
};

const knownNames = new Map<string, string>();
/** Peers choose the names, so the cache is bounded. */
const KNOWN_NAMES_LIMIT = 512;

/** A header's name in the spelling under which sip.js files it: "call-id" and "i" → "Call-ID". */
export function canonicalHeaderName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const compact = lower.length === 1 ? COMPACT_NAMES[lower] : undefined;
  const capitalised = lower
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("-");
  const canonical = compact ?? SPECIAL_NAMES[capitalised] ?? capitalised;
  if (knownNames.size < KNOWN_NAMES_LIMIT) knownNames.set(name, canonical);
  return canonical;
}
