import { EnvironmentError, RemoteError, UsageError } from "../../environment/index.ts";

/** A short-lived credential for sessions. Its value appears in no log, fact, error or file. */
export interface EphemeralToken {
  readonly value: string;
  /** Wall clock, ms since 1970: sessions may be begun until then. */
  readonly startsUntilMs: number;
  /** Sessions that were begun with it may go on over another connection until then. */
  readonly usableUntilMs: number;
  /** Whether one token opens several sessions. */
  readonly isReusable: boolean;
}

/** Whoever asks for tokens was not accepted. `host` has neither path nor query. */
export function tokenRefused(host: string, status: number): EnvironmentError {
  return new EnvironmentError(
    "ERR_TOKEN_REFUSED",
    `No token was given at ${host}: it answered HTTP ${status}. Check the key, or the secret of the tokens service.`,
    { context: { host, status } },
  );
}

/** There is no token to be had just now. */
export function tokenUnavailable(host: string, observed: string): RemoteError {
  return new RemoteError(
    "ERR_TOKEN_UNAVAILABLE",
    `No token could be had at ${host}: ${observed}. Is it up, and is the URL right?`,
    { context: { host } },
  );
}

/** The provider has no tokens. */
export function tokensUnsupported(provider: string): UsageError {
  return new UsageError(
    "ERR_TOKENS_UNSUPPORTED",
    `There are no ephemeral tokens for "${provider}". Leave the token options out and use a key.`,
    { context: { provider } },
  );
}

/**
 * Requires that secrets are not sent over the network in the clear.
 * @throws UsageError ERR_TOKENS_NEED_TLS, ERR_AI_URL_MALFORMED.
 */
export function requireConfidential(url: string): void {
  if (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol)) {
    throw new UsageError(
      "ERR_AI_URL_MALFORMED",
      'The URL of the tokens service is not an http: or https: URL. Write e.g. "https://tokens.example:8443".',
    );
  }
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || isLoopback(hostname)) return;
  throw new UsageError(
    "ERR_TOKENS_NEED_TLS",
    "Tokens and the secret that they are asked for with are sent over the network by TLS only. Use https:, or an address of this machine's loopback.",
  );
}

/** Whether a host (name or address, IPv6 with or without brackets) is this machine's loopback. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || /^(?:127(?:\.\d{1,3}){3}|\[?::1\]?)$/u.test(host);
}
