import type { Instant } from "../../environment/index.ts";

/** What the TCP of a whole namespace did since it was made, as the kernel counts it. */
export interface TcpCounters {
  /** OutSegs: all that it sent, acknowledgements among them. */
  readonly segments: number;
  /** RetransSegs. */
  readonly retransmissions: number;
  /** TCPFastRetrans: because acknowledgements told of later ones. */
  readonly fastRetransmissions: number;
  /** TCPSlowStartRetrans: after a timeout, those that were lost beside the first. */
  readonly slowStartRetransmissions: number;
  /** TCPLossProbes (RFC 8985 §7). */
  readonly tailLossProbes: number;
  /** TCPTimeouts (RFC 6298). */
  readonly timeouts: number;
  /** TCPSpuriousRTOs. */
  readonly spuriousTimeouts: number;
}

/** Counters at an instant. */
export interface TcpSample {
  readonly at: Instant;
  readonly counters: TcpCounters;
}

const NAMES: Readonly<Record<keyof TcpCounters, string>> = {
  segments: "Tcp:OutSegs",
  retransmissions: "Tcp:RetransSegs",
  fastRetransmissions: "TcpExt:TCPFastRetrans",
  slowStartRetransmissions: "TcpExt:TCPSlowStartRetrans",
  tailLossProbes: "TcpExt:TCPLossProbes",
  timeouts: "TcpExt:TCPTimeouts",
  spuriousTimeouts: "TcpExt:TCPSpuriousRTOs",
};
const KEYS = Object.keys(NAMES) as (keyof TcpCounters)[];

/** Nothing happened yet. */
export const NO_TCP: TcpCounters = {
  segments: 0,
  retransmissions: 0,
  fastRetransmissions: 0,
  slowStartRetransmissions: 0,
  tailLossProbes: 0,
  timeouts: 0,
  spuriousTimeouts: 0,
};

/**
 * Reads /proc/net/snmp and /proc/net/netstat (as one text): pairs of lines, names above values. What
 * a kernel does not count is 0.
 */
export function parseTcpCounters(text: string): TcpCounters {
  const values = new Map<string, number>();
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const [group, ...names] = line.split(" ");
    const [sameGroup, ...figures] = lines[index + 1]?.split(" ") ?? [];
    if (group === "" || group !== sameGroup || !/\D/u.test(names[0] ?? "")) continue;
    for (const [column, name] of names.entries()) {
      values.set(`${group}${name}`, Number(figures[column]));
    }
  }
  return countersOf((key) => values.get(NAMES[key]) ?? 0);
}

/** What happened from one sample to a later one. */
export function tcpCountersBetween(earlier: TcpCounters, later: TcpCounters): TcpCounters {
  return countersOf((key) => later[key] - earlier[key]);
}

/** Whether anything but new segments was counted since. */
export function isEventful(earlier: TcpCounters, later: TcpCounters): boolean {
  return KEYS.some((key) => key !== "segments" && later[key] !== earlier[key]);
}

function countersOf(valueOf: (key: keyof TcpCounters) => number): TcpCounters {
  return Object.fromEntries(KEYS.map((key) => [key, valueOf(key)])) as Record<
    keyof TcpCounters,
    number
  >;
}
