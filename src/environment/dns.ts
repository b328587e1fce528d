/** A NAPTR record (RFC 3403 §4.1), as RFC 3263 §4.1 uses it. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  /** "s": `replacement` is the name of SRV records. */
  readonly flags: string;
  /** e.g. "SIP+D2U". */
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** "." says that there is no such service. */
  readonly target: string;
}

/** An A or AAAA record. */
export interface AddressRecord {
  readonly address: string;
  /** How long it may be remembered, where the source tells. */
  readonly ttlMs?: number;
}

/**
 * The domain name system. A name without records of the kind gives an empty list.
 *
 * Each @throws EnvironmentError ERR_DNS_FAILED where the servers do not answer, or with an error.
 */
export interface Dns {
  resolveNaptr(name: string): Promise<readonly NaptrRecord[]>;
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6 addresses of a host name. */
  resolveAddresses(name: string): Promise<readonly AddressRecord[]>;
}
