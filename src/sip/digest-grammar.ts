import { isToken, splitOutsideQuotes } from "./header-grammar.ts";

/** A challenge of the scheme Digest (RFC 7616 §3.3, RFC 3261 §20.44). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly isStale: boolean;
  /** As the peer spelled it; `undefined` means MD5. */
  readonly algorithm: string | undefined;
  /** Lower case; `undefined` where the peer knows no qop (RFC 2069). */
  readonly qop: readonly string[] | undefined;
}

/** Credentials of the scheme Digest (RFC 7616 §3.4). */
export interface DigestCredentials {
  readonly user: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: string | undefined;
  readonly opaque: string | undefined;
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** Eight hexadecimal digits. */
  readonly nonceCount: string | undefined;
}

type Parameters = ReadonlyMap<string, string>;

/** One authentication scheme with its parameters. */
interface SchemePart {
  readonly scheme: string;
  /** `undefined` where they are malformed. */
  readonly parameters: Parameters | undefined;
}

const SCHEME_START = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t\r\n]+(?=[^=\s])/;

/**
 * Reads the challenges of one header value. RFC 3261 §7.3.1 forbids to join several with commas,
 * but some do it.
 * @returns those of other schemes are left out; `undefined` stands for a malformed one.
 */
export function parseChallenges(value: string): (DigestChallenge | undefined)[] {
  const parts = splitSchemes(value);
  if (parts === undefined) return [undefined];
  return parts
    .filter(({ scheme }) => scheme.toLowerCase() === "digest")
    .map(({ parameters }) => (parameters === undefined ? undefined : challengeOf(parameters)));
}

/** Reads credentials; `undefined` where they are malformed or of another scheme. */
export function parseCredentials(value: string): DigestCredentials | undefined {
  const [part, ...others] = splitSchemes(value) ?? [];
  const parameters = part?.parameters;
  if (part?.scheme.toLowerCase() !== "digest" || parameters === undefined || others.length > 0) {
    return undefined;
  }
  const required = ["username", "realm", "nonce", "uri", "response"];
  if (!required.every((name) => parameters.has(name))) return undefined;
  const text = (name: string): string => parameters.get(name) ?? "";
  return {
    user: text("username"),
    realm: text("realm"),
    nonce: text("nonce"),
    uri: text("uri"),
    response: text("response").toLowerCase(),
    algorithm: parameters.get("algorithm"),
    opaque: parameters.get("opaque"),
    qop: parameters.get("qop")?.toLowerCase(),
    cnonce: parameters.get("cnonce"),
    nonceCount: parameters.get("nc")?.toLowerCase(),
  };
}

/** Reads the parameters of Authentication-Info (RFC 7616 §3.5); none where it is malformed. */
export function parseAuthenticationInfo(value: string): Parameters {
  return parseParameterList(splitOutsideQuotes(value, ",") ?? []) ?? new Map();
}

export function writeChallenge(challenge: DigestChallenge): string {
  return joined([
    ["realm", quoted(challenge.realm)],
    ["nonce", quoted(challenge.nonce)],
    ["opaque", challenge.opaque === undefined ? undefined : quoted(challenge.opaque)],
    ["stale", challenge.isStale ? "true" : undefined],
    ["algorithm", challenge.algorithm],
    ["qop", challenge.qop === undefined ? undefined : quoted(challenge.qop.join(","))],
  ]);
}

export function writeCredentials(credentials: DigestCredentials): string {
  const { opaque, cnonce } = credentials;
  return joined([
    ["username", quoted(credentials.user)],
    ["realm", quoted(credentials.realm)],
    ["nonce", quoted(credentials.nonce)],
    ["uri", quoted(credentials.uri)],
    ["response", quoted(credentials.response)],
    ["algorithm", credentials.algorithm],
    ["opaque", opaque === undefined ? undefined : quoted(opaque)],
    // RFC 7616 §3.4: neither of them is quoted here, unlike in a challenge.
    ["qop", credentials.qop],
    ["nc", credentials.nonceCount],
    ["cnonce", cnonce === undefined ? undefined : quoted(cnonce)],
  ]);
}

function joined(parameters: readonly (readonly [string, string | undefined])[]): string {
  const written = parameters.filter(([, value]) => value !== undefined);
  return `Digest ${written.map(([name, value]) => `${name}=${value}`).join(", ")}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\([\s\S])/g, "$1");
}

/** "Digest a=b, c=d, Basic e=f" → each scheme with its own parameters. */
function splitSchemes(value: string): SchemePart[] | undefined {
  const elements = splitOutsideQuotes(value, ",");
  if (elements === undefined) return undefined;
  const found: { scheme: string; elements: string[] }[] = [];
  for (const element of elements) {
    const scheme = SCHEME_START.exec(element);
    if (scheme !== null) {
      found.push({ scheme: scheme[1] as string, elements: [element.slice(scheme[0].length)] });
    } else if (found.length === 0) {
      return undefined;
    } else {
      found.at(-1)?.elements.push(element);
    }
  }
  return found.map((part) => ({
    scheme: part.scheme,
    parameters: parseParameterList(part.elements),
  }));
}

/** A name that stands twice makes the list ambiguous: `undefined`, as for any other fault. */
function parseParameterList(elements: readonly string[]): Parameters | undefined {
  const parameters = new Map<string, string>();
  for (const element of elements) {
    if (element === "") continue;
    const equals = element.indexOf("=");
    const name = element.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const value = element.slice(equals + 1).trim();
    if (!isToken(name) || parameters.has(name) || !isValue(value)) return undefined;
    parameters.set(name, unquoted(value));
  }
  return parameters;
}

function isValue(text: string): boolean {
  return /^"(?:[^"\\]|\\[\s\S])*"$/.test(text) || /^[^\s"]+$/.test(text);
}

function challengeOf(parameters: Parameters): DigestChallenge | undefined {
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  if (realm === undefined || nonce === undefined || nonce === "") return undefined;
  const qop = parameters
    .get("qop")
    ?.toLowerCase()
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return {
    realm,
    nonce,
    opaque: parameters.get("opaque"),
    isStale: parameters.get("stale")?.toLowerCase() === "true",
    algorithm: parameters.get("algorithm"),
    qop,
  };
}
