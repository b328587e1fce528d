import { RemoteError, UsageError } from "../environment/index.ts";

/** What an HTTP tool may do, as its owner wrote it. Plain data. */
export interface HttpToolOptions {
  /**
   * Whom it may ask: "api.example.com" or "*.example.com" (by https, the usual port),
   * "api.example.com:8443", or an origin such as "http://localhost:3000", which alone permits plain
   * HTTP.
   */
  readonly allow: readonly string[];
  /** Whether these hosts may have addresses that are not of the public internet. Default: no. */
  readonly allowsPrivateAddresses?: boolean;
  /** Default: GET and POST. */
  readonly methods?: readonly string[];
  /**
   * Header lines that it adds, by entry of `allow`; the model neither sees nor chooses them.
   * `${NAME}` stands for an environment variable, whose value is written nowhere.
   */
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Default 10 000. */
  readonly timeoutMs?: number;
  /** Of an answer's body; default 65 536. */
  readonly bytesMax?: number;
  /** Default 3. */
  readonly redirectsMax?: number;
  /** Certificates of authorities to trust, PEM; default: those that the host knows. */
  readonly ca?: string;
}

/** What a URL may be asked with. */
export interface HttpPermit {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

interface Entry {
  readonly protocol: string;
  /** Without "*."; lower case. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly port: string;
  readonly headers: Readonly<Record<string, string>>;
}

const VARIABLE = /\$\{(\w+)\}/gu;
/** Shorter values are too likely to stand in an answer by chance. */
const SECRET_CHARACTERS_MIN = 4;

/** Judges URLs by the owner's list, and knows which header lines go with which host. */
export class HttpPolicy {
  readonly #entries: readonly Entry[];
  readonly #secrets: readonly string[];

  /**
   * @param variable reads an environment variable.
   * @throws UsageError ERR_HTTP_TOOL: an entry that names no host, headers for a host that is not
   *   permitted, a variable that is not set.
   */
  constructor(
    { allow, headers = {} }: HttpToolOptions,
    variable: (name: string) => string | undefined,
  ) {
    const secrets = new Set<string>();
    const read = (name: string): string => {
      const value = variable(name);
      if (value === undefined || value === "") throw unset(name);
      if (value.length >= SECRET_CHARACTERS_MIN) secrets.add(value);
      return value;
    };
    for (const host of Object.keys(headers))
      if (!allow.includes(host)) throw headersForNobody(host);
    this.#entries = allow.map((text) => {
      const lines = Object.entries(headers[text] ?? {}).map(([name, value]) => [
        name,
        value.replaceAll(VARIABLE, (_all, variableName: string) => read(variableName)),
      ]);
      return entryOf(text, Object.fromEntries(lines) as Record<string, string>);
    });
    // The longest first: one may be a part of another.
    this.#secrets = [...secrets].toSorted((left, right) => right.length - left.length);
  }

  /**
   * What a URL may be asked with; a redirect's target is judged like any other.
   * @throws RemoteError ERR_HTTP_NOT_PERMITTED, in words for the model.
   */
  permit(text: string, base?: URL): HttpPermit {
    const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
    if (url === undefined) throw refused("The URL is none. Give all of it, https://host/path.");
    if (url.username !== "" || url.password !== "") {
      throw refused("The URL holds a user name or a password, which is not permitted.");
    }
    url.hash = "";
    const entry = this.#entries.find((each) => covers(each, url));
    if (entry !== undefined) return { url, headers: entry.headers };
    const hosts = this.#entries.map((each) => textOf(each)).join(", ");
    throw refused(`${url.protocol}//${url.host} may not be asked. Permitted are: ${hosts}.`);
  }

  /** A text without the values of environment variables. */
  redact(text: string): string {
    return this.#secrets.reduce((left, secret) => left.replaceAll(secret, "[redacted]"), text);
  }
}

function covers(entry: Entry, url: URL): boolean {
  // A trailing dot names the same host.
  const host = url.hostname.replace(/\.$/u, "");
  if (url.protocol !== entry.protocol || url.port !== entry.port) return false;
  return entry.isWildcard ? host.endsWith(`.${entry.name}`) : host === entry.name;
}

function entryOf(text: string, headers: Readonly<Record<string, string>>): Entry {
  const isWildcard = text.startsWith("*.");
  const rest = isWildcard ? text.slice(2) : text;
  const origin = /^https?:\/\//iu.test(rest) ? rest : `https://${rest}`;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const isOrigin =
    url !== undefined &&
    url.pathname === "/" &&
    `${url.search}${url.hash}${url.username}${url.password}` === "" &&
    /^[\w.\-[\]:]+$/u.test(url.hostname);
  if (!isOrigin) {
    throw malformed(
      `"${text}" is no host to permit. Write a name, *.domain, name:port, or an origin such as http://localhost:3000.`,
    );
  }
  return { protocol: url.protocol, name: url.hostname, isWildcard, port: url.port, headers };
}

function textOf({ protocol, name, isWildcard, port }: Entry): string {
  const host = `${isWildcard ? "*." : ""}${name}${port === "" ? "" : `:${port}`}`;
  return `${protocol}//${host}`;
}

function refused(message: string): RemoteError {
  return new RemoteError("ERR_HTTP_NOT_PERMITTED", message);
}

function unset(name: string): UsageError {
  return malformed(`the environment variable ${name} is not set, and a header needs it.`);
}

function headersForNobody(host: string): UsageError {
  return malformed(`there are headers for "${host}", which is not an entry of allow.`);
}

function malformed(what: string): UsageError {
  return new UsageError("ERR_HTTP_TOOL", `The HTTP tool cannot be offered: ${what}`);
}
