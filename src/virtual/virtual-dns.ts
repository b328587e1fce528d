import {
  type AddressRecord,
  type Dns,
  EnvironmentError,
  type NaptrRecord,
  type SrvRecord,
} from "../environment/index.ts";

/** DNS in memory: what is not entered has no records. */
export class VirtualDns implements Dns {
  readonly naptr: Map<string, readonly NaptrRecord[]> = new Map();
  readonly srv: Map<string, readonly SrvRecord[]> = new Map();
  readonly hosts: Map<string, readonly AddressRecord[]> = new Map();
  /** Questions to which the servers do not answer: "NAPTR example.com", or "*" for all. */
  readonly failing: Set<string> = new Set();
  /** Each question that was asked: "SRV _sip._udp.example.com". */
  readonly questions: string[] = [];

  constructor(hosts: Readonly<Record<string, readonly string[]>> = {}) {
    for (const [name, addresses] of Object.entries(hosts)) {
      this.hosts.set(
        name,
        addresses.map((address) => ({ address })),
      );
    }
  }

  resolveNaptr(name: string): Promise<readonly NaptrRecord[]> {
    return this.#answer(`NAPTR ${name}`, this.naptr.get(name));
  }

  resolveSrv(name: string): Promise<readonly SrvRecord[]> {
    return this.#answer(`SRV ${name}`, this.srv.get(name));
  }

  resolveAddresses(name: string): Promise<readonly AddressRecord[]> {
    return this.#answer(`A ${name}`, this.hosts.get(name));
  }

  #answer<Found>(
    question: string,
    records: readonly Found[] | undefined,
  ): Promise<readonly Found[]> {
    this.questions.push(question);
    if (!this.failing.has(question) && !this.failing.has("*")) {
      return Promise.resolve(records ?? []);
    }
    const message = `The virtual DNS does not answer "${question}".`;
    return Promise.reject(new EnvironmentError("ERR_DNS_FAILED", message));
  }
}
