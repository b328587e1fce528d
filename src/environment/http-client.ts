/** One HTTP request to be made. Redirects are answers like others: nobody follows them. */
export interface HttpClientRequest {
  readonly method: string;
  /** http: or https:, with whatever host name its owner chose. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For all of it, from looking the name up to the last byte of the answer. */
  readonly timeoutMs: number;
  /** A longer answer is broken off. */
  readonly bytesMax: number;
  /**
   * `public`: only addresses of the public internet (no loopback, private, link-local, shared or
   * otherwise special ones) are connected to. It is asked of the addresses that the name led to
   * and of the one really connected to, so that a name cannot lead elsewhere in between.
   */
  readonly reach: "public" | "anywhere";
  /** Certificates of authorities to trust for https:, PEM; default: those that the host knows. */
  readonly ca?: string;
  readonly signal?: AbortSignal;
}

/** The answer to an HTTP request; header names are lower case. */
export interface HttpClientResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As UTF-8; what is not becomes replacement characters. */
  readonly body: string;
}
