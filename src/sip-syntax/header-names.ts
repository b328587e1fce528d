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
