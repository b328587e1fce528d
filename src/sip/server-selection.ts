import {
  type NaptrRecord,
  type Random,
  randomInteger,
  type SrvRecord,
} from "../environment/index.ts";
import type { SipTransport } from "./transport-name.ts";

/** RFC 3263 §4.1, §8: what a NAPTR service field stands for. */
const NAPTR_SERVICES: ReadonlyMap<string, SipTransport> = new Map([
  ["SIP+D2U", "udp"],
  ["SIP+D2T", "tcp"],
  ["SIPS+D2T", "tls"],
]);

/** The name of SRV records, and how their servers are spoken to. */
export interface Service {
  readonly name: string;
  readonly transport: SipTransport;
}

/**
 * The services that a domain offers by NAPTR and that we can use, best first (RFC 3263 §4.1). Of
 * those behind the lowest order with one that fits, no others are looked at (RFC 3403 §4.1).
 */
export function servicesIn(
  records: readonly NaptrRecord[],
  isUsable: (transport: SipTransport) => boolean,
): readonly Service[] {
  const usable = records
    .map((record) => ({ ...record, transport: NAPTR_SERVICES.get(record.service.toUpperCase()) }))
    .filter(
      ({ flags, regexp, transport }) =>
        flags.toLowerCase() === "s" &&
        regexp === "" &&
        transport !== undefined &&
        isUsable(transport),
    )
    .toSorted((left, right) => left.order - right.order || left.preference - right.preference);
  return usable
    .filter(({ order }) => order === usable[0]?.order)
    .map(({ replacement, transport }) => ({
      name: replacement,
      transport: transport as SipTransport,
    }));
}

/** The name of a domain's SRV records for a transport (RFC 3263 §4.1, §4.2). */
export function srvNameOf(domain: string, transport: SipTransport): string {
  const labels = {
    udp: "_sip._udp",
    tcp: "_sip._tcp",
    tls: "_sips._tcp",
    ws: "_sip._ws",
    wss: "_sips._wss",
  };
  return `${labels[transport]}.${domain}`;
}

/**
 * The order in which servers are tried (RFC 2782): by priority; within one, at random, each as
 * likely to be next as its share of the weights that are left.
 *
 * The RFC's text draws a number from 0 to the sum inclusive, which gives the first record a share
 * too many; here the shares are exact, and records of weight 0 come last.
 */
export function orderServers(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted(
    (left, right) => left - right,
  );
  return priorities.flatMap((priority) =>
    drawnByWeight(
      records.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function drawnByWeight(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  const left = [...records];
  const drawn: SrvRecord[] = [];
  while (left.length > 0) drawn.push(...left.splice(indexDrawn(left, random), 1));
  return drawn;
}

function indexDrawn(records: readonly SrvRecord[], random: Random): number {
  const sum = records.reduce((total, { weight }) => total + weight, 0);
  if (sum === 0) return randomInteger(random, records.length);
  let rest = random() * sum;
  for (const [index, { weight }] of records.entries()) {
    rest -= weight;
    if (rest < 0) return index;
  }
  return records.length - 1;
}
